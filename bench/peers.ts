// The two services as this project and its peers implement them: how each is built and started.

import { cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DockerfileParser } from "dockerfile-ast";
import { runOrThrow } from "../host/command.ts";

export const SERVICES = ["backend", "frontend"] as const;
export type Service = (typeof SERVICES)[number];

export interface Ports {
  readonly port: number;
  /** Where the frontend finds its backend. */
  readonly backendPort: number;
}

export interface Peer {
  readonly name: string;
  /** What must be installed to run it, for the row of sizes. */
  readonly ships: string;
  /** Builds both services into an empty folder. */
  build(folder: string): Promise<void>;
  /** The command that runs a service in that folder, and its environment. */
  command(service: Service, ports: Ports, folder: string): { argv: string[]; env?: Record<string, string> };
  /** The parsed JSON body of a service's response. */
  response(service: Service): unknown;
  /** The size in bytes of what must be installed for one service. */
  size(service: Service, folder: string): Promise<number>;
}

const source = (name: string) => join(import.meta.dir, "peers", name);
const body = { body: "Je suis une réponse du backend" };
const response = (service: Service) => (service === "backend" ? body : { return: body, status: "[SUCESS]" });

const variables = ({ port, backendPort }: Ports) => ({ PORT: String(port), BACKEND_PORT: String(backendPort) });

/** Sizes in bytes of a folder, and of Debian packages. */
const sizeOfFolder = async (folder: string) =>
  Number.parseInt(await runOrThrow(["du", "--summarize", "--bytes", folder]), 10);
const sizeOfPackages = async (...packages: string[]) => {
  const sizes = await runOrThrow(["dpkg-query", "--show", "--showformat", `\${Installed-Size}\n`, ...packages]);
  return sizes.split("\n").reduce((sum, kib) => sum + Number(kib) * 1024, 0);
};

const nginx: Peer = {
  name: "nginx",
  // It only forwards the backend's response: a lower bound for the cost of services that do more.
  response: () => body,
  ships: "the executable",
  build: async (folder) => {
    mkdirSync(join(folder, "tmp"));
    for (const file of ["backend.conf", "frontend.conf"]) cpSync(join(source("nginx"), file), join(folder, file));
  },
  command: (service, { port, backendPort }, folder) => {
    const values: Record<string, string> = { PORT: String(port), BACKEND_PORT: String(backendPort), SERVICE: service };
    const template = readFileSync(join(source("nginx"), "nginx.conf"), "utf8");
    const file = join(folder, `${service}.main.conf`);
    writeFileSync(
      file,
      template.replace(/\b(PORT|BACKEND_PORT|SERVICE)\b/g, (name) => values[name] ?? name),
    );
    return { argv: ["nginx", "-p", folder, "-c", file, "-e", "stderr"] };
  },
  size: async () => statSync(Bun.which("nginx") ?? "").size,
};

/** The ENV variables of a service's Dockerfile. */
const imageVariables = (service: Service): Record<string, string> =>
  Object.fromEntries(
    DockerfileParser.parse(readFileSync(join(import.meta.dir, "..", `api-${service}`, "Dockerfile"), "utf8"))
      .getENVs()
      .flatMap((instruction) => instruction.getProperties())
      .map((property) => [property.getName(), property.getValue() ?? ""]),
  );

const ours: Peer = {
  name: "this project",
  response,
  ships: "the executable",
  build: async (folder) => {
    for (const service of SERVICES) {
      await runOrThrow(["sh", "scripts/compile", `${folder}/api-${service}`, `api-${service}/api.ts`]);
    }
  },
  command: (service, { port, backendPort }, folder) => ({
    argv: [join(folder, `api-${service}`)],
    env: {
      ...imageVariables(service),
      PORT: String(port),
      API_BACKEND_URL: "127.0.0.1",
      API_BACKEND_PORT: String(backendPort),
    },
  }),
  size: async (service, folder) => statSync(join(folder, `api-${service}`)).size,
};

const go: Peer = {
  name: "Go net/http",
  response,
  ships: "the executable",
  build: async (folder) => {
    for (const service of SERVICES) {
      await runOrThrow(["env", "--chdir", source("go"), "go", "build", "-o", join(folder, service), `./${service}`]);
    }
  },
  command: (service, ports, folder) => ({ argv: [join(folder, service)], env: variables(ports) }),
  size: async (service, folder) => statSync(join(folder, service)).size,
};

const fastify: Peer = {
  name: "Fastify, undici",
  response,
  ships: "node and node_modules",
  build: async (folder) => {
    cpSync(source("fastify"), folder, { recursive: true });
    await runOrThrow(["bun", "install", "--cwd", folder, "--frozen-lockfile"]);
  },
  command: (service, ports, folder) => ({
    argv: ["node", join(folder, `${service}.js`)],
    env: { ...variables(ports), NODE_ENV: "production" },
  }),
  size: async (_service, folder) =>
    statSync(Bun.which("node") ?? "").size + (await sizeOfFolder(join(folder, "node_modules"))),
};

const flask: Peer = {
  name: "Flask, gunicorn",
  response,
  ships: "Debian's packages, without libc",
  build: async (folder) => cpSync(source("flask"), folder, { recursive: true }),
  command: (service, ports, folder) => ({
    argv: [
      ...["gunicorn", "--chdir", folder, "--bind", `127.0.0.1:${ports.port}`, "--log-level", "warning"],
      ...["--worker-class", "gthread", "--threads", "64", "--keep-alive", "60", `${service}:app`],
    ],
    env: variables(ports),
  }),
  size: () =>
    sizeOfPackages(
      ...["libpython3-stdlib", "libpython3.11-minimal", "libpython3.11-stdlib", "python3.11-minimal", "gunicorn"],
      ...["python3-gunicorn", "python3-flask", "python3-werkzeug", "python3-jinja2", "python3-markupsafe"],
      ...["python3-click", "python3-itsdangerous", "python3-requests", "python3-urllib3", "python3-certifi"],
    ),
};

/** nginx is first: the others are compared with it. */
export const PEERS: readonly Peer[] = [nginx, ours, go, fastify, flask];
