// Small submissions of the lab: right ones, each written differently, and wrong ones, each with one fault.

import { cpSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runOrThrow } from "../../host/command.ts";
import { BUN, RUNTIME } from "../../testing/base-images.ts";
import { copyInto, readSubmission, type Submission } from "../submission.ts";
import { createWorkFolder } from "../work-folder.ts";
import { flaskFolder } from "./flask.ts";

/** The content of each file, by its path in the folder. */
export type Files = Record<string, string>;

/** Writes files to a new temporary folder, copies the folders into it, and returns its path. */
export function write(files: Files, folders: Record<string, string> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "submission-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  for (const [path, source] of Object.entries(folders))
    cpSync(source, join(folder, path), { recursive: true, verbatimSymlinks: true });
  return folder;
}

/** Reads a folder as a submission. */
export const submissionOf = async (folder: string): Promise<Submission> =>
  readSubmission(await copyInto(createWorkFolder(), folder, folder));

const BACKEND_JS = `import { createServer } from "node:http";
createServer((request, response) => {
  if (request.url === "/traceback") process.exit(1);
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ body: "Je suis une réponse du backend" }));
}).listen(8001);
`;

const FRONTEND_JS = `import { createServer } from "node:http";
createServer(async (request, response) => {
  if (request.url === "/traceback") process.exit(1);
  try {
    const answer = await fetch(\`http://\${process.env.API_BACKEND_URL}:\${process.env.API_BACKEND_PORT}/\`);
    const value = { return: await answer.json(), status: "[SUCESS]" };
    response.writeHead(200, { "content-type": "application/json; charset=utf-8" });
    response.end(JSON.stringify(value));
  } catch {
    response.writeHead(500).end("no backend");
  }
}).listen(8000);
`;

const image = (name: string, label = `LABEL hub_url="docker.io/student/${name}"`) => `FROM ${BUN}
COPY api.js /api.js
${label}
ENTRYPOINT ["bun", "/api.js"]
`;

/** The right submission that the wrong ones are derived from. */
export const right: Files = {
  LICENSE: "MIT\n",
  "README.md": "# TP\n",
  "api-backend/Dockerfile": image("api-backend"),
  "api-backend/api.js": BACKEND_JS,
  "api-frontend/Dockerfile": image("api-frontend"),
  "api-frontend/api.js": FRONTEND_JS,
  "docker-compose.yaml": `services:
  api-backend:
    build: ./api-backend
    restart: always
    ports: ["8001:8001"]
  api-frontend:
    build: ./api-frontend
    restart: always
    ports: ["8000:8000"]
    depends_on: [api-backend]
    environment:
      API_BACKEND_URL: api-backend
      API_BACKEND_PORT: 8001
`,
};

/** A text to replace in a file. */
export type Change = [path: string, from: string | RegExp, to: string];

/** Replaces text in files; throws if the text is not there. */
export function change(files: Files, ...changes: Change[]): Files {
  const changed = { ...files };
  for (const [path, from, to] of changes) {
    const before = changed[path] ?? "";
    changed[path] = before.replace(from, to);
    if (changed[path] === before) throw new Error(`${path} does not contain ${from}`);
  }
  return changed;
}

function omit(files: Files, ...paths: string[]): Files {
  return Object.fromEntries(Object.entries(files).filter(([path]) => !paths.includes(path)));
}

const rename = (files: Files, from: string, to: string): Files => ({
  ...omit(files, from),
  [to]: files[from] ?? "",
});

const links: Files = {
  ...omit(right, "docker-compose.yaml"),
  "api-backend/Dockerfile": image("api-backend", "LABEL hub_url student/api-backend"),
  "api-frontend/Dockerfile": image("api-frontend", "LABEL hub_url student/api-frontend"),
  "docker-compose.yml": `version: "2"
services:
  front:
    build: api-frontend
    container_name: the-front
    restart: unless-stopped
    ports:
      - 8000:8000
    links:
      - back
    environment:
      - API_BACKEND_URL=the-back
      - API_BACKEND_PORT=8001
  back:
    build: api-backend
    container_name: the-back
    restart: always
    ports:
      - 8001:8001
`,
};

const PERL_BACKEND = String.raw`use strict; use IO::Socket::INET; $| = 1;
my $server = IO::Socket::INET->new(LocalPort => 8001, Listen => 64, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
  my $request = <$client> // '';
  while (<$client>) { last if /^\r?\n$/ }
  exit 3 if $request =~ m{^GET /traceback };
  my $body = '{"body": "Je suis une r\u00e9ponse du backend"}';
  print $client "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: ", length $body, "\r\n\r\n$body";
  close $client;
}
`;

