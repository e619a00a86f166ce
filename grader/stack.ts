import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { brief, type Options, type Outcome } from "../host/command.ts";
import { type Container, DockerError, docker, dockerOrThrow, inspect } from "../host/docker.ts";
import { freePort, tcpRoundTrip } from "../host/tcp.ts";
import { compose } from "./compose.ts";
import { type ComposeConfig, type ComposeService, portsOf } from "./compose-file.ts";
import { type Answer, get } from "./http.ts";
import { removeProject } from "./removal.ts";
import { PORT, type Role, type Service, type Submission } from "./submission.ts";

/** Seconds that each step may take. */
const LIMIT = { build: 900, up: 300, down: 120, answer: 15 };

let stacks = 0;

/**
 * A submission's stack, running under names and on ports of its own: whatever else runs on the machine stays
 * untouched, and so does the submission.
 */
export class Stack {
  /** Of the Compose project; images, containers and networks are named after it. */
  readonly project = `grader${process.pid}x${++stacks}`;
  #file = "";
  /** Where on 127.0.0.1 each service is reached; the subject's port where it shares this machine's network. */
  readonly #ports: Record<Role, number> = { ...PORT };
  /** Of the containers, once they were asked for. */
  readonly #ids = new Map<Role, string>();
  #others = 0;

  private constructor(readonly submission: Submission) {}

  static async prepare(submission: Submission): Promise<Stack> {
    const stack = new Stack(submission);
    const config = await stack.#ownConfig(submission.config);
    stack.#file = join(mkdtempSync(join(tmpdir(), "grader-")), "docker-compose.json");
    // JSON is YAML in which nothing is ambiguous, "no" among it.
    writeFileSync(stack.#file, JSON.stringify(config));
    return stack;
  }

  /** The submission's configuration under our own names, and on free ports. */
  async #ownConfig(config: ComposeConfig): Promise<ComposeConfig> {
    const { name: _, ...own } = structuredClone(config);
    for (const part of [own.networks, own.volumes]) {
      for (const definition of Object.values(part ?? {})) {
        if (definition?.name !== undefined && !definition.external) delete definition.name;
      }
    }
    // A container's name is one that others find it by, along links too.
    for (const { links } of Object.values(own.services)) {
      const targets = links?.map((link) => link.split(":", 1)[0] ?? "") ?? [];
      for (const target of targets) {
        const alias = own.services[target]?.container_name;
        if (alias !== undefined) links?.push(`${target}:${alias}`);
      }
    }
    for (const [name, service] of Object.entries(own.services)) await this.#ownService(name, service);
    return own;
  }

