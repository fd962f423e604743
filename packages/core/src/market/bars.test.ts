import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { BrokerBar } from '../events.js';
import { type EpochMs, epochMs, fromDollars } from '../units.js';
import { addPart, type Bar, type BarBuilder, closeBars, newBarBuilder } from './bars.js';

const OPEN = Date.UTC(2026, 2, 9, 13, 30);
const at = (seconds: number): EpochMs => epochMs(OPEN + seconds * 1_000);

/** A 5-second bar at `seconds` after the open: 'open high low close volume', in dollars and shares. */
function part(seconds: number, text: string): BrokerBar {
  const [open = 0, high = 0, low = 0, close = 0, volume = 0] = text.split(' ').map(Number);
  const price = fromDollars;
  return {
    at: at(seconds),
    open: price(open),
    high: price(high),
    low: price(low),
    close: price(close),
    volume,
    wap: price((high + low) / 2),
  };
}
const flat = (seconds: number, dollars: number, volume = 100): BrokerBar =>
  part(seconds, `${dollars} ${dollars} ${dollars} ${dollars} ${volume}`);

/** Feeds parts (and numbers: seconds of the clock) and collects what closed. */
function feed(feedOf: readonly (BrokerBar | number)[], periodMs = 30_000): { closed: Bar[]; builder: BarBuilder } {
  let builder = newBarBuilder(periodMs);
  const closed: Bar[] = [];
  for (const item of feedOf) {
    const step = typeof item === 'number' ? closeBars(builder, at(item)) : addPart(builder, item);
    builder = step.builder;
    closed.push(...step.closed);
  }
  return { closed, builder };
}
const startsOf = (bars: readonly Bar[]) => bars.map(bar => (bar.at - OPEN) / 1_000);

test('B7: six 5-second bars are one 30-second bar, closed by the last of them', () => {
  const { closed } = feed([
    part(0, '50.00 50.10 49.95 50.05 100'),
    part(5, '50.05 50.20 50.00 50.10 200'),
    part(10, '50.10 50.12 49.80 49.90 300'),
    part(15, '49.90 50.00 49.85 49.95 0'),
    part(20, '49.95 50.00 49.90 50.00 100'),
    part(25, '50.00 50.05 49.98 50.02 300'),
  ]);
  // wap: (50.025×100 + 50.10×200 + 49.96×300 + 49.95×100 + 50.015×300) ÷ 1000 = 50.01
  expect(closed).toEqual([
    {
      at: at(0),
      open: fromDollars(50),
      high: fromDollars(50.2),
      low: fromDollars(49.8),
      close: fromDollars(50.02),
      volume: 1_000,
      wap: fromDollars(50.01),
      periodMs: 30_000,
      parts: 6,
      emptyBefore: 0,
    },
  ]);
});

describe('gaps', () => {
  test('a missing last part: the next period closes the bar', () => {
    const { closed } = feed([flat(0, 50), flat(20, 51), flat(30, 52)]);
    expect(closed).toMatchObject([{ at: at(0), parts: 2, close: fromDollars(51) }]);
  });

  test('a missing last part: the clock closes the bar after its grace', () => {
    expect(feed([flat(0, 50), 30, 31.4]).closed).toEqual([]);
    expect(feed([flat(0, 50), 31.5]).closed).toMatchObject([{ at: at(0), parts: 1 }]);
  });

  test('empty periods make no bars; the next bar says how many there were', () => {
    const { closed } = feed([flat(0, 50), flat(125, 53), 151.5]);
    expect(startsOf(closed)).toEqual([0, 120]);
    expect(closed.map(bar => bar.emptyBefore)).toEqual([0, 3]);
  });

  test('a jump onto the last part of a later period closes two bars at once, oldest first', () => {
    const { closed } = feed([flat(0, 50), flat(55, 53)]);
    expect(startsOf(closed)).toEqual([0, 30]);
  });

  test('late and repeated parts change nothing and are counted', () => {
    const { closed, builder } = feed([flat(0, 50), 31.5, flat(25, 99), flat(30, 51), flat(30, 99), flat(35, 51), flat(30, 99)]);
    expect(closed).toHaveLength(1);
    expect(builder.lateParts).toBe(3);
    expect(builder.forming).toMatchObject({ high: fromDollars(51), parts: 2 });
  });

  test('a part without trades keeps its price and adds no volume', () => {
    const { builder } = feed([flat(0, 50, 0), flat(5, 50, 0)]);
    expect(builder.forming).toMatchObject({ volume: 0, wap: fromDollars(50), parts: 2 });
  });
});

test('B7: one-minute bars are twelve parts', () => {
  const { closed } = feed(
    Array.from({ length: 24 }, (_, i) => flat(i * 5, 50 + i)),
    60_000,
  );
  expect(closed).toMatchObject([
    { at: at(0), parts: 12, close: fromDollars(61) },
    { at: at(60), parts: 12, close: fromDollars(73) },
  ]);
});

it.each([0, -30_000, 31_000])('refuses a period of %s ms', periodMs => expect(() => newBarBuilder(periodMs)).toThrow(/5 s parts/));

test('whatever parts arrive, in whatever order: volume is in a bar or the part was late, and bars move forward', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 9 })), { maxLength: 60 }), rows => {
      const { closed, builder } = feed([...rows.map(([slot, volume]) => flat(slot * 5, 50, volume)), 100_000]);
      expect(closed.reduce((sum, bar) => sum + bar.parts, 0) + builder.lateParts).toBe(rows.length);
      const starts = startsOf(closed);
      expect(starts).toEqual([...new Set(starts)].sort((a, b) => a - b));
      for (const bar of closed) expect(bar.parts).toBeLessThanOrEqual(6);
    }),
  );
});
