// The tour's own stack: a Compose project beside the user's, with its own images and, if need be, its own ports.

import { type Environment, type Outcome, run } from "../host/command.ts";
import { type Container, containersOf, inspect } from "../host/docker.ts";
import { Refusal } from "../host/refusal.ts";
import { removeProject } from "../host/removal.ts";
import { freePort, isFree, tcpRoundTrip } from "../host/tcp.ts";
import { BODY, PORT, SERVICES, type ServiceName } from "../lab/services.ts";

/** A service that is away may take a connection and say nothing. */
const POLL_TIMEOUT_S = 1;

export class TourStack {
  /** Names of the containers, for those who type the commands. */
  readonly #names = new Map<ServiceName, string>();

  private constructor(
    /** The Compose project, and the account in the images' names. */
    readonly name: string,
    readonly ports: Readonly<Record<ServiceName, number>>,
  ) {}

  /**
   * Chooses a name, after that of the user's stack, and ports: the user's where they are free. Starts nothing.
   *
   * @throws {Refusal} if the variables are wrong
   */
  static async prepare(): Promise<TourStack> {
    const { code, stdout, stderr } = await run(["sh", "scripts/config"], { env: { COMPOSE_FILE }, ownGroup: true });
    if (code !== 0) throw new Refusal(...refusalOf(stderr));
    const setting = (name: string) => new RegExp(`^${name}=(.+)$`, "m").exec(stdout)?.[1] ?? "";
    const ports: Partial<Record<ServiceName, number>> = {};
    for (const service of SERVICES) {
      const wanted = Number(setting(`${service}.port.${PORT[service]}`));
      ports[service] = (await isFree(wanted)) ? wanted : await freePort();
    }
    // It names an account, too, in which no two signs may follow each other.
    const name = `${setting("project").replace(/[_-]+/g, "-")}-demo`;
    return new TourStack(name, ports as Record<ServiceName, number>);
  }

  /** The variables with which the scripts make this stack, whatever .env or the user's shell sets. */
  get env(): Environment {
    return {
      COMPOSE_FILE,
      COMPOSE_PROFILES: undefined,
      COMPOSE_PROJECT_NAME: this.name,
      HUB_USER: this.name,
      BACKEND_PORT: String(this.ports["api-backend"]),
      FRONTEND_PORT: String(this.ports["api-frontend"]),
      LAB_BIND: "127.0.0.1",
      LAB_LOG_LEVEL: "info",
      LAB_REGISTRY: "",
    };
  }

  /** Builds and starts it, as `make up` does. */
  up = (onStderr: (text: string) => void): Promise<Outcome> =>
    run(["sh", "scripts/up"], { env: this.env, ownGroup: true, onStderr });

  /**
   * The name of a service's container. Compose 1 and 2 do not write it alike.
   *
   * @throws {DockerError} if there is none
   */
  async container(service: ServiceName): Promise<string> {
    const known = this.#names.get(service);
    if (known !== undefined) return known;
    const [name] = await containersOf(this.name, service, "Names");
    if (name === undefined) throw new Error(`the stack has no container of ${service}`);
    this.#names.set(service, name);
    return name;
  }

  inspect = async (service: ServiceName): Promise<Container> => inspect<Container>(await this.container(service));

  /** The address of a service, as the viewer types it. */
  address = (service: ServiceName): string => `localhost:${this.ports[service]}`;

  /** Whether a service sends the right response to `GET /` at this moment. */
  async answers(service: ServiceName): Promise<boolean> {
    const request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    try {
      const response = await tcpRoundTrip("127.0.0.1", this.ports[service], request, POLL_TIMEOUT_S);
      return response?.startsWith("HTTP/1.1 200 ") === true && response.endsWith(`\r\n\r\n${BODY[service]}`);
    } catch {
      return false;
    }
  }

  /**
   * Removes its containers, network and images.
   *
   * @param interrupted whether commands were ended while they worked on it
   * @throws {DockerError} if something cannot be removed
   */
  remove = (interrupted: boolean): Promise<void> => removeProject(this.name, { interrupted });
}

/** Not what the user overrides: the tour shows this repository. */
const COMPOSE_FILE = "docker-compose.yaml";

/** What a script has said, without its marks. */
const refusalOf = (stderr: string): [string, ...string[]] => {
  const [first = "", ...hints] = stderr
    .trim()
    .split("\n")
    .map((line) => line.replace(/^error: /, "").trim());
  return [first, ...hints];
};
