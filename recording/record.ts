// Records the launch: types the commands in a terminal, checks what comes of each, and writes the recording and its
// picture. The variable COMPOSE_PROJECT_NAME names the stack.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { runOrThrow } from "../host/command.ts";
import { exitCodeOf, noteInterrupt } from "../host/interrupt.ts";
import { waitUntil } from "../testing/wait-until.ts";
import { formatCast, parseCast } from "./cast.ts";
import { environment } from "./environment.ts";
import { CAST, MAX_BYTES, pictureOf, SVG } from "./outputs.ts";
import { type Scene, scenesOf } from "./scenes.ts";
import { play } from "./screen.ts";
import { RecordedShell } from "./shell.ts";
import { trim } from "./trim.ts";

/** No command takes longer, in seconds. */
const TIMEOUT_S = 300;

const project = process.env.COMPOSE_PROJECT_NAME ?? "";
const ours = `label=com.docker.compose.project=${project}`;
const say = (words: string) => console.error(`==> ${words}`);

/** The engine still knows how the containers of the last recording ended; they must not be in this one. */
async function forgetLast(): Promise<void> {
  const events = ["docker", "events", "--since", "1m", "--until", "0s", "--filter", "event=die", "--filter", ours];
  if ((await runOrThrow(events)) === "") return;
  say("waiting until the end of the last recording is a minute ago");
  await waitUntil("it is a minute ago", async () => isInterrupted() || (await runOrThrow(events)) === "", 70_000);
}

async function areHealthy(): Promise<boolean> {
  const list = ["docker", "ps", "--quiet", "--filter", ours, "--filter", "health=healthy"];
  return (await runOrThrow(list)).split("\n").length === 2;
}

async function playScene(shell: RecordedShell, scene: Scene): Promise<void> {
  if (scene.healthy)
    await waitUntil("both services are healthy again", async () => isInterrupted() || (await areHealthy()), 60_000);
  say(`recording: ${scene.command.split("\n", 1)[0]}`);
  await shell.type(scene.command);
  const { code, output } = await shell.prompt(TIMEOUT_S);
  const missing = scene.shows.filter((text) => !(typeof text === "string" ? output.includes(text) : text.test(output)));
  if (code === scene.code && missing.length === 0) return Bun.sleep(scene.pause * 1000);
  const expected = [`exit code ${scene.code}`, ...missing.map(String)].join("\n");
  throw new Error(`expected:\n${expected}\nand got exit code ${code}:\n${output}`);
}

function save(recorded: string, picture: string): void {
  for (const path of [process.cwd(), homedir()])
    if (recorded.includes(path)) throw new Error(`the recording contains ${path}, a path of this machine`);
  const bytes = Buffer.byteLength(recorded + picture);
  if (bytes > MAX_BYTES) throw new Error(`the recording and its picture have ${bytes} bytes, over ${MAX_BYTES}`);
  writeFileSync(CAST, recorded);
  writeFileSync(SVG, picture);
  say(`wrote ${CAST} and ${SVG}: ${bytes} bytes, ${Math.round(parseCast(recorded).printed.at(-1)?.at ?? 0)} s`);
}

const folder = mkdtempSync(join(tmpdir(), "recording-"));
const raw = join(folder, "raw.cast");
let shell: RecordedShell | undefined;
const interrupt = noteInterrupt(() => shell?.interrupt());
const isInterrupted = () => interrupt.signal !== undefined;

/** @throws {Error} if something was not as expected, or after Ctrl-C */
async function record(): Promise<void> {
  const started = new RecordedShell(raw, environment(folder));
  shell = started;
  try {
    await started.prompt(10);
    for (const scene of scenesOf(project)) {
      if (isInterrupted()) throw new Error("interrupted");
      await playScene(started, scene);
    }
  } finally {
    await started.end();
  }
}

try {
  await forgetLast();
  await record();
  const recorded = formatCast(trim(parseCast(readFileSync(raw, "utf8"))));
  const cast = parseCast(recorded);
  save(recorded, pictureOf(cast, await play(cast)));
} catch (error) {
  if (!isInterrupted()) console.error(`error: the launch was not recorded: ${(error as Error).message}`);
  process.exitCode = interrupt.signal === undefined ? 1 : exitCodeOf(interrupt.signal);
} finally {
  rmSync(folder, { recursive: true });
}
