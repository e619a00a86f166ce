// Compose alone, without make, in both its generations.

import { afterAll, describe, expect, test } from "bun:test";
import { run } from "../host/command.ts";
import { rawRequest, sendRaw } from "../testing/raw-http.ts";
import { BODY, SERVICES } from "../testing/services.ts";
import { compose2, createTestStack, removeImages } from "../testing/stack.ts";
import { waitUntil } from "../testing/wait-until.ts";

const compose1 = (await run(["docker-compose", "version", "--short"])).stdout.startsWith("1.");
const variables = await compose2();

const GENERATIONS = {
  "docker-compose 1": compose1 ? ["docker-compose"] : undefined,
  "docker compose 2": variables && [
    "env",
    ...Object.entries(variables).map((entry) => entry.join("=")),
    "docker",
    "compose",
  ],
};

afterAll(removeImages);

test("one generation at least is here", () => {
  expect(Object.values(GENERATIONS).some((command) => command !== undefined)).toBe(true);
});

for (const [title, command] of Object.entries(GENERATIONS)) {
  describe.skipIf(command === undefined)(title, () => {
    test("builds and starts both, the backend first, and removes them", async () => {
      const stack = await createTestStack(command);
      try {
        await stack.compose("up", "--detach");
        for (const name of SERVICES) {
          const serves = async () => (await sendRaw(stack.ports[name], rawRequest("GET", "/"))).endsWith(BODY[name]);
          await waitUntil(`${name} answers`, serves);
        }
        const [backend, frontend] = [await stack.container("api-backend"), await stack.container("api-frontend")];
        expect(Date.parse(frontend.State.StartedAt)).toBeGreaterThanOrEqual(
          Date.parse(backend.State.Health?.Log[0]?.End ?? ""),
        );
      } finally {
        await stack.remove();
      }
    });
  });
}
