import { sessionOf, tradeDate } from '@holdfast/core/calendar';
import { epochMs, micros } from '@holdfast/core/units';
import { describe, expect, test } from 'vitest';
import type { MarketUpdate } from '../exchange-types.js';
import { hashText } from '../random.js';
import { conIdOf } from './con-id.js';
import { createSyntheticDay } from './synthetic.js';

const date = tradeDate('2026-03-09');
const { open, close } = sessionOf(date);

function readDay(seed: number): { updates: MarketUpdate[]; hash: number } {
  const source = createSyntheticDay({ seed, date });
  const updates: MarketUpdate[] = [];
  let hash = 0x811c9dc5;
  for (let update = source.next(); update; update = source.next()) {
    updates.push(update);
    hash = hashText(
      `${update.at}|${update.conId}|${update.quote?.bid}|${update.quote?.askSize}|${update.trade?.close}|${update.trade?.volume}`,
      hash,
    );
  }
  return { updates, hash };
}

/** What the standard rule of A9 would do on its own, one entry a name and day: a check of the market, not of the day trader. */
function roundTrips(updates: readonly MarketUpdate[]): { targets: number; stops: number } {
  const names = new Map<number, NameState>();
  let targets = 0;
  let stops = 0;
  for (const { at, conId, trade } of updates) {
    if (!trade) continue;
    const name = names.get(conId) ?? freshName();
    names.set(conId, name);
    if (name.done) continue;
    if (name.entry > 0) {
      if (trade.close >= name.entry * 1.018) targets += 1;
      else if (trade.close <= name.entry * 0.991) stops += 1;
      else continue;
      name.done = true;
      continue;
    }
    const bucket = Math.floor(at / 30_000);
    if (bucket !== name.bucket) {
      closeBar(name);
      name.bucket = bucket;
      name.high = trade.high;
      name.low = trade.low;
    }
    name.high = Math.max(name.high, trade.high);
    name.low = Math.min(name.low, trade.low);
    name.close = trade.close;
    if (at >= open) {
      name.value += trade.close * trade.volume;
      name.volume += trade.volume;
    }
    const rsi = 100 - 100 / (1 + name.gain / Math.max(name.loss, 1));
    const fires = at >= open && name.bars > 15 && trade.close > name.value / name.volume && rsi < 60 && name.atr >= trade.close * 0.003;
    if (fires) name.entry = trade.close;
  }
  return { targets, stops };
}

const freshName = () => ({
  bucket: -1,
  high: 0,
  low: 0,
  close: 0,
  before: 0,
  bars: 0,
  gain: 0,
  loss: 0,
  atr: 0,
  value: 0,
  volume: 0,
  entry: 0,
  done: false,
});
type NameState = ReturnType<typeof freshName>;

function closeBar(name: NameState): void {
  if (name.bucket < 0) return;
  if (name.bars > 0) {
    const change = name.close - name.before;
    const range = Math.max(name.high, name.before) - Math.min(name.low, name.before);
    name.gain = (name.gain * 13 + Math.max(change, 0)) / 14;
    name.loss = (name.loss * 13 + Math.max(-change, 0)) / 14;
    name.atr = (name.atr * Math.min(name.bars - 1, 13) + range) / Math.min(name.bars, 14);
  }
  name.before = name.close;
  name.bars += 1;
}

