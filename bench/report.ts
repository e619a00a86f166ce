// Publishes bench/results.json as it is, without measuring: bun bench/report.ts
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeDocs } from "../testing/docs.ts";
import { formatNumber, formatSpread, overlap, type Spread } from "../testing/statistics.ts";
import { SERVICES, type Service } from "./peers.ts";
import { plot } from "./plot.ts";
import { type Entry, RESULTS_FILE, type Results } from "./results.ts";

/** Writes the plot, and the tables of docs/performance.md. */
export function publish({ entries }: Results): void {
  writeFileSync(join(import.meta.dir, "../docs/speed.svg"), plot(entries));
  const tables = SERVICES.map((service) => `${table(service, entries)}\n`).join("");
  const text = `${tables}${LEGEND}`;
  writeDocs("performance.md", "bench", text);
  console.log(text);
}

const LEGEND = `Each cell is the median (minimum to maximum), then the ratio to nginx. ≈ before a ratio: the two ranges overlap,
so this run does not show a difference from nginx.
`;

const ROWS = {
  rate: "requests/s",
  p50: "p50, µs",
  p99: "p99, µs",
  start: "start to first response, ms",
  idlePrivate: "idle: private memory, MiB",
  idleResident: "idle: resident, MiB",
  loadedPrivate: "loaded: private memory, MiB",
  loadedResident: "loaded: resident, MiB",
} as const;

/** The table of one service, with a column for each peer. */
function table(service: Service, entries: readonly Entry[]): string {
  const peers = entries.filter((entry) => entry.service === service);
  const [nginx] = peers;
  if (nginx === undefined) throw new Error(`no results for ${service}`);
  const row = (title: string, cell: (entry: Entry) => string) => `| ${[title, ...peers.map(cell)].join(" | ")} |\n`;
  const cell = (entry: Entry, spread: Spread, nginxSpread: Spread, ratio: number) => {
    const equal = entry !== nginx && overlap(spread, nginxSpread) ? "≈" : "";
    return `${formatSpread(spread)} **${equal}${formatNumber(ratio)}×**`;
  };
  const measures = Object.entries(ROWS) as [keyof typeof ROWS, string][];
  return [
    row(`\`api-${service}\``, ({ peer }) => peer),
    row("---", () => "---"),
    row("CPU per request, µs", (entry) => cell(entry, entry.cpu, nginx.cpu, entry.cpuToNginx.median)),
    ...measures.map(([measure, title]) =>
      row(title, (entry) => cell(entry, entry[measure], nginx[measure], entry[measure].median / nginx[measure].median)),
    ),
    row("size, MB", ({ size, ships }) => `${formatNumber(size / 1e6)} (${ships})`),
  ].join("");
}

if (import.meta.main) publish(JSON.parse(readFileSync(RESULTS_FILE, "utf8")));
