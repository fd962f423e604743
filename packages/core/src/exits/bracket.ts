import type { Tracked } from './desk.js';

/**
 * Where the exits of one position are. The phase is read off what is held, decided and working, and never stored, so that no crash can leave it
 * wrong. A LOST order is in no phase: it counts in `sellableShares` until its fate is known, and only a successor under its own id may replace it.
 */
export type BracketPhase =
  | 'idle' // nothing held, nothing works
  | 'bare' // held, and nothing covers it yet
  | 'resting' // target and stops rest, in one group
  | 'leftover' // a sale works that nobody decided: its plan was lost with its process; nothing new before its word
  | 'withdrawing' // the exit is decided, something still rests: on its way out, or kept (quarantine, carried over the close)
  | 'repricing' // the exit is decided, one resting order was made marketable, and the cancels of its siblings are unanswered
  | 'pausing' // the exit is decided, nothing works: between two attempts
  | 'selling' // the exit is decided, one marketable order works
  | 'draining'; // nothing held any more, the last words of orders are still to be heard

/** What can happen to it. The first seven are heard, the last two are what we do. */
export type BracketEvent =
  | 'shares' // something is held
  | 'flat' // nothing is
  | 'decided' // the exit is decided, by a rule, a person or the clock
  | 'forgotten' // the plan is gone: the trade reopened, or a restart lost it
  | 'restsEnded' // the last resting order has ended
  | 'saleEnded' // the last marketable order has ended
  | 'repriced' // one resting order, alone or with siblings of its group, became marketable
  | 'rested' // we send an order that rests
  | 'sold'; // we send a marketable order

/** Why something must not be done. */
export type BracketSurprise =
  | 'nothing is held'
  | 'nobody decided to sell'
  | 'two sellers at once'
  | 'nothing rests that could be re-priced';

const NOTHING_HELD = { surprise: 'nothing is held' } as const;
const UNDECIDED = { surprise: 'nobody decided to sell' } as const;
const TWO_SELLERS = { surprise: 'two sellers at once' } as const;
const NOTHING_RESTS = { surprise: 'nothing rests that could be re-priced' } as const;

/** What follows: one phase, one of several (the orders left behind tell which), or a surprise. */
type Cell = BracketPhase | readonly BracketPhase[] | { readonly surprise: BracketSurprise };

/** Every phase × event. */
export const BRACKET = {
  idle: {
    shares: ['bare', 'pausing'],
    flat: 'idle',
    decided: 'idle',
    forgotten: 'idle',
    restsEnded: 'idle',
    saleEnded: 'idle',
    repriced: NOTHING_RESTS,
    rested: NOTHING_HELD,
    sold: NOTHING_HELD,
  },
  bare: {
    shares: 'bare',
    flat: 'idle',
    decided: 'pausing',
    forgotten: 'bare',
    restsEnded: 'bare',
    saleEnded: 'bare',
    repriced: NOTHING_RESTS,
    rested: 'resting',
    sold: UNDECIDED,
  },
  resting: {
    shares: 'resting',
    flat: 'draining',
    decided: 'withdrawing',
    forgotten: 'resting',
    restsEnded: 'bare',
    saleEnded: 'resting',
    repriced: UNDECIDED,
    rested: 'resting',
    sold: UNDECIDED,
  },
  leftover: {
    shares: 'leftover',
    flat: 'draining',
    decided: ['selling', 'repricing'],
    forgotten: 'leftover',
    restsEnded: 'leftover',
    saleEnded: ['bare', 'resting'],
    repriced: UNDECIDED,
    rested: TWO_SELLERS,
    sold: UNDECIDED,
  },
  withdrawing: {
    shares: 'withdrawing',
    flat: 'draining',
    decided: 'withdrawing',
    forgotten: 'resting',
    restsEnded: 'pausing',
    saleEnded: 'withdrawing',
    repriced: ['selling', 'repricing'],
    rested: 'withdrawing',
    sold: TWO_SELLERS,
  },
  repricing: {
    shares: 'repricing',
    flat: 'draining',
    decided: 'repricing',
    forgotten: 'leftover',
    restsEnded: 'selling',
    saleEnded: 'withdrawing',
    repriced: TWO_SELLERS,
    rested: TWO_SELLERS,
    sold: TWO_SELLERS,
  },
  pausing: {
    shares: 'pausing',
    flat: 'idle',
    decided: 'pausing',
    forgotten: 'bare',
    restsEnded: 'pausing',
    saleEnded: 'pausing',
    repriced: NOTHING_RESTS,
    rested: 'withdrawing',
    sold: 'selling',
  },
  selling: {
    shares: 'selling',
    flat: 'draining',
    decided: 'selling',
    forgotten: 'leftover',
    restsEnded: 'selling',
    saleEnded: 'pausing',
    repriced: NOTHING_RESTS,
    rested: TWO_SELLERS,
    sold: TWO_SELLERS,
  },
  draining: {
    shares: ['resting', 'leftover', 'withdrawing', 'repricing', 'selling'],
    flat: 'draining',
    decided: 'draining',
    forgotten: 'draining',
    restsEnded: ['idle', 'draining'],
    saleEnded: ['idle', 'draining'],
    repriced: NOTHING_HELD,
    rested: NOTHING_HELD,
    sold: NOTHING_HELD,
  },
} as const satisfies Record<BracketPhase, Record<BracketEvent, Cell>>;

