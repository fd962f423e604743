import { atTime, tradeDate } from '@holdfast/core/calendar';
import { type EpochMs, epochMs, fromDollars, micros } from '@holdfast/core/units';
import type { Bar, Instrument, MarketSource, MarketUpdate } from '../../exchange-types.js';

/**
 * A market a test writes line by line: three stocks, quotes and prints at the times it says. The date is an ordinary Monday, so that
 * New York is UTC−4 and the session opens at 13:30 UTC.
 */

export const DATE = tradeDate('2026-03-09');
/** A New York clock time of the scripted day; fractions of a second as `09:30:00` plus milliseconds. */
export const at = (clock: string, ms = 0): EpochMs => epochMs(atTime(DATE, clock) + ms);

const instrument = (conId: number, symbol: string, previousClose: number): Instrument => ({
  conId,
  symbol,
  longName: `${symbol} Ltd. – scripted`,
  primaryExchange: 'NASDAQ',
  tick: micros(10_000),
  multiplier: 1,
  previousClose: fromDollars(previousClose),
  industry: 'Technology',
});

export const ACME = instrument(101, 'ACME', 50);
export const BOLT = instrument(102, 'BOLT', 20);
export const CORE = instrument(103, 'CORE', 10);

/** Dollars and shares; bid and ask of one line. */
export const quote = (when: EpochMs, conId: number, [bid, ask, bidSize = 1000, askSize = 1000]: readonly number[]): MarketUpdate => ({
  at: when,
  conId,
  quote: { bid: fromDollars(bid ?? 0), ask: fromDollars(ask ?? 0), bidSize, askSize },
});

/** A print of `volume` shares at one price. */
export const print = (when: EpochMs, conId: number, price: number, volume = 100): MarketUpdate => {
  const dollars = fromDollars(price);
  return { at: when, conId, trade: { open: dollars, high: dollars, low: dollars, close: dollars, volume } };
};

export interface ScriptedMarket extends MarketSource {
  /** Adds an update; one that comes too late for its time happens as soon as it can. */
  add(update: MarketUpdate): void;
}

/** The market says nothing this often: a source that has run dry is never asked again, and nothing could be added. */
const SILENCE_MS = 20;

/** History is a bar per interval, one dollar wide around $50, so that a test can count and recognise them. */
function scriptedHistory(barMs: number, from: EpochMs, to: EpochMs): Bar[] {
  const bars: Bar[] = [];
  for (let start = Math.ceil(from / barMs) * barMs; start < to; start += barMs) {
    bars.push({
      at: epochMs(start),
      open: fromDollars(50),
      high: fromDollars(50.5),
      low: fromDollars(49.5),
      close: fromDollars(50.25),
      volume: 1000,
      wap: fromDollars(50.1),
      count: 10,
    });
  }
  return bars;
}

export function scriptedMarket(...script: readonly MarketUpdate[]): ScriptedMarket {
  const updates = [...script];
  let last: EpochMs = at('09:29:00');
  return {
    name: 'scripted',
    date: DATE,
    instruments: [ACME, BOLT, CORE],
    add: update => {
      updates.push(update);
    },
    next: () => {
      const silence = epochMs(last + SILENCE_MS);
      const [first] = updates;
      const update =
        first && first.at <= silence ? { ...first, at: epochMs(Math.max(first.at, last)) } : { at: silence, conId: CORE.conId };
      if (first && first.at <= silence) updates.shift();
      last = update.at;
      return update;
    },
    history: (_conId, barMs, from, to) => scriptedHistory(barMs, from, to),
  };
}

/** Everything quoted at $50, $20 and $10 with a cent between and a thousand shares on each side, from one second after the open. */
export const calmOpening = (): MarketUpdate[] => [
  quote(at('09:30:01'), ACME.conId, [49.99, 50.01]),
  print(at('09:30:01'), ACME.conId, 50),
  quote(at('09:30:01'), BOLT.conId, [19.99, 20.01]),
  print(at('09:30:01'), BOLT.conId, 20),
  quote(at('09:30:01'), CORE.conId, [9.99, 10.01]),
  print(at('09:30:01'), CORE.conId, 10),
];
