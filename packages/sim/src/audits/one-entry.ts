import { tradeDateOf } from '@holdfast/core/calendar';
import type { TradeDate } from '@holdfast/core/units';
import type { Audit, Stand } from './ground.js';
import { isEntry } from './violation.js';

interface Claim {
  readonly date: TradeDate;
  /** The order whose shares these are. */
  permId: number;
  orderRef: string;
  quantity: number;
  bought: number;
}

/**
 * I5: one claim buys at most one entry's worth, across any number of crashes. Three looks:
 * - an entry's orderRef names one order: the same ref under a second permId is an intent sent twice, filled or not;
 * - a symbol's shares of one trading date come from one entry order: a second one that fills as well is a second claim's worth, also
 *   where the first was filled only in part and sent again for the rest;
 * - an entry's executions never exceed what it was for.
 *
 * Allowed: a second entry after one that died without a share; a correction by the exchange, which is not ours to prevent.
 */
export function oneEntry({ say }: Stand): Audit {
  const permIds = new Map<string, number>();
  const quantities = new Map<number, number>();
  const claims = new Map<number, Claim>();

  return {
    order({ order, isAccepted }) {
      if (!isEntry(order.request)) return;
      const { orderRef = '', conId, quantity } = order.request;
      quantities.set(order.permId, Math.max(quantities.get(order.permId) ?? 0, quantity));
      if (!isAccepted || orderRef === '') return;
      const known = permIds.get(orderRef);
      if (known === undefined) permIds.set(orderRef, order.permId);
      else if (known !== order.permId) say(conId, `entry ${orderRef} was accepted twice, as ${known} and ${order.permId}`);
    },
    execution({ execution, isCorrection }) {
      const { conId, permId, shares, execId, orderRef } = execution;
      const quantity = quantities.get(permId);
      if (quantity === undefined || isCorrection) return;
      const date = tradeDateOf(execution.at);
      const known = claims.get(conId);
      if (!known || known.date !== date) {
        claims.set(conId, { date, permId, orderRef, quantity, bought: shares });
        return;
      }
      const before = known.bought;
      known.bought += shares;
      if (known.permId !== permId) {
        say(conId, `entries bought ${known.bought} shares: ${before} by ${known.orderRef}, then ${shares} by ${orderRef} (${execId})`);
        known.permId = permId;
      } else if (known.bought > quantity && before <= quantity)
        say(conId, `entry ${orderRef} bought ${known.bought} shares, it was for ${quantity} (${execId})`);
    },
  };
}
