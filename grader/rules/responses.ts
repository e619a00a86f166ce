import { deepEquals } from "bun";
import { brief } from "../../host/command.ts";
import { docker } from "../../host/docker.ts";
import { containerPortOf, portsOf } from "../compose-file.ts";
import { look } from "../container-processes.ts";
import { type HttpResult, NO_RESPONSE } from "../http.ts";
import { type Difference, firstDifference, inOneNotation } from "../json-difference.ts";
import { Blocked, type Grading, type Rule, Skipped } from "../rule.ts";
import { getFromFrontendWith } from "../second-frontend.ts";
import type { Stack } from "../stack.ts";
import { PORT, type Role } from "../submission.ts";
import { type Finding, finding, type Text, text, untranslated } from "../text.ts";

/** The backend's response, as the subject prescribes it. */
const BACKEND_VALUE = { body: "Je suis une réponse du backend" };

/** From the start of a service to its first response. */
const STARTUP_TIMEOUT_S = 90;
/** For the frontend's first right response, when the backend is already up. */
const FRONTEND_TIMEOUT_S = 30;
/** For a frontend whose backend is stopped, beyond twice the time that its right response took. */
const NO_BACKEND_TIMEOUT_S = 3;
/** How often the ports of a service that does not respond are looked at. */
const LOOK_PERIOD_S = 5;
/** A service that listens on the same other ports for so long will not open this one. */
const OTHER_PORTS_S = 30;

/** The lab's responses have two brackets; what compares values calls itself for each level. */
const MAX_BRACKETS = 100;

