import { atTime, sessionOf, tradeDate, tradeDateOf } from '@holdfast/core/calendar';
import { epochMs, type Micros, micros } from '@holdfast/core/units';
import { describe, expect, test } from 'vitest';
import { createExchange } from '../exchange.js';
import type { MarketEvent, MarketUpdate } from '../exchange-types.js';
import { createRandom, hashText } from '../random.js';
import { type StormOptions, type StormSource, stormSource } from './storm.js';
import { campaignDays, tradingDays } from './trading-days.js';

const MONDAY = tradeDate('2026-03-09');

function drain(options: Partial<StormOptions>): { source: StormSource; updates: readonly MarketUpdate[] } {
  const source = stormSource({ seed: 1, date: MONDAY, profile: 'storm', ...options });
  const updates: MarketUpdate[] = [];
  for (let update = source.next(); update; update = source.next()) updates.push(update);
  return { source, updates };
}

const hashOf = (options: Partial<StormOptions>): number => {
  const { source, updates } = drain(options);
  return hashText(JSON.stringify([updates, source.fired, [...source.closes()]]));
};

describe('the storm', () => {
  test('is the same for the same seed and another for another seed, date or profile', () => {
    expect(hashOf({})).toBe(hashOf({}));
    const others = [{ seed: 2 }, { date: tradeDate('2026-03-10') }, { profile: 'rough' as const }].map(hashOf);
    expect(new Set([hashOf({}), ...others]).size).toBe(4);
  });

  test('befalls symbols out of the blue: within a second of theirs, and the script goes on after it', () => {
    const source = stormSource({ seed: 4, date: MONDAY, profile: 'storm' });
    const noon = atTime(MONDAY, '12:00');
    const until = (at: number): void => {
      for (let update = source.next(); update && update.at < at; update = source.next());
    };
    until(noon);
    source.stir(noon + 60_000);
    until(noon + 10_000);
    const before = source.fired.length;
    source.befall(epochMs(noon + 10_000), createRandom(1, 'blue'));
    until(noon + 12_000);
    const blue = source.fired.slice(before);
    expect(blue.length).toBeGreaterThan(2);
    expect(new Set(blue.map(({ conId }) => conId)).size).toBe(blue.length);
    until(Number.POSITIVE_INFINITY);
    expect(source.fired.length).toBeGreaterThan(before + blue.length);
    // Whoever was halted trades again, or is halted for good.
    for (const { conId, at } of source.fired.filter(({ kind, at }) => kind === 'halt' && at >= noon))
      expect(source.fired.some(event => event.conId === conId && event.kind === 'resume' && event.at > at)).toBe(true);
  });

  test('comes in time order, ties by conId, within the session, on ticks, never crossed', () => {
    for (const seed of [1, 2, 3]) {
      const { updates, source } = drain({ seed });
      const { close } = sessionOf(MONDAY);
      let before: MarketUpdate | undefined;
      for (const update of updates) {
        if (before) expect(update.at - before.at || update.conId - before.conId).toBeGreaterThan(0);
        before = update;
        const { quote, trade } = update;
        if (quote && quote.bid > 0 && quote.ask > 0 && quote.bid >= quote.ask) expect.fail(`crossed at ${update.at}`);
        for (const price of [quote?.bid ?? 0, quote?.ask ?? 0, trade?.close ?? 0])
          if (price % 10_000 !== 0 || price < 0) expect.fail(`${price}`);
      }
      expect(updates.at(-1)?.at).toBeLessThan(close);
      expect(updates.length).toBeGreaterThan(28_000);
      expect(updates.length).toBeLessThan(42_000);
      expect(source.instruments).toHaveLength(12);
    }
  });

  test('marks every symbol at least every ten seconds, except in a halt, a stale stretch or before a late opening', () => {
    const { updates, source } = drain({ seed: 4 });
    const { open, close } = sessionOf(MONDAY);
    const quiet = source.fired.filter(({ kind }) => ['halt', 'halt-to-close', 'stale', 'late-open'].includes(kind));
    for (const { conId } of source.instruments) {
      const times = [open, ...updates.filter(update => update.conId === conId && update.at >= open).map(({ at }) => at), close];
      times.forEach((at, index) => {
        const gap = at - (times[index - 1] ?? at);
        if (gap <= 10_000) return;
        const explained = quiet.some(event => event.conId === conId && event.at >= (times[index - 1] ?? 0) && event.at <= at);
        expect(explained, `${conId} silent for ${gap} ms until ${at}`).toBe(true);
      });
    }
  });

  test('a half day ends at its own close, and a day of 23 or 25 hours later opens at 9:30 all the same', () => {
    expect(drain({ date: tradeDate('2026-11-27') }).updates.at(-1)?.at).toBeLessThan(atTime(tradeDate('2026-11-27'), '13:00'));
    for (const text of ['2026-03-09', '2026-11-02']) {
      const date = tradeDate(text);
      const { updates } = drain({ date, profile: 'calm' });
      expect(updates.filter(({ at }) => at === atTime(date, '09:30')).length).toBeGreaterThan(6);
    }
    expect(() => drain({ date: tradeDate('2026-11-26') })).toThrow('Thanksgiving');
  });

  test('every kind of mishap happens under storm, and tells of itself truly', () => {
    const kinds = new Map<MarketEvent['kind'], number>();
    for (let seed = 0; seed < 12; seed += 1) {
      let previous: ReadonlyMap<number, Micros> | undefined;
      for (const date of campaignDays(seed, 3)) {
        const { source, updates } = drain({ seed, date, ...(previous ? { previous } : {}) });
        for (const { kind } of source.fired) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
        previous = source.closes();
        if (seed > 2) continue;
        for (const event of source.fired) expectTrue(event, updates);
      }
    }
    const all: readonly MarketEvent['kind'][] = [
      'opening-gap',
      'overnight-jump',
      'split-like-jump',
      'split',
      'late-open',
      'jump',
      'crash',
      'flash',
      'halt',
      'resume',
      'halt-to-close',
      'wide-spread',
      'thin',
      'empty-quote',
      'crazy-print',
      'stale',
    ];
    for (const kind of all) expect(kinds.get(kind) ?? 0, kind).toBeGreaterThan(0);
  }, 60_000);

  test('brackets of −0.9 % and +1.8 % end both ways, several times a day', () => {
    const ended = { stop: 0, target: 0 };
    for (const seed of [1, 2, 3]) {
      const bought = new Map<number, number>();
      for (const { conId, quote } of drain({ seed }).updates) {
        if (!quote || quote.bid === 0 || quote.ask === 0) continue;
        const entry = bought.get(conId);
        if (entry === undefined) bought.set(conId, quote.ask);
        else if (quote.bid <= entry * 0.991) ended.stop += Number(bought.delete(conId));
        else if (quote.bid >= entry * 1.018) ended.target += Number(bought.delete(conId));
      }
    }
    expect(ended.stop).toBeGreaterThan(100);
    expect(ended.target).toBeGreaterThan(40);
  });

  test('the next day goes on from the closes; a split moves shares, not value', () => {
    let splits = 0;
    for (let seed = 0; seed < 40 && splits < 3; seed += 1) {
      const [first, second] = tradingDays(MONDAY, 2);
      if (!first || !second) throw new Error('two days were asked for');
      const closes = drain({ seed, date: first, symbols: 12 }).source.closes();
      const source = stormSource({ seed, date: second, profile: 'storm', previous: closes });
      for (const { conId, previousClose } of source.instruments) {
        const { numerator = 1, denominator = 1 } = source.splits.find(split => split.conId === conId) ?? {};
        splits += numerator === 1 && denominator === 1 ? 0 : 1;
        expect(Math.abs((previousClose * numerator) / denominator - (closes.get(conId) ?? 0))).toBeLessThanOrEqual(
          (5_000 * numerator) / denominator,
        );
      }
    }
    expect(splits).toBe(3);
  }, 30_000);

  test('bars are cut from the prints handed out, and yesterday is known by its close alone', () => {
    const { source, updates } = drain({ profile: 'calm' });
    const [instrument] = source.instruments;
    if (!instrument) throw new Error('no instrument');
    const open = sessionOf(MONDAY).open;
    const bars = source.history(instrument.conId, 300_000, open, sessionOf(MONDAY).close);
    expect(bars.length).toBeGreaterThan(60);
    const first = updates.find(update => update.conId === instrument.conId && update.at >= open && update.trade);
    expect(bars[0]?.open).toBe(first?.trade?.open);
    expect(source.history(instrument.conId, 86_400_000, atTime(tradeDate('2026-03-06'), '00:00'), open)).toMatchObject([
      { close: instrument.previousClose },
    ]);
  });
});

