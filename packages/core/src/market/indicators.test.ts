import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { atTime, tradeDate } from '../calendar.js';
import type { BrokerBar } from '../events.js';
import { epochMs, fromDollars } from '../units.js';
import { addBar, type Indicators, NO_INDICATORS, openingGapBps, read, seed } from './indicators.js';

const MONDAY = tradeDate('2026-03-09');
const OPEN = atTime(MONDAY, '09:30');
const bar = (at: number, high: number, low: number, close: number, volume = 100): BrokerBar => ({
  at: epochMs(at),
  open: fromDollars(close),
  high: fromDollars(high),
  low: fromDollars(low),
  close: fromDollars(close),
  volume,
  wap: fromDollars(close),
});
const slot = (index: number): number => OPEN + index * 30_000;
const closes = (values: readonly number[], from = 0): BrokerBar[] => values.map((value, i) => bar(slot(from + i), value, value, value));
/** The reading after each bar. */
function readings(bars: readonly BrokerBar[]) {
  let state = NO_INDICATORS;
  return bars.map(one => {
    state = addBar(state, one);
    return read(state);
  });
}
const column = (text: string): number[] => text.trim().split(/\s+/).map(Number);

// The worked examples that StockCharts ChartSchool publishes beside its definitions (cs-rsi.xls and cs-atr.xls, QQQQ daily bars).
const RSI_CLOSE = column(`44.3389 44.0902 44.1497 43.6124 44.3278 44.8264 45.0955 45.4245 45.8433 46.0826 45.8931 46.0328 45.614 46.282
  46.282 46.0028 46.0328 46.4116 46.2222 45.6439 46.2122 46.2521 45.7137 46.4515 45.7835 45.3548 44.0288 44.1783 44.2181 44.5672
  43.4205 42.6628 43.1314`);
const RSI_PUBLISHED = column(`70.5328 66.3186 66.5498 69.4063 66.3552 57.9749 62.9296 63.2571 56.0593 62.3771 54.7076 50.4228 39.9898
  41.4605 41.8689 45.4632 37.304 33.0795 37.773`);
const ATR_HIGH = column(`48.7 48.72 48.9 48.87 48.82 49.05 49.2 49.35 49.92 50.19 50.12 49.66 49.88 50.19 50.36 50.57 50.65 50.43 49.63
  50.33 50.29 50.17 49.32 48.5 48.3201 46.8 47.8 48.39 48.66 48.79`);
const ATR_LOW = column(`47.79 48.14 48.39 48.37 48.24 48.635 48.94 48.86 49.5 49.87 49.2 48.9 49.43 49.725 49.26 50.09 50.3 49.21 48.98
  49.61 49.2 49.43 48.08 47.64 41.55 44.2833 47.31 47.2 47.9 47.7301`);
const ATR_CLOSE = column(`48.16 48.61 48.75 48.63 48.74 49.03 49.07 49.32 49.91 50.13 49.53 49.5 49.75 50.03 50.31 50.52 50.41 49.34 49.37
  50.23 49.2375 49.93 48.43 48.18 46.57 45.41 47.77 47.72 48.62 47.85`);
const ATR_PUBLISHED = column(`0.555 0.593929 0.585791 0.568949 0.615452 0.61792 0.642354 0.674329 0.69277 0.775429 0.78147 1.209229
  1.30262 1.38029 1.366698 1.336219 1.316482`);

describe('RSI(14)', () => {
  test('A9: matches the published example, and says nothing before the 15th close', () => {
    const values = readings(closes(RSI_CLOSE)).map(reading => reading.rsi);
    expect(values.slice(0, 14)).toEqual(Array(14).fill(null));
    values.slice(14).forEach((value, i) => {
      expect(value).toBeCloseTo(RSI_PUBLISHED[i] ?? Number.NaN, 3);
    });
    expect(values).toHaveLength(14 + RSI_PUBLISHED.length);
  });

  it.each([
    ['only gains', (i: number) => 50 + i, 100],
    ['only losses', (i: number) => 50 - i, 0],
    ['nothing moves', () => 50, 50],
    ['as much up as down', (i: number) => 50 + (i % 2), 50],
  ])('A9: %s', (_title, price, expected) => {
    const bars = closes(Array.from({ length: 15 }, (_, i) => price(i)));
    expect(read(seed(bars)).rsi).toBeCloseTo(expected, 9);
  });
});

