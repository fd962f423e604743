import { previousTradingDate } from '@holdfast/core/calendar';
import { CLIENT_ID, type WorkerName } from '@holdfast/core/orders/order';
import type { SharedView } from '@holdfast/core/shared-view';
import type { EpochMs, TradeDate } from '@holdfast/core/units';
import { readBaseline } from './baseline.js';
import { readBlocks } from './blocks.js';
import { expireCommands, readCommands } from './commands.js';
import type { Db } from './db.js';
import { readExecutions } from './executions.js';
import { readKillSwitch } from './kill-switch.js';
import { readLease } from './leases.js';
import { readHighestOrderId, readLiveOrders } from './orders.js';
import { readPositions } from './positions.js';
import { attempt } from './refusal.js';
import { q, statement } from './statement.js';
import { readEndedTrades } from './trades.js';

const sharedChanges = statement((_: object) => q.selectFrom('shared_changes').select(['name', 'number']).orderBy('name'));

/** How often each shared table has changed, by its name. A table that the store does not count is missing, and counts as changed. */
export type SharedChanges = ReadonlyMap<string, number>;

/** Moves with whatever anybody changes: triggers count it (0003-shared-changes.sql). */
export const readSharedChanges = (db: Db): SharedChanges => new Map(db.all(sharedChanges, {}).map(({ name, number }) => [name, number]));

/** A view as it was read, and the counts read before it. */
export interface ReadView {
  readonly view: SharedView;
  readonly changes: SharedChanges;
  readonly tradeDate: TradeDate;
}

/** Every table that a view is read from. */
export const SHARED_TABLES = [
  'active_positions',
  'baseline',
  'closed_positions_today',
  'commands',
  'executions',
  'kill_switch',
  'orders',
  'worker_leases',
] as const;
type SharedTable = (typeof SHARED_TABLES)[number];

/** Whether none of these tables has changed between the two readings. */
export const areUnchanged = (tables: readonly SharedTable[], before: SharedChanges, now: SharedChanges): boolean =>
  tables.every(table => before.has(table) && before.get(table) === now.get(table));

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
  return {
    positions: readPositions(db),
    orders: readLiveOrders(db, tradeDate),
    executions: readExecutions(db, tradeDate),
    closedToday: readBlocks(db, tradeDate),
    baseline: baselineOf(db),
    commands: readCommands(db, worker, now),
    killSwitch: readKillSwitch(db),
    guard: guardOf(db),
  };
}

/** With what a worker needs once, at its start. */
export function loadStartView(db: Db, request: ViewRequest & { readonly worker: WorkerName }): SharedView {
  const { worker, tradeDate } = request;
  const since = previousTradingDate(tradeDate);
  return {
    ...loadView(db, request),
    ...(worker === 'exit-manager' && { orders: readLiveOrders(db, since), executions: readExecutions(db, tradeDate, since) }),
    endedTrades: readEndedTrades(db, since),
    lastOrderId: readHighestOrderId(db, CLIENT_ID[worker]),
  };
}

/** `loadView`, reading only what has changed since `known`. `changes` was read before this. */
export function reloadView(db: Db, request: ViewRequest, { known, changes }: { known: ReadView; changes: SharedChanges }): SharedView {
  const { worker, tradeDate, now } = request;
  if (known.tradeDate !== tradeDate) return loadView(db, request);
  const { view } = known;
  const isKept = (...tables: SharedTable[]): boolean => areUnchanged(tables, known.changes, changes);
  attempt(() => expireCommands(db, now));
  const positions = isKept('active_positions') ? view.positions : readPositions(db);
  return {
    positions,
    orders: isKept('orders') ? view.orders : readLiveOrders(db, tradeDate),
    // Those of open trades of earlier dates are among them.
    executions: isKept('executions') && areSameTrades(positions, view.positions) ? view.executions : readExecutions(db, tradeDate),
    closedToday: isKept('closed_positions_today') ? view.closedToday : readBlocks(db, tradeDate),
    baseline: isKept('baseline') ? view.baseline : baselineOf(db),
    // They also end by their time.
    commands: readCommands(db, worker, now),
    killSwitch: isKept('kill_switch') ? view.killSwitch : readKillSwitch(db),
    guard: isKept('worker_leases') ? view.guard : guardOf(db),
  };
}

/** Both in the order of their symbols; a claim that was given back and taken again has another trade. */
const areSameTrades = (now: SharedView['positions'], before: SharedView['positions']): boolean =>
  now.length === before.length && now.every(({ tradeId }, index) => tradeId === before[index]?.tradeId);

const baselineOf = (db: Db): SharedView['baseline'] => readBaseline(db).map(({ contract, quantity }) => ({ contract, quantity }));

function guardOf(db: Db): SharedView['guard'] {
  const guard = readLease(db, 'exit-manager');
  return { phase: guard?.phase ?? 'STARTING', alive: guard?.holder != null };
}
