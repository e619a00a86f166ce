import { expect, test } from "bun:test";
import { parseMetrics } from "../testing/metrics-text.ts";
import { Counter, Histogram, single, textOf } from "./metrics.ts";

test("a counter shows the values of its label from the start, and each that is counted", () => {
  const counter = new Counter<number>("a_total", "Some.", "code", [200]);
  counter.add(404);
  counter.add(404);
  expect(textOf([counter])).toBe(
    '# HELP a_total Some.\n# TYPE a_total counter\na_total{code="200"} 0\na_total{code="404"} 2\n',
  );
});

test("a histogram counts a value that equals a bound below it, and is cumulative", () => {
  const histogram = new Histogram("b_seconds", "Some.", [0.5, 1]);
  for (const value of [0.25, 0.5, 0.75, 4]) histogram.add(value);
  expect(histogram.samples()).toEqual([
    ['_bucket{le="0.5"}', 2],
    ['_bucket{le="1"}', 3],
    ['_bucket{le="+Inf"}', 4],
    ["_sum", 5.5],
    ["_count", 4],
  ]);
});

test("a single metric is read when it is asked for", () => {
  let value = 1;
  const metric = single("gauge", "c", "Some.", () => value);
  value = 2;
  expect(textOf([metric])).toBe("# HELP c Some.\n# TYPE c gauge\nc 2\n");
});

// What the tests read metrics with has to see these.
test.each([
  ["no line feed at the end", "# HELP a x\n# TYPE a gauge\na 1"],
  ["no HELP", "# TYPE a gauge\na 1\n"],
  ["a TYPE of another name", "# HELP a x\n# TYPE b gauge\na 1\n"],
  ["a metric twice", "# HELP a x\n# TYPE a gauge\na 1\n# HELP a x\n# TYPE a gauge\na 1\n"],
  ["a series twice", '# HELP a x\n# TYPE a gauge\na{b="1"} 1\na{b="1"} 2\n'],
  ["a sample of another name", "# HELP a x\n# TYPE a gauge\nb 1\n"],
  ["a label without quotes", "# HELP a x\n# TYPE a gauge\na{b=1} 1\n"],
  ["no samples", "# HELP a x\n# TYPE a gauge\n"],
  ["an empty line", "# HELP a x\n# TYPE a gauge\na 1\n\n"],
  ["a value that is not a number", "# HELP a x\n# TYPE a gauge\na NaN\n"],
  ["a counter without _total", "# HELP a x\n# TYPE a counter\na 1\n"],
  [
    "buckets that are not cumulative",
    '# HELP a x\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
  ],
  ["no bucket +Inf", '# HELP a x\n# TYPE a histogram\na_bucket{le="1"} 1\na_sum 1\na_count 1\n'],
  ["another count", '# HELP a x\n# TYPE a histogram\na_bucket{le="+Inf"} 1\na_sum 1\na_count 2\n'],
  ["no sum", '# HELP a x\n# TYPE a histogram\na_bucket{le="+Inf"} 1\na_count 1\n'],
])("the reader refuses %s", (_, text) => {
  expect(() => parseMetrics(text)).toThrow();
});
