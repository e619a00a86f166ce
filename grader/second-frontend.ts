import { brief } from "../host/command.ts";
import { DockerError, docker, dockerOrThrow } from "../host/docker.ts";
import { freePort } from "../host/tcp.ts";
import { containerPortOf } from "./compose-file.ts";
import { get, type HttpResult } from "./http.ts";
import type { Stack } from "./stack.ts";
import { PORT } from "./submission.ts";
import { text } from "./text.ts";

/** From the start of the second frontend to its response. */
const TIMEOUT_S = 60;
const RESPONSE_TIMEOUT_S = 15;

let count = 0;

/**
 * Starts a second frontend with other variables and sends `GET /` to it.
 *
 * @param isAlone whether the first one is stopped
 * @throws {DockerError} if it does not start: then the lack of a response would prove nothing
 */
export async function getFromFrontendWith(
  stack: Stack,
  variables: Readonly<Record<string, string>>,
  isAlone = false,
): Promise<HttpResult> {
  const container = `${stack.project}-frontend${++count}`;
  const { definition = {} } = stack.submission.services.frontend ?? {};
  const port = await freePort();
  const publish = `127.0.0.1:${port}:${containerPortOf(definition, PORT.frontend)}`;
  const { code, stderr } = await stack.runFrontend(container, publish, variables);
  // In a small network the first frontend's address is the only one left.
  if (/no available IPv4 addresses/.test(stderr) && !isAlone) {
    await remove(container);
    return stack.whileStopped("frontend", () => getFromFrontendWith(stack, variables, true));
  }
  if (code !== 0) throw new DockerError(`compose run: ${brief(stderr, 300)}`);
  let result: HttpResult = { error: text("no response", "aucune réponse") };
  for (const end = Date.now() + TIMEOUT_S * 1000; Date.now() < end; await Bun.sleep(200)) {
    result = await get(`http://127.0.0.1:${port}/`, RESPONSE_TIMEOUT_S);
    if ("status" in result || !(await isRunning(container))) break;
  }
  await remove(container);
  return result;
}

const isRunning = async (container: string) =>
  (await dockerOrThrow("inspect", "--format", "{{.State.Status}}", container)) === "running";

const remove = (container: string) => docker(["rm", "--force", "--volumes", container]);
