// Runs all test files in four groups: three side by side, because their tests mostly wait, then the fourth alone.
// Its arguments are options of bun test.

/**
 * They measure time or memory, or take so much of the machine that others would miss it. The first one measures the
 * memory of the process that runs it, which must not hold the garbage of other files.
 */
const ALONE = [
  "http-client/",
  "api-frontend/",
  "grader/tests/hostile.test.ts",
  "grader/tests/look.test.ts",
  "grader/tests/machine.test.ts",
  "grader/tests/results.test.ts",
  "tests/chaos/",
  "tests/contract.test.ts",
  "tests/executable.test.ts",
  "tests/stack.test.ts",
];

/** They take as long as the rest. None of them uses the checkout's stack, images or executables. */
const BESIDE = [
  "grader/tests/odd.test.ts",
  "grader/tests/reach.test.ts",
  "grader/tests/wrong.test.ts",
  "tests/publish.test.ts",
];

/** They take no more of the machine than a person who reads. */
const WAITING = ["tests/demo.test.ts", "tests/idle.test.ts"];

/** The files whose paths begin with one of these; each of them must be there. */
function filesOf(beginnings: readonly string[], all: readonly string[]): string[] {
  return beginnings.flatMap((beginning) => {
    const files = all.filter((file) => file.startsWith(beginning));
    if (files.length === 0) throw new Error(`${import.meta.file} names ${beginning}, which is not there`);
    return files;
  });
}

let interrupted = false;

/** Runs files one after the other. Shows what they print from the moment `turn` on, and returns all of it. */
async function run(files: readonly string[], turn: Promise<unknown>): Promise<{ output: string; code: number }> {
  const test = [process.execPath, "test", ...process.argv.slice(2), ...files.map((file) => `./${file}`)];
  const child = Bun.spawn(["sh", "-c", 'exec "$@" 2>&1', "sh", ...test], { stdin: "ignore", stdout: "pipe" });
  const decoder = new TextDecoder();
  let [output, shown, isTurn] = ["", 0, false];
  const show = () => {
    if (isTurn) process.stdout.write(output.slice(shown));
    if (isTurn) shown = output.length;
  };
  const showing = turn.then(() => {
    isTurn = true;
    show();
  });
  for await (const bytes of child.stdout) {
    output += decoder.decode(bytes, { stream: true });
    show();
  }
  await showing;
  return { output, code: await child.exited };
}

// Ctrl-C reaches the tests as well, which clean up before they end.
process.on("SIGINT", () => {
  interrupted = true;
});

const all = [...new Bun.Glob("**/*.test.ts").scanSync()].filter((file) => !/(^|\/)node_modules\//.test(file)).sort();
const [alone, beside, waiting] = [filesOf(ALONE, all), filesOf(BESIDE, all), filesOf(WAITING, all)];
const others = all.filter((file) => ![...alone, ...beside, ...waiting].includes(file));

const first = run(others, Promise.resolve());
const second = run(beside, first);
const results = await Promise.all([first, second, run(waiting, second)]);
if (!interrupted) results.push(await run(alone, Promise.resolve()));

if (interrupted) process.exit(130);

/** Bun prints how many tests have passed and failed at the end. */
const countIn = (output: string, what: "pass" | "fail") => new RegExp(`^ *(\\d+) ${what}$`, "m").exec(output)?.[1];
const sum = (what: "pass" | "fail") => results.reduce((all, { output }) => all + Number(countIn(output, what) ?? 0), 0);
const broken = results.filter(({ output }) => countIn(output, "pass") === undefined);
const failed = new Set(results.flatMap(({ output }) => output.match(/^\(fail\) .*$/gm) ?? []));
const lines = [
  ...broken.map(({ code }) => `error: bun test ended before its tests, with exit code ${code}`),
  ...failed,
];
console.log(["", ...lines, ` ${sum("pass")} pass`, ` ${sum("fail") + broken.length} fail`].join("\n"));
process.exitCode = Math.max(Math.min(broken.length, 1), ...results.map(({ code }) => code));
