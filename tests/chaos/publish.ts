// Writes what the tests of this folder reported to CHAOS_REPORT as the README's table.
import { readFileSync } from "node:fs";
import { writeReadme } from "../../testing/readme.ts";

const rows = readFileSync(process.env.CHAOS_REPORT ?? "", "utf8");
writeReadme("chaos", `| fault | sent | failed | lost | |\n| --- | ---: | ---: | ---: | --- |\n${rows}`);
