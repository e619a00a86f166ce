/** Milliseconds that the service may take to answer its probe. */
export const TIMEOUT_MS = 2000;

/**
 * Asks the service on this machine's port whether it lives.
 *
 * @throws {Error} saying why it does not count as alive
 */
export async function healthcheck(port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (response.status !== 200) throw new Error(`GET /healthz answered ${response.status}`);
}
