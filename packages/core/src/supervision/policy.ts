/**
 * The bounds of supervision, as data. All of them are machine time. The defaults are the design's (DESIGN.md §1); tests shorten them.
 * Restart intensity is a burst within a period, as in OTP; what follows the burst differs: the exit manager is started
 * minimal and never given up, the day trader is parked until a person looks.
 */
export interface SupervisionPolicy {
  /** A heartbeat counter that stands still for this long is a hang. */
  readonly stillMsMax: number;
  /** How long a fresh process may take to its first heartbeat. Generous: with both cores busy a start takes a second. */
  readonly firstBeatMsMax: number;
  /** Two starts of the exit manager lie at least this far apart. */
  readonly guardSpacingMs: number;
  /** This many crashes of the exit manager within the window: start it minimal. */
  readonly minimalAfterCrashes: number;
  readonly minimalWindowMs: number;
  /** Longest wait between two starts of an exit manager that refuses its configuration and has no earlier one to fall back on. */
  readonly configRetryMsMax: number;
  /** First wait of the day trader after a crash; doubles with every crash in the window. */
  readonly backoffFirstMs: number;
  readonly backoffMsMax: number;
  /** This many crashes of the day trader within the window: parked. */
  readonly parkAfterCrashes: number;
  readonly parkWindowMs: number;
  /** Two cancel-only starts of a parked day trader lie at least this far apart. */
  readonly cancelOnlyEveryMs: number;
  /** Alive but not READY for this long is told to the operator (the gateway may just be down), and again at each multiple. */
  readonly notReadyMsMax: number;
  /** How long a worker may take to end when asked; then SIGKILL. */
  readonly stopMsMax: number;
  /** How long a stop's cancel-only process may take to withdraw what the day trader left working; then it is asked to end. */
  readonly withdrawMsMax: number;
  /** How long the exit manager may take to rest a confirmed stop for every position before a graceful stop is refused. */
  readonly secureMsMax: number;
  /** Rhythm of the status block on the console (requirement A3). */
  readonly statusEveryMs: number;
}

export const DEFAULT_SUPERVISION: SupervisionPolicy = {
  stillMsMax: 5_000,
  firstBeatMsMax: 10_000,
  guardSpacingMs: 250,
  minimalAfterCrashes: 3,
  minimalWindowMs: 60_000,
  configRetryMsMax: 5_000,
  backoffFirstMs: 500,
  backoffMsMax: 30_000,
  parkAfterCrashes: 5,
  parkWindowMs: 600_000,
  cancelOnlyEveryMs: 10_000,
  notReadyMsMax: 60_000,
  stopMsMax: 10_000,
  withdrawMsMax: 10_000,
  secureMsMax: 15_000,
  statusEveryMs: 300_000,
};

/** Exit codes the workers and the supervisor agree on. 78 is EX_CONFIG of sysexits.h. */
export const EXIT_CODE = {
  clean: 0,
  /** Another process holds this worker's lease: it must not act, and starting it again would not help while that one lives. */
  leaseLost: 3,
  /** A second supervisor was started. */
  alreadySupervised: 4,
  /** The store does not answer, or migrations are missing: the day trader may not act without it, the exit manager only at its start. */
  storeUnusable: 5,
  /** The store's file is gone, damaged or replaced: the supervisor restores it, and the next process begins on what stands there then. */
  storeLost: 6,
  /** The supervisor under pm2 after a stop of everything. Not 0: pm2 reports a kill −9 as 0 too, and that one must be started again. */
  stoppedUnderPm2: 7,
  badConfiguration: 78,
} as const;
