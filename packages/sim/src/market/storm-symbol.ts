import { type EpochMs, epochMs, type Micros, micros } from '@holdfast/core/units';
import type { Instrument, MarketEvent, MarketUpdate } from '../exchange-types.js';
import type { Random } from '../random.js';
import type { TradingSession } from '../trading-session.js';
import { type Morning, TICK } from './storm-morning.js';
import type { Episode } from './storm-script.js';
import type { Weather } from './storm-weather.js';
import type { TradeTape } from './trade-tape.js';

export interface SymbolDay {
  readonly instrument: Instrument;
  readonly weather: Weather;
  readonly morning: Morning;
  readonly script: readonly Episode[];
  readonly session: TradingSession;
  readonly preMarketFrom: number;
  /** The regular marks come at the open plus this plus whole ten seconds. */
  readonly phaseMs: number;
  readonly random: Random;
  readonly tape: TradeTape;
  readonly fire: (event: MarketEvent) => void;
}

const NEVER = Number.POSITIVE_INFINITY;
const MARK_MS = 10_000;
const BUSY_MARK_MS = 1_000;
/** After an episode the market speaks every second for this long. */
const BUSY_MS = 30_000;
const PRE_MARKET_MARK_MS = 600_000;
/** A one-second move is about a third (1/√10) of a ten-second one. */
const BUSY_PART = 3;
const FLOOR: number = 3_000_000;
const PPM_BELL = 1_000_000_000;
const BPS = 10_000;

/**
 * One symbol through one day: a walk with stretches of drift that is pulled back to the day's opening price, interrupted by the script's episodes.
 * Prices are whole micro-dollars; only + − × / and rounding touch them. `at` is when its next update comes.
 */
export class StormSymbol {
  at: number;
  private price: number;
  private readonly anchor: number;
  private readonly sigma: number;
  private readonly halfSpreadBps: number;
  private readonly openAt: number;
  private drift = 0;
  private driftUntil = 0;
  private busyUntil = 0;
  private upcoming = 0;
  private active: Episode | undefined;
  /** A mishap that is not in the script: it begins with the next mark, and the script waits until it is over. */
  private sudden: Episode | undefined;

  constructor(private readonly day: SymbolDay) {
    const { morning, weather, random, session } = day;
    const { previousClose, gapBps } = morning;
    this.anchor = Math.max(FLOOR, previousClose + Math.round((previousClose * gapBps) / BPS));
    this.price = this.anchor;
    this.sigma = random.between(weather.sigmaPpm[0], weather.sigmaPpm[1]);
    this.halfSpreadBps = random.between(weather.spreadBps[0], weather.spreadBps[1]);
    const late = random.chance(weather.lateOpenPer1000, 1_000);
    // Up to five minutes: on-open orders die after two.
    this.openAt = session.open + (late ? random.between(5_000, 300_000) : 0);
    this.at = day.preMarketFrom;
  }

  /** What it is worth, without flashes and crazy prints. */
  get truePrice(): Micros {
    return micros(Math.round(this.price / TICK) * TICK);
  }

  /** The update due at `at`; moves `at` on. */
  next(): MarketUpdate {
    const now = this.at;
    if (now < this.day.session.open) return this.preMarket(epochMs(now));
    if (now < this.openAt) return this.delayOpening(epochMs(now));
    const update = now === this.openAt ? this.opening(epochMs(now)) : this.regular(epochMs(now));
    this.at = this.following(now);
    return update;
  }

  /** A mishap out of the blue, from the next mark on; not while another one lasts. */
  befall(episode: Episode): void {
    if (this.active === undefined) this.sudden = episode;
  }

  /** Marks every second until then. */
  stir(until: number): void {
    this.busyUntil = Math.max(this.busyUntil, until);
  }

  private preMarket(now: EpochMs): MarketUpdate {
    const { session, random } = this.day;
    const next = now + PRE_MARKET_MARK_MS;
    this.at = Math.min(next, session.open);
    const price = this.price + Math.round((this.price * random.between(-40, 40)) / BPS);
    return this.update(now, { price, halfBps: this.halfSpreadBps * 4, prints: random.chance(1, 2) });
  }

  /** A delayed opening is a halt from the first moment of the session on. */
  private delayOpening(now: EpochMs): MarketUpdate {
    this.at = this.openAt;
    return { at: now, conId: this.day.instrument.conId, halted: true };
  }

  private opening(now: EpochMs): MarketUpdate {
    const { morning, session } = this.day;
    if (morning.gap !== 'none') this.fire(morning.gap, now, morning.gapBps);
    if (now > session.open) this.fire('late-open', now, 0);
    const update = this.update(now, { price: this.price, halfBps: this.halfSpreadBps, prints: true });
    this.busyUntil = morning.gap === 'none' ? 0 : now + BUSY_MS;
    return now > session.open ? { ...update, halted: false } : update;
  }

  private regular(now: EpochMs): MarketUpdate {
    if (this.active && now >= this.active.until) {
      const ended = this.active;
      this.active = undefined;
      if (this.sudden === ended) this.sudden = undefined;
      if (ended.kind === 'halt') return this.resume(now, ended);
    }
    const { sudden } = this;
    if (sudden && !this.active) return this.begin(sudden, now);
    const due = this.day.script[this.upcoming];
    if (due && now >= due.from && (!this.active || this.active !== sudden)) {
      this.upcoming += 1;
      return this.begin(due, now);
    }
    this.walk(now);
    return this.asUsual(now);
  }

