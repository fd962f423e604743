import type { Contract } from '@holdfast/core/contract';
import type { EpochMs } from '@holdfast/core/units';
import { contractColumn, contractOf, timeColumn, timeOf, Unstorable } from './columns.js';
import type { Db } from './db.js';
import type { BaselineTable } from './schema.js';
import { q, statement } from './statement.js';

/** What the account held when Holdfast first met it: hands off (DESIGN §4). Adopting or releasing a symbol writes the whole list anew. */

const taken = statement((p: { account: string }) =>
  q.selectFrom('baseline_taken').select('taken_at').where('account', '=', p.account).limit(1),
);
const markTaken = statement((p: { account: string; taken_at: string }) =>
  q
    .insertInto('baseline_taken')
    .values(p)
    .onConflict(c => c.column('account').doUpdateSet({ taken_at: p.taken_at })),
);
const drop = statement((p: { account: string }) => q.deleteFrom('baseline').where('account', '=', p.account));
const add = statement((p: BaselineTable) => q.insertInto('baseline').values(p));
const everything = q.selectFrom('baseline').selectAll().orderBy('symbol').orderBy('con_id');
const holding = statement((p: { con_id: number; symbol: string }) =>
  q
    .selectFrom('baseline')
    .select(['symbol', 'quantity'])
    .where(eb => eb.or([eb('con_id', '=', p.con_id), eb('symbol', '=', p.symbol)]))
    .where('quantity', '!=', 0)
    .orderBy('con_id'),
);

export interface BaselineHolding {
  readonly contract: Contract;
  /** Signed, fractions included. */
  readonly quantity: number;
}

/** Replaces the account's baseline. When replaying, only one the store has not taken since. */
export function writeBaseline(
  db: Db,
  { account, holdings, now, replay }: { account: string; holdings: readonly BaselineHolding[]; now: EpochMs; replay: boolean },
): void {
  const before = db.first(taken, { account });
  const at = timeColumn(now);
  if (replay && before && before.taken_at >= at) return;
  db.run(markTaken, { account, taken_at: at });
  db.run(drop, { account });
  for (const { contract, quantity } of holdings) {
    if (!Number.isFinite(quantity)) throw new Unstorable(`${contract.symbol}: no quantity, ${quantity}`);
    db.run(add, { account, con_id: contract.conId, symbol: contract.symbol, quantity, contract: contractColumn(contract) });
  }
}

/** When this account's baseline was last written; null when it never was, which an empty list alone does not say. */
export function baselineTakenAt(db: Db, account: string): EpochMs | null {
  const row = db.first(taken, { account });
  return row ? timeOf(row.taken_at) : null;
}

export const readBaseline = (db: Db): readonly (BaselineHolding & { conId: number; symbol: string })[] =>
  db.all(everything).map(row => ({ conId: row.con_id, symbol: row.symbol, quantity: row.quantity, contract: contractOf(row.contract) }));

/** What the baseline holds of an instrument, by contract or by display name; null when nothing. */
export const baselineHolding = (db: Db, { conId, symbol }: Pick<Contract, 'conId' | 'symbol'>) =>
  db.first(holding, { con_id: conId, symbol }) ?? null;
