/** The exit manager's rules, from the configuration. Ratios in basis points of the reference price, times as their names say. */
export interface ExitRules {
  readonly targetBps: number;
  readonly stopBps: number;
  readonly disasterStopBps: number;
  /** From this gain on the stop follows the best price, `trailGiveBackBps` behind it. Null: it stays where it is. */
  readonly trailArmBps: number | null;
  readonly trailGiveBackBps: number;
  readonly protection: 'monitored' | 'guarded' | 'resting';
  /** Flat this many minutes before the session's own close. */
  readonly flatMinutesBeforeClose: number;
  /** A cancel unanswered for this long is asked about; after as long again its order is re-priced instead (A7). */
  readonly cancelAnswerMs: number;
  /** A market IOC unanswered for this long is asked about, never sent again (A5). */
  readonly exitAnswerMs: number;
  /** Rejected sells before the symbol is quarantined, and how often it is retried then. */
  readonly failedSellsMax: number;
  readonly quarantineRetryMs: number;
  /** Pauses after refusals that speak of the moment only (pacing, a closed exchange); the last one repeats … */
  readonly transientRetryMs: readonly number[];
  /** … and after this long without a sale that traded they count as failed sells too. */
  readonly transientDeadlineMs: number;
  /** Deadline of each snapshot before it is asked again; after two the connection is made anew. */
  readonly snapshotDeadlineMs: number;
  readonly reconcileEveryMs: number;
  /** A position answer that executions do not explain counts after two answers this far apart. */
  readonly positionAgreeMs: number;
  /** Blind for this long (exchange time): the stop rests at its real level. Sighted again for as long: it is watched again. */
  readonly blindMs: number;
}

export const DEFAULT_EXIT_RULES: ExitRules = {
  targetBps: 180,
  stopBps: 90,
  disasterStopBps: 180,
  trailArmBps: null,
  trailGiveBackBps: 60,
  protection: 'guarded',
  flatMinutesBeforeClose: 15,
  cancelAnswerMs: 2_000,
  exitAnswerMs: 10_000,
  failedSellsMax: 3,
  quarantineRetryMs: 60_000,
  transientRetryMs: [250, 500, 1_000, 2_000, 5_000],
  transientDeadlineMs: 60_000,
  snapshotDeadlineMs: 5_000,
  reconcileEveryMs: 60_000,
  positionAgreeMs: 10_000,
  blindMs: 15_000,
};
