import type { Write } from '@holdfast/core/effects';
import type { EpochMs, TradeDate } from '@holdfast/core/units';
import Sqlite from 'better-sqlite3';
import { writeAlert } from './alerts.js';
import { timeColumn, Unstorable } from './columns.js';
import type { Db } from './db.js';
import type { QuarantinedRowsTable } from './schema.js';
import { q, statement } from './statement.js';

/** A row that cannot be stored is kept in its own words and told to a person; it never stops the rows beside it, nor the worker. */

const add = statement((p: Omit<QuarantinedRowsTable, 'id'>) =>
  q
    .insertInto('quarantined_rows')
    .values(p)
    .onConflict(c => c.columns(['kind', 'row']).doNothing()),
);
const everything = q.selectFrom('quarantined_rows').selectAll().orderBy('id');

/** The reason why a row cannot be stored, or null when the error is something else (a failure of the world, a bug). */
export function unstorableReason(error: unknown): string | null {
  if (error instanceof Unstorable) return error.message;
  if (!(error instanceof Sqlite.SqliteError)) return null;
  return /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/.test(error.code) ? `${error.code}: ${error.message}` : null;
}

export function quarantine(
  db: Db,
  write: Write,
  { reason, worker, tradeDate, now }: { reason: string; worker: string; tradeDate: TradeDate; now: EpochMs },
): void {
  const row = JSON.stringify(write, (_key, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  );
  const { changes } = db.run(add, { at: timeColumn(now), worker, kind: write.do, row, error: reason });
  if (changes === 0) return;
  writeAlert(
    db,
    {
      level: 'critical',
      code: 'ROW_QUARANTINED',
      symbol: symbolOf(write),
      happened: `a ${write.do} could not be stored (${reason})`,
      did: 'kept its text in quarantined_rows and went on with everything else',
      todo: 'compare this symbol with the broker; then correct it by hand',
    },
    { worker, tradeDate, now },
  );
}

export const readQuarantined = (db: Db): readonly Omit<QuarantinedRowsTable, 'id'>[] => db.all(everything);

export function symbolOf(write: Write): string | null {
  switch (write.do) {
    case 'write-intent':
    case 'write-order':
      return write.order.contract.symbol;
    case 'write-execution':
      return write.execution.symbol;
    case 'write-position':
      return write.position.contract.symbol;
    case 'close-position':
      return write.trade.contract.symbol;
    case 'release-claim':
      return write.symbol;
    case 'write-decision':
      return write.decision.symbol;
    default:
      return null;
  }
}