const PERL_FRONTEND = String.raw`use strict; use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalPort => 8000, Listen => 64, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
  my $request = <$client> // '';
  while (<$client>) { last if /^\r?\n$/ }
  exit 3 if $request =~ m{^GET /traceback };
  my $backend = IO::Socket::INET->new(PeerAddr => $ENV{API_BACKEND_URL}, PeerPort => $ENV{API_BACKEND_PORT}, Timeout => 3);
  my ($status, $body) = ('502 Bad Gateway', '{"status": "[ERROR]"}');
  if ($backend) {
    print $backend "GET / HTTP/1.0\r\nHost: backend\r\n\r\n";
    while (<$backend>) { last if /^\r?\n$/ }
    my $value = join '', <$backend>;
    ($status, $body) = ('200 OK', qq({"status": "[SUCESS]",\n "return": $value})) if $value;
  }
  print $client "HTTP/1.0 $status\r\nContent-Type: application/json\r\nContent-Length: ", length $body, "\r\n\r\n$body";
  close $client;
}
`;

const perlImage = (name: string) => `FROM ${RUNTIME}
COPY perl/ /usr/
COPY api.pl /api.pl
LABEL "hub_url"="https://hub.docker.com/r/student/${name}" \\
      maintainer="a student"
CMD ["perl", "/api.pl"]
`;

const perl: Files = {
  ...omit(right, "api-backend/api.js", "api-frontend/api.js", "docker-compose.yaml"),
  "api-backend/Dockerfile": perlImage("api-backend"),
  "api-backend/api.pl": PERL_BACKEND,
  "api-frontend/Dockerfile": perlImage("api-frontend"),
  "api-frontend/api.pl": PERL_FRONTEND,
  "docker-compose.yaml": `version: "3.8"
services:
  run-api-backend:
    build:
      context: api-backend
    image: student/api-backend:latest
    restart: on-failure
    networks: [tp]
    ports:
      - target: 8001
        published: 8001
  run-api-frontend:
    build:
      context: api-frontend
    image: student/api-frontend:latest
    restart: on-failure
    networks: [tp]
    ports:
      - target: 8000
        published: 8000
    depends_on:
      - run-api-backend
    environment:
      - API_BACKEND_URL=run-api-backend
      - API_BACKEND_PORT=8001
networks:
  tp:
    driver: bridge
`,
};

/** Process 1 holds the socket, and its child serves, as Flask's development server and its reloader do. */
const FORK = "if (my $child = fork) { waitpid $child, 0; exit $? >> 8 }\nwhile (my $client";

const forked = change(
  perl,
  ["api-backend/api.pl", "while (my $client", FORK],
  ["api-frontend/api.pl", "while (my $client", FORK],
);

const legacyBridge: Files = {
  ...right,
  "api-backend/Dockerfile": image("api-backend", "LABEL hub_url=student/api-backend:latest"),
  "api-frontend/Dockerfile": image(
    "api-frontend",
    'LABEL hub_url="https://hub.docker.com/repository/docker/student/api-frontend/general"',
  ),
  "docker-compose.yaml": `version: "2.4"
services:
  frontend:
    build: ./api-frontend/
    restart: always
    network_mode: bridge
    ports: ["0.0.0.0:8000:8000"]
    links: ["backend:api"]
    environment: {API_BACKEND_URL: api, API_BACKEND_PORT: "8001"}
  backend:
    build: ./api-backend/
    restart: always
    network_mode: bridge
    ports: ["8001:8001/tcp"]
`,
};

const rootContext: Files = {
  ...change(
    right,
    ["api-backend/Dockerfile", "COPY api.js", "COPY api-backend/api.js"],
    ["api-frontend/Dockerfile", "COPY api.js", "COPY api-frontend/api.js"],
  ),
  "frontend.env": "API_BACKEND_URL=The-API.\nAPI_BACKEND_PORT=8001\n",
  "docker-compose.yaml": `version: "3"
services:
  b:
    image: student/api-backend:latest
    build:
      context: .
      dockerfile: api-backend/Dockerfile
    restart: always
    expose: ["8001"]
    ports: ["127.0.0.1:8001:8001"]
    networks:
      inner: { aliases: [the-api] }
  a:
    image: student/api-frontend:latest
    build:
      context: .
      dockerfile: api-frontend/Dockerfile
    restart: always
    ports: ["8000:8000"]
    env_file: frontend.env
    depends_on: [b]
    networks: [inner, outer]
networks:
  inner: { name: tp-inner }
  outer: {}
`,
};

