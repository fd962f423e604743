import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { atTime, sessionOf, tradeDate } from '@holdfast/core/calendar';
import { epochMs, fromDollars, micros } from '@holdfast/core/units';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MarketSource, MarketUpdate } from '../exchange-types.js';
import { openDataDay, SYMBOLS_MAX } from './files.js';
import { quoteFromTrade, stepsOfMinute } from './recorded-steps.js';

const pack = fileURLToPath(new URL('../../../../../shared/data', import.meta.url));
const havePack = existsSync(join(pack, 'us-equity'));
const whyNot = havePack ? '' : ' (skipped: ../shared/data is not there)';
const date = tradeDate('2026-03-09');

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdfast-files-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const TRADES = 'ms_since_midnight_et,open,high,low,close,volume';
const QUOTES = 'ms_since_midnight_et,bid_open,bid_high,bid_low,bid_close,bid_size,ask_open,ask_high,ask_low,ask_close,ask_size';

function write(path: string, lines: readonly string[]): void {
  const full = join(dir, 'us-equity', path);
  mkdirSync(join(full, '..'), { recursive: true });
  writeFileSync(full, gzipSync(`${lines.join('\n')}\n`));
}

const readAll = (source: MarketSource): MarketUpdate[] => {
  const updates: MarketUpdate[] = [];
  for (let update = source.next(); update; update = source.next()) updates.push(update);
  return updates;
};

const open = (symbols?: readonly string[]) => {
  const day = openDataDay({ dir, date, ...(symbols ? { symbols } : {}) });
  if (!day.ok) throw new Error(day.detail);
  return day;
};

