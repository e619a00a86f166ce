// The Compose file without make, with Compose 1 and Compose 2.

import { afterAll, expect, test } from "bun:test";
import { run } from "../host/command.ts";
import { BODY, SERVICES } from "../lab/services.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { rawRequest, sendRaw } from "../testing/raw-http.ts";
import { compose2, createTestStack, removeImages } from "../testing/stack.ts";
import { waitUntil } from "../testing/wait-until.ts";

/** The command of each Compose generation that is installed. */
async function composeCommands(): Promise<string[][]> {
  const commands = [];
  if ((await run(["docker-compose", "version", "--short"])).stdout.startsWith("1.")) commands.push(["docker-compose"]);
  const variables = await compose2();
  if (variables) {
    const assignments = Object.entries(variables).map((entry) => entry.join("="));
    commands.push(["env", ...assignments, "docker", "compose"]);
  }
  return commands;
}

describeWithEngine("Compose", () => {
  afterAll(removeImages);

  test("each installed generation builds and starts both services, the backend first, and removes them", async () => {
    const commands = await composeCommands();
    expect(commands).not.toBeEmpty();
    for (const command of commands) {
      console.log(`testing ${command.join(" ")}`);
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
    }
  }, 240_000);
});
