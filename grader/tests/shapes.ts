// More right submissions: plain ones, in what else Compose and Docker let a student write. Several such things are in one
// submission where none hides another.

import { BUN } from "../../testing/base-images.ts";
import { flask } from "./flask.ts";
import { type Change, change, type Files, right } from "./submissions.ts";

const COMPOSE = "docker-compose.yaml";
const BACKEND = "api-backend/api.js";
const FRONTEND = "api-frontend/api.js";
const BACKEND_IMAGE = "api-backend/Dockerfile";
const FRONTEND_IMAGE = "api-frontend/Dockerfile";

/** The right submission with another Compose file, and other changes. */
const composed = (text: string, ...changes: Change[]): Files => ({ ...change(right, ...changes), [COMPOSE]: text });

/** A program that waits 20 s before it listens. */
const slow = (path: string): Change => [
  path,
  /(createServer\([\s\S]*\))\.listen\((\d+)\)/,
  "const server = $1;\nsetTimeout(() => server.listen($2), 20_000)",
];

// Signals do not end process 1 from inside; abort does.
const ABORT: Change = [BACKEND, "process.exit(1)", "process.abort()"];
const IDLE = `"-e", "setInterval(() => {}, 1e9)"`;

const named: Files = {
  ...composed(
    `version: "3.9"
x-common: &common
  restart: unless-stopped
  init: false
  tty: true
  user: "1000"
  read_only: true
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]
  tmpfs: /tmp
  stop_signal: SIGINT
  stop_grace_period: 3s
  labels: {course: docker}
  logging: {driver: json-file, options: {max-size: 1m}}
  ulimits: {nproc: 4096, nofile: {soft: 1024, hard: 2048}}
services:
  a.docs:
    build: docs
    ports: ["8080:8000"]
  cache:
    image: ${BUN}
    command: [bun, ${IDLE}]
  API_Front.end-:
    <<: *common
    image: student/front
    build: ./api-frontend
    container_name: Front
    hostname: front
    ports: ["8000:8000"]
    depends_on: [API_Back.end-, cache]
    environment: {API_BACKEND_URL: The.Back_end.lab, API_BACKEND_PORT: "8001"}
  API_Back.end-:
    <<: *common
    image: student/back
    build: ./api-backend
    container_name: The.Back_end
    hostname: back
    ports: ["8001:8001"]
networks: {default: {name: lab}}
`,
    ABORT,
  ),
  "docs/Dockerfile": `FROM ${BUN}\nCMD ["bun", ${IDLE}]\n`,
};

const imagesOnly: Files = {
  ...composed(`services:
  api-backend:
    image: \${HUB_USER}/api-backend:\${TAG:-latest}
    ports: ["\${BACKEND_PORT}:8001"]
  api-frontend:
    image: \${HUB_USER}/api-frontend:\${TAG:-latest}
    profiles: [lab]
    ports: ["8000:8000"]
    depends_on: [api-backend]
    env_file:
      - ./env/frontend.env
    environment:
      - API_BACKEND_PORT=\${BACKEND_PORT}
`),
  "docker-compose.override.yml": `services:
  api-backend: {restart: "on-failure:5"}
  api-frontend: {restart: "on-failure:5"}
`,
  ".env":
    "# of the project\nCOMPOSE_PROJECT_NAME=tp-docker\nCOMPOSE_PROFILES=lab\nHUB_USER=student\nBACKEND_PORT=8001\n",
  "env/frontend.env": `# The backend's address\r\n\r\nAPI_BACKEND_URL="api-backend"\r\n`,
};

const bound = composed(
  `version: "2.1"
services:
  backend:
    build: ./api-backend
    working_dir: /app
    user: "1000"
    entrypoint: []
    command: bun api.js
    restart: always
    volumes:
      - \${PWD}/api-backend:/app
      - data:/data
      - /app/node_modules
    ports: ["8001:8001"]
    environment: {PRICE: "1$$"}
    healthcheck:
      test: ["CMD-SHELL", "bun -e 'if (process.env.PRICE !== \\"1$$\\" || !(await fetch(\\"http://localhost:8001/\\")).ok) throw 1'"]
      interval: 1s
      timeout: 5s
      retries: 20
  frontend:
    build: ./api-frontend
    restart: always
    volumes: ["./api-frontend/api.js:/api.js:ro"]
    depends_on: {backend: {condition: service_healthy}}
    ports: ["8000:8000"]
    environment: {API_BACKEND_URL: backend, API_BACKEND_PORT: 8001}
volumes:
  data:
`,
  [BACKEND_IMAGE, "COPY api.js /api.js\n", ""],
  [BACKEND, /^/, 'import { appendFileSync } from "node:fs";\nappendFileSync("/app/log", "started");\n'],
);