describe('a recorded day', () => {
  test('joins prints and quotes of a second at its end, drops crossed quotes and counts them, knows a side without size as no quote', () => {
    write('1s/ACME/2026-03-09.trades.csv.gz', [TRADES, '34200000,50.01,50.02,50,50.02,300', '34202000,50.02,50.02,50.02,50.02,10']);
    write('1s/ACME/2026-03-09.quotes.csv.gz', [
      QUOTES,
      '34200000,50,50,50,50,200,50.02,50.02,50.02,50.02,100',
      '34201000,50,50,50,50.05,200,50.02,50.02,50.02,50.02,100',
      '34203000,50,50,50,50,200,50.02,50.02,50.02,50.02,0',
    ]);
    const { source, report } = open();
    const updates = readAll(source);
    const { open: bell } = sessionOf(date);
    expect(report).toEqual([{ symbol: 'ACME', grain: 'seconds-with-quotes', updates: 3, crossedDropped: 1 }]);
    expect(updates.map(update => update.at - bell)).toEqual([999, 2_999, 3_999]);
    expect(updates[0]?.quote).toEqual({ bid: fromDollars(50), ask: fromDollars(50.02), bidSize: 200, askSize: 100 });
    expect(updates[0]?.trade?.volume).toBe(300);
    expect(updates[2]?.quote).toEqual({ bid: fromDollars(50), ask: 0, bidSize: 200, askSize: 0 });
  });

  test('takes the previous close from daily bars, else from the market closes, else from the first print', () => {
    for (const symbol of ['DAILY', 'CLOSE', 'NONE'])
      write(`1m/${symbol}/2026-03-09.trades.csv.gz`, [TRADES, '34200000,20,21,19,20.5,1200']);
    write('1d/DAILY.2026.csv.gz', [
      'date,open,high,low,close,volume',
      '2026-03-05,1,1,1,18,10',
      '2026-03-06,1,1,1,19.5,10',
      '2026-03-09,1,1,1,99,10',
    ]);
    mkdirSync(join(dir, 'market'));
    const closes = [
      'date,symbol,close,net_change,volume,market_cap,exchange',
      '2026-03-06,CLOSE,19.25,0,1,1,nyse',
      '2026-03-09,CLOSE,98,0,1,1,nyse',
    ];
    writeFileSync(join(dir, 'market', 'closes_2026.csv.gz'), gzipSync(`${closes.join('\n')}\n`));
    const { source } = open();
    const closeOf = (symbol: string) => source.instruments.find(instrument => instrument.symbol === symbol)?.previousClose;
    expect([closeOf('DAILY'), closeOf('CLOSE'), closeOf('NONE')]).toEqual([fromDollars(19.5), fromDollars(19.25), fromDollars(20)]);
    const daily = source.history(
      source.instruments.find(instrument => instrument.symbol === 'DAILY')?.conId ?? 0,
      86_400_000,
      epochMs(0),
      sessionOf(date).close,
    );
    expect(daily.map(bar => bar.close)).toEqual([fromDollars(18), fromDollars(19.5)]);
  });

  test('minute history of minute data is the file again', () => {
    write('1m/ACME/2026-03-09.trades.csv.gz', [TRADES, '34200000,20,21,19,20.5,1200', '34260000,20.5,20.6,20.1,20.2,1000']);
    const { source } = open();
    const { open: bell, close } = sessionOf(date);
    const bars = source.history(source.instruments[0]?.conId ?? 0, 60_000, bell, close);
    expect(bars.map(bar => [bar.at - bell, bar.open, bar.high, bar.low, bar.close, bar.volume])).toEqual([
      [0, ...[20, 21, 19, 20.5].map(fromDollars), 1200],
      [60_000, ...[20.5, 20.6, 20.1, 20.2].map(fromDollars), 1000],
    ]);
  });

  test('keeps at most twenty symbols, the finest recorded first, then the most traded; a filter overrules it', () => {
    for (let i = 0; i < 22; i += 1) write(`1m/M${i}/2026-03-09.trades.csv.gz`, [TRADES, `34200000,20,21,19,20.5,${1_000 + i}`]);
    write('1s/FINE/2026-03-09.trades.csv.gz', [TRADES, '34200000,20,21,19,20.5,1']);
    const symbols = open().report.map(row => row.symbol);
    expect(symbols).toHaveLength(SYMBOLS_MAX);
    expect(symbols).toContain('FINE');
    expect(symbols).not.toContain('M2');
    expect(
      open(['M0', 'M2'])
        .report.map(row => row.symbol)
        .sort(),
    ).toEqual(['M0', 'M2']);
  });

  test.each([
    ['a missing column', [`${TRADES.replace(',close', '')}`, '34200000,20,21,19,1200'], 'MISSING_COLUMN', 'line 1: column "close"'],
    ['a short row', [TRADES, '34200000,20,21'], 'MISSING_COLUMN', 'line 2: ends after 3 of 6'],
    ['a long row', [TRADES, '34200000,20,21,19,20,5,7'], 'BAD_NUMBER', 'line 2: has more than its 6'],
    ['an unreadable number', [TRADES, '34200000,20,21,19,20,5', '34260000,20,x1,19,20,5'], 'BAD_NUMBER', 'line 3, column "high": "x1"'],
    ['a negative price', [TRADES, '34200000,20,21,-19,20,5'], 'BAD_NUMBER', 'line 2, column "low": "-19"'],
    ['prices that do not fit', [TRADES, '34200000,20,19,19,20,5'], 'BAD_NUMBER', 'line 2: open, high, low and close'],
    [
      'times out of order',
      [TRADES, '34260000,20,21,19,20,5', '34200000,20,21,19,20,5'],
      'TIME_ORDER',
      'line 3, column "ms_since_midnight_et"',
    ],
    ['a time twice', [TRADES, '34200000,20,21,19,20,5', '34200000,20,21,19,20,5'], 'TIME_ORDER', 'line 3, column "ms_since_midnight_et"'],
  ] as const)('%s is refused with file, line and column', (_title, lines, code, words) => {
    write('1m/BAD/2026-03-09.trades.csv.gz', lines);
    const day = openDataDay({ dir, date });
    expect(day).toMatchObject({ ok: false, code });
    expect(!day.ok && day.detail).toContain(words);
    expect(!day.ok && day.detail).toContain('1m/BAD/2026-03-09.trades.csv.gz');
  });

  test('a truncated file, an unknown symbol, a day without data and a day without session are refused', () => {
    write('1m/ACME/2026-03-09.trades.csv.gz', [TRADES, '34200000,20,21,19,20.5,1200']);
    expect(openDataDay({ dir, date, symbols: ['NOPE'] })).toMatchObject({ ok: false, code: 'NO_DATA' });
    expect(openDataDay({ dir, date: tradeDate('2026-03-10') })).toMatchObject({ ok: false, code: 'NO_DATA' });
    expect(openDataDay({ dir, date: tradeDate('2026-03-08') })).toMatchObject({ ok: false, code: 'NO_SESSION' });
    writeFileSync(join(dir, 'us-equity/1m/ACME/2026-03-09.trades.csv.gz'), gzipSync(TRADES).subarray(0, 20));
    expect(openDataDay({ dir, date })).toMatchObject({ ok: false, code: 'UNREADABLE' });
  });
});

