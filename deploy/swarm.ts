// Puts the stack on a Swarm, or takes it off. scripts/deploy runs it:
//
//   bun deploy/swarm.ts up
//   bun deploy/swarm.ts down

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brief } from "../host/command.ts";
import { docker } from "../host/docker.ts";
import { exitCodeOf, type Interrupt, noteInterrupt } from "../host/interrupt.ts";
import { exitWith, Refusal } from "../host/refusal.ts";
import { SERVICES } from "../lab/services.ts";
import { type Beginning, check, ownServices } from "./check.ts";
import { networksOf, services, tasksOf } from "./cluster.ts";
import { manager } from "./manager.ts";
import { removeStack } from "./remove.ts";
import { follow, followBack, type Outcome } from "./rollout.ts";
import { readSettings, type Settings } from "./settings.ts";

const say = (line: string) => console.error(`==> ${line}`);
const sayAll = (lines: readonly string[]) => {
  for (const line of lines) console.error(`       ${line}`);
};

/** Gives the stack to the Swarm. */
async function hand({ stack, files, env }: Settings, images: Beginning["images"]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "tpdocker-deploy-"));
  const file = join(folder, "images.yaml");
  const chosen = Object.fromEntries(SERVICES.map((name) => [name, { image: images[name] }]));
  writeFileSync(file, JSON.stringify({ version: "3.9", services: chosen }));
  // An image's id is not in a registry.
  const resolve = Object.values(images).some((image) => image.startsWith("sha256:")) ? "never" : "always";
  const options = [...files, file].flatMap((path) => ["--compose-file", path]);
  const args = ["stack", "deploy", ...options, "--resolve-image", resolve, "--with-registry-auth", stack];
  const { code, stdout, stderr } = await docker(args, { env, ownGroup: true });
  rmSync(folder, { recursive: true });
  if (code !== 0) throw new Refusal(`docker stack deploy: ${brief(stderr || stdout, 400)}`);
}

/** A stack of which a first deployment failed is removed: nothing is half there. */
async function undo(stack: string, what: string): Promise<void> {
  say(`${what}: removing what was deployed`);
  await removeStack(stack, say);
}

/** Makes all services run again what they ran before: Swarm goes back with the one that failed only. */
async function goBack(stack: string): Promise<boolean> {
  for (const { Spec, PreviousSpec, UpdateStatus } of await services(stack)) {
    const isChanged = PreviousSpec !== undefined && !Bun.deepEquals(Spec.TaskTemplate, PreviousSpec.TaskTemplate);
    if (isChanged && !UpdateStatus?.State.startsWith("rollback"))
      await docker(["service", "rollback", "--detach", Spec.Name], { ownGroup: true });
  }
  return followBack(stack, say);
}

/** The last lines that the services' tasks have logged. */
async function lastLines(stack: string): Promise<string[]> {
  const logs = (await services(stack)).map(({ Spec }) =>
    docker(["service", "logs", "--raw", "--tail", "1", Spec.Name], { ownGroup: true, seconds: 5 }),
  );
  return (await Promise.all(logs)).flatMap(({ stderr }) => stderr.trim().split("\n").filter(Boolean).slice(-1));
}

async function up(settings: Settings, interrupt: Interrupt): Promise<number> {
  const { stack, port } = settings;
  say(`looking at the Swarm, at the images and at port ${port}`);
  const { isFirst, images } = await check(settings);
  const known = new Set((await tasksOf(stack)).map(({ ID }) => ID));
  if (interrupt.signal !== undefined) return exitCodeOf(interrupt.signal);
  say(
    `${isFirst ? "deploying" : "updating"} the stack ${stack} with ${SERVICES.map((name) => settings.images[name]).join(" and ")}`,
  );
  let outcome: Outcome;
  try {
    await hand(settings, images);
    outcome = await follow(stack, known, interrupt, say);
  } catch (error) {
    if (isFirst) await undo(stack, "it did not work");
    throw error;
  }
  if (outcome.ended === "converged") {
    say(`the stack ${stack} runs; a frontend answers on port ${port} of every node`);
    return 0;
  }
  return isFirst ? endFirst(stack, outcome, interrupt) : endUpdate(stack, outcome, interrupt);
}

async function endFirst(stack: string, { reasons }: Outcome, { signal }: Interrupt): Promise<number> {
  const lines = signal === undefined ? await lastLines(stack) : [];
  await undo(stack, signal === undefined ? "it does not run" : "interrupted");
  if (signal !== undefined) return exitCodeOf(signal);
  console.error(`error: the stack ${stack} did not start, and was removed again.`);
  sayAll([...reasons, ...lines]);
  return 1;
}

async function endUpdate(stack: string, { reasons }: Outcome, { signal }: Interrupt): Promise<number> {
  if (signal !== undefined) {
    say(
      `interrupted: Swarm goes on with the update by itself, and goes back if it fails. See:  docker stack ps ${stack}`,
    );
    return exitCodeOf(signal);
  }
  const isBack = await goBack(stack);
  console.error(
    isBack
      ? `error: the update failed. The stack ${stack} was rolled back, and runs as before.`
      : `error: the update failed, and so did the way back: see  docker stack ps --no-trunc ${stack}`,
  );
  sayAll(reasons);
  return 1;
}

async function down({ stack }: Settings, interrupt: Interrupt): Promise<number> {
  await manager();
  const own = await ownServices(stack);
  if (own.length + (await tasksOf(stack)).length + (await networksOf(stack)).length === 0) {
    say(`there is no stack ${stack} on this Swarm`);
    return 0;
  }
  await removeStack(stack, say);
  say(`the stack ${stack} is gone`);
  return interrupt.signal === undefined ? 0 : exitCodeOf(interrupt.signal);
}

const actions: Record<string, typeof up> = { up, down };
const action = actions[process.argv[2] ?? ""];
if (action === undefined) throw new Error("usage: bun deploy/swarm.ts up|down");
const interrupt = noteInterrupt(() => say("interrupted: a moment, please (once more ends at once)"));
await exitWith(action(readSettings(process.env), interrupt));
