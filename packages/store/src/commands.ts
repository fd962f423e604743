import type { CommandPayload } from '@holdfast/core/effects';
import type { CommandRow } from '@holdfast/core/shared-view';
import type { EpochMs, TradeDate } from '@holdfast/core/units';
import { timeColumn, timeOf } from './columns.js';
import type { Db } from './db.js';
import { holdsLease, type Lease, refuseLostLease } from './leases.js';
import { attempt, type Refusal, refuse } from './refusal.js';
import type { CommandStatus, CommandsTable } from './schema.js';
import { q, statement } from './statement.js';

/** Messages between processes: a row is executed once, by its target, and is dead after its time (Friday's order never runs on Monday). */

type NewCommand = Omit<CommandsTable, 'id' | 'answer' | 'answered_at'>;

const addCommand = statement((p: NewCommand) =>
  q
    .insertInto('commands')
    .values(p)
    .onConflict(c => c.columns(['target', 'kind', 'payload', 'expires_at']).doNothing()),
);
const sameCommand = statement((p: { target: CommandRow['target']; kind: string; payload: string; expires_at: string }) =>
  q
    .selectFrom('commands')
    .select('id')
    .where('target', '=', p.target)
    .where('kind', '=', p.kind)
    .where('payload', '=', p.payload)
    .where('expires_at', '=', p.expires_at)
    .limit(1),
);
const waiting = statement((p: { target: CommandRow['target']; now: string }) =>
  q
    .selectFrom('commands')
    .selectAll()
    .where('target', '=', p.target)
    .where('status', '=', 'pending')
    .where('expires_at', '>', p.now)
    .orderBy('id'),
);
const waitingOfKind = statement((p: { target: CommandRow['target']; kind: string; now: string }) =>
  q
    .selectFrom('commands')
    .select('id')
    .where('target', '=', p.target)
    .where('status', '=', 'pending')
    .where('kind', '=', p.kind)
    .where('expires_at', '>', p.now)
    .limit(1),
);
const overdue = statement((p: { now: string }) =>
  q.selectFrom('commands').select('id').where('status', '=', 'pending').where('expires_at', '<=', p.now).orderBy('id'),
);
const expire = statement((p: { now: string }) =>
  q.updateTable('commands').set({ status: 'expired', answered_at: p.now }).where('status', '=', 'pending').where('expires_at', '<=', p.now),
);
const take = statement((p: { id: number; now: string }) =>
  q.updateTable('commands').set({ status: 'taken' }).where('id', '=', p.id).where('status', '=', 'pending').where('expires_at', '>', p.now),
);
const answer = statement((p: { id: number; status: CommandStatus; answer: string; answered_at: string }) =>
  q
    .updateTable('commands')
    .set({ status: p.status, answer: p.answer, answered_at: p.answered_at })
    .where('id', '=', p.id)
    .where('status', 'in', ['pending', 'taken']),
);
const byId = statement((p: { id: number }) => q.selectFrom('commands').selectAll().where('id', '=', p.id).limit(1));

export interface NewCommandRow {
  readonly target: CommandRow['target'];
  readonly kind: string;
  readonly payload: CommandPayload;
  readonly tradeDate: TradeDate;
  /** Exchange time; 60 s after `now` unless there is a reason. */
  readonly expiresAt: EpochMs;
  readonly createdBy: string;
  readonly now: EpochMs;
}

/** Asks another process for something. The same words twice are one command, and give the same id. */
export function insertCommand(db: Db, command: NewCommandRow): { readonly ok: true; readonly id: number } | Refusal {
  return attempt(() => db.immediate(() => ({ ok: true as const, id: addCommandRow(db, command) })));
}

/** The same inside somebody's transaction. */
export function addCommandRow(db: Db, command: NewCommandRow): number {
  const { target, kind } = command;
  const payload = JSON.stringify(command.payload);
  const expires_at = timeColumn(command.expiresAt);
  const { changes, id } = db.run(addCommand, {
    target,
    kind,
    payload,
    position_id: positionOf(command.payload),
    trade_date: command.tradeDate,
    expires_at,
    status: 'pending',
    created_by: command.createdBy,
    created_at: timeColumn(command.now),
  });
  if (changes === 1) return id;
  return db.first(sameCommand, { target, kind, payload, expires_at })?.id ?? id;
}

/** What waits for this worker, oldest first. */
export const readCommands = (db: Db, target: CommandRow['target'], now: EpochMs): readonly CommandRow[] =>
  db.all(waiting, { target, now: timeColumn(now) }).map(row => ({
    id: row.id,
    target: row.target,
    kind: row.kind,
    payload: JSON.parse(row.payload) as CommandPayload,
    tradeDate: row.trade_date,
    expiresAt: timeOf(row.expires_at),
  }));

/** Whether a command of this kind waits for this worker. */
export const isCommandWaiting = (db: Db, target: CommandRow['target'], { kind, now }: { kind: string; now: EpochMs }): boolean =>
  db.first(waitingOfKind, { target, kind, now: timeColumn(now) }) !== undefined;

/** Marks what is past its time. Costs a write only when there is something to mark. */
export function expireCommands(db: Db, now: EpochMs): void {
  const at = timeColumn(now);
  if (db.first(overdue, { now: at })) db.immediate(() => db.run(expire, { now: at }));
}

/**
 * Takes a command before carrying it out, so that nobody does it twice: COMMAND_GONE when it was taken, answered or has expired.
 * A command whose whole effect is one commit needs no taking: its `answer-command` is in that commit.
 */
export function takeCommand(db: Db, { lease, id, now }: { lease: Lease; id: number; now: EpochMs }): { readonly ok: true } | Refusal {
  return attempt(() =>
    db.immediate(() => {
      if (!holdsLease(db, lease)) return refuseLostLease(lease);
      const { changes } = db.run(take, { id, now: timeColumn(now) });
      return changes === 1 ? { ok: true as const } : refuse('COMMAND_GONE', `command ${id} was taken, answered or has expired`);
    }),
  );
}

/** The first answer stands. */
export function answerCommand(db: Db, word: { id: number; status: 'done' | 'refused'; answer: string; now: EpochMs }): void {
  db.run(answer, { id: word.id, status: word.status, answer: word.answer, answered_at: timeColumn(word.now) });
}

/** How far a command is, for whoever asked; null when there is none of that id. */
export function readAnswer(db: Db, id: number): { readonly status: CommandStatus; readonly answer: string | null } | null {
  const row = db.first(byId, { id });
  return row ? { status: row.status, answer: row.answer } : null;
}

/** Which position it is about, for people who read the table. */
function positionOf(payload: CommandPayload): string | null {
  const { tradeId, symbol } = payload;
  if (typeof tradeId === 'string') return tradeId;
  return typeof symbol === 'string' ? symbol : null;
}