const otherAnswers = composed(
  `version: "3.2"
services:
  api-backend:
    build: ./api-backend
    restart: always
    expose: ["8001", 9000-9002]
    ports: ["8001-8002:8001-8002"]
    networks: [front, back]
  api-frontend:
    build: ./api-frontend
    restart: always
    ports:
      - {target: 8443, published: 8443}
      - {target: 8000, published: 8000, protocol: tcp, mode: host}
    links: ["api-backend:api", api-backend]
    networks: [front, other]
    environment: {API_BACKEND_URL: api, API_BACKEND_PORT: 8001}
networks: {front: {}, back: {}, other: {}}
`,
  [
    BACKEND,
    /response\.end\((.*)\);/,
    "for (const part of $1.split(/(?<= )/)) response.write(part);\n  response.end();",
  ],
  [BACKEND, "listen(8001)", 'listen(8001, "::")'],
  [FRONTEND, "listen(8000)", 'listen(8000, "0.0.0.0")'],
  [FRONTEND_IMAGE, 'ENTRYPOINT ["bun", "/api.js"]', "CMD exec bun /api.js"],
);

/** A network that hardly any machine has, and another one for each process that grades. */
const SUBNET = `10.${200 + (process.pid % 50)}.${process.pid % 251}`;

const fixedAddresses = composed(
  `version: "3.0"
services:
  api-backend:
    build: ./api-backend
    restart: always
    ports: ["8001:8001"]
    networks:
      tp: {ipv4_address: ${SUBNET}.10}
  api-frontend:
    build: ./api-frontend
    restart: always
    ports: ["8000:80"]
    depends_on: [api-backend]
    networks:
      tp: {ipv4_address: ${SUBNET}.11}
      other:
    environment: {API_BACKEND_URL: ${SUBNET}.10, API_BACKEND_PORT: 8001}
networks:
  tp:
    driver: bridge
    ipam: {driver: default, config: [{subnet: ${SUBNET}.0/24}]}
  other:
`,
  [FRONTEND, "8000", "80"],
);

/** As an editor on Windows writes them: with a byte order mark, and other ends of lines. */
const windows: Files = Object.fromEntries(
  Object.entries({ ...right, "api-backend/.dockerignore": "node_modules\n" }).map(([path, text]) => [
    path,
    `\ufeff${text.replaceAll("\n", "\r\n")}`,
  ]),
);

const staged = (path: string): Change[] => [
  [path, /^FROM .*\n/, `ARG BASE=scratch\nFROM \${BASE} AS run\nARG ACCOUNT\n`],
  [path, "docker.io/student", `docker.io/\${ACCOUNT}`],
  [path, /$/, 'FROM run AS test\nLABEL hub_url=none\nCMD ["false"]\n'],
];

const stages: Files = {
  ...composed(
    `version: "2.4"
x-build: &build
  target: run
  args: {BASE: "${BUN}", ACCOUNT: student}
x-restart: &restart {restart: always}
x-ids: &ids {user: "1000:1000"}
services:
  api-backend:
    extends: {file: common/base.yml, service: base}
    build: {<<: *build, context: api-backend}
    <<: [*restart, *ids]
    ports: [8001:8001]
  api-frontend:
    extends: {file: common/base.yml, service: base}
    build:
      <<: *build
      context: api-frontend
    <<: *restart
    ports: [8000:8000]
    depends_on: [api-backend]
    environment: [API_BACKEND_URL=api-backend]
`,
    ...staged(BACKEND_IMAGE),
    ...staged(FRONTEND_IMAGE),
  ),
  "common/base.yml": `version: "2.4"
services:
  base:
    environment: [API_BACKEND_PORT=8001]
`,
};

const deployed = composed(
  `name: tp-docker
services:
  api-backend:
    build: ./api-backend
    deploy: {replicas: 1, restart_policy: {condition: on-failure, delay: 1s, max_attempts: 5}}
    ports: ["8001:8001"]
    platform: linux/amd64
    pull_policy: build
    mem_limit: 200m
    cpus: 0.5
    user: "1000"
    tty: yes
    read_only: true
    volumes: [{type: tmpfs, target: /tmp, tmpfs: {mode: 01777}}]
  api-frontend:
    build: ./api-frontend
    deploy: {restart_policy: {condition: any}}
    ports: ["8000:8000"]
    depends_on:
      api-backend: {condition: service_healthy, restart: true}
    environment: {API_BACKEND_URL: tp-docker-api-backend-1, API_BACKEND_PORT: 8001}
`,
  [
    BACKEND_IMAGE,
    "ENTRYPOINT",
    `HEALTHCHECK --interval=2s --retries=9 CMD ["bun", "-e", "if (!(await fetch('http://127.0.0.1:8001/')).ok) throw 1"]\nENTRYPOINT`,
  ],
  [BACKEND, /^/, 'import { writeFileSync } from "node:fs";\nwriteFileSync("/tmp/started", "");\n'],
);

