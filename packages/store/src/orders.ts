import { isFinal, type Order } from '@holdfast/core/orders/order';
import { shares, type TradeDate } from '@holdfast/core/units';
import { sql } from 'kysely';
import {
  contractColumn,
  contractOf,
  moneyColumnOrNull,
  moneyOrNull,
  timeColumn,
  timeColumnOrNull,
  timeOf,
  timeOrNull,
  wholeColumn,
} from './columns.js';
import type { Db } from './db.js';
import type { OrdersTable } from './schema.js';
import { q, statement } from './statement.js';

const orderByRef = statement((p: { order_ref: string }) =>
  q.selectFrom('orders').selectAll().where('order_ref', '=', p.order_ref).limit(1),
);
const isKnown = statement((p: { order_ref: string }) =>
  q.selectFrom('orders').select('quantity').where('order_ref', '=', p.order_ref).limit(1),
);
const addOrder = statement((p: OrdersTable) => q.insertInto('orders').values(p));

/** Everything an order's later word may change. What it was for, and when it was decided, stays as first written. */
type LaterWord = Omit<OrdersTable, 'order_ref' | 'worker' | 'trade_id' | 'role' | 'trade_date' | 'created_at' | 'ended_on'>;
function laterWord(row: OrdersTable): LaterWord {
  const { order_ref, worker, trade_id, role, trade_date, created_at, ended_on, ...later } = row;
  return later;
}
/** The date of the last word is kept when it is repeated, and forgotten when the order comes back to life. */
const endedOn = sql<TradeDate | null>`iif(excluded.ended_on is null, null, coalesce(orders.ended_on, excluded.ended_on))`;

const putOrder = statement((p: OrdersTable) =>
  q
    .insertInto('orders')
    .values(p)
    .onConflict(c => c.column('order_ref').doUpdateSet({ ...laterWord(p), ended_on: endedOn })),
);
/** The same where its address and symbol are those on record: an update writes every index of which it names a column. */
const putKnownOrder = statement((p: OrdersTable) => {
  const { client_id, api_order_id, symbol, ...later } = laterWord(p);
  return q
    .insertInto('orders')
    .values(p)
    .onConflict(c =>
      c
        .column('order_ref')
        .doUpdateSet({ ...later, ended_on: endedOn })
        .where(eb =>
          eb.and([
            eb('orders.client_id', '=', eb.ref('excluded.client_id')),
            eb('orders.api_order_id', '=', eb.ref('excluded.api_order_id')),
            eb('orders.symbol', '=', eb.ref('excluded.symbol')),
          ]),
        ),
    );
});
const putOrderIfNewer = statement((p: OrdersTable) =>
  q
    .insertInto('orders')
    .values(p)
    .onConflict(c =>
      c
        .column('order_ref')
        .doUpdateSet({ ...laterWord(p), ended_on: endedOn })
        .where(eb =>
          eb.or([
            eb('orders.updated_at', '<', eb.ref('excluded.updated_at')),
            eb.and([eb('orders.updated_at', '=', eb.ref('excluded.updated_at')), eb('orders.ended_on', 'is', null)]),
          ]),
        ),
    ),
);
const aliveOrEndedSince = statement((p: { since: TradeDate }) =>
  q
    .selectFrom('orders')
    .selectAll()
    .where(eb => eb.or([eb('ended_on', 'is', null), eb('ended_on', '>=', p.since)]))
    .orderBy('created_at')
    .orderBy('order_ref'),
);
const ordersOfDate = statement((p: { trade_date: TradeDate }) =>
  q.selectFrom('orders').selectAll().where('trade_date', '=', p.trade_date).orderBy('created_at').orderBy('order_ref'),
);

const highestId = statement((p: { client_id: number }) =>
  q
    .selectFrom('orders')
    .select(eb => eb.fn.max('api_order_id').as('highest'))
    .where('client_id', '=', p.client_id),
);

const openEntry = statement((p: { worker: Order['worker'] }) =>
  q
    .selectFrom('orders')
    .select('order_ref')
    .where('ended_on', 'is', null)
    .where('worker', '=', p.worker)
    .where('role', '=', 'entry')
    .limit(1),
);

