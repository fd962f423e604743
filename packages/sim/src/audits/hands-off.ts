import { CLIENT_ID } from '@holdfast/core/orders/order';
import { GLOBAL_CANCEL } from '../order-desk.js';
import { type Audit, type AuditRules, EXIT_CLIENTS, OPERATOR, type Violation } from './violation.js';

const OURS: readonly number[] = [...EXIT_CLIENTS, CLIENT_ID['day-trader']];

/**
 * I12: the baseline's quantity and the operator's own orders are never touched. No order of ours in a baseline instrument is accepted or
 * executed, and no order of client 0 is cancelled by a global cancel or because it shares a one-cancels-all group with ours.
 */
export function handsOff(rules: AuditRules): Audit {
  const seen = new Set<number>();
  const ourGroups = new Set<string>();
  const found: Violation[] = [];
  return {
    observe(event) {
      if (event.kind !== 'order') return;
      const { request, permId, status, reason } = event.order;
      const say = (detail: string) => found.push({ invariant: 'I12', at: event.at, symbol: rules.symbolOf(request.conId), detail });
      if (OURS.includes(request.clientId)) {
        if (request.ocaGroup) ourGroups.add(request.ocaGroup);
        if (!rules.baseline.get(request.conId) || seen.has(permId) || status === 'Inactive') return;
        seen.add(permId);
        say(
          `client ${request.clientId} has an order (${request.side} ${request.quantity}, ${request.orderRef ?? 'no orderRef'}) in the baseline`,
        );
      } else if (request.clientId === OPERATOR && status === 'Cancelled' && !seen.has(permId)) {
        seen.add(permId);
        const byGroup = request.ocaGroup !== undefined && ourGroups.has(request.ocaGroup);
        if (byGroup || reason === GLOBAL_CANCEL) say(`the operator's order ${request.orderId} was cancelled: ${reason}`);
      }
    },
    report: () => found,
  };
}
