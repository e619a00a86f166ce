// `make bench`: measures both services and their peers, writes bench/results.json, and publishes it (report.ts).

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { runOrThrow } from "../host/command.ts";
import { spreadOf } from "../testing/statistics.ts";
import { CORE, measure, type Round, terminateServices } from "./measure.ts";
import { PEERS, type Peer, SERVICES } from "./peers.ts";
import { publish } from "./report.ts";
import { type Entry, RESULTS_FILE, type Results } from "./results.ts";

const ROUNDS = 5;

const progress = (text: string) => console.error(`==> ${text}`);

const home = mkdtempSync(join(tmpdir(), "tpdocker-bench-"));
process
  .on("SIGINT", () => process.exit(130))
  .on("SIGTERM", () => process.exit(143))
  .on("exit", () => {
    terminateServices();
    rmSync(home, { recursive: true, force: true });
  });

if (cpus().length < 2) throw new Error("two cores are needed: one for the measured service, one for wrk");
await runOrThrow(["taskset", "--all-tasks", "--cpu-list", "--pid", String(CORE.others), String(process.pid)]);

const folderOf = (peer: Peer) => join(home, String(PEERS.indexOf(peer)));
for (const peer of PEERS) {
  progress(`building ${peer.name}`);
  mkdirSync(folderOf(peer));
  await peer.build(folderOf(peer));
}

// Round by round, so that changes on the machine during the run affect all peers alike.
const rounds = new Map<string, Round[]>();
for (let round = 1; round <= ROUNDS; round++) {
  for (const service of SERVICES) {
    for (const peer of PEERS) {
      const measured = await measure(peer, service, folderOf(peer));
      progress(
        `round ${round} of ${ROUNDS}: ${peer.name}, ${service}: ${measured.cpu.toFixed(1)} µs of CPU per request`,
      );
      const key = `${peer.name} ${service}`;
      rounds.set(key, [...(rounds.get(key) ?? []), measured]);
    }
  }
}

const entries: Entry[] = [];
for (const service of SERVICES) {
  const nginx = rounds.get(`${PEERS[0]?.name} ${service}`) ?? [];
  for (const peer of PEERS) {
    const own = rounds.get(`${peer.name} ${service}`) ?? [];
    const spread = (value: (round: Round, nth: number) => number) => spreadOf(own.map(value));
    entries.push({
      service,
      peer: peer.name,
      cpu: spread(({ cpu }) => cpu),
      cpuToNginx: spread(({ cpu }, nth) => cpu / (nginx[nth]?.cpu ?? Number.NaN)),
      rate: spread(({ rate }) => rate),
      p50: spread(({ p50 }) => p50),
      p99: spread(({ p99 }) => p99),
      start: spreadOf(own.flatMap(({ starts }) => starts)),
      idleResident: spread(({ idle }) => idle.resident),
      idlePrivate: spread(({ idle }) => idle.private),
      loadedResident: spread(({ loaded }) => loaded.resident),
      loadedPrivate: spread(({ loaded }) => loaded.private),
      size: await peer.size(service, folderOf(peer)),
      ships: peer.ships,
    });
  }
}
const results: Results = { cpu: cpus()[0]?.model ?? "unknown", rounds: ROUNDS, entries };
writeFileSync(RESULTS_FILE, `${JSON.stringify(results, null, 2)}\n`);
publish(results);
