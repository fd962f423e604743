import { fromDollars } from '@holdfast/core/units';
import { expect, test } from 'vitest';
import { commissionSoFar, IBKR_FIXED } from './commission.js';

test.each([
  ['the minimum', 100, 50, 1],
  ['per share above 200 shares', 1_000, 50, 5],
  ['at most 1 % of the value, even below the minimum', 10, 5, 0.5],
  ['at most 1 % for many cheap shares', 10_000, 0.3, 30],
])('IBKR fixed: %s: %d shares at $%d cost $%d', (_title, shares, price, cost) => {
  expect(commissionSoFar(IBKR_FIXED, shares, shares * fromDollars(price))).toBe(fromDollars(cost));
});
