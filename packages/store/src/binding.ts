import type { EpochMs } from '@holdfast/core/units';
import { timeColumn, timeOf } from './columns.js';
import type { Db } from './db.js';
import { attempt, type Refusal, refuse } from './refusal.js';
import type { StoreMode } from './schema.js';
import { q } from './statement.js';

/** The one mode and account a store belongs to. Paper money's claims must never meet live money's orders. */
export interface Binding {
  readonly mode: StoreMode;
  readonly account: string;
}

const theRow = q.selectFrom('store_binding').selectAll().where('id', '=', 1).limit(1);

/** Binds a fresh store; on a bound one, checks. STORE_BOUND_ELSEWHERE names both sides and the way out. */
export function bindStore(db: Db, { mode, account, now }: Binding & { readonly now: EpochMs }): { readonly ok: true } | Refusal {
  return attempt(() =>
    db.immediate(() => {
      const bound = db.first(theRow);
      if (!bound) {
        db.run(q.insertInto('store_binding').values({ id: 1, mode, account, created_at: timeColumn(now) }));
        return { ok: true as const };
      }
      if (bound.mode === mode && bound.account === account) return { ok: true as const };
      return refuse(
        'STORE_BOUND_ELSEWHERE',
        `${db.path} belongs to ${bound.mode} account ${bound.account}, not to ${mode} account ${account}: ` +
          'name another store file in desk.yaml, or correct mode and account there',
      );
    }),
  );
}

/** Null: nobody has bound it yet. */
export function readBinding(db: Db): (Binding & { readonly createdAt: EpochMs }) | null {
  const row = db.first(theRow);
  return row ? { mode: row.mode, account: row.account, createdAt: timeOf(row.created_at) } : null;
}
