import { show } from "../testing/statistics.ts";
import { SERVICES } from "./peers.ts";
import type { Entry } from "./results.ts";

const WIDTH = 760;
const LEFT = 130;
const RIGHT = 70;
const ROW = 24;
const TITLE = 34;
const COLOURS = { ours: "#0b7285", others: "#adb5bd", text: "#343a40", grid: "#e9ecef" };

/** An SVG: for each service a bar for each peer, CPU a request over nginx's, on a logarithmic scale. */
export function plot(entries: readonly Entry[]): string {
  const least = Math.min(...entries.map(({ cpuToNginx }) => cpuToNginx.min), 1);
  const most = Math.max(...entries.map(({ cpuToNginx }) => cpuToNginx.max));
  const from = 2 ** Math.floor(Math.log2(least) - 0.01);
  const to = 2 ** Math.ceil(Math.log2(most));
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
        `<text x="${x(tick)}" y="${bottom + 14}" text-anchor="middle" font-size="11">${show(tick)}×</text>`,
    );
    const bars = panel.map(({ peer, cpuToNginx: { median, min, max } }, i) => {
      const y = top + TITLE + i * ROW;
      const middle = y + ROW / 2;
      const colour = peer === "this project" ? COLOURS.ours : COLOURS.others;
      const [from1, to1] = [x(Math.min(median, 1)), x(Math.max(median, 1))];
      return (
        `<text x="${LEFT - 8}" y="${middle + 4}" text-anchor="end">${peer}</text>` +
        `<rect x="${from1}" y="${y + 5}" width="${Math.max(to1 - from1, 2)}" height="${ROW - 10}" fill="${colour}"/>` +
        `<path d="M${x(min)} ${middle}H${x(max)}" stroke="${COLOURS.text}"/>` +
        `<text x="${x(max) + 6}" y="${middle + 4}">${show(median)}×</text>`
      );
    });
    const title = `<text x="12" y="${top + 22}" font-weight="bold">api-${panel[0]?.service}: CPU a request, nginx = 1</text>`;
    top += heightOf(panel);
    return [title, ...grid, ...bars].join("\n");
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13" fill="${COLOURS.text}">
<title>CPU a request of both services, as a ratio to nginx</title>
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
${drawn.join("\n")}
</svg>
`;
}
