import { tcpRoundTrip } from "../host/tcp.ts";
import { rawRequest } from "./raw-http.ts";

const TIMEOUT_S = 30;

/**
 * Waits until `GET /` on a port of 127.0.0.1 gets the right response. A new request is sent every 10 ms, whatever became
 * of the earlier ones: one that comes while the container is away is lost, and the kernel repeats it no sooner than after
 * a second (RFC 6298, section 2), which would be measured in place of the restart.
 *
 * @returns when it came, by `performance.now()`
 * @throws {Error} if none came within 30 s
 */
export async function servesAgain(port: number, isRight: (response: string) => boolean): Promise<number> {
  const start = performance.now();
  let came: number | undefined;
  const ask = async () => {
    const response = await tcpRoundTrip("127.0.0.1", port, rawRequest("GET", "/"), 5).catch(() => "");
    if (isRight(response ?? "")) came ??= performance.now();
  };
  while (came === undefined) {
    if (performance.now() - start > TIMEOUT_S * 1000)
      throw new Error(`port ${port} did not serve within ${TIMEOUT_S} s`);
    void ask();
    await Bun.sleep(10);
  }
  return came;
}
