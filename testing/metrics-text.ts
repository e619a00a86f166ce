// A strict reader of Prometheus' text format, version 0.0.4:
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const SAMPLE = /^([a-zA-Z_][a-zA-Z0-9_]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\]|\\[\\n"])*",?)*\})? (\S+)$/;
const SUFFIXES: Record<string, readonly string[]> = {
  counter: [""],
  gauge: [""],
  histogram: ["_bucket", "_sum", "_count"],
};

/**
 * The values of a scrape by series, for example `http_requests_total{code="200"}`.
 *
 * @throws {Error} at the first line that is not as the format demands: each metric's HELP, TYPE and samples together, no
 * series twice, counters named `_total`, buckets cumulative and complete
 */
export function parseMetrics(text: string): Map<string, number> {
  const series = new Map<string, number>();
  if (!text.endsWith("\n")) throw new Error("the last line does not end with a line feed");
  const families = text.split(/^(?=# HELP )/m);
  const names = new Set<string>();
  for (const family of families) {
    const [help = "", typeLine = "", ...samples] = family.slice(0, -1).split("\n");
    const name = /^# HELP (\S+) \S/.exec(help)?.[1] ?? "";
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(typeLine);
    if (!NAME.test(name) || type?.[1] !== name) throw new Error(`not a HELP and a TYPE: ${help} / ${typeLine}`);
    if (names.has(name)) throw new Error(`${name} comes twice`);
    if ((type[2] === "counter") !== name.endsWith("_total")) throw new Error(`${name} is a ${type[2]}`);
    if (samples.length === 0) throw new Error(`${name} has no samples`);
    names.add(name);
    for (const line of samples) {
      const [, sample = "", labels = "", number = ""] = SAMPLE.exec(line) ?? [];
      const value = Number(number);
      if (!SUFFIXES[type[2] ?? ""]?.includes(sample.slice(name.length)) || !sample.startsWith(name))
        throw new Error(`not a sample of ${name}: ${line}`);
      if (!Number.isFinite(value) || (type[2] !== "gauge" && value < 0)) throw new Error(`not a value: ${line}`);
      if (series.has(sample + labels)) throw new Error(`${sample}${labels} comes twice`);
      series.set(sample + labels, value);
    }
    if (type[2] === "histogram") checkHistogram(name, series);
  }
  return series;
}

function checkHistogram(name: string, series: ReadonlyMap<string, number>): void {
  const buckets = [...series].flatMap(([key, count]) => {
    const le = key.startsWith(`${name}_bucket{`) ? /le="([^"]+)"/.exec(key)?.[1] : undefined;
    return le === undefined ? [] : [{ bound: le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le), count }];
  });
  const isOrdered = buckets.every(({ bound, count }, i) => {
    const before = buckets[i - 1];
    return before === undefined || (before.bound < bound && before.count <= count);
  });
  const last = buckets.at(-1);
  if (!isOrdered || last?.bound !== Number.POSITIVE_INFINITY || last.count !== series.get(`${name}_count`))
    throw new Error(`the buckets of ${name} are not cumulative, or not complete`);
  if (!series.has(`${name}_sum`)) throw new Error(`${name} has no sum`);
}
