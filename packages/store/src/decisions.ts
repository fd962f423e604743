import type { DecisionRow } from '@holdfast/core/effects';
import type { EpochMs, TradeDate } from '@holdfast/core/units';
import { timeColumn } from './columns.js';
import type { Db } from './db.js';
import type { DecisionsTable } from './schema.js';
import { q, statement } from './statement.js';

/** Why something was done or not done, with the numbers that decided. */

const add = statement((p: Omit<DecisionsTable, 'id'>) =>
  q
    .insertInto('decisions')
    .values(p)
    .onConflict(c => c.columns(['at', 'worker', 'symbol', 'strategy', 'code', 'detail']).doNothing()),
);

/** The same decision at the same moment is one row. */
export function writeDecision(
  db: Db,
  decision: DecisionRow,
  { worker, tradeDate, now }: { worker: string; tradeDate: TradeDate; now: EpochMs },
): void {
  const { symbol, strategy, verdict, code, detail } = decision;
  const numbers = JSON.stringify(decision.numbers);
  db.run(add, { at: timeColumn(now), trade_date: tradeDate, worker, symbol, strategy, verdict, code, detail, numbers });
}
