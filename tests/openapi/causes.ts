// How each response of the documents is caused.

import { spyOn } from "bun:test";
import { type AddressInfo, createServer, type Server } from "node:net";
import { Elysia } from "elysia";
import { MAX_CALLS } from "../../api-frontend/backend.ts";
import type { ServiceName } from "../../lab/services.ts";
import { conventions, SETTINGS } from "../../service/http.ts";
import * as logging from "../../service/log.ts";
import { Counter } from "../../service/metrics.ts";
import {
  compileExecutables,
  killServices,
  removeExecutables,
  type Service,
  startBothServices,
  startFrontend,
  startService,
} from "../../testing/executables.ts";
import { rawRequest, sendRaw } from "../../testing/raw-http.ts";
import { waitUntil } from "../../testing/wait-until.ts";

export interface Received {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Target {
  readonly name: ServiceName;
  readonly method: string;
  readonly path: string;
}

const backends: Server[] = [];
let shared: Readonly<Record<ServiceName, Service>>;

/** Compiles both executables, and starts them for the requests that do not disturb each other. */
export async function start(): Promise<void> {
  await compileExecutables();
  shared = await startBothServices();
}

/** Ends all that was started. */
export function stop(): void {
  killServices();
  for (const backend of backends) backend.close();
  removeExecutables();
}

function parse(raw: string): Received {
  const [head = "", ...body] = raw.split("\r\n\r\n");
  const [statusLine = "", ...lines] = head.split("\r\n");
  const fields = lines.map((line) => line.split(/: *(.*)/));
  return {
    status: Number(statusLine.split(" ")[1]),
    headers: Object.fromEntries(fields.map(([header = "", value = ""]) => [header.toLowerCase(), value])),
    body: body.join("\r\n\r\n"),
  };
}

const send = async ({ port }: Service, { method, path }: Target, ...headers: string[]) =>
  parse(await sendRaw(port, rawRequest(method, path, ...headers)));

/** Sends a request to a service that has a backend. */
export const plain = (target: Target) => send(shared[target.name], target);

const MIB = 1024 * 1024;
const ok = (length: number, body = "") => `HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n${body}`;

/** A frontend whose backend sends these bytes to each connection, and leaves it open. */
async function frontendTo(answer: string): Promise<Service> {
  const backend = createServer((socket) => {
    socket.on("error", () => {}).once("data", () => socket.write(answer));
  });
  backends.push(backend);
  await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
  return startFrontend((backend.address() as AddressInfo).port);
}

const withBackend = (answer: string) => async (target: Target) => send(await frontendTo(answer), target);

/** The first response to so many requests at a time. */
const firstOf = (count: number, answer: string) => async (target: Target) => {
  const frontend = await frontendTo(answer);
  const requests = Array.from({ length: count }, () => send(frontend, target));
  const first = await Promise.race(requests);
  frontend.child.kill("SIGKILL");
  await Promise.allSettled(requests);
  return first;
};

/** How a response is caused: by path, status and example, or whatever the path is by its status alone. */
export const CAUSES: Record<string, (target: Target) => Promise<Received>> = {
  200: plain,
  204: plain,
  async 304(target) {
    const { headers } = await plain(target);
    return send(shared[target.name], target, `If-None-Match: ${headers.etag}`);
  },
  async 400({ name }) {
    return parse(await sendRaw(shared[name].port, rawRequest("GET", "/none").replace("localhost", "a b")));
  },
  404: ({ name }) => plain({ name, method: "GET", path: "/none" }),
  405: ({ name }) => plain({ name, method: "POST", path: "/" }),
  async 500() {
    // No request makes the executables do this: the same conventions, with a route that fails.
    const log = spyOn(logging, "log").mockImplementation(() => {});
    const app = new Elysia(SETTINGS)
      .use(conventions(new Counter("responses", "By status.", "code", [])))
      .get("/", () => {
        throw new Error("secret");
      });
    const response = await app.handle(new Request("http://localhost/"));
    log.mockRestore();
    return { status: response.status, headers: response.headers.toJSON(), body: await response.text() };
  },
  async "/readyz 503 draining"(target) {
    const env = { DRAIN_DELAY_MS: "60000", API_BACKEND_URL: "127.0.0.1", API_BACKEND_PORT: "1" };
    const service = await startService(target.name, env);
    service.child.kill("SIGTERM");
    let received: Received | undefined;
    await waitUntil("it is not ready", async () => {
      received = await send(service, target);
      return received.status !== 200;
    });
    return received as Received;
  },
  "/ 502 unreachable": async (target) => send(await startFrontend(1), target),
  "/ 502 status": withBackend("HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n"),
  "/ 502 not HTTP": withBackend("SSH-2.0-OpenSSH_9.2\r\n\r\n"),
  "/ 502 not JSON": withBackend(ok(1, "?")),
  "/ 502 too large": withBackend(ok(MIB + 1)),
  "/ 503 requests": firstOf(MAX_CALLS + 1, ""),
  // Eight answers that do not end reserve all the memory that there is for large ones; which eight does not matter.
  "/ 503 memory": firstOf(9, ok(MIB)),
  "/ 504 silent": withBackend(""),
};
