import { atTime, previousTradingDate } from '@holdfast/core/calendar';
import { type EpochMs, epochMs, fromDollars, type Micros, micros, type TradeDate } from '@holdfast/core/units';
import type { Instrument, MarketUpdate, Split } from '@holdfast/sim/exchange-types';
import type { StormSource } from '@holdfast/sim/market/storm';
import { TradeTape } from '@holdfast/sim/market/trade-tape';

/**
 * What happens to one symbol from a New York time on: its price in dollars, `halt`, `resume`, `silent` (no quote and no print comes any more),
 * `no bid` (nobody buys), a print far off that the next one takes back, or a price at which only so many shares are to be had.
 */
export type Happening =
  | number
  | 'halt'
  | 'resume'
  | 'silent'
  | 'no bid'
  | { readonly crazy: number }
  | { readonly price: number; readonly size: number };
export type SymbolDay = readonly (readonly [clock: string, happening: Happening])[];
/** Each symbol's day. The first price holds from seven in the morning on. */
export type MarketDay = Readonly<Record<string, SymbolDay>>;

const EVERY_MS = 10_000;
const SIZE = 5_000;
const CENT = 10_000;
const DAY_MS = 86_400_000;

/** ACME is 101, as in `list-source.ts`; the others follow in the order of the story. */
const FIRST_CON_ID = 101;

export interface WrittenDay {
  readonly date: TradeDate;
  readonly market: MarketDay;
  readonly previous: ReadonlyMap<number, Micros> | undefined;
  readonly splits?: readonly (Omit<Split, 'conId'> & { readonly symbol: string })[];
}

/**
 * A market written by hand for the whole desk: every ten seconds, and at each step, a quote two cents wide and a print, which swing by a cent
 * so that bars have a body and marks move.
 */
export function writtenMarket({ date, market, previous, splits = [] }: WrittenDay): StormSource {
  const symbols = Object.keys(market);
  const conIdOf = (symbol: string): number => FIRST_CON_ID + symbols.indexOf(symbol);
  const divided = splits.map(split => ({ conId: conIdOf(split.symbol), numerator: split.numerator, denominator: split.denominator }));
  const instruments = symbols.map(symbol => instrumentOf(symbol, { conId: conIdOf(symbol), day: market[symbol] ?? [], previous, divided }));
  const tapes = new Map(instruments.map(({ conId }) => [conId, new TradeTape()]));
  const updates = instruments.flatMap(({ conId, symbol }) => updatesOf(date, { conId, day: market[symbol] ?? [] }));
  updates.sort((left, right) => left.at - right.at || left.conId - right.conId);
  const last = new Map<number, Micros>();
  let index = 0;
  return {
    name: 'written by hand',
    date,
    instruments,
    splits: divided,
    fired: [],
    // Nothing happens here that is not written.
    befall: () => undefined,
    stir: () => undefined,
    next() {
      const update = updates[index++];
      if (update?.trade) tapes.get(update.conId)?.add(update.at, update.trade);
      if (update?.trade) last.set(update.conId, update.trade.close);
      return update;
    },
    nextAt(conId) {
      for (let place = index; place < updates.length; place += 1) {
        const update = updates[place];
        if (update?.conId === conId) return update.at;
      }
      return Number.POSITIVE_INFINITY;
    },
    closes: () => new Map(instruments.map(({ conId, previousClose }) => [conId, last.get(conId) ?? previousClose])),
    history(conId, barMs, from, to) {
      if (barMs < DAY_MS) return tapes.get(conId)?.bars(barMs, from, to) ?? [];
      const close = instruments.find(instrument => instrument.conId === conId)?.previousClose ?? micros(0);
      const at = atTime(previousTradingDate(date), '00:00');
      if (at < from || at >= to) return [];
      return [{ at, open: close, high: close, low: close, close, volume: 1_000_000, wap: close, count: 10_000 }];
    },
  };
}

interface Wanted {
  readonly conId: number;
  readonly day: SymbolDay;
  readonly previous: WrittenDay['previous'];
  readonly divided: readonly Split[];
}

/** Closed yesterday where today begins, unless yesterday says otherwise. */
function instrumentOf(symbol: string, { conId, day, previous, divided }: Wanted): Instrument {
  const first = day.find(([, happening]) => typeof happening === 'number')?.[1];
  const before = previous?.get(conId) ?? fromDollars(typeof first === 'number' ? first : 50);
  const split = divided.find(one => one.conId === conId);
  return {
    conId,
    symbol,
    longName: `${symbol} INC`,
    primaryExchange: 'NASDAQ',
    tick: micros(CENT),
    multiplier: 1,
    previousClose: split ? micros(Math.round((before * split.denominator) / split.numerator)) : before,
    industry: 'Technology',
  };
}

function updatesOf(date: TradeDate, { conId, day }: { readonly conId: number; readonly day: SymbolDay }): MarketUpdate[] {
  const from = atTime(date, '07:00');
  const to = atTime(date, '20:00');
  const steps = day.map(([clock, happening], index) => ({ at: index === 0 ? from : atTime(date, clock), happening }));
  const times = new Set(steps.map(({ at }) => at));
  for (let at: number = from; at < to; at += EVERY_MS) times.add(epochMs(at));
  const updates: MarketUpdate[] = [];
  let price = 0;
  let isQuiet = false;
  let hasBid = true;
  let size = SIZE;
  for (const at of [...times].sort((left, right) => left - right)) {
    const step = steps.find(one => one.at === at)?.happening;
    if (step === 'halt' || step === 'resume') updates.push({ at, conId, halted: step === 'halt' });
    if (typeof step === 'number') price = step;
    if (typeof step === 'object' && 'price' in step) price = step.price;
    if (step !== undefined) {
      size = typeof step === 'object' && 'size' in step ? step.size : SIZE;
      isQuiet = step === 'silent' || step === 'halt';
      hasBid = step !== 'no bid';
    }
    if (typeof step === 'object' && 'crazy' in step) updates.push({ at, conId, ...printed(fromDollars(step.crazy)) });
    else if (!isQuiet && price > 0) updates.push({ at, conId, ...quoted(at, { price, hasBid, size }) });
  }
  return updates;
}

function quoted(at: EpochMs, { price, hasBid, size }: { readonly price: number; readonly hasBid: boolean; readonly size: number }) {
  const middle = fromDollars(price) + ((at / EVERY_MS) % 2 < 1 ? 0 : CENT);
  const quote = {
    bid: micros(hasBid ? middle - CENT : 0),
    ask: micros(middle + CENT),
    bidSize: hasBid ? size : 0,
    askSize: size,
  };
  return { quote, ...printed(micros(middle), size) };
}

/** A print of a thousand shares, or of what there was. */
const printed = (price: Micros, size = SIZE) => ({
  trade: { open: price, high: price, low: price, close: price, volume: Math.min(1_000, size) },
});

/** A calm morning: the day trader, if it follows this symbol, buys at 09:31, some 99 shares at 50.01. */
export const CALM: SymbolDay = [['09:00:00', 50]];
