import { describe, expect, it } from 'vitest';
import { atTime, tradeDate } from '../calendar.js';
import { type EpochMs, epochMs, fromDollars, toDollars } from '../units.js';
import { fitsSplit } from './split.js';
import { CON_ID, ExitBench } from './testing/exit-bench.js';

/** Nights: what is carried, and what the price or the quantity may have become by the morning. */
const MONDAY = tradeDate('2026-03-09');
const TUESDAY = tradeDate('2026-03-10');

/** 100 shares bought by hand, with exits resting. */
function held(at: EpochMs): ExitBench {
  const bench = new ExitBench({ at });
  bench.deliver();
  bench.byHand(100, 50);
  bench.run(1_000);
  bench.mark(50);
  bench.run(1_000);
  return bench;
}
/** Lets the clock jump, as over a night; orders of the day die at the broker. */
function jump(bench: ExitBench, at: EpochMs): void {
  bench.mono += at - bench.at;
  bench.at = at;
  for (const one of bench.working()) if (one.order.tif === 'DAY') bench.expire(one);
  bench.run(3_000);
}
const prices = (bench: ExitBench, dollars: readonly number[]): void => {
  for (const price of dollars) {
    bench.mark(price);
    bench.run(1_000);
  }
};

describe('I7: over the night', () => {
  it('what nobody bought is under one GTC stop all night, also through a restart, and is sold at the next open by withdrawing it first', () => {
    const bench = held(atTime(MONDAY, '15:44:50'));
    bench.liquidity = 0;
    bench.run(30_000);
    expect(bench.working().map(({ order }) => `${order.type} ${order.tif}`)).toEqual(['MKT DAY']);
    jump(bench, atTime(MONDAY, '16:00:05'));
    expect(bench.working().map(({ order }) => `${order.type} ${order.tif} ${order.stopPrice}`)).toEqual([`STP GTC ${fromDollars(49.55)}`]);
    jump(bench, atTime(MONDAY, '20:00:00'));
    bench.restart();
    bench.run(3_000);
    jump(bench, atTime(TUESDAY, '08:00:00'));
    bench.run(3_000);
    expect(bench.working().map(({ order }) => `${order.type} ${order.tif}`)).toEqual(['STP GTC']);
    expect(bench.reach()).toBe(100);
    bench.liquidity = 1_000;
    jump(bench, atTime(TUESDAY, '09:30:01'));
    expect(bench.position).toBe(0);
    expect(bench.working()).toEqual([]);
    const closed = bench.effects.flatMap(effect =>
      effect.do === 'close-position' ? [`${effect.trade.origin}: ${effect.trade.exitReason}`] : [],
    );
    expect(closed).toEqual(['adopted: end-of-day']);
  });

  it('I1: sold in part by hand after the close, and no change of the GTC stop arrives: it is withdrawn, and placed anew for the rest', () => {
    const bench = held(atTime(MONDAY, '16:30:00'));
    bench.swallows = ({ status }) => status === 'SUBMITTED';
    bench.byHand(-60, 50);
    bench.run(20_000);
    expect(bench.working().map(({ order, quantity }) => `${order.type} ${order.tif} ${quantity}`)).toEqual(['STP GTC 40']);
  });

  it('bought by hand after the close: carried under a GTC stop, protected with a target from the next open on', () => {
    const bench = held(atTime(MONDAY, '16:30:00'));
    expect(bench.working().map(({ order }) => `${order.type} ${order.tif}`)).toEqual(['STP GTC']);
    jump(bench, atTime(TUESDAY, '09:31:00'));
    prices(bench, [50.1, 50.11, 50.1]);
    expect(
      bench
        .working()
        .map(({ order }) => order.type)
        .sort(),
    ).toEqual(['LMT', 'STP']);
    expect(bench.reach()).toBe(100);
  });
});

describe('DESIGN §4: splits overnight', () => {
  it.each<[number, number, boolean]>([
    [50, 25, true],
    [50, 24.6, true],
    [50, 33.4, true],
    [50, 10.1, true],
    [5, 50, true],
    [50, 45, false],
    [50, 38, false],
    [50, 28, false],
  ])('%d → %d: %s', (from, to, expected) => expect(fitsSplit(fromDollars(from), fromDollars(to))).toBe(expected));

  it('two for one overnight: nothing is sold at the old scale; told the new quantity, levels start from the price', () => {
    const bench = held(atTime(MONDAY, '16:30:00'));
    jump(bench, atTime(TUESDAY, '09:31:00'));
    prices(bench, [24.9, 24.91, 24.9]);
    expect(bench.alerts()).toContain('SPLIT_SUSPECTED');
    expect(bench.position).toBe(100);
    bench.position = 200;
    bench.tellPosition();
    prices(
      bench,
      Array.from({ length: 40 }, (_, second) => 24.9 + (second % 2) * 0.01),
    );
    expect(bench.position).toBe(200);
    const care = bench.state.care.get(CON_ID);
    expect(care?.exit ?? null).toBeNull();
    expect(toDollars(care?.levels?.stop ?? fromDollars(0))).toBeCloseTo(24.9 * 0.991, 1);
    expect(bench.reach()).toBe(200);
    expect(bench.alerts()).toContain('QUANTITY_CORRECTED');
  });

  it('a real fall by half overnight is sold once the broker has told the old quantity twice', () => {
    const bench = held(atTime(MONDAY, '16:30:00'));
    jump(bench, atTime(TUESDAY, '09:31:00'));
    prices(bench, [24.9, 24.91, 24.9]);
    expect(bench.position).toBe(100);
    prices(
      bench,
      Array.from({ length: 25 }, (_, second) => 24.9 - (second % 2) * 0.01),
    );
    expect(bench.position).toBe(0);
  });

  it('the same fall within the day is no split: sold at once', () => {
    const bench = held(epochMs(atTime(TUESDAY, '11:00:00')));
    prices(bench, [24.9, 24.91]);
    expect(bench.position).toBe(0);
  });
});
