import { CLIENT_ID } from '@holdfast/core/orders/order';
import { type EpochMs, epochMs, type MonoMs, monoMs } from '@holdfast/core/units';
import type { ExchangeOrder } from '../exchange-types.js';
import { CareLedger } from './care-ledger.js';
import { type Audit, type AuditRules, EXIT_CLIENTS, type Violation } from './violation.js';

const isWorking = (order: ExchangeOrder): boolean => order.status === 'PreSubmitted' || order.status === 'Submitted';

/**
 * I2: a position in care always has a guard: the exit manager's client connected, or a sell stop of ours resting at the exchange.
 * Neither for longer than the bound (machine time: a restart does not get faster when exchange time does) is a violation. A target
 * alone is no guard. Connected is the most the exchange can see; whether the manager is awake behind its socket shows in I3.
 */
export function alwaysProtected(rules: AuditRules): Audit {
  const ledger = new CareLedger();
  const stops = new Map<number, Set<number>>();
  const exposedSince = new Map<number, MonoMs>();
  const found: Violation[] = [];
  let guardConnected = false;
  let now = epochMs(0);
  let machine = monoMs(0);

  const settle = (conId: number): void => {
    const needsGuard = (ledger.known(conId)?.held ?? 0) > 0 && !rules.baseline.get(conId);
    const guarded = !needsGuard || guardConnected || (stops.get(conId)?.size ?? 0) > 0;
    const since = exposedSince.get(conId);
    if (!guarded && since === undefined) exposedSince.set(conId, machine);
    if (!guarded || since === undefined) return;
    exposedSince.delete(conId);
    judge(conId, since, found, now);
  };
  const judge = (conId: number, since: MonoMs, into: Violation[], at: EpochMs): void => {
    const gap = machine - since;
    if (gap <= rules.unguardedMsMax) return;
    const detail = `held with neither exit manager nor resting stop for ${Math.round(gap)} ms of machine time (bound ${rules.unguardedMsMax})`;
    into.push({ invariant: 'I2', at, symbol: rules.symbolOf(conId), detail });
  };

  return {
    observe(event, machineNow) {
      now = event.at;
      machine = machineNow;
      if (event.kind === 'execution') {
        ledger.book(event.execution);
        settle(event.execution.conId);
      } else if (event.kind === 'order') {
        const { request, permId } = event.order;
        const isStop = request.side === 'SELL' && (request.type === 'STP' || request.type === 'STP LMT');
        if (!EXIT_CLIENTS.includes(request.clientId)) return;
        const resting = stops.get(request.conId) ?? new Set<number>();
        stops.set(request.conId, resting);
        if (isStop && isWorking(event.order)) resting.add(permId);
        else resting.delete(permId);
        settle(request.conId);
      }
    },
    link(clientId, connected, machineNow) {
      if (clientId !== CLIENT_ID['exit-manager']) return;
      machine = machineNow;
      const held = [...exposedSince.keys(), ...ledger.conIds()];
      guardConnected = connected;
      for (const conId of new Set(held)) settle(conId);
    },
    report() {
      const open: Violation[] = [];
      for (const [conId, since] of exposedSince) judge(conId, since, open, now);
      return [...found, ...open];
    },
  };
}
