import { type EpochMs, epochMs, type MonoMs, monoMs } from '@holdfast/core/units';
import type { MachineTime } from '@holdfast/engine/clock';

/**
 * The two clocks of a simulated desk. Both move only here, and only forward: machine time, which every process of the machine shares, and
 * exchange time, which the gateway tells. Workers get the reading half alone (STYLE §1.7).
 */
export class WorldTime implements MachineTime {
  #mono: number;
  #exchange: number;
  /** What somebody did to the machine's wall clock: only that one can step. */
  wallStepMs = 0;

  constructor(start: EpochMs) {
    // Machine time has no zero that means anything; this one leaves room for "long ago".
    this.#mono = 1_000_000;
    this.#exchange = start;
  }

  mono = (): MonoMs => monoMs(this.#mono);
  exchange = (): EpochMs => epochMs(this.#exchange);
  wall = (): EpochMs => epochMs(this.#exchange + this.wallStepMs);

  /** Both pass together, as they do live. @param ms whole milliseconds, not negative */
  pass(ms: number): void {
    this.#mono += ms;
    this.#exchange += ms;
  }

  /** Only the machine's time passes: the way of a message, a commit, a boot. */
  passMachine(ms: number): void {
    this.#mono += ms;
  }

  /** The exchange runs ahead of the machine: a paced gateway at work, a night, or a machine that was suspended. */
  passExchange(ms: number): void {
    this.#exchange += ms;
  }
}
