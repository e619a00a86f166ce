// Publishes bench/scale/growth.json as it is, without measuring: bun bench/scale/growth-report.ts
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeDocs } from "../../testing/docs.ts";
import { formatSpread, overlap, type Spread } from "../../testing/statistics.ts";
import { growthPlot } from "./growth-plot.ts";
import { type Entry, GROWTH_FILE, type Growth } from "./growth-results.ts";

const COLUMNS: Readonly<Record<string, (entry: Entry, first: Entry) => string>> = {
  frontends: ({ frontends }) => String(frontends),
  backends: ({ backends }) => String(backends),
  connections: ({ connections }) => String(connections),
  "frontend, µs of CPU per request": (entry, first) => compared(entry.frontendCpu, first.frontendCpu),
  "backend, µs": (entry, first) => compared(entry.backendCpu, first.backendCpu),
  "requests/s": ({ rate }) => formatSpread(rate),
  "refused, %": ({ errors }) => formatSpread(times(errors, 100)),
  "p50, ms": ({ p50 }) => formatSpread(times(p50, 0.001)),
  "p99, ms": ({ p99 }) => formatSpread(times(p99, 0.001)),
  "private memory of a frontend, MiB": ({ memory }) => formatSpread(memory),
  "busiest backend": ({ imbalance }) => formatSpread(imbalance),
};

/** Writes the plot and the table of docs/scale.md. */
export function publish({ cpu, rounds, entries }: Growth): void {
  writeFileSync(join(import.meta.dir, "../../docs/growth.svg"), growthPlot(entries));
  const [first] = entries;
  if (first === undefined) throw new Error("there are no results");
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  const columns = Object.values(COLUMNS);
  const text = [
    `${cpu}, ${rounds} rounds: median (minimum to maximum). ≈: the range overlaps that of the first row.\n\n`,
    row(Object.keys(COLUMNS)),
    row(columns.map(() => "---:")),
    ...entries.map((entry) => row(columns.map((cell) => cell(entry, first)))),
  ].join("");
  writeDocs("scale.md", "growth", text);
  console.log(text);
}

const compared = (value: Spread, first: Spread): string =>
  `${value !== first && overlap(value, first) ? "≈ " : ""}${formatSpread(value)}`;

const times = ({ median, min, max }: Spread, factor: number): Spread => ({
  median: median * factor,
  min: min * factor,
  max: max * factor,
});

if (import.meta.main) publish(JSON.parse(readFileSync(GROWTH_FILE, "utf8")));
