import { type EpochMs, epochMs, type Micros, type MonoMs, micros } from '../units.js';

/**
 * The mark: the price a position is valued and judged at, with where it came from and how old it is (DESIGN §4, "Marks").
 *
 * - One book per position keeps the latest mark of each source. Sources differ in cadence (ticks at once, the P&L stream about once a
 *   second while the value changes, portfolio updates every three minutes), so silence alone proves nothing.
 * - Age counts since the *price* moved, and only while the market did: a quiet stock in a quiet market keeps its mark, a price standing
 *   still while others move grows old, and total silence of everything counts as age in full after a minute.
 * - Delayed data is for screens; it never judges a stop. Portfolio updates may agree with another source, never decide alone.
 */
export type MarkSource = 'tick' | 'pnl' | 'portfolio' | 'delayed';

export interface Mark {
  readonly price: Micros;
  /** When the price last moved, or was confirmed by a new trade at the same price. */
  readonly at: EpochMs;
  readonly source: MarkSource;
  /** When the source last reported, be it the same price again. */
  readonly receivedAt: EpochMs;
}

/** The latest mark of each source for one position. */
export type MarkBook = { readonly [S in MarkSource]?: Mark };

export const EMPTY_MARK_BOOK: MarkBook = {};

export interface MarkReport {
  readonly source: MarkSource;
  readonly price: Micros;
  readonly receivedAt: EpochMs;
  /** The report is a new trade: proof that the price stands, even if it did not move. */
  readonly traded?: boolean;
}

/** What "now" means to a mark. The worker raises `marketMovedAt` whenever any symbol's mark moved (`recordMark` says so). */
export interface MarketClock {
  readonly now: EpochMs;
  readonly marketMovedAt: EpochMs;
}

export interface MarkRules {
  /** Older marks are not live. */
  readonly freshMsMax: number;
  /** Sources that moved within this of the freshest count as equally fresh: the better source wins. */
  readonly equallyFreshMs: number;
  /** With no symbol moving for longer than this, nothing counts as live any more. */
  readonly silenceMsMax: number;
  /** A breach nothing contradicted is believed after this long (machine time, while the broker is heard), second mark or not. */
  readonly confirmMsMax: number;
  /** The broker's last word may be older by this much then: asked for one, it answers within it, and a true breach is not held up. */
  readonly heardWithinMs: number;
  /**
   * Two marks that differ by no more than this part of the larger one can be of one market moments apart, and confirm each other. US stocks are
   * halted at 5 or 10 %, the cheapest at 20 % (limit up, limit down), so a market that collapses in steps still agrees with itself.
   */
  readonly agreeBps: number;
}

export const DEFAULT_MARK_RULES: MarkRules = {
  freshMsMax: 10_000,
  equallyFreshMs: 1_000,
  silenceMsMax: 60_000,
  confirmMsMax: 3_000,
  heardWithinMs: 500,
  agreeBps: 2_000,
};

/**
 * Takes a report into the book. A price of zero or less (the broker's "no price") and a report older than the one already there change
 * nothing. `moved` is true when the price is new or freshly traded: evidence that the market is alive (delayed data is none).
 */
export function recordMark(book: MarkBook, report: MarkReport): { readonly book: MarkBook; readonly moved: boolean } {
  const { source, price, receivedAt } = report;
  const known = book[source];
  if (price <= 0 || (known && receivedAt < known.receivedAt)) return { book, moved: false };
  const fresh = known === undefined || known.price !== price || report.traded === true;
  const mark: Mark = { price, at: fresh ? receivedAt : known.at, source, receivedAt };
  return { book: { ...book, [source]: mark }, moved: fresh && source !== 'delayed' };
}

/** How long the price has stood still while the market moved, in ms of exchange time. */
export function markAgeMs(mark: Mark, clock: MarketClock, rules: MarkRules = DEFAULT_MARK_RULES): number {
  const lastMove = Math.max(mark.at, clock.marketMovedAt);
  if (clock.now - lastMove > rules.silenceMsMax) return clock.now - mark.at;
  return Math.max(0, clock.marketMovedAt - mark.at);
}

export interface AgedMark {
  readonly mark: Mark;
  readonly ageMs: number;
  /** Young enough to be believed, and not delayed data. */
  readonly isLive: boolean;
}

/** Better sources first. */
const BY_PRIORITY: readonly MarkSource[] = ['tick', 'pnl', 'portfolio'];
const STOP_SOURCES: readonly MarkSource[] = ['tick', 'pnl'];

function freshestOf(sources: readonly MarkSource[], book: MarkBook, rules: MarkRules): Mark | undefined {
  let newest = Number.NEGATIVE_INFINITY;
  for (const source of sources) newest = Math.max(newest, book[source]?.at ?? newest);
  for (const source of sources) {
    const mark = book[source];
    if (mark && newest - mark.at <= rules.equallyFreshMs) return mark;
  }
  return undefined;
}

