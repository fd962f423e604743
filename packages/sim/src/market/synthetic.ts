import { atTime, sessionOf } from '@holdfast/core/calendar';
import { type EpochMs, epochMs, micros, type TradeDate } from '@holdfast/core/units';
import type { Instrument, MarketSource, MarketUpdate } from '../exchange-types.js';
import { createRandom, type Random } from '../random.js';
import { conIdOf } from './con-id.js';
import { createPast, type Past } from './synthetic-past.js';
import { createPath, type Path } from './synthetic-path.js';
import { PROFILES, type Profile } from './synthetic-roles.js';
import { TradeTape } from './trade-tape.js';

export interface SyntheticOptions {
  /** Any whole number up to 2^53 − 1. The same seed and date give the same day, to the last bit. */
  readonly seed: number;
  readonly date: TradeDate;
}

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
const PRE_MARKET_FROM = '07:00';
/** Hundredths of a cent: prices move in these, quotes and prints in whole ticks of 100 of them. */
const TICK_UNITS = 100;
const UNIT_MICROS = 100;
const TICK = micros(TICK_UNITS * UNIT_MICROS);
const LOT = 100;
/** Before the open quotes are this much wider. */
const PRE_MARKET_WIDTH = 4;

interface Name {
  readonly profile: Profile;
  readonly instrument: Instrument;
  readonly path: Path;
  readonly random: Random;
  readonly tape: TradeTape;
  readonly makePast: () => Past;
  past?: Past;
  lastTicks: number;
  halted: boolean;
}

/**
 * A seeded trading day with quotes and prints every second from 09:30 to the close, thin pre-market from 07:00, and the roles of
 * `synthetic-roles.ts`. The default market of demo and tests. Throws on a date without a session: check it before.
 */
export function createSyntheticDay({ seed, date }: SyntheticOptions): MarketSource {
  const { open, close, isTradingDay, note } = sessionOf(date);
  if (!isTradingDay) throw new Error(`${date} has no session (${note}): choose a trading day for the synthetic market`);
  const sessionSeconds = (close - open) / SECOND_MS;
  const root = createRandom(seed, `synthetic/${date}`);
  const names = PROFILES.map(profile => createName(profile, { date, sessionSeconds, random: root.fork(profile.symbol) })).sort(
    (left, right) => left.instrument.conId - right.instrument.conId,
  );
  const byConId = new Map(names.map(name => [name.instrument.conId, name]));

  let at: number = atTime(date, PRE_MARKET_FROM);
  let index = 0;
  const next = (): MarketUpdate | undefined => {
    for (; at < close; at += SECOND_MS, index = 0) {
      while (index < names.length) {
        const name = names[index];
        index += 1;
        if (!name) break;
        const update = at < open ? preMarketUpdate(name, epochMs(at)) : regularUpdate(name, epochMs(at), (at - open) / SECOND_MS);
        if (update) return update;
      }
    }
    return undefined;
  };

  return {
    name: `synthetic seed ${seed}`,
    date,
    instruments: names.map(name => name.instrument),
    next,
    history(conId, barMs, from, to) {
      const name = byConId.get(conId);
      if (!name) return [];
      name.past ??= name.makePast();
      if (barMs >= DAY_MS) return name.past.days.filter(bar => bar.at >= from && bar.at < to);
      return [...name.past.yesterday.bars(barMs, from, to), ...name.tape.bars(barMs, from, to)];
    },
  };
}

