import type { Student } from "../graded.ts";
import { PAGE_WORDS } from "../report/pages/words.ts";
import { WORDS } from "../report/words.ts";
import type { RuleInfo } from "../rule.ts";
import type { Language } from "../text.ts";
import { noteWithoutTerminal, show } from "./screen.ts";

const PERIOD_MS = 1000;

/** How the grading of a submission has ended. */
interface End {
  readonly isGraded: boolean;
  readonly seconds: number | undefined;
  readonly comesAgain: boolean;
}

/** Shows which submissions are graded at the moment, at which rule, how many are left, and for how long. */
export class Progress {
  readonly #running = new Map<string, { line: string; since: number }>();
  readonly #seconds: number[] = [];
  #graded = 0;
  #notGraded = 0;
  readonly #timer: Timer;

  /**
   * @param total the submissions to grade
   * @param jobs how many at a time
   */
  constructor(
    readonly total: number,
    readonly jobs: number,
    readonly language: Language,
  ) {
    this.#timer = setInterval(() => this.#show(), PERIOD_MS);
    this.#timer.unref();
  }

  start({ id, name }: Student): void {
    this.#running.set(id, { line: name, since: Date.now() });
    this.#show();
  }

  /** A rule is about to be judged. */
  step({ id, name }: Student, step: number, steps: number, rule: RuleInfo): void {
    const line = `${step + 1}/${steps} ${name}: ${rule.title[this.language]}`;
    const { since = Date.now() } = this.#running.get(id) ?? {};
    this.#running.set(id, { line, since });
    noteWithoutTerminal(line);
    this.#show();
  }

  /**
   * @param isGraded whether it has a mark
   * @param seconds that grading it took; `undefined` if there was nothing to do
   * @param comesAgain whether it is tried again at the end
   */
  end({ id }: Student, { isGraded, seconds, comesAgain }: End): void {
    this.#running.delete(id);
    if (isGraded) this.#graded++;
    else if (!comesAgain) this.#notGraded++;
    if (seconds !== undefined) this.#seconds.push(seconds);
    this.#show();
  }

  stop(): void {
    clearInterval(this.#timer);
    show([]);
  }

  get #done(): number {
    return this.#graded + this.#notGraded;
  }

  /** How many are done and left, and the time left, as a text. */
  status(): string {
    const { running, left, about } = WORDS[this.language];
    const { graded, notGraded } = PAGE_WORDS[this.language];
    const leftCount = this.total - this.#done - this.#running.size;
    const counts = [
      `${this.#graded}/${this.total} ${graded(this.total)}`,
      ...(this.#notGraded > 0 ? [`${this.#notGraded} ${notGraded(this.#notGraded)}`] : []),
      `${this.#running.size} ${running}`,
      `${leftCount} ${left(leftCount)}`,
    ].join(", ");
    const seconds = this.#secondsLeft();
    return seconds === undefined ? counts : `${counts}, ${about} ${duration(seconds)}`;
  }

  /** By the mean so far; what is running counts as half done. */
  #secondsLeft(): number | undefined {
    const left = this.total - this.#done - this.#running.size / 2;
    if (this.#seconds.length === 0 || this.total === this.#done) return undefined;
    const mean = this.#seconds.reduce((sum, one) => sum + one, 0) / this.#seconds.length;
    return (mean * left) / Math.min(this.jobs, this.total);
  }

  #show(): void {
    const now = Date.now();
    const running = [...this.#running.values()];
    const lines = running.map(({ line, since }) => `${line} (${Math.round((now - since) / 1000)} s)`);
    show(this.total > 1 ? [...lines, this.status()] : lines);
  }
}

/** `45 s`, or `3 min`. */
const duration = (seconds: number) => (seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`);
