import type { EpochMs, MonoMs } from '@holdfast/core/units';
import type { ExchangeOrder } from '../exchange-types.js';
import type { Audit, Stand } from './ground.js';
import { ENTRY_CLIENT, isEntry } from './violation.js';

/**
 * I8: no entry is committed after the kill switch; earlier ones are withdrawn or die by their time to live. At the exchange that means:
 * - an entry whose process came to send it later than `killSwitchMs` after the switch (an intent committed before it may wait that long for its
 *   send) must not be accepted; where nobody told of the sending, it must not arrive later than `inFlightMs`;
 * - no entry is made larger or dearer then;
 * - an entry that worked already is gone by its good-till time, or `entryLifeMsMax` after the switch, plus `inFlightMs`;
 * - and so that it is, whoever lives: one that rests carries its end to the exchange, no later than `entryLifeMsMax` after its acceptance.
 *
 * Allowed: fills of entries that worked before. Switched off, nothing is owed any more.
 */
export function killSwitchHolds({ ground, rules, say }: Stand): Audit {
  const { bounds } = rules;
  let switched: { readonly at: EpochMs; readonly machine: MonoMs } | null = null;
  const said = new Set<number>();

  /** By how many milliseconds an order comes too late, or null. */
  const lateBy = (orderRef: string | undefined): number | null => {
    if (!switched) return null;
    const sent = ground.sending(orderRef);
    const late = sent ? sent.machine - switched.machine : ground.now - switched.at;
    return late > (sent ? bounds.killSwitchMs : bounds.inFlightMs) ? late : null;
  };

  const judgeEnd = ({ request, acceptedAt }: ExchangeOrder): void => {
    const { conId, orderRef = '', type, tif, goodTill = Number.POSITIVE_INFINITY } = request;
    if (type === 'MKT' || tif === 'IOC' || tif === 'OPG' || goodTill - acceptedAt <= bounds.entryLifeMsMax) return;
    say(conId, `entry ${orderRef} rests without an end of its own within ${bounds.entryLifeMsMax} ms: nobody may live to withdraw it`);
  };

  return {
    order({ order, before, isAccepted }) {
      if (isAccepted && rules.limits !== null && isEntry(order.request)) judgeEnd(order);
      if (!switched || !isEntry(order.request)) return;
      const { conId, orderRef, quantity, limitPrice = 0 } = order.request;
      const name = orderRef ?? `of client ${ENTRY_CLIENT}`;
      if (isAccepted) {
        const late = lateBy(orderRef);
        if (late !== null)
          say(
            conId,
            `entry ${name} for ${quantity} was ${ground.sending(orderRef) ? 'sent' : 'accepted'} ${late} ms after the kill switch`,
          );
        return;
      }
      if (!before || ground.now - switched.at <= bounds.inFlightMs) return;
      const was = before.request;
      if (quantity > was.quantity || limitPrice > (was.limitPrice ?? 0))
        say(conId, `entry ${name} was raised from ${was.quantity} to ${quantity} after the kill switch`);
    },
    tick() {
      if (!switched) return;
      for (const { request, permId } of ground.allWorking()) {
        if (!isEntry(request) || said.has(permId)) continue;
        const end = Math.min(request.goodTill ?? Number.POSITIVE_INFINITY, switched.at + bounds.entryLifeMsMax);
        if (ground.now <= Math.max(end, switched.at) + bounds.inFlightMs) continue;
        said.add(permId);
        say(request.conId, `entry ${request.orderRef ?? ''} still works ${ground.now - switched.at} ms after the kill switch`);
      }
    },
    fact(fact) {
      if (fact.fact !== 'kill-switch') return;
      if (!fact.on) switched = null;
      else switched ??= { at: ground.now, machine: ground.machine };
    },
  };
}