  private begin(episode: Episode, now: EpochMs): MarketUpdate {
    this.stir(episode.until + BUSY_MS);
    if (episode.until > now) this.active = episode;
    else if (episode === this.sudden) this.sudden = undefined;
    const { kind, bps } = episode;
    this.fire(kind, now, bps);
    const { conId } = this.day.instrument;
    switch (kind) {
      case 'halt':
      case 'halt-to-close':
        return { at: now, conId, halted: true };
      case 'jump':
      case 'crash':
        this.shift(bps);
        return this.update(now, { price: this.price, halfBps: this.halfSpreadBps, prints: true });
      case 'crazy-print': {
        this.busyUntil = 0;
        const price = micros(Math.max(1, Math.round((this.price + (this.price * bps) / BPS) / TICK)) * TICK);
        return { at: now, conId, trade: { open: price, high: price, low: price, close: price, volume: this.day.random.between(1, 200) } };
      }
      case 'flash':
      case 'wide-spread':
      case 'thin':
      case 'empty-quote':
      case 'stale':
        return this.asUsual(now);
    }
  }

  private resume(now: EpochMs, { bps }: Episode): MarketUpdate {
    this.shift(bps);
    this.fire('resume', now, bps);
    const update = this.update(now, { price: this.price, halfBps: this.halfSpreadBps * 3, prints: true });
    return { ...update, halted: false };
  }

  /** A mark under whatever prevails: the plain market, or the episode that runs. */
  private asUsual(now: EpochMs): MarketUpdate {
    const { active, price, halfSpreadBps } = this;
    if (!active) return this.update(now, { price, halfBps: halfSpreadBps, prints: this.day.random.chance(4, 5) });
    switch (active.kind) {
      case 'flash':
        return this.update(now, { price: price + Math.round((price * active.bps) / BPS), halfBps: halfSpreadBps * 2, prints: true });
      case 'wide-spread':
        return this.update(now, { price, halfBps: active.bps >> 1, prints: this.day.random.chance(1, 5) });
      case 'empty-quote': {
        const full = this.update(now, { price, halfBps: halfSpreadBps * 2, prints: false });
        return { at: full.at, conId: full.conId, ...(full.quote ? { quote: without(full.quote, active.side) } : {}) };
      }
      default:
        return this.update(now, { price, halfBps: halfSpreadBps, prints: this.day.random.chance(1, 2) });
    }
  }

  /** Regular marks, every second while it is busy; edges of episodes at their own milliseconds; silence in halts and stale stretches. */
  private following(now: number): number {
    const { session, script, phaseMs } = this.day;
    const { active } = this;
    if (active && (active.kind === 'halt' || active.kind === 'stale' || active.kind === 'halt-to-close')) {
      return active.until < session.close ? active.until : NEVER;
    }
    const stepMs = now < this.busyUntil ? BUSY_MARK_MS : MARK_MS;
    const origin = session.open + phaseMs;
    let next = origin + (Math.floor((now - origin) / stepMs) + 1) * stepMs;
    if (active && active.until < next) next = active.until;
    const due = script[this.upcoming];
    // An episode that should have begun before a late opening begins with the next mark.
    if (due && due.from > now && due.from < next) next = due.from;
    return next < session.close ? next : NEVER;
  }

  private walk(now: number): void {
    const { random, weather } = this.day;
    if (now >= this.driftUntil) {
      this.driftUntil = now + random.between(240, 2_400) * 1_000;
      this.drift = random.between(-weather.driftPpm, weather.driftPpm);
    }
    const part = now < this.busyUntil ? BUSY_PART : 1;
    const luck = Math.round((this.price * this.sigma * random.bell()) / part / PPM_BELL);
    // The pull home: a quarter of a per mille of the distance, every mark.
    const pull = Math.round((this.anchor - this.price) / 4_000);
    const drift = part === 1 ? Math.round((this.price * this.drift) / 1_000_000) : 0;
    this.price = Math.max(FLOOR, this.price + luck + drift + pull);
  }

  private shift(bps: number): void {
    this.price = Math.max(FLOOR, this.price + Math.round((this.price * bps) / BPS));
  }

  private update(now: EpochMs, { price, halfBps, prints }: { price: number; halfBps: number; prints: boolean }): MarketUpdate {
    const { instrument, random, tape } = this.day;
    const half = Math.max(TICK / 2, (price * halfBps) / (2 * BPS));
    const bidTicks = Math.max(1, Math.floor((price - half) / TICK));
    const askTicks = Math.max(bidTicks + 1, Math.ceil((price + half) / TICK));
    const bid = micros(bidTicks * TICK);
    const ask = micros(askTicks * TICK);
    const quote = { bid, ask, bidSize: this.size(), askSize: this.size() };
    if (!prints) return { at: now, conId: instrument.conId, quote };
    const paid = micros(random.between(bidTicks, askTicks) * TICK);
    const volume = now === this.openAt ? random.between(5_000, 60_000) : random.between(1, 400);
    const trade = { open: paid, high: paid, low: paid, close: paid, volume };
    tape.add(now, trade);
    return { at: now, conId: instrument.conId, quote, trade };
  }

  private size(): number {
    const { random, weather } = this.day;
    if (this.active?.kind === 'thin') return random.between(1, 15);
    if (random.chance(weather.smallPer100, 100)) return random.between(1, 60);
    return random.between(weather.displayed[0], weather.displayed[1]);
  }

  private fire(kind: MarketEvent['kind'], at: EpochMs, bps: number): void {
    this.day.fire({ kind, at, conId: this.day.instrument.conId, bps });
  }
}

type UpdateQuote = NonNullable<MarketUpdate['quote']>;

function without(quote: UpdateQuote, side: Episode['side']): UpdateQuote {
  const nothing = micros(0);
  return {
    bid: side === 'ask' ? quote.bid : nothing,
    bidSize: side === 'ask' ? quote.bidSize : 0,
    ask: side === 'bid' ? quote.ask : nothing,
    askSize: side === 'bid' ? quote.askSize : 0,
  };
}
