import { BODY } from "../lab/services.ts";

/** A command of the recording, and what comes of it. */
export interface Scene {
  readonly command: string;
  /** The exit code; 52 is curl's for an empty reply. */
  readonly code: number;
  /** What its output has to contain. */
  readonly shows: readonly (string | RegExp)[];
  /** Seconds for reading its output. */
  readonly pause: number;
  /** Both services have to be healthy before. */
  readonly healthy?: true;
}

const EMPTY_REPLY = "curl: (52) Empty reply from server";

/** Compose 1 puts _ where Compose 2 puts -. */
const each = (line: (container: string) => string) =>
  ["backend", "frontend"].map((name) => new RegExp(`^${line(`.*[-_]api-${name}[-_]1`)}$`, "m"));

/** @param project the name of the Compose project */
export const scenesOf = (project: string): readonly Scene[] => [
  {
    command: "make up",
    code: 0,
    shows: ["==> both services are healthy\n", BODY["api-backend"], BODY["api-frontend"]],
    pause: 1.5,
  },
  {
    command: "curl -i localhost:8001",
    code: 0,
    shows: ["HTTP/1.1 200 OK\n", BODY["api-backend"]],
    pause: 1.5,
  },
  {
    command: "curl -i localhost:8000",
    code: 0,
    shows: ["HTTP/1.1 200 OK\n", BODY["api-frontend"]],
    pause: 1.5,
  },
  {
    // On one line, because the backend is back after about a second. The time says that the frontend has waited for it.
    command: "curl localhost:8001/traceback; curl -w '%{time_total} s\\n' localhost:8000",
    code: 0,
    shows: [EMPTY_REPLY, BODY["api-frontend"], /^(0\.[1-9]|[1-4]\.)\d+ s$/m],
    pause: 2.5,
  },
  {
    command: "curl localhost:8000/traceback",
    code: 52,
    shows: [EMPTY_REPLY],
    pause: 1.5,
  },
  {
    command: [
      `docker inspect $(docker ps --quiet --filter name=${project}) \\`,
      "  --format '{{.Name}}: {{.State.Status}}, restarts: {{.RestartCount}}'",
    ].join("\n"),
    code: 0,
    shows: each((container) => `${container}: running, restarts: 1`),
    pause: 1.5,
    healthy: true,
  },
  {
    command: [
      "docker events --since 1m --until 0s --filter event=die \\",
      `  --filter label=com.docker.compose.project=${project} \\`,
      "  --format '{{.Actor.Attributes.name}}: exit code {{.Actor.Attributes.exitCode}}'",
    ].join("\n"),
    code: 0,
    shows: each((container) => `${container}: exit code 1`),
    pause: 2.5,
  },
  {
    command: "make check",
    code: 0,
    shows: [/^\.: 20\/20$/m],
    pause: 3,
  },
  {
    command: "make down",
    code: 0,
    shows: [],
    pause: 1.5,
  },
];
