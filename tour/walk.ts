import { brief } from "../host/command.ts";
import type { Claim } from "./claim.ts";
import type { Scene, Step } from "./step.ts";
import { answers } from "./steps/answers.ts";
import { backendCrash, frontendCrash } from "./steps/crashes.ts";
import { flow } from "./steps/flow.ts";
import { grade } from "./steps/grade.ts";
import { start } from "./steps/start.ts";
import { stopAndStart } from "./steps/stop.ts";

export const STEPS: readonly Step[] = [start, answers, backendCrash, frontendCrash, flow, stopAndStart, grade];

/**
 * Goes through all steps. A false claim, and a step that fails, is shown, and the tour goes on if it can.
 *
 * @param claims is given all claims
 * @param next waits until the viewer wants to go on
 */
export async function walk(scene: Scene, claims: Claim[], next: () => Promise<void>, steps = STEPS): Promise<void> {
  const { screen } = scene;
  for (const [i, step] of steps.entries()) {
    screen.hint("q: leave");
    screen.page(`${i + 1}/${steps.length} ${step.title}`, step.why);
    const seen = await showStep(step, scene);
    claims.push(...seen);
    screen.claims(seen);
    if (step.isNeeded && seen.some(({ holds }) => !holds)) return;
    screen.hint(`Enter or space: ${i + 1 < steps.length ? "go on   q: leave" : "end"}`);
    await next();
  }
}

async function showStep(step: Step, scene: Scene): Promise<Claim[]> {
  try {
    return await step.show(scene);
  } catch (error) {
    scene.screen.settle();
    return [{ holds: false, text: `This step failed: ${brief((error as Error).message, 400)}` }];
  }
}
