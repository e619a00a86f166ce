import { type Finding, finding, type Text, text } from "../text.ts";

/** Why a submission is not started: it reaches for something of the machine that grades it. */
export interface Refusal {
  /** The file and line, as far as they are known: `docker-compose.yaml:12`. */
  readonly place: string;
  /** The key and its value. */
  readonly what: string;
  readonly why: Text;
}

export const refusalFinding = ({ place, what, why }: Refusal): Finding =>
  finding(
    text(`${place}: ${what}: ${why.en}`, `${place} : ${what} : ${why.fr}`),
    text(
      "two containers that need nothing of the machine but their own folder",
      "deux conteneurs qui n'ont besoin de rien sur la machine, hormis leur propre dossier",
    ),
    text(
      "Remove it: the lab does not need it. Nothing was started.",
      "Retirez-le : le TP n'en a pas besoin. Rien n'a été lancé.",
    ),
  );

export const WHY = {
  privileged: text(
    "gives the container the rights of this machine's root",
    "donne au conteneur les droits de root sur cette machine",
  ),
  capability: text("gives the container more rights than Docker does", "donne au conteneur plus de droits que Docker"),
  device: text("gives the container a device of this machine", "donne au conteneur un périphérique de cette machine"),
  confinement: text("switches off a part of the confinement", "désactive une partie du confinement"),
  namespace: text(
    "shares a namespace of this machine or of a foreign container",
    "partage un espace de noms de cette machine ou d'un autre conteneur",
  ),
  outside: text("is outside of the submission's folder", "est hors du dossier rendu"),
  socket: text(
    "gives the container this machine's Docker engine",
    "donne au conteneur le moteur Docker de cette machine",
  ),
  volume: text("is a volume of this machine, not of the submission", "est un volume de cette machine, pas du rendu"),
  network: text("is a network of this machine, not of the submission", "est un réseau de cette machine, pas du rendu"),
  addresses: text(
    "takes addresses of the internet away from this machine",
    "prend à cette machine des adresses d'internet",
  ),
  container: text("uses a container that is not of the submission", "utilise un conteneur qui n'est pas du rendu"),
  program: text("runs a program on this machine", "exécute un programme sur cette machine"),
  runtime: text(
    "runs the container in another way than Docker does by default",
    "exécute le conteneur autrement que Docker par défaut",
  ),
  secret: text(
    "gives the build a key or secret of this machine",
    "donne à la construction une clé ou un secret de cette machine",
  ),
  remote: text(
    "is built from a remote address, not from the submission's folder",
    "est construit depuis une adresse distante, pas depuis le dossier rendu",
  ),
  limit: text("is larger than any submission of this lab needs to be", "dépasse ce dont un rendu de ce TP a besoin"),
} as const;