/**
 * The mark to value the position at: the source whose price moved last; among equally fresh ones ticks, then the P&L stream, then the
 * portfolio. Delayed data only where there is nothing else. Undefined before the first report. Not live is said, not hidden.
 */
export function bestMark(book: MarkBook, clock: MarketClock, rules: MarkRules = DEFAULT_MARK_RULES): AgedMark | undefined {
  const mark = freshestOf(BY_PRIORITY, book, rules) ?? book.delayed;
  if (!mark) return undefined;
  const ageMs = markAgeMs(mark, clock, rules);
  return { mark, ageMs, isLive: ageMs <= rules.freshMsMax && mark.source !== 'delayed' };
}

/** A level that must not be touched: a long is breached at or below it, a short at or above. */
export interface StopLevel {
  readonly side: 'long' | 'short';
  readonly level: Micros;
}

export const isBeyond = (price: Micros, stop: StopLevel): boolean => (stop.side === 'long' ? price <= stop.level : price >= stop.level);

/** A breach seen but perhaps not yet believed. The caller keeps it with the position. */
export interface BreachWatch {
  /** Machine time: exchange time is the gateway's to tell, and a leap of its clock is no silence. */
  readonly firstSeenAt: MonoMs;
  /** The newest breaching mark, which waits for a second one: later, or from another source. */
  readonly source: MarkSource;
  readonly receivedAt: EpochMs;
  readonly price: Micros;
  readonly isConfirmed?: boolean;
}

export interface BreachStep {
  readonly watch: BreachWatch | undefined;
  /** `blind`: nothing live to judge by: the symbol needs a resting stop at its real level. */
  readonly verdict: 'clear' | 'suspected' | 'confirmed' | 'blind';
  readonly because: string;
  /** The mark that was judged, when there was one. */
  readonly mark?: Mark;
}

/**
 * From when to when the broker was heard, in machine time: `since` it has been, `until` its last word about anything. One connection tells things in
 * their order, so with each word everything said before it is here. What nobody contradicted up to there was not contradicted; of the time after it
 * nothing is known.
 */
export interface Hearing {
  readonly since: MonoMs;
  readonly until: MonoMs;
}

export interface BreachLook {
  readonly book: MarkBook;
  readonly stop: StopLevel;
  readonly clock: MarketClock;
  readonly mono: MonoMs;
  /** What silence is measured by. */
  readonly heard: Hearing;
}

/**
 * Has the stop really been touched? One mark may be crazy, so a breach is believed when a second successive mark or a second source
 * agrees, or when nothing contradicted it for three seconds in which the broker was heard. Two marks that are both beyond the stop and far from each other (44.90, then
 * 0.09) do not agree: at least one of them is crazy, and it may be both. The last good mark is not asked: how far a market has fallen says nothing
 * about whether it has. Call it after every recorded mark and on every tick of the clock.
 * A believed breach stays believed when the marks then fall silent; only a live mark on the good side clears it.
 *
 * What silence may hide, and how it counts:
 * - A line that died without a word, a process that stood still, a connection made anew, the broker's own line lost (1100 to 1102, 2110): not counted.
 *   The mark that would contradict may have been said to nobody. The three seconds are then those of the next time the broker is heard.
 * - The symbol is silent while the broker speaks: counted. Streams tell changes only, so a price that stands where it fell says just that. A halt
 *   says nothing either, and the price before it is true; a market data farm that broke (2103) or a line that turned delayed may hide a
 *   contradiction, but to wait for their return would hold up a true stop for minutes, where the wrong belief takes a crazy mark within the very
 *   seconds before. Delayed data itself neither contradicts nor confirms.
 */
