import { sessionOf, tradeDate } from '@holdfast/core/calendar';
import { fromDollars, type TradeDate } from '@holdfast/core/units';
import type { Holding } from '../account.js';
import { createExchange } from '../exchange.js';
import type { ExchangePort, Instrument, MarketSource } from '../exchange-types.js';
import { openDataDay, type SymbolReport } from '../market/files.js';
import { createSyntheticDay } from '../market/synthetic.js';

/** The ordinary Monday a synthetic day is on when nobody names a date. */
export const DEFAULT_DATE = '2026-03-09';

export interface SimulatedDayOptions {
  /** Folder of a data pack; without it the day is synthetic. */
  readonly data?: string | undefined;
  /** `2025-11-14`; needed with data, else `DEFAULT_DATE`. */
  readonly date?: string | undefined;
  /** Seed of the synthetic day, and of the execution ids; default 1. */
  readonly seed?: number | undefined;
  /** Only these, of recorded data. */
  readonly symbols?: readonly string[] | undefined;
  readonly account?: string | undefined;
  /** Dollars, default 100,000. */
  readonly cash?: number | undefined;
  /** What the account holds before the day, bought at the previous close: symbol and signed shares. */
  readonly holdings?: readonly (readonly [symbol: string, quantity: number])[] | undefined;
}

export interface SimulatedDay {
  readonly ok: true;
  readonly exchange: ExchangePort;
  readonly source: MarketSource;
  /** One line per recorded symbol; empty for a synthetic day. */
  readonly report: readonly SymbolReport[];
}

export interface DayRefusal {
  readonly ok: false;
  readonly code: string;
  /** What is wrong and what to do. */
  readonly detail: string;
}

const refuse = (code: string, detail: string): DayRefusal => ({ ok: false, code, detail });

/** A market and the exchange in front of it, ready for `startGateway`; or what is wrong with the wish. */
export function openSimulatedDay(options: SimulatedDayOptions): SimulatedDay | DayRefusal {
  const date = readDate(options.date ?? (options.data === undefined ? DEFAULT_DATE : undefined));
  if (typeof date !== 'string') return date;
  const seed = options.seed ?? 1;
  const market = openMarket(options, { date, seed });
  if (!market.ok) return market;
  const { source } = market;
  const holdings = holdingsIn(source.instruments, options.holdings ?? []);
  if (!Array.isArray(holdings)) return holdings as DayRefusal;
  const exchange = createExchange({
    source,
    session: sessionOf(date),
    seed,
    holdings,
    startingCash: fromDollars(options.cash ?? 100_000),
    ...(options.account === undefined ? {} : { account: options.account }),
  });
  return { ok: true, exchange, source, report: market.report };
}

function readDate(text: string | undefined): TradeDate | DayRefusal {
  if (text === undefined) return refuse('NO_DATE', 'recorded data needs a date: add --date YYYY-MM-DD');
  try {
    return tradeDate(text);
  } catch (problem) {
    return refuse('BAD_DATE', `${problem instanceof Error ? problem.message : String(problem)}; an example is ${DEFAULT_DATE}`);
  }
}

function openMarket(
  { data, symbols }: SimulatedDayOptions,
  { date, seed }: { readonly date: TradeDate; readonly seed: number },
): { readonly ok: true; readonly source: MarketSource; readonly report: readonly SymbolReport[] } | DayRefusal {
  if (data !== undefined) return openDataDay({ dir: data, date, ...(symbols === undefined ? {} : { symbols }) });
  const { isTradingDay, note } = sessionOf(date);
  if (!isTradingDay) return refuse('NO_SESSION', `${date} has no session (${note}): choose a trading day`);
  if (symbols !== undefined) return refuse('NO_CHOICE', 'the synthetic market has its own symbols: leave --symbols out, or add --data');
  return { ok: true, source: createSyntheticDay({ seed, date }), report: [] };
}

function holdingsIn(instruments: readonly Instrument[], wanted: readonly (readonly [string, number])[]): readonly Holding[] | DayRefusal {
  const holdings: Holding[] = [];
  for (const [symbol, quantity] of wanted) {
    const instrument = instruments.find(one => one.symbol === symbol.toUpperCase());
    if (!instrument) {
      return refuse('UNKNOWN_HOLDING', `no ${symbol} in this market; there are ${instruments.map(one => one.symbol).join(', ')}`);
    }
    holdings.push({ conId: instrument.conId, quantity, averageCost: instrument.previousClose });
  }
  return holdings;
}
