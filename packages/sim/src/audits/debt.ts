import type { EpochMs } from '@holdfast/core/units';
import type { Ground } from './ground.js';

/** Something is owed: for how long it could have been paid by now. */
export class Debt {
  /** Reaction time passed: the exit manager's own. */
  own = 0;
  /** Exchange time passed with the broker reachable, whoever lived. */
  all = 0;
  private at: EpochMs;
  private reacted: number;

  constructor(private readonly ground: Ground) {
    this.at = ground.now;
    this.reacted = ground.reactionMs();
  }

  /** Adds the time since the last look; `runs` is false where it does not count (a halt, after hours). */
  pass(runs: boolean): void {
    const { now, roster } = this.ground;
    const reacted = this.ground.reactionMs();
    if (runs) {
      this.own += reacted - this.reacted;
      if (roster.knowsProcesses && roster.brokerIsReachable) this.all += now - this.at;
    }
    this.at = now;
    this.reacted = reacted;
  }
}
