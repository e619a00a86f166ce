import { type Container, dockerOrThrow, type Image, inspect } from "../host/docker.ts";
import { basesOf } from "./base-images.ts";
import type { Advice, Grading } from "./rule.ts";
import { ROLES, type Role } from "./submission.ts";
import { type Text, text } from "./text.ts";

/** A service that does not handle SIGTERM takes longer to stop. */
const MAX_STOP_S = 2;
const MAX_IMAGE_MB = 300;

/** Matches a variable that holds a secret, or a layer's command that sets one, in the form of either builder. */
const SECRET = /(?:^|\s)\w*(password|passwd|secret|token|api_?key|private_?key)\w*=\S/i;

/** What the advice on a service is based on. */
interface Facts {
  readonly container: Container;
  readonly imageMB: number;
  /** From SIGTERM to the end of the container; `undefined` if it had ended before. */
  readonly stopS: number | undefined;
  /** Base images without a version. */
  readonly unpinned: readonly string[];
  /** The image's variables, and the commands of its layers. */
  readonly imageLines: readonly string[];
}

interface Criterion {
  readonly id: string;
  /** Returns `undefined` if it cannot be told. */
  isMet(facts: Facts): boolean | undefined;
  met(facts: Facts): Text;
  unmet(facts: Facts): Text;
}

const CRITERIA: readonly Criterion[] = [
  {
    id: "user",
    isMet: ({ container }) => !["", "0", "root"].includes(container.Config.User.split(":", 1)[0] ?? ""),
    met: () => text("does not run as root", "ne s'exécute pas en root"),
    unmet: () => text("runs as root; set a USER", "s'exécute en root ; définissez un USER"),
  },
  {
    id: "read-only",
    isMet: ({ container }) => container.HostConfig.ReadonlyRootfs,
    met: () => text("read-only root file system", "système de fichiers racine en lecture seule"),
    unmet: () =>
      text("file system is writable; set read_only: true", "système de fichiers modifiable ; ajoutez read_only: true"),
  },
  {
    id: "health",
    isMet: ({ container }) => (container.Config.Healthcheck ?? null) !== null,
    met: () => text("has a health check", "dispose d'un healthcheck"),
    unmet: () => text("no health check; add a HEALTHCHECK", "pas de healthcheck ; ajoutez un HEALTHCHECK"),
  },
  {
    id: "sigterm",
    isMet: ({ stopS }) => (stopS === undefined ? undefined : stopS < MAX_STOP_S),
    met: ({ stopS = 0 }) =>
      text(`stops in ${stopS.toFixed(1)} s`, `s'arrête en ${stopS.toFixed(1).replace(".", ",")} s`),
    unmet: () => text("does not stop on SIGTERM; handle it", "ne s'arrête pas sur SIGTERM ; traitez ce signal"),
  },
  {
    id: "size",
    isMet: ({ imageMB }) => imageMB < MAX_IMAGE_MB,
    met: ({ imageMB }) => text(`image of ${imageMB} MB`, `image de ${imageMB} Mo`),
    unmet: ({ imageMB }) =>
      text(`image of ${imageMB} MB; use a smaller base`, `image de ${imageMB} Mo ; choisissez une base plus légère`),
  },
  {
    id: "pinned",
    isMet: ({ unpinned }) => unpinned.length === 0,
    met: () => text("base images are pinned", "les images de base ont une version fixée"),
    unmet: ({ unpinned }) =>
      text(
        `unpinned base image: ${unpinned}; name a version`,
        `image de base sans version : ${unpinned} ; précisez-la`,
      ),
  },
  {
    id: "capabilities",
    isMet: ({ container }) => (container.HostConfig.CapDrop ?? []).some((name) => name.toUpperCase() === "ALL"),
    met: () => text("has no capabilities", "n'a aucune capability"),
    unmet: () => text("has capabilities; set cap_drop: [ALL]", "conserve des capabilities ; ajoutez cap_drop: [ALL]"),
  },
  {
    id: "secrets",
    isMet: ({ imageLines }) => !imageLines.some((line) => SECRET.test(line)),
    met: () => text("no secret found in the image", "aucun secret détecté dans l'image"),
    unmet: () => text("the image contains a secret", "l'image contient un secret"),
  },
];

/** What would make a submission better, beyond the subject. It stops the containers, so it comes last. */
export async function adviceFor(grading: Grading): Promise<Advice[]> {
  const services = await Promise.all(ROLES.map(async (role) => ({ role, facts: await collectFacts(grading, role) })));
  return services.flatMap(({ role, facts }) =>
    CRITERIA.flatMap((criterion) => {
      const met = criterion.isMet(facts);
      if (met === undefined) return [];
      const { en, fr } = met ? criterion.met(facts) : criterion.unmet(facts);
      return { id: `${criterion.id}.${role}`, met, text: text(`${role}: ${en}`, `${role} : ${fr}`) };
    }),
  );
}

async function collectFacts({ stack, submission }: Grading, role: Role): Promise<Facts> {
  const service = submission.services[role];
  const container = await stack.container(role);
  const image = await inspect<Image>(container.Image);
  const history = await dockerOrThrow("history", "--no-trunc", "--format", "{{.CreatedBy}}", container.Image);
  const isRunning = container.State.Status === "running";
  const start = Date.now();
  await dockerOrThrow("stop", "--time", String(MAX_STOP_S + 1), container.Id);
  const stopS = isRunning ? (Date.now() - start) / 1000 : undefined;
  const baseImages = service === undefined ? [] : basesOf(submission, service);
  return {
    container,
    imageMB: Math.round(image.Size / 1e6),
    stopS,
    unpinned: baseImages.filter((name) => !/@|:(?!latest$)[^/]+$/.test(name)),
    imageLines: [...(image.Config.Env ?? []), ...history.split("\n")],
  };
}