/** The facts a phase is read off. `rests`, `sells`: orders of ours that are neither final nor LOST. */
export interface BracketFacts {
  readonly isHeld: boolean;
  readonly isDecided: boolean;
  readonly rests: number;
  readonly sells: number;
}

export function phaseOf({ isHeld, isDecided, rests, sells }: BracketFacts): BracketPhase {
  if (!isHeld) return rests + sells > 0 ? 'draining' : 'idle';
  if (!isDecided) return sells > 0 ? 'leftover' : rests > 0 ? 'resting' : 'bare';
  if (rests > 0) return sells > 0 ? 'repricing' : 'withdrawing';
  return sells > 0 ? 'selling' : 'pausing';
}

/** Marketable already: a sale, or a resting order that was turned into one. */
export const isSelling = ({ order, isRepriced }: Pick<Tracked, 'order' | 'isRepriced'>): boolean => order.role === 'exit' || isRepriced;

/**
 * A stop that was triggered and has begun to sell. It rests no more, though it still follows what is held: the price may turn again, the order
 * does not. It is the sale then, and never cancelled for another one. One whose cancel is asked for already is on its way out; one that a change
 * armed anew (PreSubmitted until its price is touched again: reference/ibkr-behaviour.md §3) sells nothing and rests. One that a complete answer
 * does not list may be over with all that the broker knew of it: it is asked to go, which tells.
 */
export const isTriggered = ({ order, isHeldBack, missingSince }: Pick<Tracked, 'order' | 'isHeldBack' | 'missingSince'>): boolean =>
  order.type === 'STP' && order.filled > 0 && order.status === 'SUBMITTED' && !isHeldBack && missingSince === null;

/** The facts of one position from its live exit orders. */
export function bracketFacts(live: readonly Tracked[], about: { readonly held: number; readonly isDecided: boolean }): BracketFacts {
  const known = live.filter(({ order }) => order.status !== 'LOST');
  const sells = known.filter(isSelling).length;
  return { isHeld: about.held !== 0, isDecided: about.isDecided, rests: known.length - sells, sells };
}

/** Why what we are about to do must not be done in this phase; null when the table allows it. */
export function surpriseOf(phase: BracketPhase, event: BracketEvent): BracketSurprise | null {
  const cell: Cell = BRACKET[phase][event];
  return typeof cell === 'object' && 'surprise' in cell ? cell.surprise : null;
}