/** Whether an entry order of the day trader has not had its last word: it works at the broker, or nobody knows. */
export const hasOpenEntry = (db: Db): boolean => db.first(openEntry, { worker: 'day-trader' }) !== undefined;

export const orderIsKnown = (db: Db, orderRef: string): boolean => db.first(isKnown, { order_ref: orderRef }) !== undefined;

/** The quantity on record; null for an order the store has never heard of. */
export const knownQuantity = (db: Db, orderRef: string): number | null => db.first(isKnown, { order_ref: orderRef })?.quantity ?? null;

export function readOrder(db: Db, orderRef: string): Order | null {
  const row = db.first(orderByRef, { order_ref: orderRef });
  return row ? orderOf(row) : null;
}

/** Orders that may still live, and those that ended on this trading date or later; oldest first. */
export const readLiveOrders = (db: Db, since: TradeDate): readonly Order[] => db.all(aliveOrEndedSince, { since }).map(orderOf);

/** Every order first written on this trading date; oldest first. */
export const readOrdersOf = (db: Db, tradeDate: TradeDate): readonly Order[] =>
  db.all(ordersOfDate, { trade_date: tradeDate }).map(orderOf);

/** The highest API order id ever recorded under this client id; 0 = none. */
export const readHighestOrderId = (db: Db, clientId: number): number => db.first(highestId, { client_id: clientId })?.highest ?? 0;

/** A new order. Throws when its reference is known: the caller has asked. */
export const insertOrder = (db: Db, order: Order, tradeDate: TradeDate): void => {
  db.run(addOrder, orderRow(order, tradeDate));
};

/** The newest word about an order, also one first seen at the broker. When replaying, only if the table has nothing newer. */
export function upsertOrder(db: Db, order: Order, { tradeDate, replay }: { tradeDate: TradeDate; replay: boolean }): void {
  const row = orderRow(order, tradeDate);
  if (replay) db.run(putOrderIfNewer, row);
  else if (db.run(putKnownOrder, row).changes === 0) db.run(putOrder, row);
}

function orderRow(order: Order, tradeDate: TradeDate): OrdersTable {
  return {
    order_ref: order.orderRef,
    worker: order.worker,
    client_id: order.clientId,
    api_order_id: order.orderId,
    perm_id: order.permId,
    trade_id: order.tradeId,
    con_id: order.contract.conId,
    symbol: order.contract.symbol,
    contract: contractColumn(order.contract),
    role: order.role,
    side: order.side,
    quantity: wholeColumn(order.quantity, 'order quantity'),
    order_type: order.type,
    limit_price: moneyColumnOrNull(order.limitPrice),
    stop_price: moneyColumnOrNull(order.stopPrice),
    tif: order.tif,
    good_till: timeColumnOrNull(order.goodTill),
    oca_group: order.ocaGroup,
    status: order.status,
    filled: wholeColumn(order.filled, 'filled shares'),
    reason: order.reason,
    trade_date: tradeDate,
    ended_on: isFinal(order) ? tradeDate : null,
    created_at: timeColumn(order.createdAt),
    updated_at: timeColumn(order.updatedAt),
  };
}

export function orderOf(row: OrdersTable): Order {
  return {
    orderRef: row.order_ref,
    worker: row.worker,
    clientId: row.client_id,
    orderId: row.api_order_id,
    permId: row.perm_id,
    tradeId: row.trade_id,
    contract: contractOf(row.contract),
    role: row.role,
    side: row.side,
    quantity: shares(row.quantity),
    type: row.order_type,
    limitPrice: moneyOrNull(row.limit_price),
    stopPrice: moneyOrNull(row.stop_price),
    tif: row.tif,
    goodTill: timeOrNull(row.good_till),
    ocaGroup: row.oca_group,
    status: row.status,
    filled: shares(row.filled),
    createdAt: timeOf(row.created_at),
    updatedAt: timeOf(row.updated_at),
    reason: row.reason,
  };
}
