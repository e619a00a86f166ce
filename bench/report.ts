import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SERVICES, type Service } from "./peers.ts";
import { plot } from "./plot.ts";
import { writeReadme } from "./readme.ts";
import { type Spread, show, showSpread } from "./statistics.ts";

/** What was measured of one service of one peer. */
export interface Entry {
  readonly service: Service;
  readonly peer: string;
  /** Microseconds a request. */
  readonly cpu: Spread;
  /** The same over nginx's of the same round. */
  readonly cpuToNginx: Spread;
  /** Requests a second. */
  readonly rate: Spread;
  /** Microseconds. */
  readonly p50: Spread;
  readonly p99: Spread;
  /** Milliseconds from start to first answer. */
  readonly start: Spread;
  /** MiB. */
  readonly idleResident: Spread;
  readonly idlePrivate: Spread;
  readonly loadedResident: Spread;
  readonly loadedPrivate: Spread;
  /** Bytes, and of what. */
  readonly size: number;
  readonly ships: string;
}

export interface Results {
  /** The model of the processor. */
  readonly cpu: string;
  readonly rounds: number;
  readonly entries: readonly Entry[];
}

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
