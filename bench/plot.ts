import { formatNumber, overlap } from "../testing/statistics.ts";
import { SERVICES } from "./peers.ts";
import type { Entry } from "./results.ts";

const WIDTH = 760;
const LEFT = 130;
const RIGHT = 70;
const ROW = 24;
const TITLE = 34;
const COLOURS = { ours: "#0b7285", others: "#adb5bd", text: "#343a40", grid: "#e9ecef" };

/**
 * Draws CPU per request as an SVG: for each service a bar for each peer, its ratio to nginx on a logarithmic scale, with
 * a line for its range. The background is white, so that it is legible on a dark page too.
 */
export function plot(entries: readonly Entry[]): string {
  const smallest = Math.min(...entries.map(({ cpuToNginx }) => cpuToNginx.min), 1);
  const largest = Math.max(...entries.map(({ cpuToNginx }) => cpuToNginx.max));
  const from = 2 ** Math.floor(Math.log2(smallest) - 0.01);
  const to = 2 ** Math.ceil(Math.log2(largest));
  const x = (ratio: number) =>
    Math.round((LEFT + ((WIDTH - LEFT - RIGHT) * Math.log2(ratio / from)) / Math.log2(to / from)) * 10) / 10;

  const panels = SERVICES.map((service) => entries.filter((entry) => entry.service === service));
  const heightOf = (panel: readonly Entry[]) => TITLE + panel.length * ROW + 26;
  const height = panels.reduce((sum, panel) => sum + heightOf(panel), 12);
  const ticks = Array.from({ length: Math.log2(to / from) + 1 }, (_, i) => from * 2 ** i);

  let top = 0;
  const drawn = panels.map((panel) => {
    const bottom = top + TITLE + panel.length * ROW;
    const grid = ticks.map(
      (tick) =>
        `<path d="M${x(tick)} ${top + TITLE}V${bottom}" stroke="${COLOURS.grid}"/>` +
        `<text x="${x(tick)}" y="${bottom + 14}" text-anchor="middle" font-size="11">${formatNumber(tick)}×</text>`,
    );
    const bars = panel.map(({ peer, cpu, cpuToNginx: { median, min, max } }, i) => {
      const y = top + TITLE + i * ROW;
      const middle = y + ROW / 2;
      const colour = peer === "this project" ? COLOURS.ours : COLOURS.others;
      const [barFrom, barTo] = [x(Math.min(median, 1)), x(Math.max(median, 1))];
      const width = Math.max(barTo - barFrom, 2).toFixed(1);
      const equal = i > 0 && panel[0] !== undefined && overlap(cpu, panel[0].cpu) ? "≈" : "";
      return (
        `<text x="${LEFT - 8}" y="${middle + 4}" text-anchor="end">${peer}</text>` +
        `<rect x="${barFrom}" y="${y + 5}" width="${width}" height="${ROW - 10}" fill="${colour}"/>` +
        `<path d="M${x(min)} ${middle}H${x(max)}" stroke="${COLOURS.text}"/>` +
        `<text x="${x(max) + 6}" y="${middle + 4}">${equal}${formatNumber(median)}×</text>`
      );
    });
    const title = `<text x="12" y="${top + 22}" font-weight="bold">api-${panel[0]?.service}: CPU per request, nginx = 1</text>`;
    top += heightOf(panel);
    return [title, ...grid, ...bars].join("\n");
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13" fill="${COLOURS.text}">
<title>CPU per request of both services, as a ratio to nginx</title>
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
${drawn.join("\n")}
</svg>
`;
}
