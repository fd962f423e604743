import { DEFAULT_PHASE_RULES } from '../calendar.js';
import { DEFAULT_ENTRY_RULES, type EntryRules } from '../strategies/decide-entry.js';
import type { GapAndGoRules } from '../strategies/gap-and-go.js';
import type { StandardRules } from '../strategies/standard.js';

/** The day trader's rules, from the configuration. Ratios in basis points, times as their names say. */
export interface DayTraderRules {
  /** Symbols to follow, in order of importance. */
  readonly watchlist: readonly string[];
  /** Adds what the broker's scan finds. Its list comes about every 30 s; it is taken over every `scanRefreshMinutes` of exchange time. */
  readonly useScanner: boolean;
  readonly scanCode: string;
  readonly scanRefreshMinutes: number;
  /** The best rows of the scan that are followed. */
  readonly scanRowsMax: number;
  /** Followed in all. Each symbol takes two market-data lines (bars and quotes) and an account has 100 by default (IB docs, "Market data lines"). */
  readonly symbolsMax: number;
  /** Contract and history requests in flight at most (A11: six parallel workers). */
  readonly analysisWorkers: number;
  /** False in observe mode and unarmed: everything is decided and recorded, nothing is claimed or sent. */
  readonly entriesEnabled: boolean;
  /** Fraction of net liquidation for one entry, above 0 and at most 1. */
  readonly allocation: number;
  /** Positions and claims at the same time, adopted positions included. */
  readonly maxPositions: number;
  /**
   * Both buy at the ask plus the buffer at most. `resting` (A11, B1): a limit order that stays for `ttlSeconds` and dies at the broker by
   * itself (GTD). `immediate`: takes what stands there now, and the rest is cancelled at once (IOC).
   */
  readonly entryStyle: 'resting' | 'immediate';
  readonly ttlSeconds: number;
  /** How far above the ask the limit may lie. */
  readonly limitBufferBps: number;
  /** Where the exit manager will put the stop: an entry whose spread is more than a third of it is not made. */
  readonly stopBps: number;
  readonly noEntriesMinutesBeforeClose: number;
  readonly flatMinutesBeforeClose: number;
  /** Delayed data may drive entries in demo, observe and paper; live needs live data unless overridden (DESIGN §10). */
  readonly delayedDataAllowed: boolean;
  /** A quote older than this (exchange time) buys nothing. */
  readonly quoteAgeMsMax: number;
  /** Entries of one symbol the broker may reject before it is left alone for the day. */
  readonly rejectionsMax: number;
  readonly gapAndGo: GapAndGoRules;
  readonly standard: StandardRules;
  /** Machine time for an answer to an entry or a cancel, before the broker is asked and then the connection made anew. */
  readonly answerMs: number;
  /** Deadline of each snapshot before it is asked again; after two the connection is made anew. */
  readonly snapshotDeadlineMs: number;
  readonly reconcileEveryMs: number;
  /** Machine time between two answers that must both miss an entry before it counts as gone; the second is asked for on purpose. */
  readonly goneAgreeMs: number;
}

export const DEFAULT_DAY_TRADER_RULES: DayTraderRules = {
  watchlist: [],
  useScanner: false,
  scanCode: 'TOP_PERC_GAIN',
  scanRefreshMinutes: 15,
  scanRowsMax: 20,
  symbolsMax: 50,
  analysisWorkers: 6,
  entriesEnabled: true,
  allocation: 0.25,
  maxPositions: 4,
  entryStyle: 'resting',
  ttlSeconds: 90,
  limitBufferBps: 10,
  stopBps: 90,
  noEntriesMinutesBeforeClose: DEFAULT_PHASE_RULES.noEntriesMinutesBeforeClose,
  flatMinutesBeforeClose: DEFAULT_PHASE_RULES.flatMinutesBeforeClose,
  delayedDataAllowed: false,
  quoteAgeMsMax: 30_000,
  rejectionsMax: 3,
  gapAndGo: DEFAULT_ENTRY_RULES.gapAndGo,
  standard: DEFAULT_ENTRY_RULES.standard,
  answerMs: 5_000,
  snapshotDeadlineMs: 5_000,
  reconcileEveryMs: 60_000,
  goneAgreeMs: 10_000,
};

/** Delayed data is 15 minutes old by nature; a bar of it is not stale because of that. */
const DELAYED_BAR_AGE_MS_MAX = 17 * 60_000;

/** What the strategies need to know of these rules. */
export const strategyRulesOf = (rules: DayTraderRules): EntryRules => ({
  phases: {
    noEntriesMinutesBeforeClose: rules.noEntriesMinutesBeforeClose,
    flatMinutesBeforeClose: rules.flatMinutesBeforeClose,
  },
  gapAndGo: rules.gapAndGo,
  standard: rules.standard,
  barAgeMsMax: rules.delayedDataAllowed ? DELAYED_BAR_AGE_MS_MAX : DEFAULT_ENTRY_RULES.barAgeMsMax,
});
