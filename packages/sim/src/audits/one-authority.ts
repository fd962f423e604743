import type { JudgedWorker, SentFact } from './facts.js';
import type { Audit, Stand } from './ground.js';
import { ENTRY_CLIENT, isExitClient } from './violation.js';

type Authority = 'exits' | 'entries';

const authorityOf = (clientId: number): Authority | null =>
  isExitClient(clientId) ? 'exits' : clientId === ENTRY_CLIENT ? 'entries' : null;
const authorityOfWorker = (worker: JudgedWorker): Authority => (worker === 'day-trader' ? 'entries' : 'exits');

/**
 * I10: at most one live exit authority (and, the same rule, one of entries). Exit manager and emergency tool are one authority, under
 * whatever client id. Three looks:
 * - once a successor has sent anything, its predecessor sends nothing more;
 * - nor does anything of the predecessor arrive later: an order it sent before, or a cancel where arrivals are told. An order that the gateway
 *   lost is placed again under its own reference, by whoever lives then: it is his who sent it last;
 * - nobody sends under a lease that has passed to another process.
 *
 * Allowed: sends without a lease (no database: there the broker's one connection per client id is the lease). Nothing else: the lease
 * passes only when the old process is gone.
 */
export function oneAuthority({ say }: Stand): Audit {
  /** Incarnations in the order of their first send. */
  const ranks: Record<Authority, Map<number, number>> = { exits: new Map(), entries: new Map() };
  const leases: Partial<Record<Authority, { readonly leaseId: number; readonly processId: number }>> = {};
  const authorities = new Map<number, Authority>();
  /** By orderRef, also of a change: to a gateway that does not know the order, it is a new one. */
  const lastSenders = new Map<string, number>();

  const isSuperseded = (authority: Authority, processId: number): boolean => {
    const rank = ranks[authority].get(processId);
    return rank !== undefined && rank < ranks[authority].size;
  };

  const sent = ({ clientId, processId, leaseId, what, orderRef, conId }: SentFact): void => {
    const authority = authorityOf(clientId);
    if (authority === null) return;
    const words = `process ${processId} (client ${clientId}) sent ${what} ${orderRef}`;
    authorities.set(processId, authority);
    if (what === 'place' || what === 'modify') lastSenders.set(orderRef, processId);
    if (!ranks[authority].has(processId)) ranks[authority].set(processId, ranks[authority].size + 1);
    else if (isSuperseded(authority, processId)) say(conId ?? null, `${words} after its successor had sent`);
    const lease = leases[authority];
    if (leaseId !== null && lease && lease.processId !== processId && lease.leaseId !== leaseId)
      say(conId ?? null, `${words} under lease ${leaseId}, which had passed to process ${lease.processId} as ${lease.leaseId}`);
  };

  const arrived = (processId: number, conId: number | null, words: string): void => {
    const authority = authorities.get(processId);
    if (authority && isSuperseded(authority, processId))
      say(conId, `${words} of process ${processId} arrived after its successor had sent`);
  };

  return {
    order({ order, isAccepted }) {
      const { orderRef = '', conId } = order.request;
      const sender = isAccepted ? lastSenders.get(orderRef) : undefined;
      if (sender !== undefined) arrived(sender, conId, `order ${orderRef}`);
    },
    fact(fact) {
      if (fact.fact === 'sent') sent(fact);
      else if (fact.fact === 'arrived') arrived(fact.processId, null, `${fact.what} ${fact.orderRef}`);
      else if (fact.fact === 'lease') leases[authorityOfWorker(fact.worker)] = fact;
    },
  };
}
