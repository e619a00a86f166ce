import { type Container, dockerOrThrow, type Image, inspect } from "../host/docker.ts";
import type { Advice, Case } from "./rule.ts";
import { basesOf, ROLES, type Role } from "./submission.ts";
import { type Text, text } from "./text.ts";

/** Seconds in which a service that handles SIGTERM has ended. */
const PROMPT = 2;

/** Megabytes from which an image of such a service is larger than need be. */
const LARGE = 300;

/** In a variable, or in the command of a layer, which each builder writes down another way. */
const SECRET = /(?:^|\s)\w*(password|passwd|secret|token|api_?key|private_?key)\w*=\S/i;

/** What the advice on one service rests on. */
interface Facts {
  readonly container: Container;
  readonly megabytes: number;
  /** Seconds from SIGTERM to its end. */
  readonly stop: number;
  /** Base images that are not bound to a version. */
  readonly loose: readonly string[];
  /** Variables of the image, and the commands of its layers. */
  readonly lines: readonly string[];
}

interface Criterion {
  readonly id: string;
  holds(facts: Facts): boolean;
  good(facts: Facts): Text;
  bad(facts: Facts): Text;
}

const CRITERIA: readonly Criterion[] = [
  {
    id: "user",
    holds: ({ container }) => !["", "0", "root"].includes(container.Config.User.split(":", 1)[0] ?? ""),
    good: () => text("does not run as root", "ne tourne pas en root"),
    bad: () => text("runs as root: name a USER", "tourne en root : nommez un USER"),
  },
  {
    id: "read-only",
    holds: ({ container }) => container.HostConfig.ReadonlyRootfs,
    good: () => text("root file system read-only", "système de fichiers en lecture seule"),
    bad: () => text("its files can be changed: read_only: true", "ses fichiers sont modifiables : read_only: true"),
  },
  {
    id: "health",
    holds: ({ container }) => (container.Config.Healthcheck ?? null) !== null,
    good: () => text("has a health check", "a un contrôle de santé"),
    bad: () => text("has no health check: HEALTHCHECK", "n'a pas de contrôle de santé : HEALTHCHECK"),
  },
  {
    id: "sigterm",
    holds: ({ stop }) => stop < PROMPT,
    good: ({ stop }) => text(`stops within ${stop.toFixed(1)} s`, `s'arrête en ${stop.toFixed(1)} s`),
    bad: () => text("does not end at SIGTERM: handle it", "ne s'arrête pas sur SIGTERM : traitez-le"),
  },
  {
    id: "size",
    holds: ({ megabytes }) => megabytes < LARGE,
    good: ({ megabytes }) => text(`image of ${megabytes} MB`, `image de ${megabytes} Mo`),
    bad: ({ megabytes }) =>
      text(`image of ${megabytes} MB: take a smaller base`, `image de ${megabytes} Mo : prenez une base plus petite`),
  },
  {
    id: "pinned",
    holds: ({ loose }) => loose.length === 0,
    good: () => text("base images have versions", "les images de base ont une version"),
    bad: ({ loose }) => text(`base without a version: ${loose}`, `base sans version : ${loose}`),
  },
  {
    id: "capabilities",
    holds: ({ container }) => (container.HostConfig.CapDrop ?? []).some((name) => name.toUpperCase() === "ALL"),
    good: () => text("has no capabilities", "n'a aucune capacité"),
    bad: () => text("keeps capabilities: cap_drop: [ALL]", "garde des capacités : cap_drop: [ALL]"),
  },
  {
    id: "secrets",
    holds: ({ lines }) => !lines.some((line) => SECRET.test(line)),
    good: () => text("no secret seen in the image", "aucun secret vu dans l'image"),
    bad: () => text("a secret stands in the image", "un secret figure dans l'image"),
  },
];

/** What a good submission has beyond the subject. Called last: it stops the containers. */
export async function adviceOf(graded: Case): Promise<Advice[]> {
  const all = await Promise.all(ROLES.map(async (role) => ({ role, facts: await look(graded, role) })));
  return all.flatMap(({ role, facts }) =>
    CRITERIA.map((criterion) => {
      const holds = criterion.holds(facts);
      const said = holds ? criterion.good(facts) : criterion.bad(facts);
      return { id: `${criterion.id}.${role}`, good: holds, text: text(`${role}: ${said.en}`, `${role} : ${said.fr}`) };
    }),
  );
}

async function look({ stack, submission }: Case, role: Role): Promise<Facts> {
  const service = submission.services[role];
  const container = await stack.container(role);
  const image = await inspect<Image>(container.Image);
  const history = await dockerOrThrow("history", "--no-trunc", "--format", "{{.CreatedBy}}", container.Image);
  const start = Date.now();
  await dockerOrThrow("stop", "--time", String(PROMPT + 1), container.Id);
  const bases = service === undefined ? [] : basesOf(submission, service);
  return {
    container,
    megabytes: Math.round(image.Size / 1e6),
    stop: (Date.now() - start) / 1000,
    // A base that an argument gives is bound elsewhere; scratch has no versions.
    loose: bases.filter((base) => !/^\$|^scratch$|@|:(?!latest$)[^/]+$/.test(base)),
    lines: [...(image.Config.Env ?? []), ...history.split("\n")],
  };
}
