import type { EpochMs } from '@holdfast/core/units';
import { timeColumn, timeOf } from './columns.js';
import type { Db } from './db.js';
import { attempt, type Refusal } from './refusal.js';
import { q, statement } from './statement.js';

/** Stops entries, never exits. Only a person turns it off. Every change is a row, the newest counts. */

const newest = q.selectFrom('kill_switch').selectAll().orderBy('id', 'desc').limit(1);
const compiledNewest = statement((_: Record<never, never>) => newest);
const history = q.selectFrom('kill_switch').selectAll().orderBy('id');
const add = statement((p: { is_on: number; reason: string; actor: string; at: string }) => q.insertInto('kill_switch').values(p));

export interface KillSwitch {
  readonly on: boolean;
  readonly reason: string | null;
}

/** Off in a store that has never heard of it. */
export function readKillSwitch(db: Db): KillSwitch {
  const row = db.first(compiledNewest, {});
  return row ? { on: row.is_on === 1, reason: row.reason } : { on: false, reason: null };
}

export interface KillSwitchChange {
  readonly on: boolean;
  readonly reason: string;
  /** Who turned it: a person's name, a worker, a tool. */
  readonly actor: string;
  readonly now: EpochMs;
}

/** Durable at once, whatever the connection's level: a power cut must not lift it. */
export function setKillSwitch(db: Db, { on, reason, actor, now }: KillSwitchChange): { readonly ok: true } | Refusal {
  return attempt(() =>
    db.withSynchronous('FULL', () =>
      db.immediate(() => {
        db.run(add, { is_on: on ? 1 : 0, reason, actor, at: timeColumn(now) });
        return { ok: true as const };
      }),
    ),
  );
}

/** Oldest first. */
export const readKillSwitchHistory = (db: Db) =>
  db.all(history).map(row => ({ on: row.is_on === 1, reason: row.reason, actor: row.actor, at: timeOf(row.at) }));
