/**
 * Waits until a condition holds; one that throws does not hold yet.
 *
 * @throws {Error} with the last failure, once the timeout has passed
 */
export async function waitUntil(what: string, condition: () => unknown, timeoutMs = 30_000): Promise<void> {
  let failure: unknown = "the condition does not hold";
  for (const end = performance.now() + timeoutMs; performance.now() < end; await Bun.sleep(20)) {
    try {
      if (await condition()) return;
    } catch (error) {
      failure = error;
    }
  }
  throw new Error(`timed out after ${timeoutMs} ms, waiting until ${what}: ${failure}`);
}
