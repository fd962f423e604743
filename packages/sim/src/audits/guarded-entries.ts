import type { MonoMs } from '@holdfast/core/units';
import type { Audit, Stand } from './ground.js';
import { ENTRY_CLIENT } from './violation.js';

/**
 * I2 before there is a position: no guard, no entry. A process comes to send an order that opens one only while an exit manager is awake, connected
 * and READY, or was so `guardGoneMs` of machine time ago: a heartbeat may be a second old, and so may a committed intent.
 */
export function guardedEntries({ ground, rules, say }: Stand): Audit {
  let goneSince: MonoMs | null = null;
  return {
    fact(fact) {
      const { roster } = ground;
      if (fact.fact === 'sent' && fact.clientId === ENTRY_CLIENT && fact.what === 'place' && goneSince !== null) {
        const goneMs = (ground.sending(fact.orderRef)?.machine ?? ground.machine) - goneSince;
        if (goneMs > rules.bounds.guardGoneMs)
          say(fact.conId ?? null, `entry ${fact.orderRef} left although no exit manager had been able to guard it for ${goneMs} ms`);
      }
      if (!roster.knowsProcesses || roster.guardIsAble) goneSince = null;
      else goneSince ??= ground.machine;
    },
  };
}
