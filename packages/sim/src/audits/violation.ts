import { CLIENT_ID } from '@holdfast/core/orders/order';
import type { EpochMs, Micros, MonoMs } from '@holdfast/core/units';
import type { ExchangeEvent } from '../exchange-types.js';

/** A broken promise of DESIGN §8, as seen at the exchange. */
export interface Violation {
  readonly invariant: 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I12';
  /** Exchange time at which it was certain. */
  readonly at: EpochMs;
  readonly symbol: string;
  readonly detail: string;
}

/** One independent observer of the exchange. It never asks the workers anything. */
export interface Audit {
  observe(event: ExchangeEvent, machineNow: MonoMs): void;
  /** A client's socket came up or went down. */
  link?(clientId: number, connected: boolean, machineNow: MonoMs): void;
  report(): readonly Violation[];
}

/** What all audits know beforehand. Bounds have defaults in `referee.ts`. */
export interface AuditRules {
  readonly symbolOf: (conId: number) => string;
  /** What the account held before Holdfast first met it: hands off. */
  readonly baseline: ReadonlyMap<number, number>;
  readonly open: EpochMs;
  readonly close: EpochMs;
  /** The monitored stop, in basis points below the entry price. */
  readonly stopBps: number;
  /** Reaction time granted after the operator's own trade, exchange milliseconds. */
  readonly operatorGraceMs: number;
  /** I2: how long, in machine time, a position may have neither guard nor resting stop. */
  readonly unguardedMsMax: number;
  /** I3: the mark must stay beyond the stop this long before it counts, exchange milliseconds. */
  readonly touchSustainedMs: number;
  /** I3: then this long until flat or a marketable exit, exchange milliseconds in which the exit manager was connected. */
  readonly exitWithinMs: number;
}

export const OPERATOR = 0;
/** Clients whose orders reduce positions: the exit manager (also worn by the liquidator) and the reserve id. */
export const EXIT_CLIENTS: readonly number[] = [CLIENT_ID['exit-manager'], CLIENT_ID.reserve];

/** The last price kept within the quote: what the broker values the position at. 0 = none. */
export function markOf(quote: { readonly bid: Micros; readonly ask: Micros; readonly last: Micros }): number {
  const { bid, ask, last } = quote;
  if (bid > 0 && last < bid) return bid;
  return ask > 0 && last > ask ? ask : last;
}
