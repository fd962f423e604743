import { EXIT_CODE as SUPERVISED } from '@holdfast/core/supervision/policy';

/** How a worker's process ends. Those of core's policy are what the supervisor tells apart (core's policy); the others count as crashes there. */
export const EXIT_CODE = {
  /** Stopped on request; positions keep what rests at the broker. */
  clean: SUPERVISED.clean,
  /** Another process holds the lease: at the start, or it passed on while we ran. Nothing (more) was sent. */
  leaseLost: SUPERVISED.leaseLost,
  /** desk.yaml is invalid and nothing older can stand in; or mode, account and store do not belong together. */
  badConfiguration: SUPERVISED.badConfiguration,
  /** Migrations are missing, or the store does not answer a worker that may not act without it. */
  storeUnusable: SUPERVISED.storeUnusable,
  /** The store's file is gone, damaged or replaced. Positions keep what rests at the broker until the next start, a moment later. */
  storeLost: SUPERVISED.storeLost,
  /** A bug. The next start reconciles. */
  bug: 70,
} as const;

export type ExitCode = (typeof EXIT_CODE)[keyof typeof EXIT_CODE];
