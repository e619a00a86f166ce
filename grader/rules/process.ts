import { brief } from "../../host/command.ts";
import { docker } from "../../host/docker.ts";
import { portsOf } from "../compose-file.ts";
import type { Answer } from "../http.ts";
import { isVisible, listeners } from "../proc.ts";
import { type Case, Moot, type Rule } from "../rule.ts";
import { PORT, ROLES, type Role } from "../submission.ts";
import { type Finding, finding, text } from "../text.ts";

/** Seconds from a crash until the service must serve again. */
const RETURN = 30;

/** Seconds that a process may take to end, once it was told to, before it counts as alive. */
const LAST_BREATH = 8;

const SUBJECT =
  "que l'ID du processus est bien le 1 et que l'applicatif se recharge automatiquement en cas d'arrêt inopiné";

const isSame = (one: Answer, other: Answer) =>
  "status" in one && "status" in other && one.status === other.status && one.body === other.body;

/** Waits until a service answers as it did. */
async function answersAgain({ stack }: Case, role: Role, before: Answer, seconds: number): Promise<boolean> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await Bun.sleep(100)) {
    if (isSame(await stack.get(role, 5), before)) return true;
  }
  return false;
}

/** Ends a service by `/traceback`, and looks at what becomes of its container. */
async function crash(graded: Case, role: Role): Promise<Finding[]> {
  const { stack } = graded;
  const [before, other] = [await stack.get(role), await stack.get("frontend")];
  const container = await stack.container(role);
  const since = Date.now();
  const findings: Finding[] = [];
  const bytes = await stack.traceback(role).catch((error: Error) => error.message);
  // A frontend must survive a request that finds no backend.
  if (role === "backend") await stack.get("frontend", RETURN / 2);
  const place = `/traceback (${role})`;
  if (bytes !== "") {
    const seen = bytes === undefined ? "…" : brief(bytes, 80);
    findings.push(
      finding(
        text(`${place} answers: ${seen}`, `${place} répond : ${seen}`),
        text("no answer: the connection is closed", "aucune réponse : la connexion est fermée"),
        text(
          "End the process at once, with a code other than 0.",
          "Arrêtez le processus aussitôt, avec un code autre que 0.",
        ),
      ),
    );
  }
  const ending = await ended(graded, role, container.Id, container.State.StartedAt, since);
  if (ending !== undefined) return [...findings, ending];
  if (!(await answersAgain(graded, role, before, RETURN))) {
    findings.push(
      finding(
        text(
          `the ${role} does not serve again ${RETURN} s after /traceback`,
          `le ${role} ne sert plus ${RETURN} s après /traceback`,
        ),
        text(`it serves again within ${RETURN} s`, `il sert à nouveau en moins de ${RETURN} s`),
        text("See docker-compose logs.", "Voyez docker-compose logs."),
      ),
    );
  } else if (role === "backend" && !(await answersAgain(graded, "frontend", other, RETURN))) {
    findings.push(
      finding(
        text(
          "after the backend's crash the frontend no longer answers as it did",
          "après l'arrêt du backend le frontend ne répond plus comme avant",
        ),
        text("the frontend finds the backend that is back", "le frontend retrouve le backend revenu"),
        text("Let the frontend survive a failed call.", "Faites survivre le frontend à un appel manqué."),
      ),
    );
  }
  return findings;
}

/** Waits until the container was started again; what is wrong with how its process ended. */
async function ended(
  { stack }: Case,
  role: Role,
  id: string,
  startedAt: string,
  since: number,
): Promise<Finding | undefined> {
  const mend = text("In docker-compose.yaml:  restart: always", "Dans docker-compose.yaml :  restart: always");
  const expected = text("the engine starts the container again", "le moteur relance le conteneur");
  for (let idle = 0; ; await Bun.sleep(300)) {
    const { State, RestartCount } = await stack.container(role);
    const waited = (Date.now() - since) / 1000;
    if (State.Status === "running" && State.StartedAt !== startedAt) break;
    idle = State.Status === "exited" || State.Status === "dead" ? idle + 1 : 0;
    if (idle > 6 || waited > RETURN) {
      const seen = `${State.Status}, code ${State.ExitCode}, RestartCount ${RestartCount}`;
      return finding(
        text(
          `after /traceback the ${role}'s container stays ${seen}`,
          `après /traceback le conteneur du ${role} reste ${seen}`,
        ),
        expected,
        mend,
      );
    }
    if (State.Status === "running" && waited > LAST_BREATH) {
      return finding(
        text(
          `after /traceback the process of the ${role}'s container lives on`,
          `après /traceback le processus du conteneur du ${role} vit encore`,
        ),
        text("the container's process ends", "le processus du conteneur s'arrête"),
        text(
          "/traceback must end process 1, not answer with an error.",
          "/traceback doit arrêter le processus 1, pas répondre par une erreur.",
        ),
      );
    }
  }
  const window = ["--since", String(since / 1000), "--until", String(Date.now() / 1000 + 1)];
  const format = ["--format", "{{.Actor.Attributes.exitCode}}"];
  const { stdout } = await docker(
    ["events", ...window, "--filter", `container=${id}`, "--filter", "event=die", ...format],
    { seconds: 20 },
  );
  if (stdout.split("\n")[0] !== "0") return undefined;
  return finding(
    text(`the ${role}'s process ends with code 0`, `le processus du ${role} s'arrête avec le code 0`),
    text("a code other than 0: an error", "un code autre que 0 : une erreur"),
    text("End it with an error, exit(1) for one.", "Terminez-le par une erreur, exit(1) par exemple."),
  );
}