function parse(result: HttpResult): unknown {
  if (!("body" in result) || (result.body.match(/[[{]/g)?.length ?? 0) > MAX_BRACKETS) return undefined;
  try {
    return JSON.parse(result.body);
  } catch {
    return undefined;
  }
}

type Response = Extract<HttpResult, { status: number }>;

const headOf = ({ status, contentType }: Response) => `${status} ${contentType || "—"}`;
const show = (response: Response) => `${headOf(response)} ${brief(response.body)}`;

const hasResponse = (result: HttpResult): boolean => "status" in result;

/** Whether a response has status 200 and this JSON value, however it is formatted. */
const matches = (result: HttpResult, value: unknown): boolean =>
  "status" in result && result.status === 200 && deepEquals(parse(result), value, true);

/** Polls a service until its response is accepted; past the timeout, returns the last result. */
async function waitForResponse(
  { stack, submission }: Grading,
  role: Role,
  accept: (result: HttpResult) => boolean,
  timeoutS: number,
): Promise<HttpResult> {
  const start = Date.now();
  const wanted = containerPortOf(submission.services[role]?.definition ?? {}, PORT[role]);
  let [others, sinceS] = ["", 0];
  for (let nextLookS = LOOK_PERIOD_S; ; await Bun.sleep(200)) {
    const result = await stack.get(role);
    const waitedS = (Date.now() - start) / 1000;
    if (accept(result) || waitedS > timeoutS) return result;
    if ("status" in result || waitedS < nextLookS) continue;
    const ports = await listeningPorts(stack, role);
    const seen = ports.includes(wanted) ? "" : ports.map((port) => `port ${port}`).join(", ");
    if (seen !== others) [others, sinceS] = [seen, waitedS];
    if (others !== "" && waitedS - sinceS > OTHER_PORTS_S) {
      const { en, fr } = result.error;
      return { error: text(`${en}, ${others}`, `${fr}, ${others}`) };
    }
    nextLookS = waitedS + LOOK_PERIOD_S;
  }
}

/** The ports on which a service listens; none if they cannot be seen. */
async function listeningPorts(stack: Stack, role: Role): Promise<number[]> {
  try {
    const view = await look(stack, role);
    return [...new Set(view?.sockets.map(({ port }) => port))];
  } catch (error) {
    if (error instanceof Skipped) return [];
    throw error;
  }
}

/** What is wrong with a service's response on the subject's port. */
async function checkResponse(
  { submission, stack }: Grading,
  role: Role,
  result: HttpResult,
  value: unknown,
): Promise<Finding[]> {
  const service = submission.services[role]?.definition ?? {};
  const hostPorts = portsOf(service).map(({ hostPort }) => hostPort);
  if (!hostPorts.includes(PORT[role])) return [notPublished(role, hostPorts)];
  if ("error" in result) return [wrongResponse(role, await crashes(stack, role, result.error), value)];
  if (!matches(result, value)) return [otherResponse(role, result, value)];
  if (/^application\/([\w.-]+\+)?json\b/i.test(result.contentType)) return [];
  const seen = text(`content type of ${show(result)}`, `type de contenu de ${show(result)}`);
  return [wrongResponse(role, seen, value, OTHER_TYPE)];
}

const OTHER_TYPE = text(
  "Send the header Content-Type: application/json.",
  "Envoyez l'en-tête Content-Type: application/json.",
);

/** What is wrong with a response of another status or value, or one that is not JSON. */
export function otherResponse(role: Role, response: Response, value: unknown): Finding {
  const seen = parse(response);
  const status = response.status === 200 ? undefined : otherStatus(response.status);
  if (seen === undefined || deepEquals(seen, value, true))
    return wrongResponse(role, untranslated(show(response)), value, status);
  const shown = inOneNotation(seen, value);
  const hint = status ?? hintOf(firstDifference(seen, value));
  return wrongResponse(role, untranslated(`${headOf(response)} ${shown.seen}`), value, hint, shown.expected);
}

const otherStatus = (status: number) =>
  text(`Answer with the status 200, not ${status}.`, `Répondez avec le code 200, et non ${status}.`);

function hintOf(difference: Difference): Text {
  if ("missing" in difference) {
    const name = brief(difference.missing, 80);
    return text(`The key "${name}" is missing.`, `La clé "${name}" manque.`);
  }
  if ("extra" in difference) {
    const name = brief(difference.extra, 80);
    return text(`The key "${name}" is too many.`, `La clé "${name}" est en trop.`);
  }
  const { key, seen, expected } = difference;
  const [where, lieu] = key === undefined ? ["The response", "La réponse"] : [`"${key}"`, `"${key}"`];
  return text(`${where} has ${seen} instead of ${expected}.`, `${lieu} contient ${seen} au lieu de ${expected}.`);
}

/** Why there is no response, with what a container that keeps crashing logs. */
async function crashes(stack: Stack, role: Role, error: Text): Promise<Text> {
  const { Id, RestartCount } = await stack.container(role);
  if (RestartCount === 0) return error;
  const { stdout, stderr } = await docker(["logs", "--tail", "5", Id]);
  const log = brief(`${stderr} ${stdout}`, 300);
  return text(
    `${error.en}; the container has crashed ${RestartCount} times: ${log}`,
    `${error.fr} ; le conteneur s'est arrêté ${RestartCount} fois : ${log}`,
  );
}

const urlOf = (role: Role) => `http://127.0.0.1:${PORT[role]}/`;

const notPublished = (role: Role, hostPorts: readonly (number | undefined)[]) =>
  finding(
    text(
      `the ${role} does not publish port ${PORT[role]} (published: ${hostPorts.join(", ") || "none"})`,
      `le ${role} ne publie pas le port ${PORT[role]} (publiés : ${hostPorts.join(", ") || "aucun"})`,
    ),
    text(`a response on ${urlOf(role)}`, `une réponse sur ${urlOf(role)}`),
    text(
      `In docker-compose.yaml:  ports: ["${PORT[role]}:${PORT[role]}"]`,
      `Dans docker-compose.yaml :  ports: ["${PORT[role]}:${PORT[role]}"]`,
    ),
  );

/** @param hint what to mend, if it can be told */
function wrongResponse(role: Role, seen: Text, value: unknown, hint = NO_HINT, expected = JSON.stringify(value)) {
  const check = text(`Check the output of curl -i ${urlOf(role)}`, `Vérifiez ce qu'affiche curl -i ${urlOf(role)}`);
  return finding(
    seen,
    untranslated(`200, application/json, ${expected}`),
    text(`${hint.en} ${check.en}`.trim(), `${hint.fr} ${check.fr}`.trim()),
  );
}

const NO_HINT = untranslated("");

export const backend: Rule = {
  id: "backend",
  points: 1,
  title: text("port 8001 returns the expected JSON", "le port 8001 renvoie le JSON attendu"),
  source:
    'http://127.0.0.1:8001/ : Cette requête devrait retourner le résultat {"body": "Je suis une r\\u00e9ponse du backend"}',
  needs: ["up"],
  async check(grading) {
    const result = await waitForResponse(grading, "backend", hasResponse, STARTUP_TIMEOUT_S);
    grading.backendValue = "status" in result && result.status === 200 ? parse(result) : undefined;
    return checkResponse(grading, "backend", result, BACKEND_VALUE);
  },
};

const frontendValue = ({ backendValue }: Grading) => ({ return: backendValue, status: "[SUCESS]" });

export const frontend: Rule = {
  id: "frontend",
  points: 2,
  title: text("port 8000 returns the backend's JSON", "le port 8000 renvoie le JSON du backend"),
  source:
    'http://127.0.0.1:8000/ : Cette requête devrait retourner le résultat { "return": { "body": … }, "status": "[SUCESS]" }',
  needs: ["up"],
  async check(grading) {
    // Another rule judges the backend's value; the frontend has to pass on whatever it is.
    if (grading.backendValue === undefined) throw new Blocked("backend");
    const isOk = (result: HttpResult) => "status" in result && result.status === 200;
    const result = await waitForResponse(grading, "frontend", isOk, FRONTEND_TIMEOUT_S);
    return checkResponse(grading, "frontend", result, frontendValue(grading));
  },
};

export const call: Rule = {
  id: "call",
  points: 1,
  title: text("the response comes from a call to the backend", "la réponse provient d'un appel au backend"),
  source: "L'API frontend fait une requête HTTP sur l'API backend qui retourne la réponse",
  needs: ["frontend"],
  async check(grading) {
    const { stack } = grading;
    const isRight = (result: HttpResult) => matches(result, frontendValue(grading));
    const start = Date.now();
    await stack.get("frontend");
    const timeoutS = NO_BACKEND_TIMEOUT_S + (2 * (Date.now() - start)) / 1000;
    const result = await stack.whileStopped("backend", () => stack.get("frontend", timeoutS));
    // The next rules need both services to work again.
    await waitForResponse(grading, "backend", hasResponse, STARTUP_TIMEOUT_S);
    await waitForResponse(grading, "frontend", isRight, STARTUP_TIMEOUT_S);
    return isRight(result) ? [sameWithoutBackend()] : [];
  },
};

const sameWithoutBackend = () =>
  finding(
    text(
      "the frontend returns the same response while the backend is stopped",
      "le frontend renvoie la même réponse quand le backend est arrêté",
    ),
    text("an error, or no response, without the backend", "une erreur, ou aucune réponse, sans le backend"),
    text("Call the backend on every request.", "Appelez le backend à chaque requête."),
  );

export const used: Rule = {
  id: "used",
  points: 1,
  title: text("the frontend uses both variables", "le frontend utilise les deux variables"),
  source: "Ces variables d'environement sont utilisées par l'applicatif",
  needs: ["call"],
  async check(grading) {
    const wrong = [
      ["API_BACKEND_URL", "nowhere.invalid"],
      ["API_BACKEND_PORT", "9"],
    ] as const;
    const results: HttpResult[] = [];
    for (const [variable, value] of wrong)
      results.push(await getFromFrontendWith(grading.stack, { [variable]: value }));
    return wrong
      .filter((_, i) => matches(results[i] ?? NO_RESPONSE, frontendValue(grading)))
      .map(([variable, value]) => variableIgnored(variable, value));
  },
};

const variableIgnored = (variable: string, value: string) =>
  finding(
    text(
      `a frontend with ${variable}=${value} still returns the right response`,
      `un frontend lancé avec ${variable}=${value} renvoie quand même la bonne réponse`,
    ),
    text(
      "the frontend finds the backend through its variables only",
      "le frontend ne trouve le backend que par ses variables",
    ),
    text(
      `Read ${variable} in the frontend and hard-code no address.`,
      `Lisez ${variable} dans le frontend, sans adresse codée en dur.`,
    ),
  );
