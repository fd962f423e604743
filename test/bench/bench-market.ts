import { atTime, tradeDate } from '@holdfast/core/calendar';
import { epochMs, fromDollars, micros } from '@holdfast/core/units';
import type { Instrument, MarketSource, MarketUpdate } from '@holdfast/sim/exchange-types';

/** An ordinary Monday of the simulated exchange. */
export const BENCH_DATE = tradeDate('2026-03-09');
/** When this market begins to speak, New York time. */
export const BENCH_OPENS = '09:29:00';

export interface BenchMarket extends MarketSource {
  /** From its next breath on: a cent between bid and ask around this price, any size, and a print at it. */
  move(conId: number, dollars: number): void;
}

/** The market says something at least this often in exchange time; a move is heard no later. */
const BREATH_MS = 100;
const SIZE = 100_000;

/** Stocks that stand at $50 until they are told to move: a bench wants one price to change and nothing else. */
export function benchMarket(symbols: readonly string[]): BenchMarket {
  const instruments = symbols.map(instrumentOf);
  let at = atTime(BENCH_DATE, BENCH_OPENS);
  const moves: { readonly conId: number; readonly dollars: number }[] = instruments.map(({ conId }) => ({ conId, dollars: 50 }));
  const said = (conId: number, dollars: number): MarketUpdate => {
    const price = fromDollars(dollars);
    return {
      at,
      conId,
      quote: { bid: fromDollars(dollars - 0.01), ask: fromDollars(dollars + 0.01), bidSize: SIZE, askSize: SIZE },
      trade: { open: price, high: price, low: price, close: price, volume: 100 },
    };
  };
  return {
    name: 'bench',
    date: BENCH_DATE,
    instruments,
    move: (conId, dollars) => {
      moves.push({ conId, dollars });
    },
    next: () => {
      const move = moves.shift();
      if (!move) at = epochMs(at + BREATH_MS);
      return move ? said(move.conId, move.dollars) : { at, conId: instruments[0]?.conId ?? 0 };
    },
    history: () => [],
  };
}

const instrumentOf = (symbol: string, index: number): Instrument => ({
  conId: 1_001 + index,
  symbol,
  longName: `${symbol} INC`,
  primaryExchange: 'NASDAQ',
  tick: micros(10_000),
  multiplier: 1,
  previousClose: fromDollars(50),
  industry: 'Technology',
});
