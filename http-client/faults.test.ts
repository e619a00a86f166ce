// Failures at awkward moments, of a name with several addresses.

import { afterEach, expect, test } from "bun:test";
import { freePort } from "../host/tcp.ts";
import { type LoopbackServer, startBlackHole, startServers } from "../testing/loopback-servers.ts";
import { HttpClient, type Options } from "./client.ts";
import { ProtocolError } from "./errors.ts";

let servers: LoopbackServer[] = [];
/** What the name server says. */
let addresses: string[] | Error = [];

afterEach(() => {
  for (const server of servers) server.stop();
});

async function start(count: number, options: Omit<Options, "lookup"> = {}): Promise<HttpClient> {
  servers = await startServers(count);
  addresses = servers.map(({ address }) => address);
  const lookup = async () => {
    if (addresses instanceof Error) throw addresses;
    return addresses;
  };
  return new HttpClient("backend", (servers as [LoopbackServer])[0].port, { ...options, lookup });
}

/** The status, or the error, of a request. */
const get = (client: HttpClient) =>
  client.get().answer.then(
    ({ status }) => status,
    ({ message }) => message,
  );

async function getAll(client: HttpClient, count: number): Promise<Record<string, number>> {
  const outcomes: Record<string, number> = {};
  for (let i = 0; i < count; i++) {
    const outcome = await get(client);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  return outcomes;
}

test("an address whose bodies cannot be decoded is left out", async () => {
  const decode = (body: Uint8Array) => {
    if (new TextDecoder().decode(body) === "?") throw new ProtocolError("not JSON");
  };
  const client = await start(3, { decode });
  const [bad] = servers as [LoopbackServer];
  await getAll(client, 10);
  bad.behavior = "answers no JSON";
  expect(await getAll(client, 20)).toEqual({ 200: 20 });
  expect(client.figures.leftOut).toBe(1);
});

test("connections to addresses that never answer are bounded", async () => {
  const port = await freePort();
  const close = await startBlackHole("127.0.0.2", port);
  try {
    const client = new HttpClient("127.0.0.2", port, { limits: { maxHalfOpen: 8, connectTimeoutMs: 10 } });
    client.get();
    await Bun.sleep(500);
    expect(client.halfOpen).toBeWithin(8, 11);
  } finally {
    close();
  }
});