const linkAlias: Files = {
  ...change(
    right,
    ["api-backend/Dockerfile", /LABEL.*/, "ARG ACCOUNT\nLABEL hub_url=$ACCOUNT/api-backend"],
    ["api-frontend/Dockerfile", "docker.io/student", "https://cloud.docker.com/repository/docker/student"],
  ),
  "docker-compose.yaml": `version: "2.4"
services:
  front:
    build: api-frontend
    restart: always
    networks: [one, two]
    ports: ["8000:8000"]
    links: ["back:api"]
    environment: {API_BACKEND_URL: api, API_BACKEND_PORT: 8001}
  back:
    build: {context: api-backend, args: {ACCOUNT: student}}
    restart: always
    networks: [one, two, three]
    ports: ["8001:8001"]
networks: {one: {}, two: {}, three: {}}
`,
};

/** Right submissions; each must get 20/20. */
export const RIGHT: Record<string, Files> = {
  "plain, without a version": right,
  "format 2, .yml, links, container names, a bare label": links,
  "Perl, format 3.8, long ports, a network of its own, restart on failure": perl,
  "Perl, process 1 listens and its child serves": forked,
  "format 2.4, the default bridge, a link's alias": legacyBridge,
  "built from the top folder, variables from a file, a network alias": rootContext,
  "format 2.4, networks of its own, a link's alias, a label with an argument": linkAlias,
};

/** Folders that a submission contains besides its text files: Perl or Python, for those that are written in it. */
export async function foldersOf(files: Files): Promise<Record<string, string>> {
  if ("api-backend/api.py" in files) {
    const python = await flaskFolder();
    return { "api-backend/python": python, "api-frontend/python": python };
  }
  if (!("api-backend/api.pl" in files)) return {};
  const unpack = (name: string) => runOrThrow(["sh", "scripts/apt", "unpack", name]);
  const [base, crypt] = [await unpack("perl-base"), await unpack("libcrypt1")];
  const folders: Record<string, string> = {};
  for (const name of ["api-backend", "api-frontend"]) {
    folders[`${name}/perl`] = `${base}/usr`;
    // A Debian that has merged /lib into /usr has the library there.
    folders[`${name}/perl/lib`] = existsSync(`${crypt}/lib`) ? `${crypt}/lib` : `${crypt}/usr/lib`;
  }
  return folders;
}

const COMPOSE = "docker-compose.yaml";
// How the frontend reads its variables.
const [READ_URL, READ_PORT] = [`\${process.env.API_BACKEND_URL}`, `\${process.env.API_BACKEND_PORT}`];
const RESTARTS = / {4}restart: always\n/g;

