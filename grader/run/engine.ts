import { requireEngine } from "../compose.ts";
import { shared } from "../once.ts";
import { note, words } from "./screen.ts";

/** For an engine that has gone away to come back. */
const TIMEOUT_S = 60;

let hasAnswered = false;

/**
 * Waits for the engine, if it has answered before: it may be restarting.
 *
 * @throws {Ungradable} if it does not answer
 */
export const awaitEngine = shared(async () => {
  const end = Date.now() + (hasAnswered ? TIMEOUT_S : 0) * 1000;
  for (let isFirst = true; ; isFirst = false, await Bun.sleep(1000)) {
    try {
      await requireEngine();
      hasAnswered = true;
      return;
    } catch (error) {
      hasAnswered = Date.now() < end;
      if (!hasAnswered) throw error;
      if (isFirst) note(words().waiting(TIMEOUT_S));
    }
  }
});
