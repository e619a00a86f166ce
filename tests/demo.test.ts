// `make demo`, the guided tour: as plain text to its end, in a terminal with keys, and what it makes of false observations.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { type Environment, run, runOrThrow } from "../host/command.ts";
import { freePort } from "../host/tcp.ts";
import { BODY, SERVICES } from "../lab/services.ts";
import { cloneCheckout } from "../testing/clone.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { TEST_NAME } from "../testing/stack.ts";
import { waitUntil } from "../testing/wait-until.ts";
import { conclusion, exitCodeOf } from "../tour/claim.ts";
import { type CrashSeen, judgeCrash } from "../tour/crash.ts";
import { Screen } from "../tour/screen.ts";
import { shown } from "../tour/shell.ts";
import type { Scene } from "../tour/step.ts";
import { judgeAnswer } from "../tour/steps/answers.ts";
import { type FlowSeen, judgeFlow } from "../tour/steps/flow.ts";
import { type Grade, judgeGrade } from "../tour/steps/grade.ts";
import { judgeProcess } from "../tour/steps/start.ts";
import { judgeStop, type StopSeen } from "../tour/steps/stop.ts";
import { STEPS, walk } from "../tour/walk.ts";

const MINUTE_MS = 60_000;
setDefaultTimeout(5 * MINUTE_MS);

const verdicts = (claims: readonly { readonly holds: boolean }[]) => claims.map(({ holds }) => holds);

describe("a false observation makes a false claim", () => {
  test.each([
    ["the only process", { pids: [7], first: 7 }, true],
    ["a process beside it", { pids: [7, 8], first: 7 }, false],
    ["another process", { pids: [8], first: 7 }, false],
    ["no process", { pids: [], first: 7 }, false],
  ])("process 1: %s", (_, seen, holds) => expect(judgeProcess({ service: "api-backend", ...seen }).holds).toBe(holds));

  test.each([
    ["right", `${BODY["api-backend"]}200 application/json\n`, true],
    ["a byte less", `${BODY["api-backend"].slice(1)}200 application/json\n`, false],
    ["another status", `${BODY["api-backend"]}500 application/json\n`, false],
    ["another type", `${BODY["api-backend"]}200 text/html\n`, false],
    ["nothing", "", false],
  ])("an answer: %s", (_, response, holds) => expect(judgeAnswer("api-backend", response).holds).toBe(holds));

  const crashSeen: CrashSeen = {
    ...{ service: "api-backend", reply: "", curlCode: 52, exitCode: "1", restarts: [2, 3], isSameContainer: true },
    ...{ downMs: 400, awayMs: 500 },
  };
  test.each<[string, Partial<CrashSeen>, boolean[]]>([
    ["right", {}, [true, true, true]],
    ["an answer", { reply: "bye" }, [false, true, true]],
    ["no connection", { curlCode: 7 }, [false, true, true]],
    ["exit code 0", { exitCode: "0" }, [false, true, true]],
    ["no end", { exitCode: "", restarts: [2, 2] }, [false, false, true]],
    ["two restarts", { restarts: [2, 4] }, [true, false, true]],
    ["a new container", { isSameContainer: false }, [true, false, true]],
    ["no answer afterwards", { awayMs: undefined }, [true, true, false]],
  ])("a crash: %s", (_, seen, holds) => expect(verdicts(judgeCrash({ ...crashSeen, ...seen }))).toEqual(holds));

  const sample = (at: number, outcome: FlowSeen["samples"][number]["outcome"] = "expected") => ({ at, ms: 1, outcome });
  const flowSeen: FlowSeen = {
    samples: [sample(0), sample(5), sample(9)],
    outage: { from: 4, to: 6 },
    restarts: [0, 1],
  };
  test.each<[string, Partial<FlowSeen>, boolean[]]>([
    ["right", {}, [true, true, true]],
    ["one is lost", { samples: [sample(0), sample(5, "closed")] }, [true, false, true]],
    ["one is wrong", { samples: [sample(0), sample(5, "wrong")] }, [true, false, true]],
    ["none during the outage", { samples: [sample(0), sample(9)] }, [false, true, true]],
    ["no crash", { restarts: [1, 1] }, [false, true, true]],
    ["no request", { samples: [] }, [false, false, false]],
  ])("requests under way: %s", (_, seen, holds) =>
    expect(verdicts(judgeFlow({ ...flowSeen, ...seen }))).toEqual(holds),
  );

  const stopSeen: StopSeen = { stopMs: 200, status: ["exited", "exited"], exitCode: 0, backMs: 300 };
  test.each<[string, Partial<StopSeen>, boolean[]]>([
    ["right", {}, [true, true, true]],
    ["killed", { exitCode: 137 }, [false, true, true]],
    ["only after the grace period", { stopMs: 10_100 }, [false, true, true]],
    ["started again by itself", { status: ["exited", "running"] }, [true, false, true]],
    ["no answer after the start", { backMs: undefined }, [true, true, false]],
  ])("a stop: %s", (_, seen, holds) => expect(verdicts(judgeStop({ ...stopSeen, ...seen }))).toEqual(holds));

  const rule = (id: string, verdict: Grade["rules"][number]["verdict"]) => ({ id, title: id, points: 1, verdict });
  test.each<[string, number, Grade["rules"], boolean]>([
    ["right", 20, [rule("up", "pass"), rule("published", "pass")], true],
    ["not published", 20, [rule("up", "pass"), rule("published", "fail")], true],
    ["a rule failed", 19, [rule("up", "fail"), rule("published", "skipped")], false],
    ["a rule was skipped", 20, [rule("up", "skipped"), rule("published", "skipped")], false],
  ])("a grade: %s", (_, markWithoutPublished, rules, holds) =>
    expect(verdicts(judgeGrade({ seconds: 1, mark: 20, markWithoutPublished, rules }))).toEqual([holds]),
  );
});

