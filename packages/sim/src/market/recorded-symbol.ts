import { type EpochMs, epochMs, type Micros, micros } from '@holdfast/core/units';
import type { MarketUpdate } from '../exchange-types.js';
import { type FileRefusal, readColumns, type Wanted } from './csv-columns.js';
import type { DayFiles } from './data-catalog.js';
import { quoteFromTrade, STEPS_PER_MINUTE, stepsOfMinute } from './recorded-steps.js';
import { type TapeTrade, TradeTape } from './trade-tape.js';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const DOLLARS = 1_000_000;

const TRADE_COLUMNS: readonly Wanted[] = [
  { name: 'ms_since_midnight_et', scale: 1 },
  { name: 'open', scale: DOLLARS },
  { name: 'high', scale: DOLLARS },
  { name: 'low', scale: DOLLARS },
  { name: 'close', scale: DOLLARS },
  { name: 'volume', scale: 1 },
];
const QUOTE_COLUMNS: readonly Wanted[] = [
  { name: 'ms_since_midnight_et', scale: 1 },
  { name: 'bid_close', scale: DOLLARS },
  { name: 'bid_size', scale: 1 },
  { name: 'ask_close', scale: DOLLARS },
  { name: 'ask_size', scale: 1 },
];

export interface TimedTrade {
  readonly at: EpochMs;
  readonly trade: TapeTrade;
}

export interface RecordedSymbol {
  readonly ok: true;
  /** In time order; one per second or step in which something happened. */
  readonly updates: readonly Omit<MarketUpdate, 'conId'>[];
  readonly tape: TradeTape;
  readonly firstPrice: Micros;
  readonly volume: number;
  /** Quote rows with the bid above the ask. */
  readonly crossedDropped: number;
}

/**
 * One symbol's recorded day as market updates. A bar's values are known when it is over, so the bar that starts at 09:30:00 comes at
 * 09:30:00.999 (minutes: at the end of each of their steps): inside its own second, without look-ahead.
 */
export function readSymbolDay(files: DayFiles, midnight: EpochMs, tickFor: (price: Micros) => Micros): RecordedSymbol | FileRefusal {
  const trades = readTrades(files.trades);
  if (!trades.ok) return trades;
  const firstPrice = trades.rows[0]?.trade.open ?? micros(0);
  const tick = tickFor(firstPrice);
  const timed = trades.rows.flatMap(row =>
    files.grain === 'minutes' ? minuteSteps(row, tick) : [{ ms: row.ms + SECOND_MS - 1, trade: row.trade }],
  );
  const tape = new TradeTape();
  for (const { ms, trade } of timed) tape.add(epochMs(midnight + ms), trade);
  const volume = trades.rows.reduce((sum, row) => sum + row.trade.volume, 0);

  if (files.quotes === undefined) {
    const updates = timed.map(({ ms, trade }) => ({ at: epochMs(midnight + ms), quote: quoteFromTrade(trade, tick), trade }));
    return { ok: true, updates, tape, firstPrice, volume, crossedDropped: 0 };
  }
  const quotes = readQuotes(files.quotes);
  if (!quotes.ok) return quotes;
  return { ok: true, updates: merge(timed, quotes.rows, midnight), tape, firstPrice, volume, crossedDropped: quotes.crossedDropped };
}

/** Prints only, for the days before: history is cut from them. */
export function readTape(files: DayFiles, midnight: EpochMs, tick: Micros): TradeTape | FileRefusal {
  const trades = readTrades(files.trades);
  if (!trades.ok) return trades;
  const tape = new TradeTape();
  for (const row of trades.rows) {
    const steps = files.grain === 'minutes' ? minuteSteps(row, tick) : [{ ms: row.ms, trade: row.trade }];
    for (const { ms, trade } of steps) tape.add(epochMs(midnight + ms), trade);
  }
  return tape;
}

