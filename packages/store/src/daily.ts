import type { EpochMs, Micros, TradeDate } from '@holdfast/core/units';
import { sql } from 'kysely';
import { moneyColumn, moneyColumnOrNull, moneyOf, moneyOrNull, timeColumn } from './columns.js';
import { expireCommands } from './commands.js';
import type { Db } from './db.js';
import { attempt, type Refusal } from './refusal.js';
import { q, statement } from './statement.js';

/** The day's sums (`daily_pnl`, always counted anew from the trades, never added to) and what happens when a new trading day begins. */

const closedSums = statement((p: { account: string; close_date: TradeDate }) =>
  q
    .selectFrom('trades')
    .select([
      sql<number>`coalesce(sum(pnl), 0)`.as('realized_pnl'),
      sql<number>`coalesce(sum(commission), 0)`.as('commission'),
      sql<number>`count(*)`.as('trades'),
      sql<number>`coalesce(sum(pnl > 0), 0)`.as('wins'),
      sql<number>`coalesce(sum(pnl < 0), 0)`.as('losses'),
    ])
    .where('account', '=', p.account)
    .where('close_date', '=', p.close_date)
    .where('status', '=', 'CLOSED')
    .limit(1),
);

interface DaySums {
  account: string;
  trade_date: TradeDate;
  realized_pnl: number;
  commission: number;
  trades: number;
  wins: number;
  losses: number;
  last_updated: string;
}
const putSums = statement((p: DaySums) =>
  q
    .insertInto('daily_pnl')
    .values(p)
    .onConflict(c => c.columns(['account', 'trade_date']).doUpdateSet(p)),
);
const addSnapshot = statement((p: { account: string; at: string; trade_date: TradeDate; net_liquidation: number; cash: number | null }) =>
  q
    .insertInto('equity_snapshots')
    .values(p)
    .onConflict(c => c.columns(['account', 'at']).doUpdateSet({ net_liquidation: p.net_liquidation, cash: p.cash })),
);
const putEquity = statement((p: { account: string; trade_date: TradeDate; last_updated: string }) => {
  const { account, trade_date } = p;
  const start_equity = q
    .selectFrom('equity_snapshots')
    .select('net_liquidation')
    .where(eb => eb.and({ account, trade_date }))
    .orderBy('at')
    .limit(1);
  const last_equity = q
    .selectFrom('equity_snapshots')
    .select('net_liquidation')
    .where(eb => eb.and({ account, trade_date }))
    .orderBy('at', 'desc')
    .limit(1);
  return q
    .insertInto('daily_pnl')
    .values({ ...p, start_equity, last_equity })
    .onConflict(c =>
      c.columns(['account', 'trade_date']).doUpdateSet({
        start_equity,
        last_equity,
        last_updated: sql<string>`max(daily_pnl.last_updated, excluded.last_updated)`,
      }),
    );
});
const dayOf = statement((p: { trade_date: TradeDate }) =>
  q.selectFrom('daily_pnl').selectAll().where('trade_date', '=', p.trade_date).orderBy('account'),
);
const dropOlderBlocks = statement((p: { trade_date: TradeDate }) =>
  q.deleteFrom('closed_positions_today').where('close_date', '<', p.trade_date),
);

/** Counts the trades that closed on this date. Called inside the transaction that closes or reopens one. */
export function refreshDailyPnl(db: Db, { account, closeDate, now }: { account: string; closeDate: TradeDate; now: EpochMs }): void {
  const sums = db.first(closedSums, { account, close_date: closeDate });
  if (!sums) throw new Error('a sum without a row');
  db.run(putSums, {
    account,
    trade_date: closeDate,
    // Sums of dollars carry dust in the last binary place: back to whole micro-dollars.
    realized_pnl: moneyColumn(moneyOf(sums.realized_pnl)),
    commission: moneyColumn(moneyOf(sums.commission)),
    trades: sums.trades,
    wins: sums.wins,
    losses: sums.losses,
    last_updated: timeColumn(now),
  });
}

/** A point of the equity curve. The first one of a trading date is the day's starting equity. */
export function writeEquity(
  db: Db,
  snapshot: { account: string; netLiquidation: Micros; cash: Micros | null; tradeDate: TradeDate; now: EpochMs },
): void {
  const { account, tradeDate: trade_date } = snapshot;
  const at = timeColumn(snapshot.now);
  db.run(addSnapshot, {
    account,
    at,
    trade_date,
    net_liquidation: moneyColumn(snapshot.netLiquidation),
    cash: moneyColumnOrNull(snapshot.cash),
  });
  db.run(putEquity, { account, trade_date, last_updated: at });
}

export interface DailyPnl {
  readonly account: string;
  readonly realizedPnl: Micros;
  readonly commission: Micros;
  readonly trades: number;
  readonly wins: number;
  readonly losses: number;
  readonly startEquity: Micros | null;
  readonly lastEquity: Micros | null;
}

/** One row per account that traded or was valued on the date. */
export const readDailyPnl = (db: Db, tradeDate: TradeDate): readonly DailyPnl[] =>
  db.all(dayOf, { trade_date: tradeDate }).map(row => ({
    account: row.account,
    realizedPnl: moneyOf(row.realized_pnl),
    commission: moneyOf(row.commission),
    trades: row.trades,
    wins: row.wins,
    losses: row.losses,
    startEquity: moneyOrNull(row.start_equity),
    lastEquity: moneyOrNull(row.last_equity),
  }));

/**
 * A new trading day: blocks of *older* dates go, commands past their time are dead. May be called at any hour and any number of times:
 * a supervisor that starts at noon must not lift today's blocks.
 */
export function resetDaily(db: Db, tradeDate: TradeDate, now: EpochMs): { readonly ok: true; readonly liftedBlocks: number } | Refusal {
  return attempt(() =>
    db.immediate(() => {
      const { changes } = db.run(dropOlderBlocks, { trade_date: tradeDate });
      expireCommands(db, now);
      return { ok: true as const, liftedBlocks: changes };
    }),
  );
}
