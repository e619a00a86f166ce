// A name with several addresses, each a server of its own on loopback; what the name has is programmed;
// tests/chaos/many-backends.ts has the engine's real name server.

import { afterEach, expect, test } from "bun:test";
import { type LoopbackServer as Backend, startServers } from "../testing/loopback-servers.ts";
import { waitUntil } from "../testing/wait-until.ts";
import { HttpClient } from "./client.ts";

let backends: Backend[] = [];
/** What the name server says. */
let addresses: string[] | Error = [];

afterEach(() => {
  for (const backend of backends) backend.stop();
});

/** Starts a backend on each of several addresses, and makes a client for the name that has them. */
async function start(count: number): Promise<HttpClient> {
  backends = await startServers(count);
  addresses = backends.map(({ address }) => address);
  return new HttpClient("backend", (backends as [Backend])[0].port, {
    lookup: async () => {
      if (addresses instanceof Error) throw addresses;
      return addresses;
    },
  });
}

const served = () => backends.map((backend) => backend.served);
const resetServed = () => {
  for (const backend of backends) backend.served = 0;
};

/** The statuses and errors of calls that are made one after the other, or together. */
async function call(client: HttpClient, count: number, together = 1): Promise<Record<string, number>> {
  const outcomes: Record<string, number> = {};
  for (let i = 0; i < count; i += together) {
    const calls = Array.from({ length: Math.min(together, count - i) }, () => client.get().answer);
    for (const outcome of await Promise.allSettled(calls)) {
      const key = outcome.status === "fulfilled" ? outcome.value.status : outcome.reason.message;
      outcomes[key] = (outcomes[key] ?? 0) + 1;
    }
  }
  return outcomes;
}

/** Waits until an address that was left out gets its share of the requests again. */
const untilUsed = (client: HttpClient, backend: Backend) =>
  waitUntil("the address is used again", async () => {
    resetServed();
    await call(client, 30);
    return backend.served >= 5;
  });

test.each([1, 5, 64, 300])("requests are spread evenly, %d at a time", async (together) => {
  const client = await start(4);
  expect(await call(client, 1200, together)).toEqual({ 200: 1200 });
  for (const count of served()) expect(count).toBeWithin(200, 401);
});

test("the first request does not wait for addresses that refuse", async () => {
  const client = await start(1);
  const dead = Array.from({ length: 10 }, (_, i) => `127.0.0.${i + 50}`);
  addresses = [...dead, ...(addresses as string[])];
  const started = performance.now();
  expect(await call(client, 1)).toEqual({ 200: 1 });
  expect(performance.now() - started).toBeLessThan(100);
  expect(await call(client, 100)).toEqual({ 200: 100 });
});

test.each(["closes", "cuts its answers off", "answers 500", "is no HTTP server"] as const)(
  "no request is lost to one of several that %s, and it is used again once it answers",
  async (behavior) => {
    const client = await start(3);
    const [bad] = backends as [Backend];
    expect(await call(client, 30)).toEqual({ 200: 30 });
    bad.behavior = behavior;
    resetServed();
    expect(await call(client, 3000, 3)).toEqual({ 200: 3000 });
    // One that was in flight at a time, and probes.
    expect(bad.served).toBeLessThan(10);
    bad.behavior = "answers";
    await untilUsed(client, bad);
  },
);

test("an address that is silent is left out once a request is late, and used again once it answers", async () => {
  const client = await start(3);
  const [bad] = backends as [Backend];
  await call(client, 30);
  bad.behavior = "is silent";
  resetServed();
  let leftOut = 0;
  while (bad.served === 0) {
    const exchange = client.get();
    if ((await Promise.race([exchange.answer, Bun.sleep(50)])) !== undefined) continue;
    // As a call does that is hedged, and then answered.
    exchange.answer.catch(() => {});
    leftOut = performance.now();
    exchange.suspect();
    exchange.cancel();
  }
  expect(await call(client, 1000)).toEqual({ 200: 1000 });
  // The first probe is due 100 ms after the late request, or later: on a slow machine the calls may take as long.
  if (performance.now() - leftOut < 99) expect(bad.served).toBe(1);
  // Nobody waits for the answer to the probe.
  await Bun.sleep(500);
  expect(bad.served).toBe(2);
  expect(await call(client, 1000)).toEqual({ 200: 1000 });
  bad.behavior = "answers";
  await untilUsed(client, bad);
});

test("no request is lost to one of several that is killed, and it is used again once it is back", async () => {
  const client = await start(3);
  const [killed] = backends as [Backend];
  await call(client, 30);
  killed.stop();
  expect(await call(client, 3000, 10)).toEqual({ 200: 3000 });
  await killed.start();
  await untilUsed(client, killed);
});

test("what the name has is followed within seconds", async () => {
  const client = await start(4);
  const all = addresses as string[];
  addresses = all.slice(0, 2);
  await call(client, 100);
  expect(served().map((count) => count > 0)).toEqual([true, true, false, false]);
  addresses = all.slice(1);
  await waitUntil("the requests follow the addresses", async () => {
    resetServed();
    await call(client, 90);
    return served().every((count, i) => (i === 0 ? count === 0 : count >= 20));
  });
  const [first] = backends as [Backend];
  expect(first.sockets.size).toBe(0);
});

test("a name server that is away is not noticed while the addresses work", async () => {
  const client = await start(2);
  await call(client, 10);
  addresses = new Error("SERVFAIL");
  await Bun.sleep(1100);
  await call(client, 10);
  await Bun.sleep(100);
  expect(await call(client, 100)).toEqual({ 200: 100 });
});

test("when all have failed, each is tried, and the first that is back is used", async () => {
  const client = await start(3);
  await call(client, 30);
  for (const backend of backends) backend.stop();
  expect(await call(client, 5)).toEqual({ "connection refused": 5 });
  const [, , last] = backends as [Backend, Backend, Backend];
  await last.start();
  await waitUntil("one is used again", async () => (await call(client, 1))[200] === 1);
  expect(await call(client, 100)).toEqual({ 200: 100 });
});

test("all that answer 500 are asked, and their answer is that of the request", async () => {
  const client = await start(3);
  for (const backend of backends) backend.behavior = "answers 500";
  expect(await call(client, 100, 4)).toEqual({ 500: 100 });
  expect(served().reduce((sum, count) => sum + count)).toBeLessThan(110);
});