/** Wrong submissions, each with the rule that it breaks, and the one that cannot pass then. */
export const WRONG: Record<string, [rule: string, files: Files, consequence?: string]> = {
  // These two wait for minutes, so they start first and the others run meanwhile.
  "a backend that needs 60 s": [
    "traceback",
    change(right, [
      "api-backend/api.js",
      /(createServer\([\s\S]*\))\.listen\(8001\)/,
      "const server = $1;\nsetTimeout(() => server.listen(8001), 60_000)",
    ]),
  ],
  "a frontend that does not survive the backend's crash": [
    "traceback",
    change(
      right,
      [
        "api-frontend/api.js",
        'response.writeHead(500).end("no backend")',
        "globalThis.broken = true; response.writeHead(500).end()",
      ],
      ["api-frontend/api.js", "try {", "try { if (globalThis.broken) throw 1;"],
    ),
  ],
  "a slow frontend that ignores API_BACKEND_URL": [
    "used",
    change(
      right,
      ["api-frontend/api.js", READ_URL, "api-backend"],
      ["api-frontend/api.js", /(createServer\([\s\S]*\))\.listen\(8000\)/, "setTimeout(() => $1.listen(8000), 20_000)"],
    ),
  ],
  "a backend that crashes after 3 s, again and again": [
    "up",
    change(right, ["api-backend/api.js", /[\s\S]*/, "setTimeout(() => process.exit(1), 3000);"]),
  ],
  "no restart policy": ["traceback", change(right, [COMPOSE, RESTARTS, ""])],
  "no restart policy on the frontend": [
    "traceback",
    change(right, [COMPOSE, /(frontend\n) {4}restart: always\n/, "$1"]),
  ],
  'restart: "no"': ["traceback", change(right, [COMPOSE, RESTARTS, '    restart: "no"\n'])],
  "on-failure, and exit code 0": [
    "traceback",
    change(
      right,
      [COMPOSE, RESTARTS, "    restart: on-failure\n"],
      ["api-backend/api.js", "exit(1)", "exit(0)"],
      ["api-frontend/api.js", "exit(1)", "exit(0)"],
    ),
  ],
  "always, and exit code 0": ["traceback", change(right, ["api-backend/api.js", "exit(1)", "exit(0)"])],
  "a shell in front": [
    "pid1",
    change(right, ["api-backend/Dockerfile", 'ENTRYPOINT ["bun", "/api.js"]', "ENTRYPOINT bun /api.js; exit $?"]),
  ],
  "a script in front": [
    "pid1",
    {
      ...change(
        right,
        ["api-frontend/Dockerfile", '["bun", "/api.js"]', '["sh", "/start.sh"]'],
        ["api-frontend/Dockerfile", "COPY api.js /api.js", "COPY api.js start.sh /"],
      ),
      "api-frontend/start.sh": "bun /api.js\nexit 1\n",
    },
  ],
  "a child in front of a port of process 1": [
    "pid1",
    change(
      right,
      [COMPOSE, 'ports: ["8001:8001"]', 'ports: ["9999:9999", "8001:8001"]'],
      [
        "api-backend/api.js",
        /^.*\n/,
        `import { spawn } from "node:child_process";
import { createServer } from "node:http";
if (process.argv.length < 3) {
  createServer().listen(9999, "127.0.0.1");
  await new Promise((end) => spawn("bun", ["/api.js", "child"]).on("exit", end));
  process.exit(1);
}
`,
      ],
    ),
  ],
  "an init in front": ["pid1", change(right, [COMPOSE, RESTARTS, "    restart: always\n    init: true\n"])],
  "a constant in the frontend": [
    "call",
    change(
      right,
      ["api-frontend/api.js", "await answer.json()", '{ body: "Je suis une réponse du backend" }'],
      ["api-frontend/api.js", /await fetch\(.*\)/, "1"],
    ),
  ],
  "a first response cached forever": [
    "call",
    change(
      right,
      ["api-frontend/api.js", "await answer.json()", "(globalThis.cached ??= await answer.json())"],
      ["api-frontend/api.js", "await fetch(", "globalThis.cached ?? await fetch("],
    ),
  ],
  "API_BACKEND_URL ignored": ["used", change(right, ["api-frontend/api.js", READ_URL, "api-backend"])],
  "API_BACKEND_URL ignored, in a network without a free address": [
    "used",
    change(
      right,
      ["api-frontend/api.js", READ_URL, "api-backend"],
      [
        COMPOSE,
        "services:\n",
        `services:\n${["a", "b", "c"].map((name) => `  ${name}: {image: ${BUN}, command: [bun, -e, "setInterval(() => {}, 1e9)"]}\n`).join("")}`,
      ],
      [
        COMPOSE,
        /$/,
        `networks: {default: {ipam: {config: [{subnet: 10.${150 + (process.pid % 50)}.${process.pid % 251}.0/29}]}}}\n`,
      ],
    ),
  ],
  "API_BACKEND_PORT ignored": ["used", change(right, ["api-frontend/api.js", READ_PORT, "8001"])],
  "a variable missing": [
    "variables",
    change(
      right,
      [COMPOSE, / {6}API_BACKEND_PORT: 8001\n/, ""],
      ["api-frontend/api.js", "process.env.API_BACKEND_PORT", "process.env.API_BACKEND_PORT ?? 8001"],
    ),
  ],
  "both variables missing": [
    "variables",
    change(right, [COMPOSE, / {4}environment:\n.*\n.*\n/, ""], ["api-frontend/api.js", READ_URL, "api-backend"]),
    "frontend",
  ],
  "the backend through the address of the host": [
    "network",
    change(right, [COMPOSE, "API_BACKEND_URL: api-backend", "API_BACKEND_URL: 172.17.0.1"]),
    "frontend",
  ],
  "a wrong key": ["backend", change(right, ["api-backend/api.js", "body:", "message:"])],
  "another sentence": ["backend", change(right, ["api-backend/api.js", "réponse", "reponse"])],
  "another status code": ["backend", change(right, ["api-backend/api.js", "writeHead(200", "writeHead(201"])],
  "a wrong port": [
    "backend",
    change(
      right,
      ["api-backend/api.js", "8001", "8002"],
      [COMPOSE, "8001:8001", "8002:8002"],
      [COMPOSE, "API_BACKEND_PORT: 8001", "API_BACKEND_PORT: 8002"],
    ),
  ],
  "the frontend on a wrong port": ["frontend", change(right, [COMPOSE, "8000:8000", "8080:8000"])],
  "text/html from the backend": ["backend", change(right, ["api-backend/api.js", "application/json", "text/html"])],
  "text/html from the frontend": ["frontend", change(right, ["api-frontend/api.js", "application/json", "text/html"])],
  "[SUCCESS], spelt right": ["frontend", change(right, ["api-frontend/api.js", "[SUCESS]", "[SUCCESS]"])],
  "no label on one image": ["label", change(right, ["api-frontend/Dockerfile", /LABEL.*\n/, ""])],
  "the label in the build stage only": [
    "label",
    change(right, ["api-backend/Dockerfile", /^FROM (.*)\n([\s\S]*)(LABEL.*\n)/, "FROM $1 AS build\n$3FROM $1\n$2"]),
  ],
  "the label under another name": ["label", change(right, ["api-backend/Dockerfile", "hub_url", "label"])],
  "one repository for both images": [
    "label",
    change(right, ["api-backend/Dockerfile", "student/api-backend", "student/api-frontend"]),
  ],
  "a label that names no image on Docker Hub": [
    "label",
    change(right, ["api-backend/Dockerfile", "docker.io/student/api-backend", "https://github.com/student/tp"]),
  ],
  "a Compose file of another name": ["tree", rename(right, COMPOSE, "compose.yaml")],
  "no LICENSE": ["tree", omit(right, "LICENSE")],
  "a Dockerfile of another name": [
    "tree",
    change(rename(right, "api-backend/Dockerfile", "api-backend/dockerfile"), [
      COMPOSE,
      "build: ./api-backend",
      "build: { context: ./api-backend, dockerfile: dockerfile }",
    ]),
  ],
  "folders of other names": [
    "tree",
    change(
      Object.fromEntries(Object.entries(right).map(([path, text]) => [path.replace("api-backend/", "back/"), text])),
      [COMPOSE, "build: ./api-backend", "build: ./back"],
    ),
  ],
  "the backend after the frontend": [
    "order",
    change(
      right,
      [COMPOSE, "    depends_on: [api-backend]\n", ""],
      [COMPOSE, "build: ./api-backend\n", "build: ./api-backend\n    depends_on: [api-frontend]\n"],
    ),
  ],
  "no order": ["order", change(right, [COMPOSE, "    depends_on: [api-backend]\n", ""])],
  "different networks": [
    "network",
    change(
      right,
      [COMPOSE, /$/, "networks: { one: {}, two: {} }\n"],
      [COMPOSE, "build: ./api-backend", "build: ./api-backend\n    networks: [one]"],
      [COMPOSE, "build: ./api-frontend", "build: ./api-frontend\n    networks: [two]"],
    ),
    "frontend",
  ],
  "/traceback returns 500 and the process keeps running": [
    "traceback",
    change(right, ["api-backend/api.js", "process.exit(1)", "return response.writeHead(500).end()"]),
  ],
  "/traceback ends only a child process": [
    "traceback",
    change(
      right,
      [
        "api-backend/api.js",
        "process.exit(1)",
        'return spawn("sh", ["-c", "exit 1"]).on("exit", () => request.destroy())',
      ],
      ["api-backend/api.js", /^/, 'import { spawn } from "node:child_process";\n'],
    ),
  ],
  "/traceback responds before the process ends": [
    "traceback",
    change(right, [
      "api-frontend/api.js",
      "process.exit(1)",
      'return response.end("bye", () => setTimeout(() => process.exit(1), 100))',
    ]),
  ],
  // The starts are: by `up`, by the rule `call`, and after each of the two crashes.
  "a backend that starts only three times": [
    "again",
    change(right, [
      "api-backend/api.js",
      /^/,
      'import { appendFileSync, statSync } from "node:fs";\nappendFileSync("/starts", "x");\nif (statSync("/starts").size > 3) process.exit(1);\n',
    ]),
  ],
  "a build that fails": ["up", change(right, ["api-backend/Dockerfile", "COPY api.js", "COPY none.js"])],
  "a program that ends at once": ["up", change(right, ["api-backend/api.js", /[\s\S]*/, "process.exit(1);\n"])],
  "no backend in the Compose file": [
    "up",
    change(right, [COMPOSE, / {2}api-backend:\n( {4}.*\n)+/, ""], [COMPOSE, "    depends_on: [api-backend]\n", ""]),
  ],
};
