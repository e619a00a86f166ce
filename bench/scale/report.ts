// Publishes bench/scale/results.json as it is, without measuring: bun bench/scale/report.ts
import { readFileSync } from "node:fs";
import { writeDocs } from "../../testing/docs.ts";
import { formatNumber } from "../../testing/statistics.ts";
import { type Phase, RESULTS_FILE, type Results } from "./results.ts";

const COLUMNS = [
  "phase",
  "sent",
  "failed",
  "lost",
  "p50, ms",
  "p99, ms",
  "max, ms",
  "s to full strength",
  "failed how",
];

/** Writes the table of docs/scale.md. */
export function publish({ engine, rate, nodes, phases }: Results): void {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  const text = [
    `Engine ${engine}, ${nodes} nodes on one machine of 2 cores, ${rate} requests/s, one run.\n\n`,
    row(COLUMNS),
    row(COLUMNS.map((_, i) => (i === 0 || i === COLUMNS.length - 1 ? "---" : "---:"))),
    ...phases.map((phase) => row(cellsOf(phase))),
  ].join("");
  writeDocs("scale.md", "scale", text);
  console.log(text);
}

function cellsOf({ name, sent, failed, lost, p50, p99, max, seconds, failures }: Phase): string[] {
  const how = Object.entries(failures).map(([kind, count]) => `${kind}: ${count}`);
  return [name, ...[sent, failed, lost, p50, p99, max, seconds].map(formatNumber), how.join(", ")];
}

if (import.meta.main) publish(JSON.parse(readFileSync(RESULTS_FILE, "utf8")));