/** Who listens in a container, once somebody does. */
async function listening(pid: number, port: number): Promise<ReturnType<typeof listeners>> {
  for (const end = Date.now() + RETURN * 1000; ; await Bun.sleep(200)) {
    const found = listeners(pid, port);
    if (found.holders.length > 0 || Date.now() > end) return found;
  }
}

/** The first crash of a service: done once, whoever asks. */
const firstCrash = (graded: Case, role: Role): Promise<Finding[]> => (graded.crashes[role] ??= crash(graded, role));

export const pid1: Rule = {
  id: "pid1",
  points: 2,
  title: text("each service is process 1 of its container", "chaque service est le processus 1 de son conteneur"),
  source: SUBJECT,
  needs: ["up"],
  async check(graded) {
    const findings: Finding[] = [];
    for (const role of ROLES) {
      const { Pid } = (await graded.stack.container(role)).State;
      if (!isVisible(Pid)) {
        graded.notes.pid1 = text(
          "judged by the crash alone: this machine does not show the processes of the containers",
          "jugé par l'arrêt seul : cette machine ne montre pas les processus des conteneurs",
        );
        findings.push(...(await firstCrash(graded, role)));
        continue;
      }
      const inside = portsOf(graded.submission.services[role]?.definition ?? {})[0]?.inside ?? PORT[role];
      const { first, holders } = await listening(Pid, inside);
      if (holders.some((holder) => holder.inside === 1)) continue;
      const [holder] = holders;
      const who = holder === undefined ? "?" : `${holder.name} (${holder.inside})`;
      findings.push(
        finding(
          text(
            `${role}: process 1 is ${first.name}, ${who} listens`,
            `${role} : le processus 1 est ${first.name}, c'est ${who} qui écoute`,
          ),
          text("the service itself is process 1", "le service lui-même est le processus 1"),
          text(
            'Start it in exec form, without a shell:  CMD ["python", "api.py"]',
            'Lancez-le en forme exec, sans shell :  CMD ["python", "api.py"]',
          ),
        ),
      );
    }
    return findings;
  },
};

export const traceback: Rule = {
  id: "traceback",
  points: 2,
  title: text("/traceback ends it, the engine starts it again", "/traceback l'arrête, le moteur le relance"),
  source:
    "Ne devrait retourner aucun résultat mais l'application devrait s'arrêter. Le but étant que le container exécutant l'application se relance automatiquement",
  needs: ["up"],
  async check(graded) {
    const findings: Finding[] = [];
    for (const role of ROLES) findings.push(...(await firstCrash(graded, role)));
    // Behind another process 1 a crash need not reach the container: that rule has said it.
    if (findings.length > 0 && !graded.passed("pid1")) throw new Moot("pid1");
    return findings;
  },
};

export const again: Rule = {
  id: "again",
  points: 1,
  title: text("the same once more, and after down and up", "la même chose encore, et après down puis up"),
  source: SUBJECT,
  needs: ["traceback"],
  async check(graded) {
    const answers = await Promise.all(ROLES.map((role) => graded.stack.get(role)));
    const findings: Finding[] = [];
    for (const role of ROLES) findings.push(...(await crash(graded, role)));
    if (findings.length > 0) return findings;
    await graded.stack.down();
    const { code, stderr } = await graded.stack.up();
    const back = await Promise.all(
      ROLES.map((role, i) => answersAgain(graded, role, answers[i] ?? { error: "" }, code === 0 ? 90 : 0)),
    );
    if (!back.includes(false)) return [];
    return [
      finding(
        text(
          `after down and up the services do not answer as before ${brief(stderr)}`,
          `après down puis up les services ne répondent plus comme avant ${brief(stderr)}`,
        ),
        text("the same answers", "les mêmes réponses"),
        text("Try docker-compose down, then up.", "Essayez docker-compose down, puis up."),
      ),
    ];
  },
};
