import type { ClosedTrade } from '@holdfast/core/effects';
import type { PositionRow } from '@holdfast/core/shared-view';
import { bpsBetween, type EpochMs, type Micros, shares, type TradeDate } from '@holdfast/core/units';
import { sql } from 'kysely';
import { blockReentry } from './blocks.js';
import {
  contractColumn,
  contractOf,
  moneyColumn,
  moneyColumnOrNull,
  moneyOrNull,
  timeColumn,
  timeColumnOrNull,
  timeOf,
  timeOrNull,
  wholeColumn,
} from './columns.js';
import { refreshDailyPnl } from './daily.js';
import type { Db } from './db.js';
import { deletePosition, readPositionOfInstrument, readPositionOfTrade, upsertPosition } from './positions.js';
import { type Refusal, refuse } from './refusal.js';
import type { TradesTable } from './schema.js';
import { q, statement } from './statement.js';

/** A trade's life: CLAIMED → OPEN → CLOSED (or RELEASED, a claim that never filled). A correction after the close opens it again. */

const tradeById = statement((p: { trade_id: string }) => q.selectFrom('trades').selectAll().where('trade_id', '=', p.trade_id).limit(1));

/** The columns that are as they were when the trade began. */

type Beginning =
  | 'trade_id'
  | 'account'
  | 'con_id'
  | 'symbol'
  | 'contract'
  | 'origin'
  | 'agent_name'
  | 'trade_date'
  | 'signal'
  | 'created_at';
function afterBeginning(row: TradesTable): Omit<TradesTable, Beginning> {
  const { trade_id, account, con_id, symbol, contract, origin, agent_name, trade_date, signal, created_at, ...later } = row;
  return later;
}

const asOpenTrade = (p: TradesTable) => ({
  ...afterBeginning(p),
  // A position shrinks as it is sold; its trade was as large as it ever was.
  quantity: sql<number>`max(trades.quantity, excluded.quantity)`,
  commission: sql<number>`trades.commission`,
  entry_price: sql<number | null>`coalesce(excluded.entry_price, trades.entry_price)`,
  entry_timestamp: sql<string | null>`coalesce(excluded.entry_timestamp, trades.entry_timestamp)`,
});
const putOpenTrade = statement((p: TradesTable) =>
  q
    .insertInto('trades')
    .values(p)
    .onConflict(c => c.column('trade_id').doUpdateSet(asOpenTrade(p))),
);
/** The same where it has not ended and its status is the one on record: an update writes every index of which it names a column. */
const putStillOpenTrade = statement((p: TradesTable) => {
  const { status, exit_timestamp, exit_reason, close_date, ...later } = asOpenTrade(p);
  return q
    .insertInto('trades')
    .values(p)
    .onConflict(c =>
      c
        .column('trade_id')
        .doUpdateSet(later)
        .where(eb =>
          eb.and([
            eb('trades.status', '=', eb.ref('excluded.status')),
            eb('trades.exit_timestamp', 'is', null),
            eb('trades.exit_reason', 'is', null),
            eb('trades.close_date', 'is', null),
          ]),
        ),
    );
});
const putClosedTrade = statement((p: TradesTable) =>
  q
    .insertInto('trades')
    .values(p)
    .onConflict(c => c.column('trade_id').doUpdateSet(afterBeginning(p))),
);
const markReleased = statement((p: { trade_id: string; exit_reason: string; last_updated: string }) =>
  q
    .updateTable('trades')
    .set({ status: 'RELEASED', exit_reason: p.exit_reason, last_updated: p.last_updated })
    .where('trade_id', '=', p.trade_id)
    .where('status', '=', 'CLAIMED'),
);
const fillsOf = statement((p: { trade_id: string }) =>
  q
    .selectFrom('executions')
    .select('exec_id')
    .where('trade_id', '=', p.trade_id)
    .where('superseded', '=', 0)
    .where('shares', '>', 0)
    .orderBy('at'),
);
const livingEntries = statement((p: { trade_id: string }) =>
  q
    .selectFrom('orders')
    .select(['order_ref', 'status'])
    .where('trade_id', '=', p.trade_id)
    .where('role', '=', 'entry')
    .where('ended_on', 'is', null)
    .where('status', '!=', 'LOST')
    .orderBy('order_ref'),
);

interface When {
  readonly tradeDate: TradeDate;
  readonly now: EpochMs;
  /** Merging what was written elsewhere while the store was away: what the store has heard since wins. */
  readonly replay: boolean;
}

