import { atTime, sessionOf, tradeDate } from '@holdfast/core/calendar';
import { type EpochMs, epochMs, fromDollars, micros } from '@holdfast/core/units';
import type { Instrument, MarketSource, MarketUpdate } from './exchange-types.js';

/**
 * A market written down by hand, for tests and scenarios that need exact prices at exact times: two instruments (ACME, closed at $50
 * yesterday, and OTHR at $100) and a list of updates on Monday 2026-03-09.
 */
const DATE = tradeDate('2026-03-09');

export const SESSION = sessionOf(DATE);

const instrument = (conId: number, symbol: string, dollars: number): Instrument => ({
  conId,
  symbol,
  longName: `${symbol} INC`,
  primaryExchange: 'NASDAQ',
  tick: micros(10_000),
  multiplier: 1,
  previousClose: fromDollars(dollars),
  industry: 'Technology',
});

export const ACME = instrument(101, 'ACME', 50);
export const OTHER = instrument(102, 'OTHR', 100);

/** New York clock time of that day, `10:00:00`. */
export const at = (clock: string): EpochMs => atTime(DATE, clock);

/** Both sides of ACME, `size` shares each; a price of 0 means nobody quotes that side. */
export const quoteOf = (clock: string, bid: number, ask: number, size: number): MarketUpdate => ({
  at: at(clock),
  conId: ACME.conId,
  quote: { bid: fromDollars(bid), ask: fromDollars(ask), bidSize: bid > 0 ? size : 0, askSize: ask > 0 ? size : 0 },
});

/** One print of ACME. */
export const tradeOf = (clock: string, price: number, volume: number): MarketUpdate => {
  const paid = fromDollars(price);
  return { at: at(clock), conId: ACME.conId, trade: { open: paid, high: paid, low: paid, close: paid, volume } };
};

/** The updates in time order (those of one time stay as written). Has no history. */
export function listSource(updates: readonly MarketUpdate[]): MarketSource {
  const ordered = [...updates].sort((left, right) => left.at - right.at);
  let index = 0;
  return {
    name: 'written by hand',
    date: DATE,
    instruments: [ACME, OTHER],
    next: () => ordered[index++],
    history: () => [],
  };
}

/** A time past everything, to run a written market to its end. */
export const AFTER_ALL: EpochMs = epochMs(SESSION.extendedClose + 1);
