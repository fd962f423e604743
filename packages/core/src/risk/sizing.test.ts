import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { fromDollars, micros } from '../units.js';
import { type SizingInput, sizeEntry } from './sizing.js';

interface Row {
  readonly allocation?: number;
  readonly equity?: number;
  readonly buyingPower?: number;
  readonly caps?: Readonly<Record<string, number>>;
  readonly limit?: number;
  readonly multiplier?: number;
}
const input = ({
  allocation = 0.25,
  equity = 100_000,
  buyingPower = 400_000,
  caps = {},
  limit = 50,
  multiplier = 1,
}: Row): SizingInput => ({
  allocation,
  equity: fromDollars(equity),
  buyingPower: fromDollars(buyingPower),
  caps: Object.entries(caps).map(([name, amount]) => ({ name, amount: fromDollars(amount) })),
  limitPrice: fromDollars(limit),
  multiplier,
});

describe('how many shares', () => {
  it.each<readonly [string, Row, number, string]>([
    ['a quarter of the capital', {}, 500, 'allocation'],
    ['rounded down', { limit: 49.99 }, 500, 'allocation'],
    ['a cent more is a share less', { limit: 50.01 }, 499, 'allocation'],
    ['buying power is smaller', { buyingPower: 10_000 }, 200, 'buying power'],
    ['cash is smaller still', { buyingPower: 10_000, caps: { cash: 9_999 } }, 199, 'cash'],
    ['the smallest of several caps', { caps: { cash: 9_000, exposure: 4_000, order: 8_000 } }, 80, 'exposure'],
    ['all of it', { allocation: 1 }, 2_000, 'allocation'],
    ['exactly one share', { equity: 200, limit: 50 }, 1, 'allocation'],
    ['a micro future: $5 a point', { limit: 4_000, multiplier: 5 }, 1, 'allocation'],
  ])('A11: %s', (_title, row, shares, limitedBy) => expect(sizeEntry(input(row))).toMatchObject({ ok: true, shares, limitedBy }));

  it.each<readonly [string, Row, string, RegExp]>([
    [
      'a share dearer than the allocation: never "at least one"',
      { equity: 199.99 },
      'ZERO_SHARES',
      /allocation of \$50\.00 buys no share at \$50/,
    ],
    ['no cash left', { caps: { cash: 0 } }, 'NO_MONEY', /cash leaves \$0/],
    ['overdrawn', { buyingPower: -5 }, 'NO_MONEY', /buying power leaves \$-5/],
    ['no equity', { equity: 0 }, 'NO_MONEY', /allocation/],
    ['an allocation in per cent', { allocation: 25 }, 'BAD_ALLOCATION', /got 25/],
    ['an allocation of nothing', { allocation: 0 }, 'BAD_ALLOCATION', /got 0/],
    ['an allocation that is no number', { allocation: Number.NaN }, 'BAD_ALLOCATION', /NaN/],
    ['no price', { limit: 0 }, 'BAD_PRICE', /\$0\.00/],
    ['a negative price', { limit: -1 }, 'BAD_PRICE', /-1/],
  ])('C2: %s', (_title, row, code, detail) => {
    const sizing = sizeEntry(input(row));
    expect(sizing).toMatchObject({ ok: false, code });
    expect(sizing.ok ? '' : sizing.detail).toMatch(detail);
  });
});

const money = fc.integer({ min: -1_000_000_000, max: 5_000_000_000_000 });
const anyInput = fc.record({
  allocation: fc.double({ min: 0.001, max: 1, noNaN: true }),
  equity: money.map(micros),
  buyingPower: money.map(micros),
  caps: fc.array(fc.record({ name: fc.constantFrom('cash', 'exposure', 'order'), amount: money.map(micros) }), { maxLength: 3 }),
  limitPrice: fc.integer({ min: 100, max: 10_000_000_000 }).map(micros),
});

describe('whatever the account looks like', () => {
  test('I9: no limit is ever exceeded, and one share more would exceed one', () => {
    fc.assert(
      fc.property(anyInput, any => {
        const sizing = sizeEntry(any);
        const limits = [any.equity * any.allocation, any.buyingPower, ...any.caps.map(cap => cap.amount)];
        const least = Math.min(...limits);
        if (sizing.ok) {
          expect(sizing.shares).toBeGreaterThanOrEqual(1);
          for (const limit of limits) expect(sizing.shares * any.limitPrice).toBeLessThanOrEqual(limit);
          expect((sizing.shares + 1) * any.limitPrice).toBeGreaterThan(Math.floor(least));
        } else {
          expect(least).toBeLessThan(any.limitPrice);
        }
      }),
    );
  });

  test('I9: a further cap never buys more', () => {
    fc.assert(
      fc.property(anyInput, money, (any, amount) => {
        const before = sizeEntry(any);
        const after = sizeEntry({ ...any, caps: [...any.caps, { name: 'more', amount: micros(amount) }] });
        expect(after.ok ? after.shares : 0).toBeLessThanOrEqual(before.ok ? before.shares : 0);
      }),
    );
  });
});
