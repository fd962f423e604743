import { atTime, sessionOf } from '@holdfast/core/calendar';
import { type EpochMs, type Micros, micros, type TradeDate } from '@holdfast/core/units';
import type { Bar, Instrument, MarketSource, MarketUpdate } from '../exchange-types.js';
import { conIdOf } from './con-id.js';
import type { FileRefusal } from './csv-columns.js';
import { byGrain, type DayFiles, dataFolders, datesWithPrints, filesOf, type Grain, symbolsOn } from './data-catalog.js';
import { readCloses, readDailyBars } from './recorded-past.js';
import { type RecordedSymbol, readSymbolDay, readTape } from './recorded-symbol.js';
import type { TradeTape } from './trade-tape.js';

export interface DataDayOptions {
  /** The pack, or its `us-equity` folder. */
  readonly dir: string;
  readonly date: TradeDate;
  /** Only these. Without it at most `SYMBOLS_MAX`: the finest recorded first, then the most traded. */
  readonly symbols?: readonly string[];
}

export interface SymbolReport {
  readonly symbol: string;
  readonly grain: Grain;
  readonly updates: number;
  readonly crossedDropped: number;
}

export type DataDay = { readonly ok: true; readonly source: MarketSource; readonly report: readonly SymbolReport[] } | FileRefusal;

export const SYMBOLS_MAX = 20;
const DAY_MS = 86_400_000;
const CENT = micros(10_000);
/** Under a dollar prices move in hundredths of a cent (Regulation NMS, rule 612). */
const SUB_PENNY = micros(100);

const tickFor = (price: Micros): Micros => (price > 0 && price < 1_000_000 ? SUB_PENNY : CENT);

interface Loaded {
  readonly files: DayFiles;
  readonly day: RecordedSymbol;
  readonly instrument: Instrument;
}

/**
 * A recorded day in the layout of the data pack's README, as a market source: one-second bars with quotes, one-second bars alone, or
 * minute bars alone, the best a symbol has; quotes that are not recorded are derived (`recorded-steps.ts`). Everything is read at once and
 * checked before the first update: a bad file refuses the day with file, line and column.
 */
export function openDataDay({ dir, date, symbols }: DataDayOptions): DataDay {
  const { isTradingDay, note } = sessionOf(date);
  const { equity, market } = dataFolders(dir);
  if (!isTradingDay) return { ok: false, code: 'NO_SESSION', detail: `${date} has no session (${note}); ${datesHint(equity)}` };
  const found = findFiles(equity, date, symbols);
  if (!Array.isArray(found)) return found as FileRefusal;

  const midnight = atTime(date, '00:00');
  const closes = readCloses(market, date);
  const loaded: Loaded[] = [];
  for (const files of found) {
    const daily = readDailyBars(equity, files.symbol, date);
    const known = daily.at(-1)?.close ?? closes.get(files.symbol)?.price;
    const day = readSymbolDay(files, midnight, first => tickFor(known ?? first));
    if (!day.ok) return day;
    const previousClose = known ?? day.firstPrice;
    if (previousClose <= 0) continue; // not one print: nothing to simulate
    loaded.push({ files, day, instrument: instrumentOf(files.symbol, previousClose, closes.get(files.symbol)?.exchange) });
  }
  const chosen = loaded
    .sort((left, right) => byGrain(left.files, right.files) || right.day.volume - left.day.volume)
    .slice(0, symbols?.length ?? SYMBOLS_MAX);
  if (chosen.length === 0) return { ok: false, code: 'NO_DATA', detail: `${equity}: no prints on ${date}; ${datesHint(equity)}` };
  chosen.sort((left, right) => left.instrument.conId - right.instrument.conId);
  const report = chosen.map(({ files, day }) => ({
    symbol: files.symbol,
    grain: files.grain,
    updates: day.updates.length,
    crossedDropped: day.crossedDropped,
  }));
  return { ok: true, source: createSource(`${dir} ${date}`, { equity, date, chosen }), report };
}

function findFiles(equity: string, date: TradeDate, symbols: readonly string[] | undefined): readonly DayFiles[] | FileRefusal {
  if (!symbols) return symbolsOn(equity, date);
  const found: DayFiles[] = [];
  for (const symbol of new Set(symbols)) {
    const files = filesOf(equity, symbol, date);
    if (!files)
      return { ok: false, code: 'NO_DATA', detail: `${equity}: no prints of ${symbol} on ${date}; leave it out or choose another date` };
    found.push(files);
  }
  return found;
}

function datesHint(equity: string): string {
  const dates = datesWithPrints(equity);
  return dates.length === 0 ? `no data of the expected layout lie in ${equity}` : `dates with data: ${dates.join(', ')}`;
}

const instrumentOf = (symbol: string, previousClose: Micros, exchange: string | undefined): Instrument => ({
  conId: conIdOf(symbol),
  symbol,
  longName: symbol,
  primaryExchange: exchange || 'NASDAQ',
  tick: tickFor(previousClose),
  multiplier: 1,
  previousClose,
  industry: '',
});

function createSource(
  name: string,
  { equity, date, chosen }: { equity: string; date: TradeDate; chosen: readonly Loaded[] },
): MarketSource {
  const places = chosen.map(() => 0);
  const past = new Map<string, TradeTape | undefined>();

  const next = (): MarketUpdate | undefined => {
    let best = -1;
    let bestAt = Number.POSITIVE_INFINITY;
    for (let i = 0; i < chosen.length; i += 1) {
      const at = chosen[i]?.day.updates[places[i] ?? 0]?.at ?? Number.POSITIVE_INFINITY;
      if (at < bestAt) {
        best = i;
        bestAt = at;
      }
    }
    const symbol = chosen[best];
    const update = symbol?.day.updates[places[best] ?? 0];
    if (!symbol || !update) return undefined;
    places[best] = (places[best] ?? 0) + 1;
    return { conId: symbol.instrument.conId, ...update };
  };

  const tapeOf = (symbol: string, on: TradeDate, tick: Micros): TradeTape | undefined => {
    const key = `${symbol}/${on}`;
    if (!past.has(key)) {
      const files = filesOf(equity, symbol, on);
      const tape = files ? readTape(files, atTime(on, '00:00'), tick) : undefined;
      // A damaged file of an earlier day costs its history, not the simulation.
      past.set(key, tape && 'bars' in tape ? tape : undefined);
    }
    return past.get(key);
  };

  return {
    name,
    date,
    instruments: chosen.map(symbol => symbol.instrument),
    next,
    history(conId, barMs, from, to): readonly Bar[] {
      const symbol = chosen.find(candidate => candidate.instrument.conId === conId);
      if (!symbol) return [];
      const ticker = symbol.files.symbol;
      if (barMs >= DAY_MS) return readDailyBars(equity, ticker, date).filter(bar => bar.at >= from && bar.at < to);
      const before = datesWithPrints(equity, ticker).filter(on => on < date && overlaps(on, from, to));
      const older = before.flatMap(on => tapeOf(ticker, on, symbol.instrument.tick)?.bars(barMs, from, to) ?? []);
      return [...older, ...symbol.day.tape.bars(barMs, from, to)];
    },
  };
}

const overlaps = (date: TradeDate, from: EpochMs, to: EpochMs): boolean => {
  const midnight = atTime(date, '00:00');
  return midnight < to && midnight + DAY_MS > from;
};
