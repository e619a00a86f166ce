// What the tests report: a line in the log for each fault and, if LAB_CHAOS_REPORT names a file, a row for publish.ts.
import { appendFileSync } from "node:fs";
import { count, type Sample } from "../../host/load.ts";
import { formatNumber } from "../../testing/statistics.ts";

/** `make chaos` runs all tests at full size, `make test` at a smaller one. */
export const FULL = process.env.LAB_CHAOS === "full";

const REQUEST_COLUMNS = ["fault", "requests", "expected", "200", "502", "503", "504", "wrong", "no response", "notes"];

/** The tables of docs/resilience.md. */
export const TABLES = {
  survived: {
    heading: "A fault of the backend, or a stop: no request is lost",
    columns: REQUEST_COLUMNS,
  },
  frontend: {
    heading: "The frontend itself goes, or is overloaded: what is lost or refused",
    columns: REQUEST_COLUMNS,
  },
  restart: {
    heading: "Restart after a crash",
    columns: ["server", "crashes", "crash to first response, ms"],
  },
  lasting: {
    heading: "Faults that last",
    columns: [
      ...["fault or load", "seconds", "requests", "expected", "as expected", "wrong", "no response"],
      "private memory, peak of each quarter, MiB",
    ],
  },
  hostile: {
    heading: "Hostile requests",
    columns: [
      ...["service", "connections", "responses by status", "wrong", "closed without a response", "left by the client"],
      "seed",
    ],
  },
};

type Cells = Readonly<Record<string, string | number>>;

export interface Row {
  readonly table: keyof typeof TABLES;
  /** The cells by column; a missing one is empty. */
  readonly cells: Cells;
}

export function report(table: keyof typeof TABLES, cells: Cells): void {
  const given = TABLES[table].columns.filter((column) => column in cells);
  console.log(given.map((column) => `${column}: ${cells[column]}`).join("; "));
  const row: Row = { table, cells };
  if (process.env.LAB_CHAOS_REPORT !== undefined)
    appendFileSync(process.env.LAB_CHAOS_REPORT, `${JSON.stringify(row)}\n`);
}

/** Counts of requests without a complete response, and of responses that differ from the expected one in any byte. */
export const failureCells = (samples: readonly Sample[]): Cells => ({
  wrong: count(samples, "wrong"),
  "no response": count(samples, "truncated", "closed", "refused", "timeout"),
});

/** The cells of a row of requests. `expected` is what the contract demands. */
export const requestCells = (fault: string, expected: string, samples: readonly Sample[], notes = ""): Cells => {
  const statuses = [200, 502, 503, 504].map((status) => [
    status,
    samples.filter((sample) => sample.status === status).length,
  ]);
  return {
    fault,
    requests: samples.length,
    expected,
    ...Object.fromEntries(statuses),
    ...failureCells(samples),
    notes,
  };
};

export function formatTable({ heading, columns }: (typeof TABLES)["survived"], rows: readonly Cells[]): string {
  const format = (cell: string | number = "") => (typeof cell === "number" ? formatNumber(cell) : cell);
  const isNumeric = (column: string) => rows.every((cells) => typeof (cells[column] ?? 0) === "number");
  const lines = [
    columns,
    columns.map((column) => (isNumeric(column) ? "---:" : "---")),
    ...rows.map((cells) => columns.map((column) => format(cells[column]))),
  ];
  return `### ${heading}\n\n${lines.map((line) => `| ${line.join(" | ")} |\n`).join("")}`;
}

export const formatMs = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
