import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Options, Outcome } from "../host/command.ts";
import { type Container, containersOf, docker, dockerOrThrow, inspect } from "../host/docker.ts";
import { removeProject } from "../host/removal.ts";
import { freePort, tcpRoundTrip } from "../host/tcp.ts";
import { compose } from "./compose.ts";
import { type ComposeConfig, type ComposeService, containerPortOf, fullName } from "./compose-file.ts";
import { get, type HttpResult } from "./http.ts";
import { removeBinds } from "./safety/binds.ts";
import { SESSION } from "./session.ts";
import { bindsOf, PORT, ROLES, type Role, type Service, type Submission } from "./submission.ts";
import { removeWorkFolder } from "./work-folder.ts";

const TIMEOUT_S = { build: 900, up: 300, down: 120, run: 120, response: 15 };

let stackCount = 0;

export type LogName = "build" | "up" | Role;

/**
 * A submission's running stack. It has a Compose project and host ports of its own, so it disturbs nothing else on this
 * machine, and it does not change the submission's folder.
 */
export class Stack {
  /** The Compose project; images, containers and networks are named after it. */
  readonly project = `${SESSION}n${++stackCount}`;
  readonly #file: string;
  /** The same, for a second frontend beside the first. */
  readonly #secondFile: string;
  /** The host port of each service. */
  readonly #ports: Record<Role, number> = { ...PORT };
  readonly #containerIds = new Map<Role, string>();
  /** What building, starting and both services have printed so far: the first and last 2 MiB of each output. */
  readonly logs = new Map<LogName, string>();
  readonly #removal = new AbortController();
  /** Commands of Compose that have not ended yet. */
  #running = 0;

  /** @param runtime of the containers, instead of the engine's own */
  private constructor(
    readonly submission: Submission,
    readonly runtime: string | undefined,
  ) {
    this.#file = join(submission.work, "docker-compose.json");
    this.#secondFile = join(submission.work, "second-frontend.json");
  }

  /** Writes the Compose file that the stack runs from; builds and starts nothing. */
  static async prepare(submission: Submission, runtime?: string): Promise<Stack> {
    const stack = new Stack(submission, runtime);
    const config = await stack.#isolate(submission.config);
    // JSON is valid YAML, without YAML's ambiguities such as a bare `no`.
    writeFileSync(stack.#file, JSON.stringify(config));
    writeFileSync(stack.#secondFile, JSON.stringify(withoutAddresses(config)));
    return stack;
  }

  /** The submission's configuration, without its fixed names and with free host ports. */
  async #isolate(config: ComposeConfig): Promise<ComposeConfig> {
    const isolated = structuredClone(config);
    // A link also makes the container name of its target resolvable, so that name becomes an alias of the link.
    for (const { links } of Object.values(isolated.services)) {
      const targets = links?.map((link) => link.split(":", 1)[0] ?? "") ?? [];
      for (const target of targets) {
        const alias = isolated.services[target]?.container_name;
        if (alias !== undefined) links?.push(`${target}:${alias}`);
      }
    }
    const built = new Map<string, string>();
    for (const [i, [name, service]] of Object.entries(isolated.services).entries()) {
      const { image } = service;
      await this.#isolateService(name, service, `${this.project}/service${i + 1}:latest`);
      if (service.build !== undefined && image !== undefined) built.set(fullName(image), service.image ?? "");
    }
    // A service may use what another one builds.
    for (const service of Object.values(isolated.services))
      if (service.build === undefined && service.image !== undefined)
        service.image = built.get(fullName(service.image)) ?? service.image;
    return isolated;
  }

  /** @param image not named after the service: `a-` names a service but no image, and `A` and `a` are two services */
  async #isolateService(name: string, service: ComposeService, image: string): Promise<void> {
    const role = this.#roleOf(name);
    if (this.runtime !== undefined) service.runtime = this.runtime;
    if (service.build === undefined && role !== undefined && this.submission.services[role]?.dockerfile !== undefined) {
      // The service names its published image, but the grade is for what the folder builds.
      service.build = { context: join(this.submission.folder, this.submission.services[role].dockerfile, "..") };
    }
    if (service.build !== undefined) service.image = image;
    if (service.container_name !== undefined) {
      if (service.network_mode === undefined) service.networks = withAlias(service.networks, service.container_name);
      delete service.container_name;
    }
    if (role === undefined) return void delete service.ports;
    this.#ports[role] = await freePort();
    service.ports = [`127.0.0.1:${this.#ports[role]}:${containerPortOf(service, PORT[role])}`];
  }

