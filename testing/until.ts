/**
 * Waits until a condition holds; one that throws does not hold.
 *
 * @throws {Error} past the deadline, in milliseconds
 */
export async function until(what: string, condition: () => unknown, deadline = 30_000): Promise<void> {
  let trouble: unknown = "the condition does not hold";
  for (const end = performance.now() + deadline; performance.now() < end; await Bun.sleep(20)) {
    try {
      if (await condition()) return;
    } catch (error) {
      trouble = error;
    }
  }
  throw new Error(`waited ${deadline} ms in vain until ${what}: ${trouble}`);
}
