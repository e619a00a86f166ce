// What is shown while a class is graded, and that it is in the language of the teacher.

import { expect, test } from "bun:test";
import { WORDS } from "../report/words.ts";
import { notRestarted } from "../rules/crash.ts";
import { Progress } from "../run/progress.ts";

const who = (name: string) => ({ id: name, name });

test.each([
  ["en", "2/3 graded, 1 not graded, 0 running, 0 left", "1/3 graded, 0 running, 2 left, about 6 s"],
  ["fr", "2/3 corrigés, 1 non corrigé, 0 en cours, 0 restant", "1/3 corrigés, 0 en cours, 2 restants, environ 6 s"],
] as const)(
  "in %s, who could not be graded is not counted as graded, and who comes again is left",
  (lang, end, before) => {
    const progress = new Progress(3, 1, lang);
    for (const name of ["alice", "bob", "chloe"]) progress.start(who(name));
    progress.end(who("alice"), { isGraded: true, seconds: 3, comesAgain: false });
    progress.end(who("bob"), { isGraded: false, seconds: undefined, comesAgain: true });
    progress.end(who("chloe"), { isGraded: false, seconds: undefined, comesAgain: true });
    expect(progress.status()).toBe(before);
    progress.end(who("chloe"), { isGraded: false, seconds: undefined, comesAgain: false });
    progress.end(who("bob"), { isGraded: true, seconds: undefined, comesAgain: false });
    expect(progress.status()).toBe(end);
    progress.stop();
  },
);

test("all other words of the screen and the reports differ", () => {
  const same = Object.entries(WORDS.fr).filter(([key, words]) => String(words) === String(WORDS.en[key as "rule"]));
  expect(same.map(([key]) => key)).toEqual(["points", "verdict", "participant"]);
});

test("the state of a container is told in the language of the report", () => {
  const State = { Status: "exited", ExitCode: 1 } as Parameters<typeof notRestarted>[1]["State"];
  const { seen } = notRestarted("backend", { State, RestartCount: 0 });
  expect(seen.en).toBe("after /traceback the backend container stays exited, exit code 1, RestartCount 0");
  expect(seen.fr).toBe("après /traceback, le conteneur du backend reste arrêté, code de sortie 1, RestartCount 0");
});