test("a false claim, or a step that fails, does not end the tour, and makes the exit code 1", async () => {
  const claims = [{ holds: true, text: "seen" }];
  const steps = [
    { title: "one", why: "why", show: async () => [{ holds: false, text: "not seen" }] },
    { title: "two", why: "why", show: () => Promise.reject(new Error("no engine")) },
    { title: "three", why: "why", show: async () => claims },
  ];
  const screen = new Screen(false, false);
  screen.close();
  const seen: typeof claims = [];
  await walk({ screen } as Scene, seen, () => Promise.resolve(), steps);
  expect(verdicts(seen)).toEqual([false, false, true]);
  expect([exitCodeOf(seen, undefined), exitCodeOf(seen, 0), exitCodeOf(claims, 0), exitCodeOf(claims, 130)]).toEqual([
    1, 1, 0, 130,
  ]);
  expect(conclusion(seen, false)).toContain("Claims checked: 3, of which false: 2.");
});

test("a long command is broken where a shell reads on", () => {
  const words = ["docker", "inspect", "--format", "it's {{.Id}}", "a-name"];
  expect(shown(words, 80)).toBe(`docker inspect --format 'it'\\''s {{.Id}}' a-name`);
  expect(shown(words, 36)).toBe(`docker inspect \\\n    --format 'it'\\''s {{.Id}}' \\\n    a-name`);
});

const describeWithCurl = Bun.which("curl") === null ? describe.skip : describeWithEngine;