describe('the synthetic day', () => {
  test('is the same for the same seed and another for another', () => {
    expect(readDay(7).hash).toBe(readDay(7).hash);
    expect(readDay(7).hash).not.toBe(readDay(8).hash);
  });

  test('comes in time order, ties by conId, quotes never crossed, prices on ticks and above zero', () => {
    let lastAt = 0;
    let lastConId = 0;
    for (const { at, conId, quote, trade } of readDay(3).updates) {
      if (at < lastAt || (at === lastAt && conId <= lastConId)) throw new Error(`out of order at ${at}`);
      lastAt = at;
      lastConId = conId;
      if (quote && (quote.bid >= quote.ask || quote.bid <= 0 || quote.bidSize <= 0 || quote.askSize <= 0 || quote.bid % 10_000 !== 0)) {
        throw new Error(`bad quote ${JSON.stringify(quote)}`);
      }
      if (trade && (trade.high < trade.low || trade.close > trade.high || trade.open < trade.low || trade.volume <= 0)) {
        throw new Error(`bad trade ${JSON.stringify(trade)}`);
      }
    }
    expect(lastAt).toBeLessThan(close);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('seed %i: the standard rule makes at least eight round trips with both outcomes', seed => {
    const { targets, stops } = roundTrips(readDay(seed).updates);
    expect(targets + stops).toBeGreaterThanOrEqual(8);
    expect(targets).toBeGreaterThanOrEqual(1);
    expect(stops).toBeGreaterThanOrEqual(1);
  });

  test('has its roles: gappers at 5 % and more before the open, five silent minutes of a halt, a drop through stops', () => {
    const { updates } = readDay(5);
    const { instruments } = createSyntheticDay({ seed: 5, date });
    const before = (symbol: string) => instruments.find(instrument => instrument.symbol === symbol)?.previousClose ?? micros(0);
    for (const symbol of ['GAPR', 'LEAP', 'JMPR']) {
      const preMarket = updates.filter(update => update.conId === conIdOf(symbol) && update.at < open && update.trade);
      expect(preMarket.length).toBeGreaterThan(50);
      expect((preMarket.at(-1)?.trade?.close ?? 0) / before(symbol)).toBeGreaterThan(1.05);
    }
    const halted = updates.filter(update => update.halted !== undefined);
    expect(halted.map(update => update.halted)).toEqual([true, false]);
    expect((halted[1]?.at ?? 0) - (halted[0]?.at ?? 0)).toBe(300_000);
    const crash = updates.filter(update => update.conId === conIdOf('CRSH') && update.quote);
    const drops = crash.map((update, i) => (update.quote?.bid ?? 0) / (crash[i - 1]?.quote?.bid ?? Number.POSITIVE_INFINITY));
    expect(Math.min(...drops.slice(1))).toBeLessThan(0.98);
  });

  test('history: daily bars end at the previous close, yesterday and today agree with what was streamed, nothing beyond `to`', () => {
    const source = createSyntheticDay({ seed: 9, date });
    const conId = conIdOf('ZIGG');
    const seen: MarketUpdate[] = [];
    for (let update = source.next(); update && update.at < open + 600_000; update = source.next())
      if (update.conId === conId) seen.push(update);
    const days = source.history(conId, 86_400_000, epochMs(0), open);
    const previousClose = source.instruments.find(instrument => instrument.conId === conId)?.previousClose;
    expect(days).toHaveLength(30);
    expect(days.at(-1)?.close).toBe(previousClose);
    for (const bar of days) expect(bar.high >= Math.max(bar.open, bar.close) && bar.low <= Math.min(bar.open, bar.close)).toBe(true);

    const yesterday = source.history(conId, 60_000, epochMs(open - 4 * 86_400_000), epochMs(open - 36_000_000));
    expect(yesterday).toHaveLength(390);
    expect(yesterday.at(-1)?.close).toBe(previousClose);

    const today = source.history(conId, 30_000, open, epochMs(open + 90_000));
    expect(today).toHaveLength(3);
    const first = seen.filter(update => update.trade && update.at >= open && update.at < open + 30_000);
    expect(today[0]?.open).toBe(first[0]?.trade?.open);
    expect(today[0]?.close).toBe(first.at(-1)?.trade?.close);
    expect(today[0]?.volume).toBe(first.reduce((sum, update) => sum + (update.trade?.volume ?? 0), 0));
  });

  test('a half day ends at 13:00', () => {
    const half = tradeDate('2026-11-27');
    const source = createSyntheticDay({ seed: 1, date: half });
    let last = 0;
    for (let update = source.next(); update; update = source.next()) last = update.at;
    expect(last).toBe(sessionOf(half).close - 1_000);
  });
});
