import type { Clock } from '@holdfast/core/ports';
import { type EpochMs, epochMs, type MonoMs } from '@holdfast/core/units';

/** A clock that learns exchange time from the gateway's words. */
export interface ExchangeClock extends Clock {
  /** The gateway says it is now `seconds` (epoch, whole seconds: message 49). */
  told(seconds: number): void;
}

/** What the machine can tell: never scaled, and only the wall clock can step. */
export interface MachineTime {
  mono(): MonoMs;
  wall(): EpochMs;
}

/**
 * Exchange time, as last told by the gateway and carried on by machine time at 1×.
 *
 * - A word is cut to whole seconds and arrives late, so each one is a lower bound of the truth: the largest (word − machine time at receipt)
 *   is the best we know, and at 1× it settles within the wire's delay of a second's start. A gateway that runs fast says a word
 *   at each exchange second, and each raises the offset.
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
  };
}