/** What the event claims is in the updates of its moment. */
function expectTrue({ kind, at, conId, bps }: MarketEvent, updates: readonly MarketUpdate[]): void {
  const index = updates.findIndex(update => update.at === at && update.conId === conId);
  const update = updates[index];
  const before =
    updates.slice(0, index).findLast(one => one.conId === conId && one.quote !== undefined && one.quote.bid > 0)?.quote?.bid ?? 0;
  switch (kind) {
    case 'halt':
    case 'halt-to-close':
      expect(update?.halted).toBe(true);
      break;
    case 'resume':
      expect(update?.halted).toBe(false);
      break;
    case 'late-open': {
      const { open } = sessionOf(tradeDateOf(at));
      expect(updates.find(one => one.conId === conId && one.at === open)?.halted).toBe(true);
      expect(update).toMatchObject({ halted: false, trade: expect.anything() });
      break;
    }
    case 'empty-quote':
      expect([update?.quote?.bidSize, update?.quote?.askSize]).toContain(0);
      break;
    case 'crazy-print':
      expect(update?.quote).toBeUndefined();
      expect(Math.abs((update?.trade?.close ?? before) - before) * 10_000).toBeGreaterThan(before * 200);
      break;
    case 'thin':
      expect(update?.quote?.bidSize).toBeLessThan(16);
      break;
    case 'wide-spread':
      expect(((update?.quote?.ask ?? 0) - (update?.quote?.bid ?? 0)) * 10_000).toBeGreaterThan((update?.quote?.bid ?? 0) * 35);
      break;
    case 'crash':
      expect(bps).toBeLessThan(-30);
      break;
    case 'jump':
      expect(Math.sign((update?.trade?.close ?? 0) - before)).toBe(Math.sign(bps));
      break;
    default:
      break;
  }
}