describe('what is derived', () => {
  const bar = (o: number, h: number, l: number, c: number, volume: number) => ({
    open: fromDollars(o),
    high: fromDollars(h),
    low: fromDollars(l),
    close: fromDollars(c),
    volume,
  });

  test.each([
    ['up', bar(345.0, 346, 345, 345.42, 2865), 345.35, 345.42, 700],
    ['down', bar(345.5, 346, 345, 345.42, 80), 345.42, 345.49, 100],
    ['cheap', bar(8, 8, 8, 8, 1_000_000), 7.99, 8, 5_000],
  ] as const)('a quote beside a print that went %s', (_title, trade, bid, ask, size) => {
    expect(quoteFromTrade(trade, micros(10_000))).toEqual({ bid: fromDollars(bid), ask: fromDollars(ask), bidSize: size, askSize: size });
  });

  test.each([
    ['rising: low first', bar(20, 21, 19, 20.5, 1205)],
    ['falling: high first', bar(20.5, 21, 19, 20, 1205)],
  ] as const)('a minute %s, and its steps add up to the minute', (_title, minute) => {
    const steps = stepsOfMinute(minute, micros(10_000)).map(step => step.trade);
    expect(steps).toHaveLength(12);
    expect(steps[0]?.open).toBe(minute.open);
    expect(steps.at(-1)?.close).toBe(minute.close);
    expect(Math.max(...steps.map(step => step.high))).toBe(minute.high);
    expect(Math.min(...steps.map(step => step.low))).toBe(minute.low);
    expect(steps.reduce((sum, step) => sum + step.volume, 0)).toBe(minute.volume);
    const lowAt = steps.findIndex(step => step.low === minute.low);
    const highAt = steps.findIndex(step => step.high === minute.high);
    expect(lowAt < highAt).toBe(minute.close >= minute.open);
  });
});

describe.skipIf(!havePack)(`the data pack${whyNot}`, () => {
  test('2025-11-14: fourteen small caps with one-second quotes', () => {
    const day = openDataDay({ dir: join(pack, 'us-equity'), date: tradeDate('2025-11-14') });
    if (!day.ok) throw new Error(day.detail);
    expect(day.report).toHaveLength(14);
    expect(day.report.every(row => row.grain === 'seconds-with-quotes')).toBe(true);
    expectInOrder(readAll(day.source));
  });

  test('2025-10-15: six names by the second, the rest by the minute', () => {
    const on = tradeDate('2025-10-15');
    const day = openDataDay({ dir: pack, date: on });
    if (!day.ok) throw new Error(day.detail);
    const fine = day.report.filter(row => row.grain === 'seconds').map(row => row.symbol);
    expect(fine.sort()).toEqual(['COIN', 'GME', 'HOOD', 'PATH', 'SMCI', 'SOFI']);
    expect(day.report.length).toBeGreaterThanOrEqual(10);
    const coin = day.source.instruments.find(instrument => instrument.symbol === 'COIN');
    expect(coin?.previousClose).toBeGreaterThan(fromDollars(300));
    expectInOrder(readAll(day.source));
    const earlier = day.source.history(
      coin?.conId ?? 0,
      60_000,
      atTime(tradeDate('2025-10-08'), '09:30'),
      atTime(tradeDate('2025-10-08'), '16:00'),
    );
    expect(earlier).toHaveLength(390);
  });

  test('2013-10-07: SPY, IBM, BAC and AIG', () => {
    const day = openDataDay({ dir: pack, date: tradeDate('2013-10-07') });
    if (!day.ok) throw new Error(day.detail);
    expect(day.report.map(row => row.symbol).sort()).toEqual(['AIG', 'BAC', 'IBM', 'SPY']);
  });
});

function expectInOrder(updates: readonly MarketUpdate[]): void {
  expect(updates.length).toBeGreaterThan(10_000);
  for (let i = 1; i < updates.length; i += 1) {
    const before = updates[i - 1];
    const now = updates[i];
    if (before && now && (now.at < before.at || (now.at === before.at && now.conId <= before.conId)))
      throw new Error(`out of order at ${now.at}`);
  }
}
