import type { EpochMs } from '@holdfast/core/units';
import type { Quote } from '../exchange-types.js';
import type { CareLine } from './care-ledger.js';
import { Debt } from './debt.js';
import {
  type Audit,
  dollars,
  exitSideOf,
  type Ground,
  isMarketable,
  isOver,
  isRefusedExit,
  isSwallowedExit,
  type Stand,
} from './ground.js';
import type { Measurements } from './measures.js';
import { isExitClient, markOf } from './violation.js';

/** One way to look at a position: what counts as time, and what is owed since the stop was touched. */
interface Clock {
  touchedAt: EpochMs | null;
  debt: Debt | null;
}

interface Watch {
  /** As the exit manager can see it: interrupted whenever it cannot. */
  readonly seen: Clock;
  /** As the world is, whoever lives. */
  readonly any: Clock;
  wasInterrupted: boolean;
  /** Touched at, for the measurement; null once disturbed. */
  undisturbedSince: EpochMs | null;
  /** The exchange refused the last marketable exit: the next may take longer. */
  isRetry: boolean;
  /** Said once; silent until the position is flat. */
  isSaid: boolean;
}

/**
 * I3: a touched stop leads to flat, or to an exit that trades now, within the bound: `exitWithinMs` of reaction time, and within
 * `exitWithinCrashesMs` of any time in which the symbol traded and the broker was reachable, so that no series of crashes excuses it.
 *
 * Allowed: a touch must hold for `touchSustainedMs` (a mark needs a second look); halts, closed hours, an unreachable broker and cut
 * marks stop the clock; who comes back from an interruption and finds the mark recovered owes nothing, for it judges by the mark it finds.
 * A new marketable order starts the clock afresh, also where the gateway swallows it, one that exchange or gateway refused with more patience
 * (`retryWithinMs`). The level is the loosest the reference allows: what was paid, or any mark of the time of adoption. A split suspends it. In
 * `resting` a stop that rests at its real level for all of it is the exchange's to trigger, by prints and not by marks.
 */
export function stopHonoured({ ground, rules, say }: Stand, measured: Measurements): Audit {
  const { bounds } = rules;
  const watches = new Map<number, Watch>();

  const answered = (watch: Watch): void => {
    if (watch.undisturbedSince !== null && watch.any.touchedAt !== null) measured.touchToExitMs.push(ground.now - watch.undisturbedSince);
    watch.undisturbedSince = null;
    reset(watch.seen);
    reset(watch.any);
  };

  const look = (quote: Quote, line: CareLine): void => {
    const { conId } = quote;
    const watch = watches.get(conId) ?? newWatch();
    watches.set(conId, watch);
    if (watch.isSaid || line.isSplit) return;
    const mark = markOf(quote);
    const isLong = line.held > 0;
    const stop = isLong ? line.low * (1 - rules.stopBps / 10_000) : line.high * (1 + rules.stopBps / 10_000);
    const isTouched = mark > 0 && (isLong ? mark <= stop : mark >= stop);
    const isRunning = ground.isTrading(conId) && !ground.roster.isBlind(conId);
    const isSeen = isRunning && ground.roster.canReact;

    if (!isTouched || !isSeen) watch.undisturbedSince = null;
    else if (watch.any.touchedAt === null && !watch.wasInterrupted) watch.undisturbedSince = ground.now;
    watch.any.debt?.pass(isRunning);
    step(watch.any, { ground, isTouched, isRunning, sustainedMs: bounds.touchSustainedMs });
    if (!isTouched) watch.any.debt = null;
    if (watch.wasInterrupted && isSeen && !isTouched) watch.seen.debt = null;
    // Who comes back has one look without the clock: a mark has to be heard first.
    watch.seen.debt?.pass(isSeen && !watch.wasInterrupted);
    step(watch.seen, { ground, isTouched, isRunning: isSeen, sustainedMs: bounds.touchSustainedMs });
    watch.wasInterrupted = !isSeen;

    const own = watch.seen.debt?.own ?? 0;
    const all = watch.any.debt?.all ?? 0;
    if (watch.seen.debt === null && watch.any.debt === null) return;
    const isTheExchanges = rules.protection === 'resting' && ground.isCovered(conId, line, rules.stopBps);
    if (isTheExchanges || ground.isLeaving(conId, line)) {
      answered(watch);
      return;
    }
    const within = watch.isRetry ? bounds.retryWithinMs : bounds.exitWithinMs;
    const isLate = own > within || all > Math.max(within, bounds.exitWithinCrashesMs);
    if (!isLate) return;
    watch.isSaid = true;
    const passed = own > within ? `${own} ms in which the exit manager could act` : `${all} ms with symbol and broker there`;
    say(conId, `stop ${dollars(stop)} touched (mark ${dollars(mark)}), ${line.held} shares held and no marketable exit for ${passed}`);
  };

  return {
    quote: look,
    execution({ execution, line }) {
      const watch = watches.get(execution.conId);
      if (!watch || line.held !== 0) return;
      answered(watch);
      watches.delete(execution.conId);
    },
    order({ order, before }) {
      const { conId, clientId, side } = order.request;
      const watch = watches.get(conId);
      const line = ground.ledger.known(conId);
      if (!watch || !line || line.held === 0 || !isExitClient(clientId) || side !== exitSideOf(line)) return;
      if (order.status === 'Inactive') {
        watch.isRetry = true;
        answered(watch);
      } else if (!isOver(order) && isMarketable(order, ground.quote(conId)) && (!before || !isMarketable(before, ground.quote(conId)))) {
        watch.isRetry = false;
        answered(watch);
      }
    },
    fact(fact) {
      if (isRefusedExit(fact) || isSwallowedExit(fact)) {
        const watch = watches.get(fact.conId);
        if (watch) {
          watch.isRetry ||= isRefusedExit(fact);
          answered(watch);
        }
        return;
      }
      if (ground.roster.canReact) return;
      for (const watch of watches.values()) {
        watch.wasInterrupted = true;
        watch.undisturbedSince = null;
        watch.seen.touchedAt = null;
      }
    },
  };
}

/** A touch that is sustained begins a debt. */
function step(
  clock: Clock,
  { ground, isTouched, isRunning, sustainedMs }: { ground: Ground; isTouched: boolean; isRunning: boolean; sustainedMs: number },
): void {
  clock.touchedAt = isTouched && isRunning ? (clock.touchedAt ?? ground.now) : null;
  if (clock.touchedAt !== null && ground.now - clock.touchedAt >= sustainedMs) clock.debt ??= new Debt(ground);
}

function reset(clock: Clock): void {
  clock.touchedAt = null;
  clock.debt = null;
}

const newWatch = (): Watch => ({
  seen: { touchedAt: null, debt: null },
  any: { touchedAt: null, debt: null },
  wasInterrupted: false,
  undisturbedSince: null,
  isRetry: false,
  isSaid: false,
});
