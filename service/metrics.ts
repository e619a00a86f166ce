/** What follows a metric's name in its line, `{code="200"}` for example, and the value. */
type Sample = readonly [suffix: string, value: number];

/** Samples of one name, as a scrape of Prometheus reads them. */
export interface Metric {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  samples(): readonly Sample[];
}

/** The text format of Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const METRICS_TYPE = { "content-type": "text/plain; version=0.0.4; charset=utf-8" };

/** The metrics in that format. No help may contain a line break, and no label value anything to be escaped. */
export const textOf = (metrics: readonly Metric[]): string =>
  metrics
    .map(({ name, type, help, samples }) =>
      [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} ${type}`,
        ...samples().map(([suffix, value]) => `${name}${suffix} ${value}`),
        "",
      ].join("\n"),
    )
    .join("");

/** A metric without labels, whose value is read when a scrape comes. */
export const single = (type: "counter" | "gauge", name: string, help: string, read: () => number): Metric => ({
  name,
  type,
  help,
  samples: () => [["", read()]],
});

/** A counter with one label. */
export class Counter<Value extends string | number> implements Metric {
  readonly type = "counter";
  readonly #counts: Map<Value, number>;

  /**
   * @param values of the label that are shown before they are counted, so that Prometheus sees the first one's increase.
   * There must be few others: each stays in memory.
   */
  constructor(
    readonly name: string,
    readonly help: string,
    readonly label: string,
    values: readonly Value[],
  ) {
    this.#counts = new Map(values.map((value) => [value, 0]));
  }

  add(value: Value): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + 1);
  }

  readonly samples = (): Sample[] => [...this.#counts].map(([value, count]) => [`{${this.label}="${value}"}`, count]);
}

/** How many values are not above each of some bounds. */
export class Histogram implements Metric {
  readonly type = "histogram";
  readonly #counts: number[];
  #sum = 0;

  /** @param bounds ascending */
  constructor(
    readonly name: string,
    readonly help: string,
    readonly bounds: readonly number[],
  ) {
    this.#counts = new Array(bounds.length + 1).fill(0);
  }

  add(value: number): void {
    const { bounds } = this;
    let i = 0;
    while (i < bounds.length && value > (bounds[i] as number)) i++;
    (this.#counts[i] as number)++;
    this.#sum += value;
  }

  readonly samples = (): Sample[] => {
    let total = 0;
    const buckets = this.#counts.map((count, i): Sample => {
      total += count;
      return [`_bucket{le="${this.bounds[i] ?? "+Inf"}"}`, total];
    });
    return [...buckets, ["_sum", this.#sum], ["_count", total]];
  };
}
