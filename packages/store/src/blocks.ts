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

/** Why the symbol was closed on that date, or null when it may be entered. */
export const blockReason = (db: Db, symbol: string, tradeDate: TradeDate): string | null =>
  db.first(blockOf, { symbol, close_date: tradeDate })?.exit_reason ?? null;

export const readBlocks = (db: Db, tradeDate: TradeDate) => db.all(blocksOf, { close_date: tradeDate });
