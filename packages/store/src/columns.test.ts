import { epochMs, type Micros, micros, shares } from '@holdfast/core/units';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { moneyColumn, moneyOf, timeColumn, timeOf, Unstorable, wholeColumn } from './columns.js';
import { q, statement } from './statement.js';
import { closeAll, type Desk, MONDAY, openDesk } from './testing/desk.js';

/** The last amount of which every smaller one is exact as dollars in a double: about $2.25 billion. */
const EXACT = 2 ** 51;
const amounts = fc.oneof(fc.integer({ min: -EXACT, max: EXACT }), fc.integer({ min: -10_000_000_000, max: 10_000_000_000 })).map(micros);
const times = fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(9999, 11, 31) }).map(epochMs);

const put = statement((p: { account: string; at: string; trade_date: typeof MONDAY; net_liquidation: number; cash: number | null }) =>
  q
    .insertInto('equity_snapshots')
    .values(p)
    .onConflict(c => c.columns(['account', 'at']).doUpdateSet(p)),
);
const get = statement((p: { at: string }) => q.selectFrom('equity_snapshots').select(['net_liquidation', 'at']).where('at', '=', p.at));

describe('columns', () => {
  let desk: Desk;
  beforeAll(() => {
    desk = openDesk();
  });
  afterAll(closeAll);

  it('I6: money and times come back from SQLite exactly as they went in', () => {
    fc.assert(
      fc.property(amounts, times, (amount, at) => {
        desk.db.run(put, { account: 'DU1', at: timeColumn(at), trade_date: MONDAY, net_liquidation: moneyColumn(amount), cash: null });
        const row = desk.db.first(get, { at: timeColumn(at) });
        expect(moneyOf(row?.net_liquidation ?? Number.NaN)).toBe(amount);
        expect(timeOf(row?.at ?? '')).toBe(at);
      }),
      { numRuns: 2_000 },
    );
  });

  it('text order of times is time order', () => {
    fc.assert(fc.property(times, times, (a, b) => Math.sign(a - b) === Math.sign(timeColumn(a).localeCompare(timeColumn(b), 'en'))));
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 0.5, 2 ** 53])('what has no exact dollars is refused, not rounded: %d', amount => {
    expect(() => moneyColumn(amount as Micros)).toThrow(Unstorable);
  });

  it('a fraction of a share is refused with its name', () => {
    expect(() => wholeColumn(0.5, 'order quantity')).toThrow('order quantity must be whole, got 0.5');
    expect(wholeColumn(shares(7), 'order quantity')).toBe(7);
  });

  it.each([Number.NaN, 8.7e15, 0.5])('what is no time is refused: %d', at => {
    expect(() => timeColumn(epochMs(at))).toThrow(Unstorable);
  });
});
