import { atTime, previousTradingDate, sessionOf } from '@holdfast/core/calendar';
import { type EpochMs, type Micros, micros, type TradeDate } from '@holdfast/core/units';
import type { Bar, Instrument, MarketEvent, MarketSource, Split } from '../exchange-types.js';
import { createRandom, type Random } from '../random.js';
import type { TradingSession } from '../trading-session.js';
import { conIdOf } from './con-id.js';
import { drawMorning, type Morning, TICK } from './storm-morning.js';
import { drawSudden, writeScript } from './storm-script.js';
import { StormSymbol } from './storm-symbol.js';
import { type StormProfile, WEATHER, type Weather } from './storm-weather.js';
import { TradeTape } from './trade-tape.js';

export interface StormOptions {
  /** Any whole number up to 2^53 − 1. The same seed, date, profile and previous closes give the same day, to the last bit. */
  readonly seed: number;
  readonly date: TradeDate;
  readonly profile: StormProfile;
  /** What the day before closed at, by conId: `closes()` of its source. Without it the first day's prices are drawn from the seed. */
  readonly previous?: ReadonlyMap<number, Micros>;
  /** 1 to 12; default 12. */
  readonly symbols?: number;
  /** Nobody ever shows more than sixty shares: what is larger waits for the rest. */
  readonly shallow?: boolean;
  /** Default `sessionOf(date)`. */
  readonly session?: TradingSession;
  /** Spreads the symbols' regular marks over the ten seconds, instead of all at the same instant (which wakes a simulated desk less often). */
  readonly stagger?: boolean;
}

export interface StormSource extends MarketSource {
  /** What has happened so far, in order: it grows as `next` hands the day out. Splits of the morning stand in it from the start. */
  readonly fired: readonly MarketEvent[];
  readonly splits: readonly Split[];
  /** What each symbol is worth after what was handed out, without flashes and crazy prints: `previous` of the next day. */
  closes(): ReadonlyMap<number, Micros>;
  /** Half of the symbols meet a mishap with their next mark, each its own; symbols that are in one already stay in it. */
  befall(now: EpochMs, random: Random): void;
  /** All symbols speak every second until then, so that what befalls them does so at once. */
  stir(until: number): void;
}

/** Twelve made-up names. Their conIds are the same every day. */
const SYMBOLS = ['ALBA', 'BREN', 'CAIR', 'DOON', 'EDER', 'FYNE', 'GLAS', 'HOYR', 'IONA', 'JURA', 'KELP', 'LUNG'] as const;
const PRE_MARKET_FROM = '07:00';
const STAGGER_MS = 833;
const DAY_MS = 86_400_000;
const NEVER = Number.POSITIVE_INFINITY;

interface Line {
  readonly instrument: Instrument;
  readonly morning: Morning;
  readonly tape: TradeTape;
  readonly symbol: StormSymbol;
}

/**
 * The market of a simulated campaign: cheap (a mark per symbol every ten seconds, every second around events) and unkind (gaps, jumps through
 * stops, halts, flashes, wide, thin and empty quotes, crazy prints, silence, splits overnight). Throws on a date without a session.
 */
export function stormSource(options: StormOptions): StormSource {
  const { seed, date, profile } = options;
  const session = options.session ?? sessionOf(date);
  const { isTradingDay, note } = sessionOf(date);
  if (!isTradingDay) throw new Error(`${date} has no session (${note}): choose a trading day for the storm`);
  const fired: MarketEvent[] = [];
  const lines = createLines(options, event => fired.push(event));
  const splits = lines.flatMap(({ morning: { split }, instrument: { conId } }) => (split ? [{ conId, ...split }] : []));
  for (const { conId } of splits) fired.push({ kind: 'split', at: atTime(date, PRE_MARKET_FROM), conId, bps: 0 });
  const symbols = lines.map(line => line.symbol);
  const byConId = new Map(lines.map(({ instrument, symbol }) => [instrument.conId, symbol]));

  return {
    name: `${profile} seed ${seed}`,
    date,
    instruments: lines.map(line => line.instrument),
    splits,
    fired,
    next: () => earliest(symbols)?.next(),
    nextAt: conId => byConId.get(conId)?.at ?? NEVER,
    befall(now, random) {
      for (const symbol of symbols) {
        const episode = random.chance(1, 2) ? drawSudden(now, session, random) : null;
        if (episode) symbol.befall(episode);
      }
    },
    stir(until) {
      for (const symbol of symbols) symbol.stir(until);
    },
    closes: () => new Map(lines.map(({ instrument, symbol }) => [instrument.conId, symbol.truePrice])),
    history: (conId, barMs, from, to) => pastOf(lines, { conId, barMs, from, to, date }),
  };
}

