// Failures at awkward moments, of a name with several addresses.

import { afterEach, expect, test } from "bun:test";
import { freePort } from "../host/tcp.ts";
import { type LoopbackServer, startBlackHole, startServers } from "../testing/loopback-servers.ts";
import { waitUntil } from "../testing/wait-until.ts";
import { HttpClient, type Options } from "./client.ts";
import { ProtocolError } from "./errors.ts";

let servers: LoopbackServer[] = [];
/** What the name server says. */
let addresses: string[] | Error = [];
let lookups = 0;

afterEach(() => {
  for (const server of servers) server.stop();
});

async function start(count: number, options: Omit<Options, "lookup"> = {}): Promise<HttpClient> {
  servers = await startServers(count);
  addresses = servers.map(({ address }) => address);
  lookups = 0;
  const lookup = async () => {
    lookups++;
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

const resetServed = () => {
  for (const server of servers) server.served = 0;
};
const isUsed = async (client: HttpClient, server: LoopbackServer) => {
  resetServed();
  await getAll(client, 20);
  return server.served >= 4;
};

test("an address that cuts an answer off is left out, and used again once it answers", async () => {
  const client = await start(2);
  const [bad] = servers as [LoopbackServer];
  await getAll(client, 10);
  bad.behavior = "cuts its answers off";
  expect(await getAll(client, 10)).toEqual({ 200: 10 });
  expect(client.figures.leftOut).toBe(1);
  // Its probe is cut off as well.
  await Bun.sleep(200);
  bad.behavior = "answers";
  await waitUntil("the address is used again", () => isUsed(client, bad), 3000);
});

test("an address whose probe fails while it is the only one is used again", async () => {
  const client = await start(2);
  const [bad, other] = servers as [LoopbackServer, LoopbackServer];
  await getAll(client, 10);
  bad.stop();
  await getAll(client, 10);
  expect(client.figures.leftOut).toBe(1);
  addresses = [bad.address];
  await waitUntil("it is the only one", async () => (await get(client)) !== 200 && client.figures.addresses === 1);
  await Bun.sleep(500);
  addresses = [bad.address, other.address];
  await waitUntil("there are two", async () => (await get(client)) === 200 && client.figures.addresses === 2);
  await bad.start();
  await waitUntil("the address is used again", () => isUsed(client, bad), 3000);
});

test.each(["answers and closes", "answers"] as const)(
  "an address without a connection gets its share (%s)",
  async (behavior) => {
    const client = await start(3);
    const [closing] = servers as [LoopbackServer];
    closing.behavior = behavior;
    await getAll(client, 10);
    for (const socket of closing.sockets) socket.end();
    await Bun.sleep(50);
    resetServed();
    for (let i = 0; i < 60; i++) {
      expect(await get(client)).toBe(200);
      await Bun.sleep(2);
    }
    expect(closing.served).toBeGreaterThanOrEqual(10);
    expect(client.figures.leftOut).toBe(0);
  },
);

test("a request is sent on until an address answers it", async () => {
  const client = await start(4);
  await getAll(client, 10);
  for (const server of servers.slice(1)) server.behavior = "answers 500";
  expect(await getAll(client, 10)).toEqual({ 200: 10 });
});

test("a client that leaves ends no request of others over the same connection", async () => {
  const client = await start(1);
  const [server] = servers as [LoopbackServer];
  await getAll(client, 1);
  server.behavior = "answers after 1.2 s";
  const [left, ...others] = [client.get(), client.get(), client.get()] as const;
  await waitUntil("they are sent", () => server.served === 4);
  left.answer.catch(() => {});
  left.cancel();
  expect((await Promise.all(others.map(({ answer }) => answer))).map(({ status }) => status)).toEqual([200, 200]);
  expect(server.served).toBe(4);
});

test("a name without any address is as one that is not found", async () => {
  const client = await start(1);
  addresses = [];
  expect(await get(client)).toBe("host name not found");
  expect(lookups).toBe(1);
});

test("addresses whose connections have been closed are kept while the name server is away", async () => {
  const client = await start(2);
  for (const server of servers) server.behavior = "answers and closes";
  await getAll(client, 10);
  addresses = new Error("SERVFAIL");
  await Bun.sleep(1100);
  for (let i = 0; i < 10; i++) {
    expect(await get(client)).toBe(200);
    await Bun.sleep(10);
  }
});

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

test("a request whose body finds no memory is not repeated, and its address is not left out", async () => {
  const client = await start(2, { limits: { maxBuffered: 0 } });
  for (const server of servers) server.behavior = "answers 32 KiB";
  expect(await getAll(client, 4)).toEqual({ "too many large answers at the same time": 4 });
  expect(client.figures).toMatchObject({ repeated: 0, leftOut: 0 });
});

test("an address whose probe finds no memory is used again once there is", async () => {
  const client = await start(2, { limits: { maxBuffered: 0 } });
  const [bad] = servers as [LoopbackServer];
  await getAll(client, 10);
  bad.behavior = "answers 500";
  await getAll(client, 10);
  bad.behavior = "answers 32 KiB";
  await waitUntil("it is probed", () => bad.served > 6);
  bad.behavior = "answers";
  await waitUntil("the address is used again", () => isUsed(client, bad), 3000);
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

test("no connection is opened to an address that the name may have lost long ago", async () => {
  await start(2);
  const [old, current] = servers as [LoopbackServer, LoopbackServer];
  for (const server of servers) server.behavior = "answers and closes";
  addresses = [old.address];
  const lookup = async () => {
    await Bun.sleep(50);
    return addresses as string[];
  };
  const client = new HttpClient("backend", old.port, { limits: { maxAddressAgeMs: 1100 }, lookup });
  expect(await get(client)).toBe(200);
  await Bun.sleep(1200);
  addresses = [current.address];
  expect(await getAll(client, 3)).toEqual({ 200: 3 });
  expect([old.served, current.served]).toEqual([1, 3]);
});
