import { dot, lineY, plot, ruleX, ruleY } from "@observablehq/plot";
// The build for workers: the other one looks for the package `canvas`, which a bundler cannot find.
import { parseHTML } from "linkedom/worker";
import type { Spread } from "../../testing/statistics.ts";
import type { Entry } from "./growth-results.ts";

const PANEL = { width: 380, height: 240 };
const COLOUR = "#0b7285";

/** Draws CPU per request of the frontends as an SVG: over their number with as many backends, and over connections. */
export function growthPlot(entries: readonly Entry[]): string {
  const most = Math.max(...entries.map(({ frontendCpu }) => frontendCpu.max));
  const pairs = entries.filter((entry) => entry.frontends === entry.backends && entry.connections === 64);
  const connections = entries
    .filter(({ frontends, backends }) => frontends === 1 && backends === 2)
    .toSorted((a, b) => a.connections - b.connections);
  const panels = [
    panel("frontends, and as many backends", pairs, ({ frontends }) => frontends, most),
    panel("connections to one frontend, two backends", connections, (entry) => entry.connections, most),
  ];
  const drawn = panels.map((svg, i) => `<g transform="translate(${i * PANEL.width})" text-anchor="middle">${svg}</g>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * PANEL.width} ${PANEL.height}" font-family="sans-serif" font-size="12">
<title>CPU per request of the frontend, in microseconds: median, minimum and maximum</title>
<rect width="${2 * PANEL.width}" height="${PANEL.height}" fill="#fff"/>
${drawn.join("\n")}
</svg>
`;
}

function panel(label: string, entries: readonly Entry[], xOf: (entry: Entry) => number, most: number): string {
  const { document } = parseHTML("<!doctype html><html></html>");
  const points = entries.map((entry) => ({ x: xOf(entry), ...(entry.frontendCpu satisfies Spread) }));
  const svg = plot({
    ...PANEL,
    document,
    marginLeft: 44,
    marginRight: 24,
    marginBottom: 42,
    // Both are evenly spaced: one, two, three, four, and powers of four.
    x: { type: "point", label, labelArrow: "none", labelAnchor: "center" },
    y: { domain: [0, most * 1.1], label: "µs of CPU per request, frontend", labelArrow: "none", grid: true },
    marks: [
      ruleY([0]),
      ruleX(points, { x: "x", y1: "min", y2: "max", stroke: COLOUR, strokeWidth: 2 }),
      lineY(points, { x: "x", y: "median", stroke: COLOUR }),
      dot(points, { x: "x", y: "median", fill: COLOUR }),
    ],
  });
  svg.querySelector("style")?.remove();
  return svg.innerHTML;
}
