import type { Alert } from '@holdfast/core/effects';
import { type EpochMs, epochMs, type TradeDate } from '@holdfast/core/units';
import { sql } from 'kysely';
import { timeColumn, timeOf } from './columns.js';
import type { Db } from './db.js';
import type { AlertsTable } from './schema.js';
import { q, statement } from './statement.js';

/** Repeats within this time of the last one are one row with a count. */
const FOLD_MS = 60_000;

const latest = statement((p: { code: string; symbol: string | null; worker: string; since: string; until: string }) =>
  q
    .selectFrom('alerts')
    .select(['id', 'last_at', 'happened'])
    .where('code', '=', p.code)
    .where(sql<boolean>`symbol is ${p.symbol}`)
    .where('worker', '=', p.worker)
    .where('last_at', '>', p.since)
    .where('at', '<=', p.until)
    .orderBy('last_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1),
);
const fold = statement((p: { id: number; last_at: string; level: Alert['level']; happened: string; did: string; todo: string }) =>
  q
    .updateTable('alerts')
    .set({ times: sql<number>`times + 1`, last_at: p.last_at, level: p.level, happened: p.happened, did: p.did, todo: p.todo })
    .where('id', '=', p.id),
);
const add = statement((p: Omit<AlertsTable, 'id' | 'times'>) => q.insertInto('alerts').values(p));
const ofDate = statement((p: { trade_date: TradeDate }) =>
  q.selectFrom('alerts').selectAll().where('trade_date', '=', p.trade_date).orderBy('at').orderBy('id'),
);

export interface AlertWriting {
  readonly worker: string;
  readonly tradeDate: TradeDate;
  readonly now: EpochMs;
  readonly replay?: boolean;
}

/** Records an alert; the same one within a minute raises the count of the row and shows its newest words. */
export function writeAlert(db: Db, alert: Alert, { worker, tradeDate, now, replay = false }: AlertWriting): void {
  const { level, code, symbol, happened, did, todo } = alert;
  const at = timeColumn(now);
  const known = db.first(latest, { code, symbol, worker, since: timeColumn(epochMs(now - FOLD_MS)), until: at });
  if (!known) {
    db.run(add, { at, last_at: at, trade_date: tradeDate, worker, level, code, symbol, happened, did, todo });
    return;
  }
  // Merged a second time, the very same words at a moment the row already covers are the very same alert.
  if (replay && known.last_at >= at && known.happened === happened) return;
  db.run(fold, { id: known.id, last_at: at, level, happened, did, todo });
}

/** An alert as it was raised: `times` repeats between `at` and `lastAt`. */
export interface RaisedAlert extends Alert {
  readonly at: EpochMs;
  readonly lastAt: EpochMs;
  readonly times: number;
  readonly worker: string;
}

export const readAlerts = (db: Db, tradeDate: TradeDate): readonly RaisedAlert[] =>
  db.all(ofDate, { trade_date: tradeDate }).map(({ level, code, symbol, happened, did, todo, times, worker, ...row }) => ({
    level,
    code,
    symbol,
    happened,
    did,
    todo,
    times,
    worker,
    at: timeOf(row.at),
    lastAt: timeOf(row.last_at),
  }));
