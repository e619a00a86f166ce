import { containerPortOf } from "../compose-file.ts";
import { look } from "../container-processes.ts";
import { type ContainerProcess, listenersOn } from "../process-view.ts";
import type { Grading, Rule } from "../rule.ts";
import { PORT, ROLES, type Role } from "../submission.ts";
import { type Finding, finding, text } from "../text.ts";

/** For the first look that shows who listens. */
const LISTEN_TIMEOUT_S = 30;

export const pid1: Rule = {
  id: "pid1",
  points: 2,
  title: text("each service is process 1 of its container", "chaque service est le processus 1 de son conteneur"),
  source: "que l'ID du processus est bien le 1",
  needs: ["up"],
  async check(grading) {
    return (await Promise.all(ROLES.map((role) => checkListener(grading, role)))).flat();
  },
};

/** Waits until a process of a container is seen to listen, and checks that process 1 does. */
async function checkListener({ stack, submission }: Grading, role: Role): Promise<Finding[]> {
  const port = containerPortOf(submission.services[role]?.definition ?? {}, PORT[role]);
  for (const end = Date.now() + LISTEN_TIMEOUT_S * 1000; ; await Bun.sleep(500)) {
    const view = await look(stack, role);
    const listeners = view === undefined ? [] : listenersOn(port, view);
    if (listeners.some(({ id }) => id === 1)) return [];
    const [listener] = listeners;
    if (view !== undefined && listener !== undefined) return [notPid1(role, view.pid1, listener)];
    if (Date.now() > end) return [notSeen(role)];
  }
}

const PID1_EXPECTED = text("the service itself is process 1", "le service lui-même est le processus 1");
const PID1_FIX = text(
  'Start it in exec form, without a shell:  CMD ["python", "api.py"]',
  'Lancez-le en forme exec, sans shell :  CMD ["python", "api.py"]',
);

const notPid1 = (role: Role, pid1: ContainerProcess, { id, name }: ContainerProcess) =>
  finding(
    text(
      `${role}: process 1 is ${pid1.name}, but ${name} (${id}) listens`,
      `${role} : le processus 1 est ${pid1.name}, mais c'est ${name} (${id}) qui écoute`,
    ),
    PID1_EXPECTED,
    PID1_FIX,
  );

const notSeen = (role: Role) =>
  finding(
    text(
      `${role}: within ${LISTEN_TIMEOUT_S} s process 1 could not be seen to listen`,
      `${role} : en ${LISTEN_TIMEOUT_S} s, le processus 1 n'a pas été vu en train d'écouter`,
    ),
    PID1_EXPECTED,
    PID1_FIX,
  );
