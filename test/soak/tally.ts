import type { App } from '../e2e/harness.js';
import type { ExposureReport } from './exposure.js';

/** A broken promise, with where to find it again. */
export interface SoakViolation {
  readonly invariant: string;
  readonly seed: number;
  readonly day: number;
  readonly symbol: string;
  readonly detail: string;
}

/** Everything a soak counts. One per run: days add to it. */
export interface Tally {
  readonly kills: Record<App, number>;
  /** When the kills were given: at a random instant, while the victim was starting, or at a message the gateway just met. */
  readonly killedAt: Record<string, number>;
  /** SIGSTOP … SIGCONT. */
  readonly stops: Record<App, number>;
  /** Cuts, breaks inside a message, silences, outages, restarts, late orders, by kind; trades by hand and pushes of the price too. */
  readonly faults: Record<string, number>;
  days: number;
  storms: number;
  orders: number;
  entries: number;
  executions: number;
  /** Closed trades by why they ended. */
  readonly exits: Record<string, number>;
  /** Exit manager killed, nothing else wrong: until its successor was READY, machine milliseconds. */
  readonly readyMs: number[];
  /** Last fault of a storm over → both workers READY and store == broker. */
  readonly recoveryMs: number[];
  /** Worst over all days, by protection mode. */
  readonly exposure: Record<string, ExposureReport>;
  readonly violations: SoakViolation[];
}

export const newTally = (): Tally => ({
  kills: { supervisor: 0, 'exit-manager': 0, 'day-trader': 0 },
  killedAt: {},
  stops: { supervisor: 0, 'exit-manager': 0, 'day-trader': 0 },
  faults: {},
  days: 0,
  storms: 0,
  orders: 0,
  entries: 0,
  executions: 0,
  exits: {},
  readyMs: [],
  recoveryMs: [],
  exposure: {},
  violations: [],
});

export const count = (counts: Record<string, number>, key: string, by = 1): void => {
  counts[key] = (counts[key] ?? 0) + by;
};

export const killsOf = ({ kills }: Pick<Tally, 'kills'>): number => kills.supervisor + kills['exit-manager'] + kills['day-trader'];
