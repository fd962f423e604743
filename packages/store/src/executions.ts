import type { Execution } from '@holdfast/core/positions/execution';
import { type Micros, shares, type TradeDate } from '@holdfast/core/units';
import { moneyColumn, moneyColumnOrNull, moneyOf, timeColumn, timeOf, wholeColumn } from './columns.js';
import type { Db } from './db.js';
import type { ExecutionsTable } from './schema.js';
import { q, statement } from './statement.js';

/** Executions by `execId`; of every fill only its newest correction counts, the others stay on record as superseded. */

const putExecution = statement((p: ExecutionsTable) =>
  q
    .insertInto('executions')
    .values(p)
    .onConflict(c =>
      c.column('exec_id').doUpdateSet(eb => ({
        // A fill is a fact: only what was not known when it was first told may be added.
        trade_id: eb.fn.coalesce('executions.trade_id', 'excluded.trade_id'),
        commission: eb.fn.coalesce('excluded.commission', 'executions.commission'),
      })),
    ),
);
const newestRevision = statement((p: { exec_root: string }) =>
  q
    .selectFrom('executions')
    .select(['exec_id', 'revision'])
    .where('exec_root', '=', p.exec_root)
    .orderBy('revision', 'desc')
    .orderBy('exec_id'),
);
const supersede = statement((p: { exec_root: string; revision: number }) =>
  q.updateTable('executions').set({ superseded: 1 }).where('exec_root', '=', p.exec_root).where('revision', '<', p.revision),
);
const tradeOfRoot = statement((p: { exec_root: string }) =>
  q
    .selectFrom('executions')
    .select('trade_id')
    .where('exec_root', '=', p.exec_root)
    .where('trade_id', 'is not', null)
    .orderBy('revision', 'desc'),
);
const tradeOfOrder = statement((p: { order_ref: string }) =>
  q.selectFrom('orders').select('trade_id').where('order_ref', '=', p.order_ref).limit(1),
);
const setCommission = statement((p: { exec_id: string; commission: number; realized_pnl: number | null }) =>
  q.updateTable('executions').set({ commission: p.commission, realized_pnl: p.realized_pnl }).where('exec_id', '=', p.exec_id),
);
const ofDateOrTradedSince = statement((p: { trade_date: TradeDate; since: TradeDate }) =>
  q
    .selectFrom('executions')
    .selectAll()
    .where('superseded', '=', 0)
    .where(eb =>
      eb.or([
        eb('trade_date', '=', p.trade_date),
        eb('trade_id', 'in', eb.selectFrom('active_positions').select('active_positions.trade_id')),
        eb('trade_id', 'in', eb.selectFrom('executions as recent').select('recent.trade_id').where('recent.trade_date', '>=', p.since)),
      ]),
    )
    .orderBy('at')
    .orderBy('exec_id'),
);
const ofTrade = statement((p: { trade_id: string }) =>
  q.selectFrom('executions').selectAll().where('trade_id', '=', p.trade_id).where('superseded', '=', 0).orderBy('at').orderBy('exec_id'),
);

export type StoredExecution = Execution & { readonly tradeId: string | null };

/**
 * Books one fill, once, however often it is told. A correction (same root, higher last part) takes the place of the earlier ones and, when it
 * does not say so itself, their trade; a late, older word is kept but counts for nothing.
 */
export function bookExecution(
  db: Db,
  { execution, tradeId, tradeDate }: { execution: Execution; tradeId: string | null; tradeDate: TradeDate },
): void {
  const { root, revision } = execIdParts(execution.execId);
  const newest = db.first(newestRevision, { exec_root: root });
  db.run(putExecution, {
    ...executionRow(execution),
    exec_root: root,
    revision,
    superseded: newest !== undefined && newest.revision > revision ? 1 : 0,
    trade_date: tradeDate,
    trade_id: tradeId ?? tradeFor(db, execution, root),
  });
  if (newest && newest.revision < revision) db.run(supersede, { exec_root: root, revision });
}

/** Adds the commission, which the broker tells in a message of its own. One for an unknown execution is dropped: it comes again with every request. */
export function bookCommission(db: Db, word: { execId: string; commission: Micros; realizedPnl: Micros | null }): void {
  db.run(setCommission, {
    exec_id: word.execId,
    commission: moneyColumn(word.commission),
    realized_pnl: moneyColumnOrNull(word.realizedPnl),
  });
}

/**
 * What counts of this date, of every open trade and of every one that traded on `since` or later, in the order it happened: one that was carried
 * over a night and sold today opens again when its sale is busted.
 */
export const readExecutions = (db: Db, tradeDate: TradeDate, since = tradeDate): readonly StoredExecution[] =>
  db.all(ofDateOrTradedSince, { trade_date: tradeDate, since }).map(executionOf);

export const readExecutionsOfTrade = (db: Db, tradeId: string): readonly StoredExecution[] =>
  db.all(ofTrade, { trade_id: tradeId }).map(executionOf);

/** `0001.0002.0003.01` → root `0001.0002.0003`, revision 1. An id of another form is its own root. */
export function execIdParts(execId: string): { root: string; revision: number } {
  const parts = /^(.+)\.(\d+)$/.exec(execId);
  return parts?.[1] && parts[2] ? { root: parts[1], revision: Number(parts[2]) } : { root: execId, revision: 0 };
}

function tradeFor(db: Db, execution: Execution, root: string): string | null {
  const corrected = db.first(tradeOfRoot, { exec_root: root });
  if (corrected) return corrected.trade_id;
  return execution.orderRef === '' ? null : (db.first(tradeOfOrder, { order_ref: execution.orderRef })?.trade_id ?? null);
}

function executionRow(execution: Execution): Omit<ExecutionsTable, 'exec_root' | 'revision' | 'superseded' | 'trade_date' | 'trade_id'> {
  return {
    exec_id: execution.execId,
    at: timeColumn(execution.at),
    con_id: execution.conId,
    symbol: execution.symbol,
    side: execution.side,
    shares: wholeColumn(execution.shares, 'executed shares'),
    price: moneyColumn(execution.price),
    order_ref: execution.orderRef,
    perm_id: execution.permId,
    client_id: execution.clientId,
    api_order_id: execution.orderId,
    commission: moneyColumnOrNull(execution.commission ?? null),
    realized_pnl: null,
  };
}

function executionOf(row: ExecutionsTable): StoredExecution {
  return {
    execId: row.exec_id,
    at: timeOf(row.at),
    conId: row.con_id,
    symbol: row.symbol,
    side: row.side,
    shares: shares(row.shares),
    price: moneyOf(row.price),
    orderRef: row.order_ref,
    permId: row.perm_id,
    clientId: row.client_id,
    orderId: row.api_order_id,
    ...(row.commission === null ? {} : { commission: moneyOf(row.commission) }),
    tradeId: row.trade_id,
  };
}
