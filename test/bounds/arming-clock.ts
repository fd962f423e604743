import { CLIENT_ID } from '@holdfast/core/orders/order';
import type { ExchangeEvent } from '@holdfast/sim/exchange-types';

/** Times what a position waits for: its first fill by this client → a target and a stop of the exit manager's working at the exchange. */
export interface ArmingClock {
  observe(event: ExchangeEvent, machineAt: number): void;
  /** Milliseconds, one for each position that was armed. */
  readonly times: readonly number[];
}

export function createArmingClock(buyer: number): ArmingClock {
  const held = new Map<number, number>();
  const waiting = new Map<number, { readonly since: number; readonly working: Set<string> }>();
  const times: number[] = [];
  return {
    times,
    observe(event, machineAt) {
      if (event.kind === 'execution') {
        const { conId, side, shares, clientId } = event.execution;
        const before = held.get(conId) ?? 0;
        const after = before + (side === 'BUY' ? shares : -shares);
        held.set(conId, after);
        if (before === 0 && after > 0 && clientId === buyer) waiting.set(conId, { since: machineAt, working: new Set() });
        if (after === 0) waiting.delete(conId);
      } else if (event.kind === 'order') {
        const { request, status } = event.order;
        const one = waiting.get(request.conId);
        const isWorking = status === 'Submitted' || status === 'PreSubmitted';
        if (!one || request.clientId !== CLIENT_ID['exit-manager'] || request.side !== 'SELL' || !isWorking) return;
        one.working.add(request.type);
        if (!one.working.has('LMT') || !one.working.has('STP')) return;
        times.push(machineAt - one.since);
        waiting.delete(request.conId);
      }
    },
  };
}
