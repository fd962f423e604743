import { CLIENT_ID, isEntryRef } from '@holdfast/core/orders/order';
import type { ExchangeOrder, OrderRequest } from '../exchange-types.js';
import { CareLedger } from './care-ledger.js';
import type { Audit, AuditRules, Violation } from './violation.js';

export const isEntry = (request: OrderRequest): boolean =>
  request.clientId === CLIENT_ID['day-trader'] || isEntryRef(request.orderRef ?? '');

const isOver = (order: ExchangeOrder): boolean => order.status === 'Cancelled' || order.status === 'Filled' || order.status === 'Inactive';

/**
 * I4: no entry reaches the exchange for a symbol that is held, has another entry working, is in the baseline, or was closed today. Judged
 * when the exchange accepts the order. One refused there (Inactive) never reached it.
 */
export function noForbiddenEntry(rules: AuditRules): Audit {
  const ledger = new CareLedger();
  const seen = new Set<number>();
  const working = new Map<number, Set<number>>();
  const found: Violation[] = [];

  const judge = (order: ExchangeOrder): string | undefined => {
    const { conId } = order.request;
    const line = ledger.known(conId);
    if (rules.baseline.get(conId)) return 'it is in the baseline';
    if ((working.get(conId)?.size ?? 0) > 0) return 'another entry of it is working';
    if (!line || order.acceptedAt - line.operatorTradedAt <= rules.operatorGraceMs) return undefined;
    if (line.held !== 0) return `${line.held} shares of it are held`;
    return line.closedToday ? 'it was closed today' : undefined;
  };

  return {
    observe(event) {
      if (event.kind === 'execution') ledger.book(event.execution);
      if (event.kind !== 'order' || !isEntry(event.order.request)) return;
      const { order } = event;
      const { conId, orderRef, quantity } = order.request;
      const entries = working.get(conId) ?? new Set<number>();
      working.set(conId, entries);
      if (!seen.has(order.permId) && order.status !== 'Inactive') {
        seen.add(order.permId);
        const why = judge(order);
        const detail = `entry of ${quantity} (${orderRef ?? 'no orderRef'}) accepted although ${why}`;
        if (why) found.push({ invariant: 'I4', at: event.at, symbol: rules.symbolOf(conId), detail });
      }
      if (isOver(order)) entries.delete(order.permId);
      else entries.add(order.permId);
    },
    report: () => found,
  };
}
