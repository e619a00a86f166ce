// The real stack, and what its tests under load have in common.
import { run, runOrThrow } from "../../host/command.ts";
import { LoadClient, type Sample } from "../../host/load.ts";
import { freePort } from "../../host/tcp.ts";
import { BODY, type ServiceName } from "../../lab/services.ts";
import { rawRequest, sendRaw } from "../../testing/raw-http.ts";
import { servesAgain } from "../../testing/serves-again.ts";
import { createTestStack, TEST_NAME, type TestStack } from "../../testing/stack.ts";
import { waitUntil } from "../../testing/wait-until.ts";

/** Requests per second, as most tests send them. */
export const RATE = 200;

/** The names of containers that tests add to the stack's network. */
export const EXTRA = [`${TEST_NAME}-extra-1`, `${TEST_NAME}-extra-2`] as const;
export const NETWORK = `${TEST_NAME}_lab`;

/** When a service did not serve, by `performance.now()`. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

export const durationOf = ({ from, to }: Outage): number => to - from;

/**
 * How long after an outage its effects may last: what the kernel or the resolver sent into it, and nobody answered, they
 * send again a second later (a SYN by RFC 6298, section 2; a DNS query by RES_OPTIONS in the Dockerfile).
 */
const AFTER_EFFECTS_MS = 1200;

/** The samples not sent during an outage, or shortly after it. */
export const outsideOf = (outages: readonly Outage[], samples: readonly Sample[]): Sample[] =>
  samples.filter(({ at }) => outages.every(({ from, to }) => at + 100 < from || at > to + AFTER_EFFECTS_MS));

export const docker = (...args: string[]) => runOrThrow(["docker", ...args]);
export const removeExtras = () => run(["docker", "rm", "--force", ...EXTRA]);

/** The address of a container in the network of the stack. */
export const addressOf = (id: string) =>
  docker("inspect", "--format", `{{(index .NetworkSettings.Networks "${NETWORK}").IPAddress}}`, id);

export const exitCodeOf = (id: string) => docker("inspect", "--format", "{{.State.ExitCode}}", id);

export class LoadedStack {
  #stack: TestStack | undefined;
  #control: Bun.Subprocess | undefined;
  #controlPort = 0;

  async start(): Promise<void> {
    this.#stack = await createTestStack();
    await runOrThrow(["make", "up"], this.#stack.env);
    const port = await freePort();
    const program = `Bun.serve({ hostname: "127.0.0.1", port: ${port}, routes: { "/": new Response("up") } })`;
    this.#control = Bun.spawn([process.execPath, "-e", program], { stdout: "ignore", stderr: "inherit" });
    this.#controlPort = port;
    await waitUntil("the control server serves", () => sendRaw(port, rawRequest("GET", "/")));
  }

  async stop(): Promise<void> {
    this.#control?.kill();
    await removeExtras();
    await this.#stack?.remove();
  }

  /** @throws {Error} before `start` */
  get stack(): TestStack {
    if (this.#stack === undefined) throw new Error("the stack is not started");
    return this.#stack;
  }

  frontendClient(): LoadClient {
    const body = BODY["api-frontend"];
    return new LoadClient(this.stack.ports["api-frontend"], (status, text) => status === 200 && text === body);
  }

  /** A client of a minimal server beside the stack: its latency shows what the machine adds. */
  controlClient(): LoadClient {
    return new LoadClient(this.#controlPort, (status) => status === 200);
  }

  async serves(name: ServiceName): Promise<boolean> {
    return (await sendRaw(this.stack.ports[name], rawRequest("GET", "/"))).endsWith(BODY[name]);
  }

  /** Makes a service fail, and waits until it serves again. */
  async outage(name: ServiceName, cause: () => Promise<unknown>): Promise<Outage> {
    const from = performance.now();
    await cause();
    return { from, to: await servesAgain(this.stack.ports[name], (response) => response.endsWith(BODY[name])) };
  }

  /** Makes a service crash, and waits until it serves again. */
  crash(name: ServiceName): Promise<Outage> {
    return this.outage(name, () => sendRaw(this.stack.ports[name], rawRequest("GET", "/traceback")));
  }
}

/** What identifies a run of a container: it changes when the container is recreated or restarted. */
export async function runOf(stack: TestStack, name: ServiceName): Promise<unknown[]> {
  const { Id, RestartCount, State } = await stack.container(name);
  return [Id, RestartCount, State.StartedAt];
}