describeWithCurl("make demo", () => {
  let clone: Awaited<ReturnType<typeof cloneCheckout>>;
  let plain: ReturnType<typeof startPlain>;
  const names = { plain: `${TEST_NAME}p`, keys: `${TEST_NAME}k` };

  /** A tour of a name and on ports of its own. */
  const variables = async (name: string): Promise<Environment> => ({
    ...process.env,
    COMPOSE_PROJECT_NAME: name,
    FRONTEND_PORT: String(await freePort()),
    BACKEND_PORT: String(await freePort()),
  });

  function startPlain(env: Environment) {
    const child = Bun.spawn(["make", "demo"], { cwd: clone.folder, env, stdin: "ignore", stdout: "pipe" });
    let printed = "";
    const reading = (async () => {
      for await (const bytes of child.stdout) printed += Buffer.from(bytes);
    })();
    const ended = reading.then(() => child.exited);
    return { child, ended, printed: () => printed };
  }

  /** Starts the tour in a terminal of its own. */
  function startInTerminal(env: Environment) {
    let printed = "";
    const terminal = new Bun.Terminal({
      ...{ cols: 80, rows: 24 },
      data: (_, bytes) => {
        printed += Buffer.from(bytes);
      },
    });
    const flags = () => [terminal.localFlags, terminal.inputFlags, terminal.outputFlags];
    const before = flags();
    // Not make, which would compile the grader again while the other tour uses it.
    const child = Bun.spawn(["sh", join(clone.folder, "scripts/demo")], {
      env: { ...env, TERM: "xterm-256color" },
      terminal,
    });
    return {
      child,
      terminal,
      isRestored: () => Bun.deepEquals(flags(), before),
      /** Waits for a text after the last that was waited for. */
      async waitFor(text: string) {
        await waitUntil(`the tour shows ${text}`, () => printed.includes(text), MINUTE_MS);
        printed = printed.slice(printed.indexOf(text) + text.length);
      },
      printed: () => printed,
    };
  }

  /** What the engine still has of a tour. */
  async function leftovers(name: string): Promise<string> {
    const filter = ["--quiet", "--filter", `name=${name}-demo`];
    const lists = [
      ["ps", "--all", ...filter],
      ["network", "ls", ...filter],
      ["image", "ls", "--quiet", "--filter", `reference=${name}-demo/*`],
    ];
    return (await Promise.all(lists.map((list) => runOrThrow(["docker", ...list])))).join("");
  }

  beforeAll(async () => {
    clone = await cloneCheckout("https://example.org/tour.git");
    plain = startPlain(await variables(names.plain));
    // Two at a time cannot build in the same folder. From here on it goes on by itself.
    await waitUntil(
      "the tour has started its stack",
      () => /\n2\/7 |\nremoved\. /.test(plain.printed()),
      2 * MINUTE_MS,
    );
  });
  afterAll(async () => {
    plain.child.kill("SIGTERM");
    await plain.ended;
    clone.remove();
  });

  test("goes on and ends at the viewer's keys, one at a time", async () => {
    const env = await variables(names.keys);
    const { child, terminal, isRestored, waitFor, printed } = startInTerminal(env);
    await waitFor("1/7 ");
    await waitFor("q: leave");
    expect(isRestored()).toBe(false);
    await waitFor("go on");
    terminal.write("\r");
    await waitFor("2/7 ");
    await waitFor("go on");
    const second = await run(["sh", join(clone.folder, "scripts/demo")], { env });
    expect([second.code, second.stdout]).toEqual([1, ""]);
    expect(second.stderr).toContain(`error: another tour, ${names.keys}-demo, is running on this machine.\n`);
    // An arrow is no Esc.
    terminal.write("\u001b[A");
    terminal.write(" ");
    await waitFor("3/7 ");
    terminal.write("q");
    await waitFor("You left the tour early.");
    expect(await child.exited).toBe(0);
    expect(isRestored()).toBe(true);
    expect(printed()).not.toContain("\u001b[?25l");
    expect(await leftovers(names.keys)).toBe("");
  });

  test("leaves nothing after Ctrl-C, pressed twice while the stack starts", async () => {
    const { child, terminal, isRestored, waitFor } = startInTerminal(await variables(names.keys));
    await waitFor("starting the backend");
    terminal.write("\u0003");
    terminal.write("\u0003");
    await waitFor("still removing what the tour has made");
    expect(await child.exited).toBe(130);
    expect(isRestored()).toBe(true);
    expect(await leftovers(names.keys)).toBe("");
  });

  test("is plain text without a terminal, from the first step to the last", async () => {
    expect(await plain.ended).toBe(0);
    const printed = plain.printed();
    const titles = [...(printed.match(/^\d\/\d .*$/gm) ?? [])];
    expect(titles).toEqual(STEPS.map(({ title }, i) => `${i + 1}/${STEPS.length} ${title}`));
    for (const service of SERVICES) expect(printed).toContain(`\n${BODY[service]}200 application/json\n`);
    expect(printed.match(/^curl: \(52\) Empty reply from server$/gm)).toHaveLength(3);
    expect(printed.match(/^exit code 1$/gm)).toHaveLength(2);
    expect(printed).toMatch(/^ {2}sent 1200 {2}right 1200 {2}waiting 0 {2}lost 0 {2}slowest \d+\.\d\d s$/m);
    expect(printed).toContain("exited, exit code 0\n");
    expect(printed.match(/^✓ The mark is (20|18)\/20, after \d+ s/gm)).toHaveLength(1);
    expect(printed).not.toContain("✗ ");
    expect(printed).not.toContain("\u001b");
    expect(printed).toEndWith("removed. Claims checked: 18, of which false: 0.\n");
    expect(await leftovers(names.plain)).toBe("");
  });
});
