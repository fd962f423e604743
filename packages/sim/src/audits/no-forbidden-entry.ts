import { tradeDateOf } from '@holdfast/core/calendar';
import type { ExchangeOrder } from '../exchange-types.js';
import type { Audit, Stand } from './ground.js';
import { isEntry, isExitClient } from './violation.js';

/**
 * I4: no entry reaches the exchange for a symbol that is held, is closing (an exit or another entry of ours still works), is in the
 * baseline, or was closed on that trading date. Judged when the exchange accepts the order; one refused there never reached it.
 *
 * Allowed: what the operator did so shortly before the entry left its process that nobody could know (`operatorGraceMs`); a position that
 * was opened and closed by hand before anybody could see it blocks nothing. A block lasts for its date: the next day's entry is free.
 */
export function noForbiddenEntry({ ground, say }: Stand): Audit {
  const judge = (order: ExchangeOrder): string | null => {
    const { conId, orderRef } = order.request;
    if (ground.isHandsOff(conId)) return 'it is in the baseline';
    for (const other of ground.working(conId)) {
      if (other.permId === order.permId) continue;
      if (isEntry(other.request)) return `another entry of it (${other.request.orderRef ?? 'no orderRef'}) is working`;
    }
    const line = ground.ledger.known(conId);
    if (line && ground.isDisturbed(line, ground.decidedAfter(orderRef))) return null;
    if (line && line.held !== 0) return `${line.held} shares of it are held`;
    if (line && line.closedOn !== null && line.closedOn === tradeDateOf(order.acceptedAt)) return 'it was closed today';
    for (const other of ground.working(conId))
      if (isExitClient(other.request.clientId)) return `it is closing: ${other.request.orderRef ?? 'an exit'} is still working`;
    return null;
  };

  return {
    order({ order, isAccepted }) {
      if (!isAccepted || !isEntry(order.request)) return;
      const { conId, orderRef, quantity } = order.request;
      const why = judge(order);
      if (why) say(conId, `entry of ${quantity} (${orderRef ?? 'no orderRef'}) accepted although ${why}`);
    },
  };
}
