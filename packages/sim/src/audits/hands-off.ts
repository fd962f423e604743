import { GLOBAL_CANCEL } from '../order-desk.js';
import type { SentFact } from './facts.js';
import type { Audit, Stand } from './ground.js';
import { isOurClient, OPERATOR } from './violation.js';

/**
 * I12: the baseline's quantity and the operator's own orders are never touched. No order of ours in a baseline instrument is accepted, and no
 * order of client 0 is cancelled or changed by us: by a cancel or modification that names it, by a global cancel, or because it shares a
 * one-cancels-all group with ours.
 *
 * Allowed: everything while `liquidate-all --everything` runs; whatever the operator does to his own orders.
 */
export function handsOff({ ground, say }: Stand): Audit {
  const seen = new Set<number>();
  const ourGroups = new Set<string>();
  const ownCancels = new Set<string>();

  const reachesOut = ({ clientId, processId, what, target }: SentFact): void => {
    if (!target || target.clientId !== OPERATOR || !isOurClient(clientId)) return;
    const key = `${processId}/${what}/${target.orderId}`;
    if (ownCancels.has(key)) return;
    ownCancels.add(key);
    say(null, `process ${processId} (client ${clientId}) sent a ${what} for the operator's order ${target.orderId}`);
  };

  return {
    order({ order, isAccepted }) {
      if (ground.isEverythingAllowed) return;
      const { request, permId, status, reason } = order;
      if (isOurClient(request.clientId)) {
        if (request.ocaGroup) ourGroups.add(request.ocaGroup);
        if (!isAccepted || !ground.isHandsOff(request.conId)) return;
        const words = `${request.side} ${request.quantity}, ${request.orderRef ?? 'no orderRef'}`;
        say(request.conId, `client ${request.clientId} has an order (${words}) in the baseline`);
      } else if (request.clientId === OPERATOR && status === 'Cancelled' && !seen.has(permId)) {
        seen.add(permId);
        const byGroup = request.ocaGroup !== undefined && ourGroups.has(request.ocaGroup);
        if (byGroup || reason === GLOBAL_CANCEL) say(request.conId, `the operator's order ${request.orderId} was cancelled: ${reason}`);
      }
    },
    fact(fact) {
      if (fact.fact === 'sent' && !ground.isEverythingAllowed) reachesOut(fact);
    },
  };
}
