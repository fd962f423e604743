import type { EpochMs } from '@holdfast/core/units';
import type { CareLine } from './care-ledger.js';
import { type Audit, dollars, type Stand } from './ground.js';
import { markOf } from './violation.js';

/** A cent, in micro-dollars: of a stock at $7.60 it is 13 basis points. */
const TICK = 10_000;

/**
 * I3, the other way round: nothing is let go because of a stop that was never touched. A decision for the reason `stop` must follow a mark at
 * or beyond the tightest stop the reference allows (`stopToleranceBps` of it besides, and the tick to which a level is rounded), at the exchange and not only in the worker's opinion,
 * within `touchRememberedMs` of exchange time: a mark may be late, a worker may have stood still. So a single crazy mark, or data that is
 * not live, sells nothing.
 *
 * Allowed: a position that was adopted while its marks did not flow has its levels from whatever mark there was; a split suspends the levels.
 */
export function noFalseStop({ ground, rules, say }: Stand): Audit {
  const { bounds } = rules;
  const touched = new Map<number, EpochMs>();
  /** Adopted while nobody could see a true mark: the reference is anybody's guess. */
  const guessed = new Set<number>();

  const stopOf = ({ held, low, high }: CareLine): number =>
    held > 0
      ? high * (1 - (rules.stopBps - bounds.stopToleranceBps) / 10_000) + TICK
      : low * (1 + (rules.stopBps - bounds.stopToleranceBps) / 10_000) - TICK;

  const look = (conId: number, line: CareLine, mark: number): void => {
    const isBeyond = line.held > 0 ? mark <= stopOf(line) : mark >= stopOf(line);
    if (mark > 0 && isBeyond) touched.set(conId, ground.now);
    if (line.isBeingAdopted && ground.roster.isBlind(conId)) guessed.add(conId);
  };

  return {
    quote: (quote, line) => look(quote.conId, line, markOf(quote)),
    execution({ execution, line }) {
      const { conId } = execution;
      if (line.held !== 0) look(conId, line, ground.mark(conId));
      else {
        touched.delete(conId);
        guessed.delete(conId);
      }
    },
    fact(fact) {
      if (fact.fact !== 'decided' || fact.reason !== 'stop') return;
      const { conId } = fact;
      const line = ground.ledger.known(conId);
      if (!line || line.held === 0 || line.isSplit || ground.isHandsOff(conId)) return;
      look(conId, line, ground.mark(conId));
      const at = touched.get(conId);
      if (guessed.has(conId) || (at !== undefined && ground.now - at <= bounds.touchRememberedMs)) return;
      const mark = dollars(ground.mark(conId));
      say(
        conId,
        `${line.held} shares are let go for a stop that was not touched: mark ${mark}, stop ${dollars(stopOf(line))} at the tightest`,
      );
    },
  };
}
