/**
 * Calls back for each item that was added and not deleted within some milliseconds, up to a tenth of them later. One
 * timer watches all: a timer each would take a tenth of the CPU that a request takes.
 */
export class Watch<T> {
  readonly #since = new Map<T, number>();
  #running = false;

  constructor(
    readonly ms: number,
    readonly overdue: (item: T) => void,
  ) {}

  add(item: T, now: number): void {
    this.#since.set(item, now);
    if (!this.#running) this.#run();
  }

  delete(item: T): void {
    this.#since.delete(item);
  }

  #run(): void {
    this.#running = this.#since.size > 0;
    if (this.#running) setTimeout(() => this.#look(), this.ms / 10);
  }

  #look(): void {
    const now = performance.now();
    // In the order in which they were added: the oldest come first.
    for (const [item, since] of this.#since) {
      if (now - since < this.ms) break;
      this.#since.delete(item);
      this.overdue(item);
    }
    this.#run();
  }
}
