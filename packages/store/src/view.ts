import type { WorkerName } from '@holdfast/core/orders/order';
import type { SharedView } from '@holdfast/core/shared-view';
import type { EpochMs, TradeDate } from '@holdfast/core/units';
import { readBaseline } from './baseline.js';
import { readBlocks } from './blocks.js';
import { expireCommands, readCommands } from './commands.js';
import type { Db } from './db.js';
import { readExecutions } from './executions.js';
import { readKillSwitch } from './kill-switch.js';
import { readLease } from './leases.js';
import { readLiveOrders } from './orders.js';
import { readPositions } from './positions.js';
import { attempt } from './refusal.js';
import { q, statement } from './statement.js';

const sharedChanges = statement((p: { id: number }) => q.selectFrom('shared_changes').select('number').where('id', '=', p.id).limit(1));

/**
 * Moves whenever anything in a view has changed, by whomever: triggers count it (0003-shared-changes.sql). Null when the store does not
 * count; then everything is read again.
 */
export const readSharedChanges = (db: Db): number | null => db.first(sharedChanges, { id: 1 })?.number ?? null;

export interface ViewRequest {
  readonly worker: WorkerName | 'supervisor';
  readonly tradeDate: TradeDate;
  readonly now: EpochMs;
}

/**
 * What a worker reads of the shared tables when somebody else has written. Only the newest correction of each fill is in it.
 * `guard.alive` says that somebody holds the exit manager's lease; whether it still moves, its heartbeat tells.
 */
export function loadView(db: Db, { worker, tradeDate, now }: ViewRequest): SharedView {
  // Marking dead commands is housekeeping: they are dead by their time alone, so a busy store may keep the mark for later.
  attempt(() => expireCommands(db, now));
  const guard = readLease(db, 'exit-manager');
  return {
    positions: readPositions(db),
    orders: readLiveOrders(db, tradeDate),
    executions: readExecutions(db, tradeDate),
    closedToday: readBlocks(db, tradeDate),
    baseline: readBaseline(db).map(({ conId, symbol, quantity }) => ({ conId, symbol, quantity })),
    commands: readCommands(db, worker, now),
    killSwitch: readKillSwitch(db),
    guard: { phase: guard?.phase ?? 'STARTING', alive: guard?.holder != null },
  };
}