/** The newest word about a position in care (or a claim). On a closed trade it is a correction: the trade opens again, the block stays. */
export function writePosition(db: Db, position: PositionRow, when: When): void {
  const known = db.first(tradeById, { trade_id: position.tradeId });
  if (when.replay && known && isOutdated(known, position.updatedAt)) return;
  openTrade(db, position, when.tradeDate);
  if (when.replay) outdatedGivesWay(db, position);
  upsertPosition(db, position);
  if (known?.status === 'CLOSED' && known.close_date !== null)
    refreshDailyPnl(db, { account: known.account, closeDate: known.close_date, now: when.now });
}

/**
 * An older copy of the store took its place, and in it another trade of the same instrument is in care that has ended since: whoever knew better has
 * written down what came after it. Its executions, where the broker still tells them, end it once more.
 */
function outdatedGivesWay(db: Db, { tradeId, contract, account, updatedAt }: PositionRow): void {
  const other = readPositionOfInstrument(db, account, contract.conId);
  if (other && other.tradeId !== tradeId && other.updatedAt < updatedAt) deletePosition(db, other.tradeId);
}

function isOutdated(known: TradesTable, at: EpochMs): boolean {
  const word = timeColumn(at);
  const ended = known.status === 'CLOSED' || known.status === 'RELEASED';
  return known.last_updated > word || (ended && known.last_updated === word);
}

/** The row of a trade that is claimed or open; `claimEntry` adds the position and the order. */
export function openTrade(db: Db, position: PositionRow, tradeDate: TradeDate): void {
  const row = openTradeRow(position, tradeDate);
  if (db.run(putStillOpenTrade, row).changes === 0) db.run(putOpenTrade, row);
}

const endedSince = statement((p: { close_date: TradeDate }) =>
  q.selectFrom('trades').selectAll().where('status', '=', 'CLOSED').where('close_date', '>=', p.close_date).orderBy('trade_id'),
);
const boughtOf = statement((p: { trade_id: string; side: 'BUY' | 'SELL' }) =>
  q
    .selectFrom('executions')
    .select(eb => [eb.fn.sum<number | null>('shares').as('shares'), sql<number | null>`sum(shares * price)`.as('value')])
    .where('trade_id', '=', p.trade_id)
    .where('side', '=', p.side)
    .where('superseded', '=', 0),
);

/** Trades that ended on this date or later, as rows of positions without a share: what a late word about one of them is told apart by. */
export const readEndedTrades = (db: Db, since: TradeDate): readonly PositionRow[] =>
  db.all(endedSince, { close_date: since }).map(row => {
    const { base, price } = unexplainedOf(db, row);
    const exitAt = timeOrNull(row.exit_timestamp);
    return {
      tradeId: row.trade_id,
      account: row.account,
      contract: contractOf(row.contract),
      quantity: shares(0),
      entryPrice: moneyOrNull(price),
      entryAt: timeOrNull(row.entry_timestamp),
      agentName: row.agent_name,
      targetPrice: null,
      stopPrice: null,
      status: 'CLOSING',
      updatedAt: timeOf(row.last_updated),
      metadata: {
        origin: row.origin,
        base,
        side: row.side,
        disasterPrice: null,
        generation: 0,
        exit: row.exit_reason === null || exitAt === null ? null : { reason: row.exit_reason, decidedAt: exitAt },
        failedSells: 0,
        quarantinedAt: null,
        signal: row.signal,
      },
    };
  });

/** What no execution explains of an ended trade, and the price it counts at, which is what its levels were measured from. */
function unexplainedOf(db: Db, row: TradesTable): { base: number; price: number | null } {
  if (row.base !== null) return { base: row.base, price: row.base_price ?? row.entry_price };
  // Ended under an older version: the row has the average of everything.
  const opening = db.first(boughtOf, { trade_id: row.trade_id, side: row.side > 0 ? 'BUY' : 'SELL' });
  const unexplained = Math.max(0, row.quantity - (opening?.shares ?? 0));
  if (row.entry_price === null || unexplained === 0) return { base: row.side * unexplained, price: row.entry_price };
  return { base: row.side * unexplained, price: (row.entry_price * row.quantity - (opening?.value ?? 0)) / unexplained };
}

