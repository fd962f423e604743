import type { EpochMs, MonoMs } from '@holdfast/core/units';
import type { ExchangeEvent, Instrument } from '../exchange-types.js';
import { alwaysProtected } from './always-protected.js';
import { handsOff } from './hands-off.js';
import { neverShort } from './never-short.js';
import { noForbiddenEntry } from './no-forbidden-entry.js';
import { oneEntry } from './one-entry.js';
import { stopHonoured } from './stop-honoured.js';
import type { AuditRules, Violation } from './violation.js';

export interface RefereeOptions {
  readonly instruments: readonly Pick<Instrument, 'conId' | 'symbol'>[];
  readonly baseline: readonly { readonly conId: number; readonly quantity: number }[];
  readonly session: { readonly open: EpochMs; readonly close: EpochMs };
  /** Default 90, the −0.9 % of A5. */
  readonly stopBps?: number;
  readonly bounds?: Partial<Pick<AuditRules, 'operatorGraceMs' | 'unguardedMsMax' | 'touchSustainedMs' | 'exitWithinMs'>>;
}

export interface Referee {
  /** Every event of the exchange, in order, with the machine time at which it happened. */
  observe(event: ExchangeEvent, machineNow: MonoMs): void;
  connected(clientId: number, machineNow: MonoMs): void;
  disconnected(clientId: number, machineNow: MonoMs): void;
  /** All violations so far, in exchange time. Gaps still open count up to the last machine time seen. */
  report(): readonly Violation[];
}

const BOUNDS = { operatorGraceMs: 2_000, unguardedMsMax: 6_000, touchSustainedMs: 3_000, exitWithinMs: 15_000 };

/** The referees of I1–I5 and I12 behind one door; I6 compares two books at the end (`store-agrees.ts`). */
export function createReferee({ instruments, baseline, session, stopBps = 90, bounds = {} }: RefereeOptions): Referee {
  const symbols = new Map(instruments.map(({ conId, symbol }) => [conId, symbol]));
  const rules: AuditRules = {
    symbolOf: conId => symbols.get(conId) ?? String(conId),
    baseline: new Map(baseline.filter(({ quantity }) => quantity !== 0).map(({ conId, quantity }) => [conId, quantity])),
    open: session.open,
    close: session.close,
    stopBps,
    ...BOUNDS,
    ...bounds,
  };
  const audits = [neverShort, alwaysProtected, stopHonoured, noForbiddenEntry, oneEntry, handsOff].map(create => create(rules));
  const link = (clientId: number, isConnected: boolean, machineNow: MonoMs) => {
    for (const audit of audits) audit.link?.(clientId, isConnected, machineNow);
  };
  return {
    observe(event, machineNow) {
      for (const audit of audits) audit.observe(event, machineNow);
    },
    connected: (clientId, machineNow) => link(clientId, true, machineNow),
    disconnected: (clientId, machineNow) => link(clientId, false, machineNow),
    report: () => audits.flatMap(audit => audit.report()).sort((left, right) => left.at - right.at),
  };
}
