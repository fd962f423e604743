import type { MonoMs } from '@holdfast/core/units';
import type { ExchangeOrder } from '../exchange-types.js';
import type { SentFact } from './facts.js';
import type { Audit, Limits, Stand } from './ground.js';
import { isEntry, isOurClient } from './violation.js';

const MINUTE_MS = 60_000;
/** Exchange time between two looks at the account's value. */
const SAMPLE_MS = 10_000;

/**
 * I9: risk limits hold at the exchange. When an entry is accepted:
 * - symbols held in care and symbols with a working entry, together, are at most `maxPositions`;
 * - what it may cost is at most allocation × net liquidation.
 * And always: one process sends at most `ordersPerMinute` orders and modifications for a symbol in a minute of machine time (where nobody
 * tells of sendings: one client's new orders).
 *
 * Allowed: what the operator opened so shortly before the entry left that nobody could know; the highest net liquidation of the last
 * `equityAgeMs`, for the broker tells it every three minutes (reference §5), and `sizeToleranceBps` for rounding. Cancels are never limited. The count is per incarnation: a new process starts with a clean minute.
 */
export function limitsHold({ ground, rules, say }: Stand): Audit {
  const { limits, bounds } = rules;
  if (limits === null) return {};
  const sends = new Map<string, MonoMs[]>();
  const busy = new Set<string>();
  /** Net liquidation of the last minutes, by exchange time. */
  let equity: { readonly at: number; readonly value: number }[] = [];

  const judgeCount = ({ request, permId }: ExchangeOrder, { maxPositions }: Limits): void => {
    const decided = ground.decidedAfter(request.orderRef);
    const taken = new Set<number>([request.conId]);
    for (const [conId, line] of ground.held()) if (!ground.isDisturbed(line, decided)) taken.add(conId);
    for (const other of ground.allWorking()) if (isEntry(other.request) && other.permId !== permId) taken.add(other.request.conId);
    if (taken.size <= maxPositions) return;
    const names = [...taken].map(rules.symbolOf).sort().join(' ');
    say(request.conId, `with entry ${request.orderRef ?? ''} ${taken.size} positions and entries (${names}), at most ${maxPositions}`);
  };

  const judgeSize = ({ request }: ExchangeOrder, { allocation, netLiquidation }: Limits): void => {
    const { conId, quantity, limitPrice } = request;
    const cost = (limitPrice ?? ground.mark(conId)) * quantity * rules.multiplierOf(conId);
    const allowed = allocation * Math.max(netLiquidation(), ...equity.map(({ value }) => value)) * (1 + bounds.sizeToleranceBps / 10_000);
    if (cost <= allowed) return;
    const [asked, most] = [cost, allowed].map(amount => `$${(amount / 1e6).toFixed(0)}`);
    say(
      conId,
      `entry ${request.orderRef ?? ''} may cost ${asked}, allowed were ${most} (${allocation} of net liquidation, with tolerance)`,
    );
  };

  const count = (who: string, conId: number, { ordersPerMinute }: Limits): void => {
    const key = `${who}/${conId}`;
    const recent = (sends.get(key) ?? []).filter(machine => ground.machine - machine < MINUTE_MS);
    recent.push(ground.machine);
    sends.set(key, recent);
    if (recent.length <= ordersPerMinute) busy.delete(key);
    else if (!busy.has(key)) {
      busy.add(key);
      say(conId, `${who} sent ${recent.length} orders within a minute, at most ${ordersPerMinute}`);
    }
  };

  let knowsSends = false;
  const heardOfSending = ({ processId, what, conId }: SentFact): void => {
    knowsSends = true;
    if (conId !== undefined && (what === 'place' || what === 'modify')) count(`process ${processId}`, conId, limits);
  };

  return {
    order({ order, isAccepted }) {
      if (!isAccepted || !isOurClient(order.request.clientId)) return;
      if (!knowsSends) count(`client ${order.request.clientId}`, order.request.conId, limits);
      if (!isEntry(order.request)) return;
      judgeCount(order, limits);
      judgeSize(order, limits);
    },
    tick() {
      const newest = equity.at(-1);
      if (newest && ground.now - newest.at < SAMPLE_MS) return;
      equity = equity.filter(({ at }) => ground.now - at <= bounds.equityAgeMs);
      equity.push({ at: ground.now, value: limits.netLiquidation() });
    },
    fact(fact) {
      if (fact.fact === 'sent') heardOfSending(fact);
    },
  };
}
