import { isFinal, type Order } from '@holdfast/core/orders/order';
import { sql } from 'kysely';
import type { Db } from './db.js';
import { type Refusal, refuse } from './refusal.js';
import { q, statement } from './statement.js';

/**
 * How many shares of a trade may still be sold (bought back, for a short), counted from the tables alone: a second opinion, taken in the same
 * transaction as the intent, independent of what the worker believes.
 */

const heldShares = statement((p: { trade_id: string }) =>
  q
    .selectFrom('executions')
    .select(sql<number>`coalesce(sum(iif(side = 'BUY', shares, -shares)), 0)`.as('net'))
    .where('trade_id', '=', p.trade_id)
    .where('superseded', '=', 0)
    .limit(1),
);
/** Signed shares that no known execution explains: what an adopted position held before. */
const baseShares = statement((p: { trade_id: string }) =>
  q
    .selectFrom('active_positions')
    .select(sql<number | null>`json_extract(metadata, '$.base')`.as('base'))
    .where('trade_id', '=', p.trade_id)
    .limit(1),
);
const exitsOfTrade = statement((p: { trade_id: string }) =>
  q
    .selectFrom('orders')
    .select(['order_ref', 'client_id', 'api_order_id', 'oca_group', 'side', 'quantity', 'filled', 'status'])
    .select(
      sql<number>`coalesce((select sum(shares) from executions where executions.order_ref = orders.order_ref and superseded = 0), 0)`.as(
        'executed',
      ),
    )
    .where('trade_id', '=', p.trade_id)
    .where('role', '!=', 'entry')
    .orderBy('created_at')
    .orderBy('order_ref'),
);

type ExitRow = Pick<Order, 'side' | 'status'> & {
  quantity: number;
  filled: number;
  order_ref: string;
  client_id: number;
  api_order_id: number;
  oca_group: string | null;
  executed: number;
};

/** Refuses an exit that, with all that may still be working, would sell more than the trade holds; null when it is fine. */
export function exceedsHolding(db: Db, order: Order): Refusal | null {
  const trade_id = order.tradeId;
  const executed = db.first(heldShares, { trade_id })?.net ?? 0;
  const base = db.first(baseShares, { trade_id })?.base ?? 0;
  const held = executed + base;
  const reduces = order.side === 'SELL' ? held > 0 : held < 0;
  const asked = order.quantity - order.filled;
  const working = workingShares(db.all(exitsOfTrade, { trade_id }), order);
  const holding = Math.abs(held);
  if (reduces && working.withOrder <= holding) return null;
  return refuse(
    'EXIT_EXCEEDS_HOLDING',
    `${order.orderRef} asks to ${order.side} ${asked} ${order.contract.symbol}, but the trade holds ${held} ` +
      `(executions ${executed}, base ${base}) and ${working.before} may still be working`,
  );
}

/** Shares that may still trade, without and with the new order. An OCA group counts once, by its largest remaining member. */
function workingShares(exits: readonly ExitRow[], order: Order): { before: number; withOrder: number } {
  const addresses = new Map<string, number>();
  for (const exit of exits) if (exit.status !== 'LOST') addresses.set(`${exit.client_id}/${exit.api_order_id}`, 1);
  const newAddress = `${order.clientId}/${order.orderId}`;

  const groups = new Map<string, number>();
  for (const exit of exits) {
    if (exit.side !== order.side || exit.order_ref === order.orderRef) continue;
    const address = `${exit.client_id}/${exit.api_order_id}`;
    // The broker takes a successor under the same id as a modification or refuses it (103): never two orders.
    if (exit.status === 'LOST' && (addresses.has(address) || address === newAddress)) continue;
    const key = exit.oca_group ?? exit.order_ref;
    groups.set(key, Math.max(groups.get(key) ?? 0, mayStillTrade(exit)));
  }
  const before = sum(groups);
  const key = order.ocaGroup ?? order.orderRef;
  groups.set(key, Math.max(groups.get(key) ?? 0, order.quantity - order.filled));
  return { before, withOrder: sum(groups) };
}

/** Measured by executions, as the holding is: a fill the order knows of and the executions don't is still owed by the holding. */
const mayStillTrade = (exit: ExitRow): number => Math.max(0, (isFinal(exit) ? exit.filled : exit.quantity) - exit.executed);

const sum = (groups: ReadonlyMap<string, number>): number => [...groups.values()].reduce((total, shares) => total + shares, 0);
