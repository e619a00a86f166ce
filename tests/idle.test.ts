// Idle connections, kept open for longer than load balancers keep theirs: 60 s by default at AWS and nginx.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createConnection } from "node:net";
import { BODY, SERVICES } from "../lab/services.ts";
import {
  compileExecutables,
  killServices,
  removeExecutables,
  startFrontend,
  startService,
} from "../testing/executables.ts";
import { rawRequest } from "../testing/raw-http.ts";

const IDLE_MS = 65_000;

beforeAll(compileExecutables);
afterAll(() => {
  killServices();
  removeExecutables();
});

test.concurrent.each([...SERVICES])("%s answers on a connection that was idle for 65 s", async (name) => {
  const backend = await startService("api-backend");
  const { port } = name === "api-backend" ? backend : await startFrontend(backend.port);
  const request = rawRequest("GET", "/").replace("Connection: close\r\n", "");
  const socket = createConnection(port, "127.0.0.1").setEncoding("latin1");
  const answer = () =>
    new Promise<string>((resolve) => {
      socket.once("data", (data) => resolve(String(data))).once("close", () => resolve("closed"));
      socket.write(request);
    });
  expect(await answer()).toEndWith(BODY[name]);
  await Bun.sleep(IDLE_MS);
  expect(await answer()).toEndWith(BODY[name]);
  socket.destroy();
});
