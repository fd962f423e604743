import { flatFrom, isRegularHours, sessionAt } from '../calendar.js';
import { type BreachStep, type BreachWatch, bestMark, confirmBreach, DEFAULT_MARK_RULES, type Hearing, later } from '../market/mark.js';
import { epochMs, monoMs, type Shares } from '../units.js';
import type { Care } from './care.js';
import { askExecutions, type Draft, edit, emit, mayAct, NO_SIGHT, type Sight, updateLink } from './desk.js';
import { isOvershot } from './sellable.js';
import { isSuspended } from './split.js';
import { stopReason } from './trail.js';

/** Machine time between two questions whose answer would end a doubt. */
const ASK_FOR_A_WORD_MS = 1_000;

export type ExitDecision =
  | { readonly kind: 'hold'; readonly because: string }
  | { readonly kind: 'exit'; readonly reason: string; readonly detail: string };

/**
 * Should this position be let go now? Rules are tried top to bottom; the first that fires names the reason. The target is no rule here:
 * it rests at the broker as a limit order.
 */
export function decideExit(d: Draft, care: Care, held: Shares): ExitDecision {
  if (isOvershot(d.s, care, held))
    return { kind: 'exit', reason: 'overshoot', detail: `${held} shares left after a sale overshot: bought back at once` };

  // The clock needs no quote: a silent feed must never carry a day trade overnight.
  const session = sessionAt(d.at);
  const flatBy = flatFrom(session, { noEntriesMinutesBeforeClose: 0, flatMinutesBeforeClose: d.s.rules.flatMinutesBeforeClose });
  if (session.isTradingDay && d.at >= flatBy && d.at < session.close)
    return { kind: 'exit', reason: 'end-of-day', detail: `flat before the session's close` };

  if (!care.levels) return { kind: 'hold', because: 'no levels yet' };
  const unwatched = whyUnwatched(d, care);
  if (unwatched !== null) {
    forgetBreach(d, care);
    return { kind: 'hold', because: unwatched };
  }
  const step = look(d, care);
  if (step.verdict !== 'confirmed') return { kind: 'hold', because: step.because };
  if (step.mark && isSuspended(d, care, step.mark.price)) return { kind: 'hold', because: 'an overnight jump that fits a split' };
  const price = step.mark ? step.mark.price / 1e6 : Number.NaN;
  return {
    kind: 'exit',
    reason: stopReason(care),
    detail: `mark ${price.toFixed(4)} at or beyond ${(care.levels.stop / 1e6).toFixed(4)} (${step.because})`,
  };
}

function whyUnwatched(d: Draft, care: Care): string | null {
  if (!isRegularHours(d.at)) return 'stops act in regular hours only';
  return d.s.rules.protection === 'resting' && !care.restStop ? 'the stop rests at the broker' : null;
}

/** A breach seen before nobody looked is not one that the first mark of the morning confirms. */
function forgetBreach(d: Draft, { contract }: Care): void {
  const sight = d.s.sights.get(contract.conId);
  if (sight?.breach) edit(d, 'sights').set(contract.conId, { ...sight, breach: undefined });
}

/** Judges the stop by the newest marks and keeps what was seen; blindness that lasts makes the stop rest at its real level. */
function look(d: Draft, care: Care): BreachStep {
  const { conId } = care.contract;
  const sight = d.s.sights.get(conId) ?? NO_SIGHT;
  const clock = { now: d.at, marketMovedAt: d.s.marketMovedAt };
  const stop = { side: care.side > 0 ? ('long' as const) : ('short' as const), level: care.levels?.stop ?? (0 as never) };
  const heard = hearing(d);
  const step = confirmBreach(sight.breach, { book: sight.book, stop, clock, mono: d.mono, heard });
  if (step.verdict === 'suspected' && step.watch) askForAWord(d, step.watch, heard);
  const isBlind = step.verdict === 'blind' || bestMark(sight.book, clock)?.isLive !== true;
  const next: Sight = {
    ...sight,
    breach: step.watch,
    blindSince: isBlind ? (sight.blindSince ?? d.at) : null,
    seeingSince: isBlind ? null : (sight.seeingSince ?? d.at),
  };
  if (next.breach !== sight.breach || next.blindSince !== sight.blindSince || next.seeingSince !== sight.seeingSince)
    edit(d, 'sights').set(conId, next);
  return step;
}

/**
 * Soon nothing will have contradicted the breach for long enough, but the broker may not have been heard for all of it: it is asked for what it always
 * answers (the orders that rest, or the executions where none does), and the answer comes behind whatever it has said. So a true breach waits no
 * longer than the three seconds, or than that takes.
 */
function askForAWord(d: Draft, { firstSeenAt }: BreachWatch, { since }: Hearing): void {
  const { confirmMsMax, heardWithinMs } = DEFAULT_MARK_RULES;
  if (d.mono - Math.max(firstSeenAt, since) < confirmMsMax - heardWithinMs) return;
  const wordAskedAt = d.s.link.wordAskedAt ?? null;
  if (wordAskedAt !== null && d.mono - wordAskedAt < ASK_FOR_A_WORD_MS) return;
  updateLink(d, { wordAskedAt: d.mono });
  if ([...d.s.live.values()].some(refs => refs.length > 0)) emit(d, { do: 'request-open-orders' });
  else askExecutions(d, 0);
}

/** Without a line to the broker, or before what it has to say was heard, silence contradicts nothing. A tick that does not tell (of an old journal) was taken for a word. */
function hearing(d: Draft): Hearing {
  if (!mayAct(d)) return { since: d.mono, until: d.mono };
  const { heardSince, heardAt } = d.s.link;
  return { since: heardSince ?? monoMs(0), until: heardAt ?? d.mono };
}

/** Whether the stop must rest at its real level: blind for long enough, and not seeing again for as long (hysteresis against flapping). */
export function needsRestingStop(d: Draft, care: Care): boolean {
  const sight = d.s.sights.get(care.contract.conId) ?? NO_SIGHT;
  const { blindMs } = d.s.rules;
  if (sight.blindSince !== null) return care.restStop || d.at - sight.blindSince >= blindMs;
  return care.restStop && (sight.seeingSince === null || d.at - sight.seeingSince < blindMs);
}

export const marketMoved = (d: Draft): void => {
  d.s = { ...d.s, marketMovedAt: later(d.s.marketMovedAt, epochMs(d.at)) };
};
