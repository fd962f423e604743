/**
 * Every allowance of the referees in one place. "Reaction time" is exchange time in which the exit manager could react: alive, connected,
 * READY, the broker reachable, its messages neither delayed nor lost by a fault. Machine time is never scaled.
 */
export interface Bounds {
  /** I1, I4, I9: reaction time after the operator's own trade, or after the exchange corrected an execution, in which it is nobody's fault. */
  readonly operatorGraceMs: number;
  /** I1: reaction time in which a position that our own exit crossed into must be gone again. */
  readonly buyBackMsMax: number;
  /** I1: reaction time for which more exits may rest than is held (a partly filled group shrinks, a manual sale was just heard of). */
  readonly excessExitsMsMax: number;
  /** I2: how long, in machine time with the broker reachable, a position may have no protection. */
  readonly unguardedMsMax: number;
  /**
   * I2: so much more where a start of the exit manager hung before its first heartbeat: it is given 10 s to that instead of 5 s between two
   * (`firstBeatMsMax`, `stillMsMax` of the supervision's policy).
   */
  readonly hungStartMs: number;
  /**
   * I2: reaction time without live marks after which the stop must rest at its real level: a mark counts for 10 s, the exit manager's
   * patience is 15 s, and a simulated market moves every 10 s.
   */
  readonly blindMsMax: number;
  /** I2: the same where the marks of all instruments stand still, which looks like a quiet market for 60 s. */
  readonly silentMsMax: number;
  /** I2: how far a stop may lie beyond its level, in basis points of the reference, and still count. */
  readonly stopToleranceBps: number;
  /** I3, I2: reaction time in which an adopted position takes its reference from the mark. */
  readonly adoptMsMax: number;
  /** I3: a stop may be decided on so long after the exchange touched it (exchange time): late marks, a worker that stood still. */
  readonly touchRememberedMs: number;
  /** I2: machine time after the guard was last able to act in which an entry may still leave. */
  readonly guardGoneMs: number;
  /** I2, `guarded`: reaction time until a disaster stop rests for everything held. Not judged where nobody gives it. */
  readonly restWithinMs: number;
  /** I3: the mark must stay beyond the stop this long before it counts, exchange time. */
  readonly touchSustainedMs: number;
  /** I3: then this long until flat or a marketable exit, reaction time. */
  readonly exitWithinMs: number;
  /** I3, I7: the same, whoever lives: exchange time in which the symbol traded and the broker was reachable. No series of crashes may last longer. */
  readonly exitWithinCrashesMs: number;
  /** I1, I2, I3, I7: how long the next try may take after exchange or gateway refused an exit, reaction time (quarantine retries every 60 s). */
  readonly retryWithinMs: number;
  /** I7: from the end-of-day time until flat or a marketable exit, reaction time. */
  readonly flatWithinMs: number;
  /** I7: after the close, until a GTC stop or a queued sale stands for what could not be sold, reaction time. */
  readonly carriedWithinMs: number;
  /** I8: machine time from the kill switch to the last entry that may still leave a process (an intent may wait 1 s between commit and send). */
  readonly killSwitchMs: number;
  /** I8: the same up to its arrival, for entries whose sending nobody told; and for how long an entry may outlive its good-till time. Exchange time. */
  readonly inFlightMs: number;
  /** I8: how long an entry without a good-till time of its own may work on after the kill switch, exchange time. */
  readonly entryLifeMsMax: number;
  /** I9: how far an entry may exceed allocation × net liquidation, which the day trader hears of with a delay. Basis points. */
  readonly sizeToleranceBps: number;
  /** I9: how old the day trader's word of net liquidation may be, exchange time: the account stream's three minutes and some seconds. */
  readonly equityAgeMs: number;
  /** I11: machine time from the end of faults to READY. */
  readonly exitManagerReadyMs: number;
  /** I11: the same for the day trader, whose restarts are backed off up to 30 s. */
  readonly dayTraderReadyMs: number;
}

export const DEFAULT_BOUNDS: Bounds = {
  operatorGraceMs: 2_000,
  buyBackMsMax: 15_000,
  excessExitsMsMax: 20_000,
  unguardedMsMax: 6_000,
  hungStartMs: 5_000,
  blindMsMax: 35_000,
  silentMsMax: 90_000,
  stopToleranceBps: 10,
  adoptMsMax: 30_000,
  touchRememberedMs: 120_000,
  guardGoneMs: 3_000,
  restWithinMs: Number.POSITIVE_INFINITY,
  touchSustainedMs: 3_000,
  exitWithinMs: 15_000,
  exitWithinCrashesMs: 60_000,
  retryWithinMs: 75_000,
  flatWithinMs: 60_000,
  carriedWithinMs: 60_000,
  killSwitchMs: 1_500,
  inFlightMs: 2_000,
  entryLifeMsMax: 150_000,
  sizeToleranceBps: 200,
  equityAgeMs: 190_000,
  exitManagerReadyMs: 15_000,
  dayTraderReadyMs: 45_000,
};