/** Its program answers 2.5 s late, and opens another port 8 s before its own. */
const late: Files = change(
  right,
  [BACKEND, "createServer((request", "createServer(async (request"],
  [BACKEND, "response.writeHead", "await Bun.sleep(2500);\n  response.writeHead"],
  [
    BACKEND,
    /(createServer\([\s\S]*\))\.listen\(8001\)/,
    "createServer((_, response) => response.end()).listen(9100);\nconst server = $1;\nsetTimeout(() => server.listen(8001), 8_000)",
  ],
  [FRONTEND, "const value", "await Bun.sleep(3000);\n    const value"],
);

/** A child of process 1 has a port of its own, which is published first. */
const METRICS: Change = [
  BACKEND,
  /^/,
  `import { spawn } from "node:child_process";\nspawn("bun", ["-e", "Bun.serve({ port: 9100, fetch: () => new Response() })"]);\n`,
];

const completed: Files = {
  ...composed(
    `include:
  - path: [parts/check.yaml, parts/more.yaml]
    project_directory: parts
    env_file: parts/check.env
services:
  api-backend:
    build: ./api-backend
    image: student/api-backend:latest
    network_mode: bridge
    command: ["--no-such-option"]
    cap_drop: [ALL]
    cap_add: [NET_BIND_SERVICE]
    ports: ["9100:9100", "8001:8001"]
    configs: [{source: sentence, target: /sentence}]
    volumes: ["/etc/localtime:/etc/localtime:ro", "data:/data"]
    volumes_from: ["assets:ro"]
  assets:
    image: docker.io/student/api-backend
    pull_policy: never
    entrypoint: [bun, ${IDLE}]
    volumes: ["/assets"]
    depends_on: []
  api-frontend:
    build: ./api-frontend
    ports: ["80:80"]
    depends_on: [api-backend]
    env_file: ["env/\${STAGE:-none}.env"]
configs: {sentence: {environment: SENTENCE}}
volumes: {data: {driver_opts: {type: tmpfs, device: tmpfs, o: size=10m}}}
`,
    METRICS,
    [BACKEND, /^/, 'import { readFileSync } from "node:fs";\n'],
    [BACKEND, '"Je suis une réponse du backend"', 'readFileSync("/sentence", "utf8")'],
  ),
  "docker-compose.prod.yaml": `services:
  api-backend: {restart: always, network_mode: !reset null, command: !reset []}
  api-frontend: {restart: always, ports: !override ["8000:8000"]}
`,
  ".env":
    "COMPOSE_FILE=docker-compose.yaml:docker-compose.prod.yaml\nSTAGE=prod\nSENTENCE=Je suis une réponse du backend\n",
  "env/prod.env": "API_BACKEND_URL=api-backend\nAPI_BACKEND_PORT=8001\n",
  "parts/check.yaml": `services: {check: {image: "\${IMAGE:?}", environment: {A: b}}}\n`,
  "parts/more.yaml": `services: {check: {command: [bun, ${IDLE}]}}\n`,
  "parts/check.env": `IMAGE=${BUN}\n`,
};

/** Right submissions; each must get 20/20. The slowest comes first. */
export const SHAPES: Record<string, Files> = {
  "a backend that needs 20 s": change(right, slow(BACKEND)),
  "late answers, another port first": late,
  "names of many kinds, other services, a confined user, an end by a signal": named,
  "images only, an override file, variables and a profile from .env": imagesOnly,
  "own folders mounted, a volume, a health check to wait for": bound,
  "chunks, IPv6, ranges of ports, links on one of several networks": otherAnswers,
  "fixed addresses, another port in the container": fixedAddresses,
  "files from Windows": windows,
  "stages and arguments of builds, anchors, extends": stages,
};

/** With Flask, as the lab's own. */
export const FLASK: Record<string, Files> = {
  "Flask, its reloader is process 1": flask(", debug=True"),
  "Flask, without a reloader": flask(""),
};

/** With what Compose 1 rejects or ignores. */
export const COMPOSE_2: Record<string, Files> = {
  "a name of the project and of a container by it, restart policies under deploy, modes of files": deployed,
  "several files, reset and override, includes, configurations, default rights, an image used twice": completed,
};