export function confirmBreach(watch: BreachWatch | undefined, seen: BreachLook, rules: MarkRules = DEFAULT_MARK_RULES): BreachStep {
  const { book, stop, clock, mono } = seen;
  const isLive = (mark: Mark): boolean => markAgeMs(mark, clock, rules) <= rules.freshMsMax;
  const judged = freshestOf(STOP_SOURCES, book, rules);

  if (!judged || !isLive(judged)) {
    if (watch) return { ...believe(watch, seen, rules), ...(judged && { mark: judged }) };
    const { portfolio } = book;
    if (portfolio && isLive(portfolio) && isBeyond(portfolio.price, stop)) return portfolioAlone(portfolio, { judged, stop, mono });
    return { watch: undefined, verdict: 'blind', because: judged ? `the ${judged.source} mark is stale` : 'no live source yet' };
  }
  if (!isBeyond(judged.price, stop)) {
    // The better source wins while it goes on reporting; a later mark beyond the stop that it never answers is believed in time.
    const newer = STOP_SOURCES.map(source => book[source]).find(
      mark => mark !== undefined && mark.at > judged.at && isLive(mark) && isBeyond(mark.price, stop),
    );
    if (!newer) return { watch: undefined, verdict: 'clear', because: `${judged.source} is on the good side`, mark: judged };
    return { ...believe(watch ?? suspicionOf(newer, mono), seen, rules), mark: newer };
  }

  const began = watch ?? suspicionOf(judged, mono);
  const second = BY_PRIORITY.map(source => book[source]).find(
    mark =>
      mark !== undefined &&
      mark.source !== judged.source &&
      isLive(mark) &&
      isBeyond(mark.price, stop) &&
      areNear(mark.price, judged.price, rules),
  );
  if (second) return { ...confirmed(began, `${judged.source} and ${second.source} agree`), mark: judged };
  const isNext = judged.source !== began.source || judged.receivedAt > began.receivedAt;
  if (isNext && areNear(began.price, judged.price, rules))
    return { ...confirmed(began, `two successive marks, ${began.source} then ${judged.source}`), mark: judged };
  const { source, receivedAt, price } = judged;
  return { ...believe(isNext ? { ...began, source, receivedAt, price } : began, seen, rules), mark: judged };
}

const suspicionOf = ({ source, receivedAt, price }: Mark, mono: MonoMs): BreachWatch => ({ firstSeenAt: mono, source, receivedAt, price });

/** A breach that waits for what would contradict or confirm it. */
export const isSuspected = (watch: BreachWatch | undefined): boolean => watch !== undefined && watch.isConfirmed !== true;

const areNear = (a: Micros, b: Micros, { agreeBps }: MarkRules): boolean => Math.abs(a - b) * 10_000 <= Math.max(a, b) * agreeBps;

const confirmed = (watch: BreachWatch, because: string): BreachStep => ({
  watch: { ...watch, isConfirmed: true },
  verdict: 'confirmed',
  because,
});

/** No new evidence: believed already, believed by the passing of time, or still only suspected. */
function believe(watch: BreachWatch, { mono, heard }: BreachLook, rules: MarkRules): BreachStep {
  if (watch.isConfirmed) return { watch, verdict: 'confirmed', because: 'confirmed before and not contradicted since' };
  const from = Math.max(watch.firstSeenAt, heard.since);
  const waitedMs = mono - from;
  if (waitedMs >= rules.confirmMsMax && heard.until - from >= rules.confirmMsMax - rules.heardWithinMs)
    return confirmed(watch, `not contradicted for ${waitedMs} ms`);
  return { watch, verdict: 'suspected', because: `one ${watch.source} mark, not contradicted for ${waitedMs} ms` };
}

/** The portfolio's price may be minutes old: alone it only warns; with any other source beyond the stop, however old, it confirms. */
function portfolioAlone(
  portfolio: Mark,
  { judged, stop, mono }: { readonly judged: Mark | undefined; readonly stop: StopLevel; readonly mono: MonoMs },
): BreachStep {
  if (judged && isBeyond(judged.price, stop)) {
    const began = suspicionOf(portfolio, mono);
    return { ...confirmed(began, `portfolio and an older ${judged.source} mark agree`), mark: portfolio };
  }
  return {
    watch: undefined,
    verdict: 'blind',
    because: 'only the portfolio is beyond the stop, and it never decides alone',
    mark: portfolio,
  };
}

/**
 * The price behind a P&L answer: value ÷ (quantity × multiplier), to the nearest micro-dollar. −$5,043.00 for −100 shares → $50.43.
 * Undefined for a flat position or a value that makes no price.
 */
export function priceFromValue(value: Micros, quantity: number, multiplier = 1): Micros | undefined {
  if (quantity === 0) return undefined;
  const price = Math.round(value / (quantity * multiplier));
  return price > 0 && Number.isSafeInteger(price) ? micros(price) : undefined;
}

/**
 * The price behind a quote: the last trade held inside bid and ask, since a lone last may be minutes old. Without a last the middle;
 * without a believable quote (a side missing, told as 0, or crossed) the last. 50.00 / 50.04 with last 50.10 → 50.04.
 */
export function priceFromQuote({
  bid,
  ask,
  last,
}: {
  readonly bid: Micros;
  readonly ask: Micros;
  readonly last: Micros;
}): Micros | undefined {
  if (bid > 0 && ask >= bid) return last > 0 ? micros(Math.min(Math.max(last, bid), ask)) : micros(Math.round((bid + ask) / 2));
  return last > 0 ? last : undefined;
}

/** The later of two moments, for keeping `marketMovedAt`. */
export const later = (one: EpochMs, other: EpochMs): EpochMs => epochMs(Math.max(one, other));
