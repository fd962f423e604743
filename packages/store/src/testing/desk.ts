import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contract } from '@holdfast/core/contract';
import type { ClosedTrade, Enter, Write } from '@holdfast/core/effects';
import type { Order } from '@holdfast/core/orders/order';
import type { Execution } from '@holdfast/core/positions/execution';
import type { PositionMetadata, PositionRow } from '@holdfast/core/shared-view';
import { type EpochMs, epochMs, fromDollars, micros, monoMs, shares, type TradeDate } from '@holdfast/core/units';
import { type CommitResult, commitStep, type StepCommit } from '../commit.js';
import { type Db, openStore, type StoreOptions } from '../db.js';
import { acquireLease, type Lease, setPhase } from '../leases.js';
import { migrate } from '../migrate.js';
import type { LeaseName } from '../schema.js';

/** For tests: a store with both workers' leases taken, and values of the house that state only what matters to the test. */

export const MONDAY = '2026-03-09' as TradeDate;
export const TUESDAY = '2026-03-10' as TradeDate;
export const NOW = epochMs(Date.UTC(2026, 2, 9, 14, 30));
export const later = (ms: number): EpochMs => epochMs(NOW + ms);
export const usd = fromDollars;

export const ACME: Contract = {
  conId: 501,
  symbol: 'ACME',
  secType: 'STK',
  exchange: 'SMART',
  primaryExchange: 'NASDAQ',
  currency: 'USD',
  tick: micros(10_000),
  multiplier: 1,
};

export const anOrder = (order: Partial<Order> = {}): Order => ({
  orderRef: 'HFX-20260309-1-1',
  worker: 'exit-manager',
  clientId: 10,
  orderId: 1,
  permId: null,
  tradeId: 'T-1',
  contract: ACME,
  role: 'exit',
  side: 'SELL',
  quantity: shares(100),
  type: 'MKT',
  limitPrice: null,
  stopPrice: null,
  tif: 'IOC',
  goodTill: null,
  ocaGroup: null,
  status: 'INTENT',
  filled: shares(0),
  createdAt: NOW,
  updatedAt: NOW,
  reason: null,
  ...order,
});

export const anEntry = (order: Partial<Order> = {}): Order =>
  anOrder({
    orderRef: 'HFD-20260309-2-1',
    worker: 'day-trader',
    clientId: 2,
    role: 'entry',
    side: 'BUY',
    type: 'LMT',
    limitPrice: usd(50),
    ...order,
  });

export const metadata = (data: Partial<PositionMetadata> = {}): PositionMetadata => ({
  origin: 'entry',
  base: 0,
  side: 1,
  disasterPrice: null,
  generation: 0,
  exit: null,
  failedSells: 0,
  quarantinedAt: null,
  signal: null,
  ...data,
});

export const aPosition = (position: Partial<PositionRow> = {}): PositionRow => ({
  tradeId: 'T-1',
  account: 'DU1',
  contract: ACME,
  quantity: shares(100),
  entryPrice: usd(49.98),
  entryAt: NOW,
  agentName: 'standard',
  targetPrice: usd(50.88),
  stopPrice: usd(49.53),
  status: 'OPEN',
  updatedAt: NOW,
  metadata: metadata(),
  ...position,
});

export const aClaim = (position: Partial<PositionRow> = {}): PositionRow =>
  aPosition({ quantity: shares(0), entryPrice: null, entryAt: null, targetPrice: null, stopPrice: null, status: 'CLAIMED', ...position });

export const anEnter = (enter: { order?: Partial<Order>; claim?: Partial<PositionRow>; tradeDate?: TradeDate } = {}): Enter => ({
  do: 'enter',
  claim: aClaim(enter.claim),
  order: anEntry(enter.order),
  tradeDate: enter.tradeDate ?? MONDAY,
  decidedAt: monoMs(0),
});

export const aFill = (execution: Partial<Execution> = {}): Execution => ({
  execId: '0001.0002.0003.01',
  at: NOW,
  conId: ACME.conId,
  symbol: ACME.symbol,
  side: 'BUY',
  shares: shares(100),
  price: usd(49.98),
  orderRef: 'HFD-20260309-2-1',
  permId: 9001,
  clientId: 2,
  orderId: 1,
  ...execution,
});

export const aClose = (trade: Partial<ClosedTrade> = {}): ClosedTrade => ({
  tradeId: 'T-1',
  account: 'DU1',
  contract: ACME,
  side: 1,
  quantity: shares(100),
  entryPrice: usd(50),
  exitPrice: usd(50.9),
  entryAt: NOW,
  exitAt: later(60_000),
  exitReason: 'target',
  closeDate: MONDAY,
  pnl: usd(88),
  commission: usd(2),
  agentName: 'standard',
  ...trade,
});

export const booked = (execution: Partial<Execution> = {}, tradeId: string | null = 'T-1'): Write => ({
  do: 'write-execution',
  execution: aFill(execution),
  tradeId,
  tradeDate: MONDAY,
});

const cleanups: (() => void)[] = [];

/** A file of its own, removed by `closeAll`. */
export function storePath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-store-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'desk.sqlite');
}

export function openTestStore(path: string, options: Partial<StoreOptions> = {}): Db {
  const db = openStore(path, { busyTimeoutMs: 0, synchronous: 'OFF', ...options });
  cleanups.unshift(() => db.close());
  return db;
}

/** Closes every store this test opened. */
export function closeAll(): void {
  for (const cleanup of cleanups.splice(0)) cleanup();
}

let processes = 100;
export function takeLease(db: Db, name: LeaseName): Lease {
  processes += 1;
  const taken = acquireLease(db, { name, pid: processes, processStartedAt: '1', bootId: 'boot', now: NOW }, () => true);
  if (!taken.ok) throw new Error(taken.detail);
  return taken.lease;
}

export interface Desk {
  readonly path: string;
  readonly db: Db;
  readonly exitManager: Lease;
  readonly dayTrader: Lease;
  /** One step of the exit manager, unless said otherwise. */
  commit(writes: readonly Write[], step?: Partial<StepCommit>): CommitResult;
}

/** A migrated store; the exit manager (lease 1) is READY, the day trader (lease 2) is at work. */
export function openDesk(options: Partial<StoreOptions> = {}): Desk {
  const path = storePath();
  const db = openTestStore(path, options);
  const migrated = migrate(db, NOW);
  if (!migrated.ok) throw new Error(migrated.detail);
  const exitManager = takeLease(db, 'exit-manager');
  const dayTrader = takeLease(db, 'day-trader');
  setPhase(db, exitManager, { phase: 'READY', detail: '' });
  return {
    path,
    db,
    exitManager,
    dayTrader,
    commit: (writes, step) => commitStep(db, { lease: exitManager, writes, now: NOW, tradeDate: MONDAY, durable: false, ...step }),
  };
}