/** The symbol whose update comes first; on a tie the first one, which has the lowest conId. */
function earliest(symbols: readonly StormSymbol[]): StormSymbol | undefined {
  let first: StormSymbol | undefined;
  let at = NEVER;
  for (const symbol of symbols) {
    if (symbol.at >= at) continue;
    at = symbol.at;
    first = symbol;
  }
  return first;
}

function createLines(options: StormOptions, fire: (event: MarketEvent) => void): readonly Line[] {
  const { seed, date, previous, stagger = false } = options;
  const session = options.session ?? sessionOf(date);
  const weather = options.shallow ? { ...WEATHER[options.profile], smallPer100: 100 } : WEATHER[options.profile];
  const names = createRandom(seed, 'storm/names');
  const luck = createRandom(seed, `storm/${date}`);
  const crash = drawCrash(weather, session, luck.fork('crash'));
  const preMarketFrom = atTime(date, PRE_MARKET_FROM);
  const instruments = SYMBOLS.slice(0, options.symbols ?? SYMBOLS.length)
    .map(symbol => ({ symbol, conId: conIdOf(symbol) }))
    .sort((left, right) => left.conId - right.conId);
  return instruments.map(({ symbol, conId }, index) => {
    const random = luck.fork(symbol);
    const firstClose = micros(names.fork(symbol).between(1_500, 20_000) * TICK);
    const morning = drawMorning(previous?.get(conId) ?? firstClose, {
      weather,
      random: random.fork('morning'),
      mayArrive: previous !== undefined,
    });
    const instrument: Instrument = {
      conId,
      symbol,
      longName: `${symbol} HOLDINGS`,
      primaryExchange: 'NASDAQ',
      tick: TICK,
      multiplier: 1,
      previousClose: morning.previousClose,
      industry: 'Technology',
    };
    const tape = new TradeTape();
    const script = writeScript({ weather, session, random: random.fork('script'), crash });
    const phaseMs = stagger ? index * STAGGER_MS : 0;
    const walk = random.fork('walk');
    return {
      instrument,
      morning,
      tape,
      symbol: new StormSymbol({ instrument, weather, morning, script, session, preMarketFrom, phaseMs, random: walk, tape, fire }),
    };
  });
}

/** Some time in the middle of the day, with milliseconds, one to four per cent down. */
function drawCrash(weather: Weather, { open, close }: TradingSession, random: Random): { at: number; bps: number } | undefined {
  if (!random.chance(weather.crashPer1000, 1_000)) return undefined;
  const at = open + Math.floor(((close - open) / 1_000) * random.between(50, 950)) + random.below(1_000);
  return { at, bps: -random.between(100, 400) };
}

interface PastWish {
  readonly conId: number;
  readonly barMs: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly date: TradeDate;
}

/** Bars of today from the tape. Of the days before only yesterday is known, and only its close. */
function pastOf(lines: readonly Line[], { conId, barMs, from, to, date }: PastWish): readonly Bar[] {
  const line = lines.find(({ instrument }) => instrument.conId === conId);
  if (!line) return [];
  if (barMs < DAY_MS) return line.tape.bars(barMs, from, to);
  const close = line.instrument.previousClose;
  const at = atTime(previousTradingDate(date), '00:00');
  if (at < from || at >= to) return [];
  return [{ at, open: close, high: close, low: close, close, volume: 1_000_000, wap: close, count: 10_000 }];
}