  async #ownService(name: string, service: ComposeService): Promise<void> {
    const role = this.#roleOf(name);
    if (service.build === undefined && role !== undefined && this.submission.services[role]?.dockerfile !== undefined) {
      // It names what is published. What is graded is what the folder builds.
      service.build = { context: join(this.submission.folder, this.submission.services[role].dockerfile, "..") };
    }
    if (service.build !== undefined) {
      service.image = `${this.project}/${name.toLowerCase()}:latest`;
      delete service.pull_policy;
      if (typeof service.build === "object") delete service.build.tags;
    }
    if (service.container_name !== undefined) {
      if (service.network_mode === undefined) service.networks = withAlias(service.networks, service.container_name);
      delete service.container_name;
    }
    const ports = portsOf(service);
    delete service.ports;
    if (role === undefined || service.network_mode === "host") return;
    const inside = (ports.find(({ outside }) => outside === PORT[role]) ?? ports[0])?.inside ?? PORT[role];
    this.#ports[role] = await freePort();
    service.ports = [`127.0.0.1:${this.#ports[role]}:${inside}`];
  }

  #roleOf(name: string): Role | undefined {
    return Object.values(this.submission.services).find((service) => service.name === name)?.role;
  }

  /** How a stack that was kept is removed by hand. */
  get removal(): string {
    return `${compose.command.join(" ")} -p ${this.project} -f '${this.#file}' down --volumes --rmi all`;
  }

  #compose(args: readonly string[], options: Options): Promise<Outcome> {
    return compose.run(this.project, this.#file, this.submission.folder, args, options);
  }

  build = () => this.#compose(["build"], { seconds: LIMIT.build });
  down = () => this.#compose(["down", "--timeout", "1", "--volumes", "--remove-orphans"], { seconds: LIMIT.down });

  up = () => {
    this.#ids.clear();
    return this.#compose(["up", "--detach", "--no-build"], { seconds: LIMIT.up });
  };

  /** @throws {DockerError} where it does not exist */
  async container(role: Role): Promise<Container> {
    const { name } = this.#service(role);
    const id = this.#ids.get(role) ?? (await this.#find(name));
    if (id !== "") this.#ids.set(role, id);
    return inspect<Container>(id || name);
  }

  /** The id of a service's container; empty where there is none. */
  async #find(service: string): Promise<string> {
    const labels = [`project=${this.project}`, `service=${service}`, "oneoff=False"];
    const filters = labels.flatMap((label) => ["--filter", `label=com.docker.compose.${label}`]);
    const ids = await dockerOrThrow("ps", "--all", "--quiet", ...filters);
    return ids.split("\n")[0] ?? "";
  }

  #service(role: Role): Service {
    const service = this.submission.services[role];
    if (service === undefined) throw new Error(`no ${role}`);
    return service;
  }

  /** What a service answers to `GET /`. */
  get(role: Role, seconds = LIMIT.answer): Promise<Answer> {
    return get(`http://127.0.0.1:${this.#ports[role]}/`, seconds);
  }

  /** The bytes that a service answers to `GET /traceback`; `undefined` where it neither answers nor closes. */
  traceback(role: Role): Promise<string | undefined> {
    const request = "GET /traceback HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    return tcpRoundTrip("127.0.0.1", this.#ports[role], request, LIMIT.answer);
  }

  /** What happens while a service is stopped; afterwards it runs again. */
  async without<T>(role: Role, happens: () => Promise<T>): Promise<T> {
    const { Id } = await this.container(role);
    await dockerOrThrow("stop", "--time", "0", Id);
    try {
      return await happens();
    } finally {
      await dockerOrThrow("start", Id);
    }
  }

  /** One more frontend beside the running one, with other variables: what it answers to `GET /`. */
  async otherFrontend(variables: Readonly<Record<string, string>>): Promise<Answer> {
    const other = `${this.project}-other${++this.#others}`;
    const { name, definition } = this.#service("frontend");
    const inside = portsOf(definition).find(({ outside }) => outside === PORT.frontend)?.inside ?? PORT.frontend;
    const port = await freePort();
    const settings = Object.entries(variables).flatMap(([key, value]) => ["-e", `${key}=${value}`]);
    const options = ["--detach", "--no-deps", "--name", other, "--publish", `127.0.0.1:${port}:${inside}`, ...settings];
    const { code, stderr } = await this.#compose(["run", ...options, name], { seconds: 120 });
    // Without a frontend that runs, silence would prove nothing.
    if (code !== 0) throw new DockerError(`compose run ${name}: ${brief(stderr, 300)}`);
    let answer: Answer = { error: "no answer" };
    for (const end = Date.now() + LIMIT.answer * 1000; Date.now() < end; await Bun.sleep(200)) {
      answer = await get(`http://127.0.0.1:${port}/`, LIMIT.answer);
      if ("status" in answer || !(await isRunning(other))) break;
    }
    await docker(["rm", "--force", other]);
    return answer;
  }

  /**
   * Removes all that was made; may be called at any time, and again.
   *
   * @throws {DockerError} where something of it cannot be removed
   */
  async remove({ interrupted = false } = {}): Promise<void> {
    await removeProject(this.project, !interrupted);
    rmSync(dirname(this.#file), { recursive: true, force: true });
  }
}

const isRunning = async (container: string) =>
  (await dockerOrThrow("inspect", "--format", "{{.State.Status}}", container)) === "running";

function withAlias(networks: ComposeService["networks"], alias: string): NonNullable<ComposeService["networks"]> {
  const names = Array.isArray(networks) ? networks : Object.keys(networks ?? { default: null });
  const given = Array.isArray(networks) ? {} : (networks ?? {});
  return Object.fromEntries(
    names.map((name) => [name, { ...given[name], aliases: [...(given[name]?.aliases ?? []), alias] }]),
  );
}