interface Row {
  readonly ms: number;
  readonly trade: TapeTrade;
}

interface QuoteRow {
  readonly ms: number;
  readonly quote: NonNullable<MarketUpdate['quote']>;
}

function minuteSteps(row: Row, tick: Micros): readonly Row[] {
  return stepsOfMinute(row.trade, tick).map(({ step, trade }) => ({ ms: row.ms + (step * MINUTE_MS) / STEPS_PER_MINUTE - 1, trade }));
}

function readTrades(path: string): { readonly ok: true; readonly rows: readonly Row[] } | FileRefusal {
  const columns = readColumns(path, TRADE_COLUMNS);
  if (!columns.ok) return columns;
  const [times, open, high, low, close, volume] = columns.values;
  const rows: Row[] = [];
  for (let i = 0; i < columns.rows; i += 1) {
    const trade = {
      open: price(open, i),
      high: price(high, i),
      low: price(low, i),
      close: price(close, i),
      volume: Math.max(0, volume?.[i] ?? 0),
    };
    if (trade.low <= 0 || trade.low > Math.min(trade.open, trade.close) || trade.high < Math.max(trade.open, trade.close)) {
      const detail = `${path}, line ${i + 2}: open, high, low and close do not fit each other (${trade.open}, ${trade.high}, ${trade.low}, ${trade.close} micro-dollars); the file is not used`;
      return { ok: false, code: 'BAD_NUMBER', detail };
    }
    if (trade.volume > 0) rows.push({ ms: times?.[i] ?? 0, trade });
  }
  return { ok: true, rows };
}

const price = (column: readonly number[] | undefined, index: number): Micros => micros(Math.max(0, column?.[index] ?? 0));

/** A side without a price or without size is no quote on that side. A crossed row is dropped and counted; locked ones (bid = ask) stay. */
function readQuotes(
  path: string,
): { readonly ok: true; readonly rows: readonly QuoteRow[]; readonly crossedDropped: number } | FileRefusal {
  const columns = readColumns(path, QUOTE_COLUMNS);
  if (!columns.ok) return columns;
  const [times, bids, bidSizes, asks, askSizes] = columns.values;
  const rows: QuoteRow[] = [];
  let crossedDropped = 0;
  for (let i = 0; i < columns.rows; i += 1) {
    const bidSize = Math.max(0, bidSizes?.[i] ?? 0);
    const askSize = Math.max(0, askSizes?.[i] ?? 0);
    const bid = bidSize > 0 ? price(bids, i) : micros(0);
    const ask = askSize > 0 ? price(asks, i) : micros(0);
    if (bid > 0 && ask > 0 && bid > ask) {
      crossedDropped += 1;
      continue;
    }
    rows.push({
      ms: (times?.[i] ?? 0) + SECOND_MS - 1,
      quote: { bid, ask, bidSize: bid > 0 ? bidSize : 0, askSize: ask > 0 ? askSize : 0 },
    });
  }
  return { ok: true, rows, crossedDropped };
}

function merge(trades: readonly Row[], quotes: readonly QuoteRow[], midnight: EpochMs): readonly Omit<MarketUpdate, 'conId'>[] {
  const updates: Omit<MarketUpdate, 'conId'>[] = [];
  let t = 0;
  let q = 0;
  for (;;) {
    const trade = trades[t];
    const quote = quotes[q];
    if (!trade && !quote) return updates;
    const ms = Math.min(trade?.ms ?? Number.POSITIVE_INFINITY, quote?.ms ?? Number.POSITIVE_INFINITY);
    const withTrade = trade?.ms === ms;
    const withQuote = quote?.ms === ms;
    updates.push({
      at: epochMs(midnight + ms),
      ...(withQuote ? { quote: quote.quote } : {}),
      ...(withTrade ? { trade: trade.trade } : {}),
    });
    if (withTrade) t += 1;
    if (withQuote) q += 1;
  }
}