  #roleOf(name: string): Role | undefined {
    return Object.values(this.submission.services).find((service) => service.name === name)?.role;
  }

  /** The shell command that removes the stack. */
  get removalCommand(): string {
    const down = `${compose.command.join(" ")} -p ${this.project} -f '${this.#file}' down --volumes --rmi all`;
    return `${down} && rm -r '${this.submission.work}'`;
  }

  async #compose(args: readonly string[], options: Options, file = this.#file): Promise<Outcome> {
    const { work: folder, environment, source } = this.submission;
    if (source.refusals.length > 0) throw new Error("this submission was refused");
    const { signal } = this.#removal;
    this.#running++;
    const outcome = await compose.run({ folder, environment }, this.project, file, args, { ...options, signal });
    this.#running--;
    return outcome;
  }

  build = () => this.#logged("build", ["build"]);

  async up(): Promise<Outcome> {
    this.#containerIds.clear();
    return this.#logged("up", ["up", "--detach", "--no-build"]);
  }

  async down(): Promise<Outcome> {
    await this.collectLogs();
    return this.#compose(["down", "--timeout", "1", "--volumes", "--remove-orphans"], { seconds: TIMEOUT_S.down });
  }

  async #logged(name: "build" | "up", args: readonly string[]): Promise<Outcome> {
    const outcome = await this.#compose(args, { seconds: TIMEOUT_S[name] });
    this.#log(name, `${outcome.stdout}${outcome.stderr}\nexit code ${outcome.code}\n`);
    return outcome;
  }

  #log = (name: LogName, words: string) => this.logs.set(name, (this.logs.get(name) ?? "") + words);

  /** Adds what the containers of both services have printed to `logs`. They are about to be removed. */
  async collectLogs(): Promise<void> {
    for (const role of ROLES) {
      const name = this.submission.services[role]?.name;
      const id = name === undefined ? "" : await this.#findContainer(name);
      if (id === "") continue;
      const { stdout, stderr } = await docker(["logs", "--timestamps", id]);
      this.#log(role, `container ${id}\n${stdout}${stderr}`);
    }
  }

  /** @throws {DockerError} if the container does not exist */
  async container(role: Role): Promise<Container> {
    const { name } = this.#service(role);
    const id = this.#containerIds.get(role) ?? (await this.#findContainer(name));
    if (id !== "") this.#containerIds.set(role, id);
    return inspect<Container>(id || name);
  }

  /** The id of a service's container; empty if there is none. */
  async #findContainer(service: string): Promise<string> {
    const [id = ""] = await containersOf(this.project, service);
    return id;
  }

  #service(role: Role): Service {
    const service = this.submission.services[role];
    if (service === undefined) throw new Error(`no ${role}`);
    return service;
  }

  /** Sends `GET /` to a service. */
  get(role: Role, timeoutS = TIMEOUT_S.response): Promise<HttpResult> {
    return get(`http://127.0.0.1:${this.#ports[role]}/`, timeoutS);
  }

  /**
   * Sends `GET /traceback` to a service.
   *
   * @returns the raw response; `undefined` if the connection stays open
   */
  traceback(role: Role): Promise<string | undefined> {
    const request = "GET /traceback HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    return tcpRoundTrip("127.0.0.1", this.#ports[role], request, TIMEOUT_S.response);
  }

  /** Does something while a service is stopped, then starts the service again. */
  async whileStopped<T>(role: Role, action: () => Promise<T>): Promise<T> {
    const { Id } = await this.container(role);
    await dockerOrThrow("stop", "--time", "0", Id);
    try {
      return await action();
    } finally {
      await dockerOrThrow("start", Id);
    }
  }

  /**
   * Starts a second frontend beside the first, with variables of its own.
   *
   * @param container its name
   * @param publish its port, as `docker run --publish` takes it
   */
  runFrontend(container: string, publish: string, variables: Readonly<Record<string, string>>): Promise<Outcome> {
    const environment = Object.entries(variables).flatMap(([key, value]) => ["-e", `${key}=${value}`]);
    const options = ["--detach", "--no-deps", "--name", container, "--publish", publish, ...environment];
    const args = ["run", ...options, this.#service("frontend").name];
    return this.#compose(args, { seconds: TIMEOUT_S.run }, this.#secondFile);
  }

  /**
   * Removes everything that the grading created; what Compose still does is ended. May be called at any time, and more
   * than once.
   *
   * @param options.interrupted whether commands were killed while they worked on the stack
   * @throws {DockerError} if something cannot be removed
   */
  async remove({ interrupted = this.#running > 0 } = {}): Promise<void> {
    this.#removal.abort();
    await removeProject(this.project, { interrupted });
    await removeBinds(bindsOf(this.submission.work));
    await removeWorkFolder(this.submission.work);
  }
}

/** A configuration whose services take any address: a fixed one is taken already. */
function withoutAddresses(config: ComposeConfig): ComposeConfig {
  const copy = structuredClone(config);
  for (const { networks } of Object.values(copy.services)) {
    for (const settings of Object.values(networks ?? {})) {
      if (typeof settings !== "object" || settings === null) continue;
      delete settings.ipv4_address;
      delete settings.ipv6_address;
    }
  }
  return copy;
}

/** A service's networks, with one more alias on each. */
function withAlias(networks: ComposeService["networks"], alias: string): NonNullable<ComposeService["networks"]> {
  const names = Array.isArray(networks) ? networks : Object.keys(networks ?? { default: null });
  const settings = Array.isArray(networks) ? {} : (networks ?? {});
  return Object.fromEntries(
    names.map((name) => [name, { ...settings[name], aliases: [...(settings[name]?.aliases ?? []), alias] }]),
  );
}
