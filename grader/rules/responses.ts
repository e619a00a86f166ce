import { deepEquals } from "bun";
import { brief } from "../../host/command.ts";
import { portsOf } from "../compose-file.ts";
import type { Answer } from "../http.ts";
import { listensOn } from "../proc.ts";
import { type Case, Moot, type Rule } from "../rule.ts";
import { PORT, type Role } from "../submission.ts";
import { type Finding, finding, same, text } from "../text.ts";

/** What the subject wants the backend to answer. */
const BACKEND = { body: "Je suis une réponse du backend" };

/** Seconds that a service may take from its start to its first answer. */
const PATIENCE = 90;

/** Seconds that a frontend is given to answer without the backend: one that needs none answers at once. */
const ALONE = 3;

function parse(answer: Answer): unknown {
  try {
    return "body" in answer ? JSON.parse(answer.body) : undefined;
  } catch {
    return undefined;
  }
}

const show = (answer: Answer) =>
  "error" in answer ? answer.error : `${answer.status} ${answer.type || "—"} ${brief(answer.body)}`;

/** Whether an answer is what it must be: status 200, and this JSON, in whatever spelling. */
export const isRight = (answer: Answer, value: unknown): boolean =>
  "status" in answer && answer.status === 200 && deepEquals(parse(answer), value, true);

/** The first answer of a service, once it is `good`; past the time limit, the last one. */
async function firstAnswer(
  { stack }: Case,
  role: Role,
  good: (answer: Answer) => boolean,
  seconds: number,
): Promise<Answer> {
  const start = Date.now();
  for (;;) {
    const answer = await stack.get(role);
    const waited = (Date.now() - start) / 1000;
    if (good(answer) || waited > seconds) return answer;
    if ("error" in answer && waited > 5) {
      // It has started, and listens elsewhere: waiting does not help.
      const ports = listensOn((await stack.container(role)).State.Pid);
      if (ports.length > 0 && !ports.includes(PORT[role]))
        return { error: `${answer.error}, ${ports.map((port) => `port ${port}`)}` };
    }
    await Bun.sleep(200);
  }
}

/** What is wrong with the answer of a service on the subject's port. */
function judge(graded: Case, role: Role, answer: Answer, value: unknown): Finding[] {
  const port = PORT[role];
  const address = `http://127.0.0.1:${port}/`;
  const expected = same(`200, application/json, ${JSON.stringify(value)}`);
  const ports = portsOf(graded.submission.services[role]?.definition ?? {}).map(({ outside }) => outside);
  const hostNetwork = graded.submission.services[role]?.definition.network_mode === "host";
  if (!ports.includes(port) && !hostNetwork) {
    return [
      finding(
        text(
          `the ${role} does not publish port ${port} (${ports.join(", ") || "none"})`,
          `le ${role} ne publie pas le port ${port} (${ports.join(", ") || "aucun"})`,
        ),
        text(`an answer on ${address}`, `une réponse sur ${address}`),
        text(
          `In docker-compose.yaml:  ports: ["${port}:${port}"]`,
          `Dans docker-compose.yaml :  ports: ["${port}:${port}"]`,
        ),
      ),
    ];
  }
  const mend = text(`See what curl -i ${address} shows.`, `Voyez ce que montre curl -i ${address}.`);
  if (!isRight(answer, value)) return [finding(same(show(answer)), expected, mend)];
  if ("type" in answer && /^application\/([\w.-]+\+)?json\b/i.test(answer.type)) return [];
  return [finding(text(`content type ${show(answer)}`, `type de contenu ${show(answer)}`), expected, mend)];
}

export const backend: Rule = {
  id: "backend",
  points: 1,
  title: text("8001 answers as the subject says", "8001 répond comme le dit le sujet"),
  source:
    'http://127.0.0.1:8001/ : Cette requête devrait retourner le résultat {"body": "Je suis une r\\u00e9ponse du backend"}',
  needs: ["up"],
  async check(graded) {
    const answer = await firstAnswer(graded, "backend", (given) => "status" in given, PATIENCE);
    graded.backend = "status" in answer && answer.status === 200 ? parse(answer) : undefined;
    return judge(graded, "backend", answer, BACKEND);
  },
};

const whole = (graded: Case) => ({ return: graded.backend, status: "[SUCESS]" });

export const frontend: Rule = {
  id: "frontend",
  points: 2,
  title: text("8000 answers with the backend's JSON", "8000 répond avec le JSON du backend"),
  source:
    'http://127.0.0.1:8000/ : Cette requête devrait retourner le résultat { "return": { "body": … }, "status": "[SUCESS]" }',
  needs: ["up", "network", "variables"],
  async check(graded) {
    // What the backend answers is another rule's; here it must come through as it is.
    if (graded.backend === undefined) throw new Moot("backend");
    const answer = await firstAnswer(
      graded,
      "frontend",
      (given) => "status" in given && given.status === 200,
      PATIENCE / 3,
    );
    return judge(graded, "frontend", answer, whole(graded));
  },
};

export const call: Rule = {
  id: "call",
  points: 1,
  title: text("the answer comes from a call to the backend", "la réponse vient d'un appel au backend"),
  source: "L'API frontend fait une requête HTTP sur l'API backend qui retourne la réponse",
  needs: ["frontend"],
  async check(graded) {
    const stopped = await graded.stack.without("backend", () => graded.stack.get("frontend", ALONE));
    // What comes next finds both as they were; a frontend that needs no backend answers before it is back.
    await firstAnswer(graded, "backend", (answer) => "status" in answer, PATIENCE);
    await firstAnswer(graded, "frontend", (answer) => isRight(answer, whole(graded)), PATIENCE);
    if (!isRight(stopped, whole(graded))) return [];
    return [
      finding(
        text(
          "the frontend gives the same answer while the backend is stopped",
          "le frontend donne la même réponse quand le backend est arrêté",
        ),
        text("no such answer without the backend", "pas de telle réponse sans le backend"),
        text(
          "Let the frontend ask the backend at each request.",
          "Faites appeler le backend par le frontend à chaque requête.",
        ),
      ),
    ];
  },
};

export const used: Rule = {
  id: "used",
  points: 1,
  title: text("the frontend uses both variables", "le frontend utilise les deux variables"),
  source: "Ces variables d'environement sont utilisées par l'applicatif",
  needs: ["call"],
  async check(graded) {
    const wrong = [
      ["API_BACKEND_URL", "nowhere.invalid"],
      ["API_BACKEND_PORT", "9"],
    ] as const;
    const answers = await Promise.all(
      wrong.map(([variable, value]) => graded.stack.otherFrontend({ [variable]: value })),
    );
    const ignored = wrong.filter((_, i) => isRight(answers[i] ?? { error: "" }, whole(graded)));
    return ignored.map(([variable, value]) =>
      finding(
        text(
          `a frontend with ${variable}=${value} answers all the same`,
          `un frontend avec ${variable}=${value} répond quand même`,
        ),
        text("it finds the backend by its variables alone", "il ne trouve le backend que par ses variables"),
        text(
          `Read ${variable} in the frontend; write no address into it.`,
          `Lisez ${variable} dans le frontend ; n'y écrivez pas d'adresse.`,
        ),
      ),
    );
  },
};
