/** Milliseconds within which the service must answer. */
export const TIMEOUT_MS = 2000;

/**
 * Requests `/healthz` from the service that listens on this port of the same container.
 *
 * @throws {Error} saying why the service is not healthy
 */
export async function healthcheck(port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (response.status !== 200) throw new Error(`GET /healthz answered ${response.status}`);
}