function createName(profile: Profile, { date, sessionSeconds, random }: { date: TradeDate; sessionSeconds: number; random: Random }): Name {
  const [low, high] = profile.dollars;
  const previousTicks = random.between(low * 100, high * 100);
  const previousClose = previousTicks * TICK_UNITS;
  // Gappers open 6.5 to 12 % higher; the rest within half a per cent of yesterday.
  const gapBps = profile.role === 'gapper' ? random.between(650, 1_200) : random.between(-50, 50);
  const start = previousClose + Math.round((previousClose * gapBps) / 10_000);
  return {
    profile,
    instrument: {
      conId: conIdOf(profile.symbol),
      symbol: profile.symbol,
      longName: profile.longName,
      primaryExchange: profile.symbol === 'SPY' ? 'ARCA' : 'NASDAQ',
      tick: TICK,
      multiplier: 1,
      previousClose: micros(previousClose * UNIT_MICROS),
      industry: profile.industry,
    },
    path: createPath(profile, { start, sessionSeconds, random: random.fork('path') }),
    random: random.fork('quotes'),
    tape: new TradeTape(),
    makePast: () => createPast(profile, { previousClose, date, random: random.fork('past') }),
    lastTicks: Math.round(start / TICK_UNITS),
    halted: false,
  };
}

function preMarketUpdate(name: Name, at: EpochMs): MarketUpdate | undefined {
  const price = name.path.preStep();
  const { random, profile } = name;
  if (!random.chance(profile.preMarketPer100, 100)) return undefined;
  const quote = quoteAround(name, price, PRE_MARKET_WIDTH);
  if (!random.chance(1, 2)) return { at, conId: name.instrument.conId, quote };
  return { at, conId: name.instrument.conId, quote, trade: print(name, at, { quote, volume: random.between(1, 8) * LOT, gapped: true }) };
}

function regularUpdate(name: Name, at: EpochMs, second: number): MarketUpdate | undefined {
  const { conId } = name.instrument;
  const tick = name.path.step(second);
  if (tick.halted) {
    if (name.halted) return undefined;
    name.halted = true;
    return { at, conId, halted: true };
  }
  const resumed = name.halted;
  name.halted = false;
  const { random, profile } = name;
  const quote = quoteAround(name, tick.price, 1);
  const prints = second === 0 || tick.gapped || random.chance(profile.printsPer100, 100);
  if (!prints) return { at, conId, quote };
  // The opening print is a cross of many orders; later ones are a share of what is displayed.
  const volume = second === 0 ? random.between(200, 900) * LOT : lots((quote.askSize * random.between(5, 120)) / 100);
  const trade = print(name, at, { quote, volume, gapped: tick.gapped || second === 0 });
  return resumed ? { at, conId, quote, trade, halted: false } : { at, conId, quote, trade };
}

type UpdateQuote = NonNullable<MarketUpdate['quote']>;

function quoteAround({ profile, random }: Name, price: number, width: number): UpdateQuote {
  const half = Math.max(TICK_UNITS / 2, Math.round((price * profile.spreadBps * width) / 20_000));
  const bidTicks = Math.max(1, Math.floor((price - half) / TICK_UNITS));
  const askTicks = Math.max(bidTicks + 1, Math.ceil((price + half) / TICK_UNITS));
  const [low, high] = profile.displayedThousands;
  const size = () => lots((random.between(low, high) * 1_000 * 10_000) / (price * width));
  return { bid: ticks(bidTicks), ask: ticks(askTicks), bidSize: size(), askSize: size() };
}

/** Prints of one second: from the last price to the bid, the ask or between, unless the price jumped. Keeps the tape. */
function print(name: Name, at: EpochMs, { quote, volume, gapped }: { quote: UpdateQuote; volume: number; gapped: boolean }) {
  const bidTicks = quote.bid / TICK;
  const askTicks = quote.ask / TICK;
  const close = name.random.between(bidTicks, askTicks);
  const open = gapped ? close : name.lastTicks;
  name.lastTicks = close;
  const trade = { open: ticks(open), high: ticks(Math.max(open, close)), low: ticks(Math.min(open, close)), close: ticks(close), volume };
  name.tape.add(at, trade);
  return trade;
}

const ticks = (count: number) => micros(count * TICK);
const lots = (shares: number): number => Math.max(1, Math.round(shares / LOT)) * LOT;
