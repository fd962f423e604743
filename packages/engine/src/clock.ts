import type { Clock } from '@holdfast/core/ports';
import { type EpochMs, epochMs, type MonoMs } from '@holdfast/core/units';

/** A clock that learns exchange time from the gateway's words. */
export interface ExchangeClock extends Clock {
  /** The gateway says it is now `seconds` (epoch, whole seconds: message 49). */
  told(seconds: number): void;
  /** A process of this desk wrote at `at`: by its own clock it was at least so late. Nothing before the gateway's first word. */
  written(at: EpochMs): void;
}

/** What the machine can tell: never scaled, and only the wall clock can step. */
export interface MachineTime {
  mono(): MonoMs;
  wall(): EpochMs;
}

/**
 * A word that reached another process in better time than ours puts its clock so far before ours at most. What lies farther ahead was written by no
 * clock that a gateway had told its time.
 */
const AHEAD_MS_MAX = 5_000;

/**
 * Exchange time, as last told by the gateway and carried on by machine time at 1×.
 *
 * - A word is cut to whole seconds and arrives late, so each one is a lower bound of the truth: the largest (word − machine time at receipt)
 *   is the best we know, and at 1× it settles within the wire's delay of a second's start. A gateway that runs fast says a word
 *   at each exchange second, and each raises the offset.
 * - What a predecessor wrote is a lower bound too: behind it, a successor's words would look older than those on record, and be dropped where kept
 *   steps are merged (I6).
 * - Never goes back once a first word came: a bar, a TTL or a phase must not happen twice. Before it, this is the machine's wall clock.
 */
export function createExchangeClock(machine: MachineTime): ExchangeClock {
  let offset: number | null = null;
  return {
    mono: () => machine.mono(),
    exchange: () => (offset === null ? machine.wall() : epochMs(Math.floor(machine.mono() + offset))),
    told(seconds) {
      const heard = seconds * 1000 - machine.mono();
      if (offset === null || heard > offset) offset = heard;
    },
    written(at) {
      if (offset === null) return;
      const heard = at - machine.mono();
      if (heard > offset && heard - offset <= AHEAD_MS_MAX) offset = heard;
    },
  };
}
