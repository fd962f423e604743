import type { EpochMs, TradeDate } from '@holdfast/core/units';
import { timeColumn, timeOf } from './columns.js';
import type { Db } from './db.js';
import { attempt, type Refusal } from './refusal.js';
import type { LeaseName, WorkerEventKind, WorkerEventsTable } from './schema.js';
import { q, statement } from './statement.js';

/** What happened to the processes, for the day's review: started, ready, crashed, hung, killed, adopted, parked, released, stopped. */

const add = statement((p: Omit<WorkerEventsTable, 'id'>) => q.insertInto('worker_events').values(p));
const ofDate = statement((p: { trade_date: TradeDate }) =>
  q.selectFrom('worker_events').selectAll().where('trade_date', '=', p.trade_date).orderBy('at').orderBy('id'),
);

const newestParking = statement((p: { worker: LeaseName }) =>
  q
    .selectFrom('worker_events')
    .select('event')
    .where('worker', '=', p.worker)
    .where('event', 'in', ['parked', 'released'])
    .orderBy('id', 'desc')
    .limit(1),
);

export interface WorkerEvent {
  readonly worker: LeaseName;
  readonly event: WorkerEventKind;
  readonly detail: string;
  readonly at: EpochMs;
}

export function writeWorkerEvent(
  db: Db,
  { worker, event, detail, at }: WorkerEvent,
  tradeDate: TradeDate,
): { readonly ok: true } | Refusal {
  return attempt(() => {
    db.immediate(() => db.run(add, { worker, event, detail, at: timeColumn(at), trade_date: tradeDate }));
    return { ok: true as const };
  });
}

export const readWorkerEvents = (db: Db, tradeDate: TradeDate): readonly WorkerEvent[] =>
  db.all(ofDate, { trade_date: tradeDate }).map(({ worker, event, detail, at }) => ({ worker, event, detail, at: timeOf(at) }));

/** Whether a person still has to release this worker, whatever date it was parked on and however often the supervisor was started since. */
export const isParked = (db: Db, worker: LeaseName): boolean => db.first(newestParking, { worker })?.event === 'parked';
