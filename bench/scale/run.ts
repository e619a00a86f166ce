// `make scale`: a Swarm of three nodes on this machine, under load, while it is deployed, updated, broken and scaled.
// Writes bench/scale/results.json, and publishes it (report.ts).
import { writeFileSync } from "node:fs";
import { terminateCommands } from "../../host/command.ts";
import { startRegistry } from "../../testing/registry.ts";
import { SwarmNodes } from "../../testing/swarm-nodes.ts";
import { pushImages, removeImages } from "./images.ts";
import { Phases, RATE } from "./phases.ts";
import { publish } from "./report.ts";
import { RESULTS_FILE, type Results } from "./results.ts";

const NODES = 3;

const say = (line: string) => console.error(`==> ${line}`);

/** What is to be undone, the last thing first. */
const undo: (() => Promise<unknown>)[] = [];
async function cleanUp(): Promise<void> {
  say("removing the nodes");
  for (const step of undo.splice(0).reverse()) await step().catch((error: unknown) => console.error(error));
}

async function measure(): Promise<Results> {
  const registry = await startRegistry();
  undo.push(registry.stop);
  say("building and pushing four versions of both images (about a minute)");
  undo.push(() => removeImages(registry.address));
  await pushImages(registry.address);
  say(`starting a Swarm of ${NODES} nodes (about 10 s)`);
  const swarm = new SwarmNodes(NODES);
  undo.push(() => swarm.remove());
  await swarm.start(registry.folder);
  // From here on docker commands are for the Swarm.
  process.env.DOCKER_HOST = swarm.manager.engine.host;
  undo.push(async () => delete process.env.DOCKER_HOST);
  const phases = new Phases(swarm, say);
  undo.push(() => phases.stop());
  await phases.all();
  const engine = await swarm.docker("version", "--format", "{{.Server.Version}}");
  return { engine, rate: RATE, nodes: NODES, phases: phases.results };
}

let interrupted = false;
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)
  process.once(signal, async () => {
    interrupted = true;
    terminateCommands();
    await cleanUp();
    process.exit(code);
  });

let failure: unknown;
try {
  const results = await measure();
  writeFileSync(RESULTS_FILE, `${JSON.stringify(results, null, 2)}\n`);
  publish(results);
} catch (error) {
  failure = error;
}
// What was interrupted fails; the signal's handler sees to the end.
if (interrupted) await new Promise(() => {});
await cleanUp();
if (failure !== undefined) {
  console.error(`error: ${(failure as Error).message}`);
  process.exit(1);
}
