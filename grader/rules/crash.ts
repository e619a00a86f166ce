import { brief } from "../../host/command.ts";
import { type Container, docker } from "../../host/docker.ts";
import { statusText } from "../container-status.ts";
import { type HttpResult, NO_RESPONSE } from "../http.ts";
import { Blocked, type Grading, type Rule } from "../rule.ts";
import type { Stack } from "../stack.ts";
import { ROLES, type Role } from "../submission.ts";
import { type Finding, finding, text } from "../text.ts";

/** From a crash until the service must respond as before. */
const RESTART_TIMEOUT_S = 30;
/** From `/traceback` until the container's process must have ended. */
const EXIT_TIMEOUT_S = 8;
/** After so many polls, 300 ms apart, a container that has exited is not going to be restarted. */
const MAX_EXITED_POLLS = 6;
/** From `up` until both services must respond as before. */
const STARTUP_TIMEOUT_S = 90;

const isSame = (one: HttpResult, other: HttpResult) =>
  "status" in one && "status" in other && one.status === other.status && one.body === other.body;

/** Waits until a service responds as before; `false` past the timeout. */
async function recovers({ stack }: Grading, role: Role, before: HttpResult, timeoutS: number): Promise<boolean> {
  for (const end = Date.now() + timeoutS * 1000; Date.now() < end; await Bun.sleep(100)) {
    if (isSame(await stack.get(role), before)) return true;
  }
  return false;
}

/** Crashes a service through `/traceback`, and checks that it ends, is restarted and responds as before. */
async function crash(grading: Grading, role: Role, service: HttpResult): Promise<Finding[]> {
  const { stack } = grading;
  const before = { service, frontend: role === "frontend" ? service : await stack.get("frontend") };
  const container = await stack.container(role);
  const crashedAt = Date.now();
  const response = await stack.traceback(role).catch((error: Error) => error.message);
  const [exitCode] = await Promise.all([
    exitCodeOf(container, crashedAt),
    // A frontend must survive a request that it cannot pass on.
    role === "backend" ? stack.get("frontend", RESTART_TIMEOUT_S / 2) : undefined,
  ]);
  const problem =
    (await checkRestart(stack, role, container, crashedAt)) ??
    (exitCode === "0" ? endsWithZero(role) : undefined) ??
    (await checkRecovery(grading, role, before));
  return [...(response === "" ? [] : [tracebackResponds(role, response)]), ...(problem === undefined ? [] : [problem])];
}

/** @throws {Blocked} if a service does not respond: it could not be seen to respond again */
async function crashBoth(grading: Grading): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const role of ROLES) {
    const before = await grading.stack.get(role);
    const doesNotRespond = "error" in before;
    // A backend that is not restarted takes the frontend with it.
    if (doesNotRespond && findings.length > 0) break;
    if (doesNotRespond) throw new Blocked(role);
    findings.push(...(await crash(grading, role, before)));
  }
  return findings;
}

const tracebackResponds = (role: Role, response: string | undefined) =>
  finding(
    response === undefined
      ? text(`/traceback (${role}) keeps the connection open`, `/traceback (${role}) garde la connexion ouverte`)
      : text(
          `/traceback (${role}) returns: ${brief(response, 80)}`,
          `/traceback (${role}) renvoie : ${brief(response, 80)}`,
        ),
    text("no response: the connection is closed", "aucune réponse : la connexion est fermée"),
    text("Exit at once, with a code other than 0.", "Arrêtez aussitôt le processus, avec un code autre que 0."),
  );

/** Waits until the engine has restarted a crashed container. */
async function checkRestart(stack: Stack, role: Role, before: Container, since: number): Promise<Finding | undefined> {
  for (let exitedPolls = 0; ; await Bun.sleep(300)) {
    const container = await stack.container(role);
    const { Status, StartedAt } = container.State;
    const waitedS = (Date.now() - since) / 1000;
    if (Status === "running" && StartedAt !== before.State.StartedAt) return undefined;
    exitedPolls = Status === "exited" || Status === "dead" ? exitedPolls + 1 : 0;
    if (exitedPolls > MAX_EXITED_POLLS || waitedS > RESTART_TIMEOUT_S) return notRestarted(role, container);
    if (Status === "running" && waitedS > EXIT_TIMEOUT_S) return stillRunning(role);
  }
}

export function notRestarted(role: Role, { State, RestartCount }: Pick<Container, "State" | "RestartCount">): Finding {
  const { en, fr } = statusText(State.Status);
  const { ExitCode } = State;
  return finding(
    text(
      `after /traceback the ${role} container stays ${en}, exit code ${ExitCode}, RestartCount ${RestartCount}`,
      `après /traceback, le conteneur du ${role} reste ${fr}, code de sortie ${ExitCode}, RestartCount ${RestartCount}`,
    ),
    text("Docker restarts the container", "Docker relance le conteneur"),
    text("In docker-compose.yaml:  restart: always", "Dans docker-compose.yaml :  restart: always"),
  );
}

