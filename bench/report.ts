import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeReadme } from "../testing/readme.ts";
import { type Spread, show, showSpread } from "../testing/statistics.ts";
import { SERVICES, type Service } from "./peers.ts";
import { plot } from "./plot.ts";
import type { Entry, Results } from "./results.ts";

/** Writes the results, the plot and the README's tables. */
export async function publish(results: Results): Promise<void> {
  writeFileSync(join(import.meta.dir, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(import.meta.dir, "speed.svg"), plot(results.entries));
  const tables = SERVICES.map((service) => table(service, results.entries)).join("\n");
  writeReadme("bench", tables);
  console.log(tables);
}

const ROWS = {
  rate: "requests/s",
  p50: "p50, µs",
  p99: "p99, µs",
  start: "start to first answer, ms",
  idlePrivate: "idle: private memory, MiB",
  idleResident: "idle: resident, MiB",
  loadedPrivate: "loaded: private memory, MiB",
  loadedResident: "loaded: resident, MiB",
} as const;

/** The table of one service: a column a peer, behind each figure its ratio to nginx's. */
function table(service: Service, entries: readonly Entry[]): string {
  const own = entries.filter((entry) => entry.service === service);
  const row = (title: string, cell: (entry: Entry) => string) => `| ${[title, ...own.map(cell)].join(" | ")} |\n`;
  const withRatio = (spread: Spread, ratio: number) => `${showSpread(spread)} **${show(ratio)}×**`;
  const measures = Object.entries(ROWS) as [keyof typeof ROWS, string][];
  return [
    row(`\`api-${service}\``, ({ peer }) => peer),
    row("---", () => "---"),
    row("CPU a request, µs", ({ cpu, cpuToNginx }) => withRatio(cpu, cpuToNginx.median)),
    ...measures.map(([measure, title]) =>
      row(title, (entry) =>
        withRatio(entry[measure], entry[measure].median / (own[0]?.[measure].median ?? Number.NaN)),
      ),
    ),
    row("size, MB", ({ size, ships }) => `${show(size / 1e6)} (${ships})`),
  ].join("");
}
