/** What a list of measured times says. The unit is the caller's. */
export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
}

/**
 * The smallest value that at least `share` of all values do not exceed (nearest rank, no interpolation: every figure told was really
 * measured). p99 of 100 values is the 99th, of 200 the 198th.
 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  if (value === undefined) throw new Error('no values: nothing was measured');
  return value;
}

export const spreadOf = (values: readonly number[]): Spread => ({
  count: values.length,
  p50: percentile(values, 0.5),
  p99: percentile(values, 0.99),
  worst: percentile(values, 1),
});

/** Three significant digits, so that 0.412 and 130 sit in one column. */
export function figure(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 4));
}