const stillRunning = (role: Role) =>
  finding(
    text(
      `after /traceback the process of the ${role} container is still running`,
      `après /traceback, le processus du conteneur du ${role} tourne encore`,
    ),
    text("the container's process ends", "le processus du conteneur s'arrête"),
    text(
      "/traceback must end process 1, not return an error.",
      "/traceback doit arrêter le processus 1, et non renvoyer une erreur.",
    ),
  );

/**
 * Waits until the engine's events show with which code a container's process has ended. The engine remembers only the
 * last few hundred events.
 *
 * @returns `undefined` if it does not end
 */
async function exitCodeOf({ Id }: Container, since: number): Promise<string | undefined> {
  const filters = ["--filter", `container=${Id}`, "--filter", "event=die"];
  const format = ["--format", "{{.Actor.Attributes.exitCode}}"];
  for (const end = since + EXIT_TIMEOUT_S * 1000; Date.now() < end; await Bun.sleep(200)) {
    const period = ["--since", String(since / 1000), "--until", String(Date.now() / 1000)];
    const { stdout } = await docker(["events", ...period, ...filters, ...format], { seconds: 20 });
    if (stdout !== "") return stdout.split("\n")[0];
  }
  return undefined;
}

const endsWithZero = (role: Role) =>
  finding(
    text(`the ${role} process ends with exit code 0`, `le processus du ${role} s'arrête avec le code de sortie 0`),
    text("an exit code other than 0", "un code de sortie autre que 0"),
    text("End it with an error, for example exit(1).", "Arrêtez-le par une erreur, par exemple exit(1)."),
  );

async function checkRecovery(
  grading: Grading,
  role: Role,
  before: { service: HttpResult; frontend: HttpResult },
): Promise<Finding | undefined> {
  if (!(await recovers(grading, role, before.service, RESTART_TIMEOUT_S))) {
    return finding(
      text(
        `${RESTART_TIMEOUT_S} s after /traceback the ${role} does not respond as before`,
        `${RESTART_TIMEOUT_S} s après /traceback, le ${role} ne répond pas comme avant`,
      ),
      text(`it does within ${RESTART_TIMEOUT_S} s`, `la même réponse en moins de ${RESTART_TIMEOUT_S} s`),
      text("Check docker-compose logs.", "Consultez docker-compose logs."),
    );
  }
  if (
    role === "frontend" ||
    "error" in before.frontend ||
    (await recovers(grading, "frontend", before.frontend, RESTART_TIMEOUT_S))
  )
    return undefined;
  return finding(
    text(
      "after the backend crash the frontend does not respond as before",
      "après l'arrêt du backend, le frontend ne répond plus comme avant",
    ),
    text("the frontend works again with the restarted backend", "le frontend fonctionne avec le backend relancé"),
    text("Make the frontend survive a failed call.", "Faites en sorte que le frontend survive à un appel en échec."),
  );
}

export const traceback: Rule = {
  id: "traceback",
  points: 2,
  title: text("/traceback ends the service, Docker restarts it", "/traceback arrête le service, Docker le relance"),
  source:
    "Ne devrait retourner aucun résultat mais l'application devrait s'arrêter. Le but étant que le container exécutant l'application se relance automatiquement",
  needs: ["up"],
  async check(grading) {
    const findings = await crashBoth(grading);
    // With another process 1 the container may survive a crash; the rule `pid1` has reported that.
    if (findings.length > 0 && grading.verdict("pid1") === "fail") throw new Blocked("pid1");
    return findings;
  },
};

export const again: Rule = {
  id: "again",
  points: 1,
  title: text(
    "both survive a second crash, and down and up",
    "les deux survivent à un second arrêt, puis à down et up",
  ),
  source: "que l'applicatif se recharge automatiquement en cas d'arrêt inopiné",
  needs: ["traceback"],
  async check(grading) {
    const before = await Promise.all(ROLES.map((role) => grading.stack.get(role)));
    const findings = await crashBoth(grading);
    if (findings.length > 0) return findings;
    await grading.stack.down();
    const { code, stderr } = await grading.stack.up();
    const recovered = await Promise.all(
      ROLES.map((role, i) => recovers(grading, role, before[i] ?? NO_RESPONSE, code === 0 ? STARTUP_TIMEOUT_S : 0)),
    );
    return recovered.includes(false) ? [differsAfterUp(stderr)] : [];
  },
};

const differsAfterUp = (stderr: string) =>
  finding(
    text(
      `after down and up the services do not respond as before ${brief(stderr)}`,
      `après down puis up, les services ne répondent pas comme avant ${brief(stderr)}`,
    ),
    text("the same responses as before", "les mêmes réponses qu'avant"),
    text("Run docker-compose down, then up.", "Lancez docker-compose down, puis up."),
  );
