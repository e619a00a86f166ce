// Writes the rows that the tests of this folder appended to LAB_CHAOS_REPORT as the tables of docs/resilience.md.
import { readFileSync } from "node:fs";
import { writeDocs } from "../../testing/docs.ts";
import { formatTable, type Row, TABLES } from "./report.ts";

const LEGEND = `*Expected* is what the contract demands. The columns of status codes count complete responses. *Wrong* counts responses
that differ from the expected one in any byte, *no response* counts requests without a complete response.
`;

const rows: Row[] = readFileSync(process.env.LAB_CHAOS_REPORT ?? "", "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));
const tables = Object.entries(TABLES).map(([name, table]) =>
  formatTable(
    table,
    rows.filter((row) => row.table === name).map(({ cells }) => cells),
  ),
);
writeDocs("resilience.md", "chaos", `${[LEGEND, ...tables].join("\n")}`);