/** Ends a trade: its row final, its position gone, the symbol blocked for the date, the day's sums counted anew. One transaction with the caller's. */
export function closeTrade(db: Db, trade: ClosedTrade, { now, replay }: When): void {
  const known = db.first(tradeById, { trade_id: trade.tradeId });
  if (replay && known && known.last_updated > timeColumn(now)) return;
  const percent = profitLossPercent(trade);
  db.run(putClosedTrade, closedTradeRow(trade, now));
  deletePosition(db, trade.tradeId);
  blockReentry(db, trade, percent);
  refreshDailyPnl(db, { account: trade.account, closeDate: trade.closeDate, now });
  if (known?.close_date && known.close_date !== trade.closeDate)
    refreshDailyPnl(db, { account: trade.account, closeDate: known.close_date, now });
}

/**
 * Gives a claim back. Refused while it may still become, or has become, a position: with fills, also where all of them were taken back, for its exits
 * may still work (CLAIM_HAS_FILLS), or with an entry order that may still live (ENTRY_MAY_LIVE; a LOST one is the caller's judgement).
 */
export function releaseClaim(db: Db, claim: { tradeId: string; reason: string; now: EpochMs }): { readonly ok: true } | Refusal {
  const { tradeId: trade_id, reason, now } = claim;
  const position = readPositionOfTrade(db, trade_id);
  if (!position) return { ok: true };
  if (position.status !== 'CLAIMED' || position.quantity !== 0 || db.first(fillsOf, { trade_id }))
    return refuse('CLAIM_HAS_FILLS', `${position.contract.symbol} has fills: it is a position, close it instead`);
  const living = db.first(livingEntries, { trade_id });
  if (living) return refuse('ENTRY_MAY_LIVE', `${living.order_ref} is ${living.status}: its last word must come first`);
  deletePosition(db, trade_id);
  db.run(markReleased, { trade_id, exit_reason: reason, last_updated: timeColumn(now) });
  return { ok: true };
}

/** Gain in per cent of the entry price, positive = earned, for long and short alike; null when a price is unknown. Prices only: no commissions. */
export function profitLossPercent(trade: { side: 1 | -1; entryPrice: Micros | null; exitPrice: Micros | null }): number | null {
  if (trade.entryPrice === null || trade.exitPrice === null || trade.entryPrice === 0) return null;
  return (trade.side * bpsBetween(trade.entryPrice, trade.exitPrice)) / 100;
}

function openTradeRow(position: PositionRow, tradeDate: TradeDate): TradesTable {
  return {
    trade_id: position.tradeId,
    account: position.account,
    con_id: position.contract.conId,
    symbol: position.contract.symbol,
    contract: contractColumn(position.contract),
    side: position.metadata.side,
    quantity: wholeColumn(Math.abs(position.quantity), 'position quantity'),
    status: position.status === 'CLAIMED' ? 'CLAIMED' : 'OPEN',
    origin: position.metadata.origin,
    agent_name: position.agentName,
    trade_date: tradeDate,
    entry_price: moneyColumnOrNull(position.entryPrice),
    entry_timestamp: timeColumnOrNull(position.entryAt),
    exit_price: null,
    exit_timestamp: null,
    exit_reason: null,
    close_date: null,
    pnl: null,
    profit_loss_pct: null,
    commission: 0,
    signal: position.metadata.signal,
    created_at: timeColumn(position.updatedAt),
    last_updated: timeColumn(position.updatedAt),
    base: null,
    base_price: null,
  };
}

function closedTradeRow(trade: ClosedTrade, now: EpochMs): TradesTable {
  return {
    trade_id: trade.tradeId,
    account: trade.account,
    con_id: trade.contract.conId,
    symbol: trade.contract.symbol,
    contract: contractColumn(trade.contract),
    side: trade.side,
    quantity: wholeColumn(trade.quantity, 'traded quantity'),
    status: 'CLOSED',
    origin: trade.origin ?? 'entry',
    agent_name: trade.agentName,
    trade_date: trade.closeDate,
    entry_price: moneyColumnOrNull(trade.entryPrice),
    entry_timestamp: timeColumnOrNull(trade.entryAt),
    exit_price: moneyColumnOrNull(trade.exitPrice),
    exit_timestamp: timeColumn(trade.exitAt),
    exit_reason: trade.exitReason,
    close_date: trade.closeDate,
    pnl: moneyColumnOrNull(trade.pnl),
    profit_loss_pct: profitLossPercent(trade),
    commission: moneyColumn(trade.commission),
    signal: null,
    created_at: timeColumn(trade.entryAt ?? trade.exitAt),
    last_updated: timeColumn(now),
    base: trade.base === undefined ? null : wholeColumn(trade.base, 'unexplained shares'),
    base_price: moneyColumnOrNull(trade.basePrice ?? null),
  };
}
