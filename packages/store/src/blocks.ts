import type { ClosedTrade } from '@holdfast/core/effects';
import type { TradeDate } from '@holdfast/core/units';
import { moneyColumnOrNull, timeColumn } from './columns.js';
import type { Db } from './db.js';
import type { ClosedPositionsTodayTable } from './schema.js';
import { q, statement } from './statement.js';

/** `closed_positions_today`: a symbol closed on a trading date may not be entered again on it (A10), after a stop and after a target alike. */

const addBlock = statement((p: Omit<ClosedPositionsTodayTable, 'id'>) =>
  q
    .insertInto('closed_positions_today')
    .values(p)
    .onConflict(c => c.columns(['symbol', 'close_date']).doNothing()),
);
const blockOf = statement((p: { symbol: string; close_date: TradeDate }) =>
  q
    .selectFrom('closed_positions_today')
    .select('exit_reason')
    .where('symbol', '=', p.symbol)
    .where('close_date', '=', p.close_date)
    .limit(1),
);
const blocksOf = statement((p: { close_date: TradeDate }) =>
  q
    .selectFrom('closed_positions_today')
    .select(['symbol', 'close_date as closeDate', 'exit_reason as exitReason'])
    .where('close_date', '=', p.close_date)
    .orderBy('symbol'),
);

/** The first close of the date is kept: a later one (an adopted position, a correction) changes nothing about it. */
export function blockReentry(db: Db, trade: ClosedTrade, profitLossPct: number | null): void {
  db.run(addBlock, {
    symbol: trade.contract.symbol,
    close_date: trade.closeDate,
    exit_price: moneyColumnOrNull(trade.exitPrice),
    exit_reason: trade.exitReason,
    profit_loss_pct: profitLossPct,
    agent_name: trade.agentName,
    timestamp: timeColumn(trade.exitAt),
    account: trade.account,
    con_id: trade.contract.conId,
  });
}

const tradedToday = statement((p: { trade_date: TradeDate }) =>
  q
    .selectFrom('executions')
    .select(['symbol', 'con_id'])
    .select(eb => eb.fn.max('at').as('last_at'))
    .where('trade_date', '=', p.trade_date)
    .where('order_ref', 'like', 'HF%')
    .where('superseded', '=', 0)
    .where('symbol', 'not in', q.selectFrom('active_positions').select('active_positions.symbol').orderBy('active_positions.symbol'))
    .where(
      'symbol',
      'not in',
      q
        .selectFrom('closed_positions_today')
        .select('closed_positions_today.symbol')
        .where('close_date', '=', p.trade_date)
        .orderBy('closed_positions_today.symbol'),
    )
    .groupBy(['symbol', 'con_id'])
    .orderBy('symbol')
    .orderBy('con_id'),
);

/**
 * Blocks every symbol that orders of ours traded on that date and nobody holds: after a restored store has heard the day's executions, for
 * round trips whose rows were lost with the old one. Returns the symbols.
 */
export function blockTraded(
  db: Db,
  { account, tradeDate }: { readonly account: string; readonly tradeDate: TradeDate },
): readonly string[] {
  return db.immediate(() => {
    const traded = db.all(tradedToday, { trade_date: tradeDate });
    for (const { symbol, con_id, last_at } of traded) {
      db.run(addBlock, {
        symbol,
        close_date: tradeDate,
        exit_price: null,
        exit_reason: 'restored',
        profit_loss_pct: null,
        agent_name: 'supervisor',
        timestamp: last_at,
        account,
        con_id,
      });
    }
    return traded.map(({ symbol }) => symbol);
  });
}

/** Why the symbol was closed on that date, or null when it may be entered. */
export const blockReason = (db: Db, symbol: string, tradeDate: TradeDate): string | null =>
  db.first(blockOf, { symbol, close_date: tradeDate })?.exit_reason ?? null;

export const readBlocks = (db: Db, tradeDate: TradeDate) => db.all(blocksOf, { close_date: tradeDate });