test('what nobody holds and nobody has an order in wakes nobody; what is held beyond the hands-off shares wakes at its own next price', () => {
  const source = stormSource({ seed: 1, date: MONDAY, profile: 'storm' });
  const session = sessionOf(MONDAY);
  const [held, handsOff, ordered] = source.instruments.map(({ conId }) => conId);
  if (held === undefined || handsOff === undefined || ordered === undefined) throw new Error('twelve symbols');
  const holdings = [held, handsOff].map(conId => ({ conId, quantity: 10, averageCost: micros(10_000_000) }));
  const exchange = createExchange({ source, session, holdings, startAt: session.open });
  const noon = atTime(MONDAY, '12:00');
  exchange.advanceTo(noon);
  const nextOf = (...conIds: number[]): number => Math.min(...conIds.map(conId => source.nextAt?.(conId) ?? 0), session.close);
  const besides = new Map([[handsOff, 10]]);
  // The one that comes next has been taken from the source already.
  const pending = exchange.nextEventAt();
  expect(exchange.nextConcernAt(new Map([...besides, [held, 10]]))).toBe(undefined);
  expect([nextOf(held), pending]).toContain(exchange.nextConcernAt(besides));
  exchange.place({
    clientId: 2,
    orderId: 1,
    conId: ordered,
    side: 'BUY',
    quantity: 1,
    type: 'LMT',
    limitPrice: micros(1_000_000),
    tif: 'DAY',
  });
  expect([nextOf(held, ordered), pending]).toContain(exchange.nextConcernAt(besides));
});
