/** A summary of repeated measurements. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (i: number) => sorted[i] ?? Number.NaN;
  return { median: at(sorted.length >> 1), min: at(0), max: at(sorted.length - 1) };
}

/** A number for a table: about three significant digits, thousands separated. */
export const formatNumber = (value: number): string =>
  value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 });

/** `median (min to max)`. */
export const formatSpread = ({ median, min, max }: Spread): string =>
  `${formatNumber(median)} (${formatNumber(min)} to ${formatNumber(max)})`;

/** Whether two measurements cannot be told apart by this run. */
export const overlap = (a: Spread, b: Spread): boolean => a.min <= b.max && b.min <= a.max;
