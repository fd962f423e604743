import type { PositionMetadata, PositionRow } from '@holdfast/core/shared-view';
import { shares } from '@holdfast/core/units';
import {
  contractColumn,
  contractOf,
  moneyColumnOrNull,
  moneyOrNull,
  timeColumn,
  timeColumnOrNull,
  timeOf,
  timeOrNull,
  wholeColumn,
} from './columns.js';
import type { Db } from './db.js';
import type { ActivePositionsRow, ActivePositionsTable } from './schema.js';
import { q, statement } from './statement.js';

/** `active_positions`: one row per symbol that is claimed or in care. */

type NewRow = Omit<ActivePositionsTable, 'id'>;

const everyPosition = q.selectFrom('active_positions').selectAll().orderBy('symbol');
const bySymbol = statement((p: { symbol: string }) => q.selectFrom('active_positions').selectAll().where('symbol', '=', p.symbol).limit(1));
const byTrade = statement((p: { trade_id: string }) =>
  q.selectFrom('active_positions').selectAll().where('trade_id', '=', p.trade_id).limit(1),
);
const byInstrument = statement((p: { account: string; con_id: number }) =>
  q.selectFrom('active_positions').selectAll().where('account', '=', p.account).where('con_id', '=', p.con_id).limit(1),
);
const putPosition = statement((p: NewRow) =>
  q
    .insertInto('active_positions')
    .values(p)
    .onConflict(c => c.column('trade_id').doUpdateSet(p)),
);
/** The same where the instrument is the one on record, as it nearly always is: an update writes every index of which it names a column. */
const putKnownPosition = statement((p: NewRow) => {
  const { symbol, account, con_id, trade_id, ...later } = p;
  return q
    .insertInto('active_positions')
    .values(p)
    .onConflict(c =>
      c
        .column('trade_id')
        .doUpdateSet(later)
        .where(eb =>
          eb.and([
            eb('active_positions.symbol', '=', eb.ref('excluded.symbol')),
            eb('active_positions.account', '=', eb.ref('excluded.account')),
            eb('active_positions.con_id', '=', eb.ref('excluded.con_id')),
          ]),
        ),
    );
});
const addPosition = statement((p: NewRow) => q.insertInto('active_positions').values(p));
const removePosition = statement((p: { trade_id: string }) => q.deleteFrom('active_positions').where('trade_id', '=', p.trade_id));

export const readPositions = (db: Db): readonly PositionRow[] => db.all(everyPosition).map(positionOf);

export function readPosition(db: Db, symbol: string): PositionRow | null {
  const row = db.first(bySymbol, { symbol });
  return row ? positionOf(row) : null;
}

export function readPositionOfTrade(db: Db, tradeId: string): PositionRow | null {
  const row = db.first(byTrade, { trade_id: tradeId });
  return row ? positionOf(row) : null;
}

export function readPositionOfInstrument(db: Db, account: string, conId: number): PositionRow | null {
  const row = db.first(byInstrument, { account, con_id: conId });
  return row ? positionOf(row) : null;
}

/** Throws when the symbol is active already: the caller has asked. Its trade row must exist. */
export const insertPosition = (db: Db, position: PositionRow): void => {
  db.run(addPosition, positionRow(position));
};

/** A row under another trade's symbol is refused by the table, never overwritten: two trades cannot care for one symbol. */
export const upsertPosition = (db: Db, position: PositionRow): void => {
  const row = positionRow(position);
  if (db.run(putKnownPosition, row).changes === 0) db.run(putPosition, row);
};

export const deletePosition = (db: Db, tradeId: string): void => {
  db.run(removePosition, { trade_id: tradeId });
};

function positionRow(position: PositionRow): NewRow {
  return {
    symbol: position.contract.symbol,
    quantity: wholeColumn(position.quantity, 'position quantity'),
    entry_price: moneyColumnOrNull(position.entryPrice),
    entry_timestamp: timeColumnOrNull(position.entryAt),
    agent_name: position.agentName,
    profit_target_price: moneyColumnOrNull(position.targetPrice),
    stop_loss_price: moneyColumnOrNull(position.stopPrice),
    status: position.status,
    last_updated: timeColumn(position.updatedAt),
    metadata: JSON.stringify(position.metadata),
    account: position.account,
    con_id: position.contract.conId,
    trade_id: position.tradeId,
    contract: contractColumn(position.contract),
  };
}

function positionOf(row: ActivePositionsRow): PositionRow {
  return {
    tradeId: row.trade_id,
    account: row.account,
    contract: contractOf(row.contract),
    quantity: shares(row.quantity),
    entryPrice: moneyOrNull(row.entry_price),
    entryAt: timeOrNull(row.entry_timestamp),
    agentName: row.agent_name,
    targetPrice: moneyOrNull(row.profit_target_price),
    stopPrice: moneyOrNull(row.stop_loss_price),
    status: row.status,
    updatedAt: timeOf(row.last_updated),
    metadata: JSON.parse(row.metadata) as PositionMetadata,
  };
}
