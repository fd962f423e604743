import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromDollars, micros } from '../units.js';
import { levelsFrom } from './care.js';
import { DEFAULT_EXIT_RULES } from './rules.js';

const contract = {
  conId: 1,
  symbol: 'ACME',
  secType: 'STK' as const,
  exchange: 'SMART',
  primaryExchange: '',
  currency: 'USD',
  tick: micros(10_000),
  multiplier: 1,
};
const dollars = (levels: ReturnType<typeof levelsFrom>) => [levels.target, levels.stop, levels.disaster].map(price => price / 1e6);

describe('A5: levels', () => {
  it.each([
    // 50 × 1.018 = 50.90, 50 × 0.991 = 49.55, 50 × 0.982 = 49.10
    [50, 1, [50.9, 49.55, 49.1]],
    [50, -1, [49.1, 50.45, 50.9]],
    // 33.33 × 1.018 = 33.92994 up, × 0.991 = 33.03003 up, × 0.982 = 32.73006 up
    [33.33, 1, [33.93, 33.04, 32.74]],
    [33.33, -1, [32.73, 33.62, 33.92]],
    [8.01, 1, [8.16, 7.94, 7.87]],
  ] as const)('reference %d, side %i', (reference, side, expected) => {
    expect(dollars(levelsFrom(fromDollars(reference), { side, contract }, DEFAULT_EXIT_RULES))).toEqual(expected);
  });

  it('rounding never loosens a stop nor lowers a target, and every level lies on the tick', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 100_000 }), fc.constantFrom(1 as const, -1 as const), (cents, side) => {
        const reference = micros(cents * 10_000);
        const { target, stop, disaster } = levelsFrom(reference, { side, contract }, DEFAULT_EXIT_RULES);
        for (const price of [target, stop, disaster]) expect(price % 10_000).toBe(0);
        expect((target - reference * (1 + 0.018 * side)) * side).toBeGreaterThanOrEqual(-1);
        expect((stop - reference * (1 - 0.009 * side)) * side).toBeGreaterThanOrEqual(-1);
        expect((stop - disaster) * side).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