describe('ATR(14)', () => {
  test('A9: matches the published example, and says nothing before the 14th bar', () => {
    const bars = ATR_CLOSE.map((close, i) => bar(slot(i), ATR_HIGH[i] ?? 0, ATR_LOW[i] ?? 0, close));
    const values = readings(bars).map(reading => reading.atr);
    expect(values.slice(0, 13)).toEqual(Array(13).fill(null));
    values.slice(13).forEach((value, i) => {
      expect((value ?? 0) / 1e6).toBeCloseTo(ATR_PUBLISHED[i] ?? Number.NaN, 5);
    });
    expect(values).toHaveLength(13 + ATR_PUBLISHED.length);
  });

  test('A9: in basis points of the last close', () => {
    const bars = Array.from({ length: 14 }, (_, i) => bar(slot(i), 50.1, 49.95, 50));
    expect(read(seed(bars)).atrBps).toBeCloseTo(30, 9);
  });
});

describe('VWAP', () => {
  test('A9: the worked example', () => {
    const bars = [bar(slot(0), 50.2, 49.8, 50, 100), bar(slot(1), 51.2, 50.8, 51, 300)];
    expect(read(seed(bars)).vwap).toBeCloseTo(50.75e6, 3);
  });

  it.each<readonly [string, string, string, number | null]>([
    ['pre-market does not count', '2026-03-09', '09:29:30', null],
    ['the opening bar does', '2026-03-09', '09:30', 50],
    ['after-hours does not', '2026-03-09', '16:00', null],
    ['nor the afternoon of a half day', '2026-11-27', '13:00', null],
  ])('A9: %s', (_title, date, clock, expected) => {
    const { vwap } = read(seed([bar(atTime(tradeDate(date), clock), 50, 50, 50)]));
    if (expected === null) expect(vwap).toBeNull();
    else expect(vwap).toBeCloseTo(expected * 1e6, 6);
  });

  test('A9: begins anew with each session, at the first regular bar', () => {
    const tuesday = tradeDate('2026-03-10');
    const monday = seed([bar(slot(0), 50, 50, 50, 1_000)]);
    const preMarket = addBar(monday, bar(atTime(tuesday, '08:00'), 60, 60, 60, 1_000));
    expect(read(preMarket).vwap).toBeNull();
    expect(read(addBar(preMarket, bar(atTime(tuesday, '09:30'), 61, 61, 61, 10))).vwap).toBeCloseTo(61e6, 6);
  });

  test('a bar without volume moves nothing', () => {
    const bars = [bar(slot(0), 50, 50, 50, 100), bar(slot(1), 90, 90, 90, 0)];
    expect(read(seed(bars)).vwap).toBeCloseTo(50e6, 6);
  });
});

describe('the night is not a bar', () => {
  const quietMonday = Array.from({ length: 20 }, (_, i) => bar(slot(i), 50.05, 49.95, i % 2 ? 50.01 : 49.99));
  const tuesdayOpen = bar(atTime(tradeDate('2026-03-10'), '09:30'), 55.05, 54.95, 55);

  test('A9: a 10 % opening gap is neither range nor gain', () => {
    const before = read(seed(quietMonday));
    const after = read(seed([...quietMonday, tuesdayOpen]));
    expect(after.rsi).toBe(before.rsi);
    expect(after.atr).toBeCloseTo(0.1e6, 3);
  });

  test('A9: but the same jump inside a session is both', () => {
    const jump = { ...tuesdayOpen, at: epochMs(slot(20)) };
    const after = read(seed([...quietMonday, jump]));
    expect(after.rsi).toBeGreaterThan(95);
    expect(after.atr).toBeGreaterThan(0.4e6);
  });
});

test('history and live bars may overlap', () => {
  const bars = closes(RSI_CLOSE);
  const overlapping = seed(bars.slice(10), seed(bars.slice(0, 20)));
  expect(overlapping).toEqual(seed(bars));
});

test('the state survives being stored as JSON at any point', () => {
  const bars = closes(RSI_CLOSE);
  fc.assert(
    fc.property(fc.nat(bars.length), cut => {
      const stored: Indicators = JSON.parse(JSON.stringify(seed(bars.slice(0, cut))));
      expect(seed(bars.slice(cut), stored)).toEqual(seed(bars));
    }),
  );
});

it.each([
  [47, 49.82, 600],
  [50, 47.5, -500],
])('A9: from %s to %s is a gap of %s bps', (close, open, gap) =>
  expect(openingGapBps(fromDollars(close), fromDollars(open))).toBeCloseTo(gap, 9),
);

test('no previous close, no gap', () => expect(openingGapBps(fromDollars(0), fromDollars(50))).toBeUndefined());
