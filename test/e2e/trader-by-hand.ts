import { tradeDateOf } from '@holdfast/core/calendar';
import type { Write } from '@holdfast/core/effects';
import { claimRow } from '@holdfast/core/exits/care';
import { CLIENT_ID, makeOrderRef, type Order } from '@holdfast/core/orders/order';
import { type EpochMs, fromDollars, monoMs, shares } from '@holdfast/core/units';
import { isGone, thisProcess } from '@holdfast/engine/live';
import { order, stock } from '@holdfast/sim/gateway/testing/ib-probe';
import { ACME } from '@holdfast/sim/gateway/testing/scripted-market';
import { claimEntry } from '@holdfast/store/claims';
import { commitStep } from '@holdfast/store/commit';
import { type Db, openStore } from '@holdfast/store/db';
import { acquireLease, type Lease, releaseLease } from '@holdfast/store/leases';
import { OrderType } from '@stoqey/ib';
import type { TestDesk } from './harness.js';
import { waitFor } from './waiting.js';

/**
 * The day trader played by hand, under its lease and client id, for stories in which only what it leaves behind matters: a claim and an
 * entry order in one transaction, then the order, then its fill
 * on record. Then it ends as a process would: lease given back, connection closed.
 */
export async function buyByHand(desk: TestDesk, quantity: number, limit: number): Promise<void> {
  const { now } = desk.room.gateway.exchange;
  const db = openStore(desk.files.store, { busyTimeoutMs: 2_000, synchronous: 'NORMAL', mustExist: true });
  try {
    const taken = acquireLease(db, { name: 'day-trader', ...thisProcess(), now }, isGone);
    if (!taken.ok) throw new Error(taken.detail);
    try {
      await claimAndSend(desk, db, { lease: taken.lease, quantity, limit });
    } finally {
      releaseLease(db, taken.lease);
    }
  } finally {
    db.close();
  }
}

interface Entering {
  readonly lease: Lease;
  readonly quantity: number;
  readonly limit: number;
}

async function claimAndSend(desk: TestDesk, db: Db, { lease, quantity, limit }: Entering): Promise<void> {
  const { exchange } = desk.room.gateway;
  const now = exchange.now;
  const entry = entryOf(quantity, { limit, lease: lease.leaseId, now });
  const { tradeId, contract } = entry;
  const claim = claimRow({ tradeId, account: exchange.accountId, contract, side: 1, agentName: 'day-trader', signal: null, now });
  const enter = { do: 'enter' as const, claim, order: entry, tradeDate: tradeDateOf(now), decidedAt: monoMs(0) };
  const claimed = claimEntry(db, { lease, enter, now });
  if (!claimed.ok) throw new Error(`${claimed.code}: ${claimed.detail}`);

  const probe = await desk.room.connect(CLIENT_ID['day-trader']);
  const terms = { orderType: OrderType.LMT, lmtPrice: limit, orderRef: entry.orderRef };
  probe.ib.placeOrder(entry.orderId, stock(contract.symbol), order('BUY', quantity, terms));
  await waitFor('the entry to fill', () => filled(desk, entry) === quantity, { lastSeen: desk.story });
  book(desk, db, { entry, lease });
  probe.close();
}

const fillsOf = ({ room }: TestDesk, { orderRef }: Order) =>
  room.gateway.exchange.executions().filter(execution => execution.orderRef === orderRef);
const filled = (desk: TestDesk, entry: Order): number => fillsOf(desk, entry).reduce((sum, execution) => sum + execution.shares, 0);

function book(desk: TestDesk, db: Db, { entry, lease }: { readonly entry: Order; readonly lease: Lease }): void {
  const { now } = desk.room.gateway.exchange;
  const { tradeId } = entry;
  const tradeDate = tradeDateOf(now);
  const executions: Write[] = fillsOf(desk, entry).map(told => ({
    do: 'write-execution',
    tradeId,
    tradeDate,
    execution: { ...told, shares: shares(told.shares) },
  }));
  const order: Write = { do: 'write-order', order: { ...entry, filled: entry.quantity, status: 'FILLED', updatedAt: now } };
  const committed = commitStep(db, { lease, now, tradeDate, durable: true, writes: [...executions, order] });
  if (!committed.ok) throw new Error(committed.detail);
}

function entryOf(
  quantity: number,
  { limit, lease, now }: { readonly limit: number; readonly lease: number; readonly now: EpochMs },
): Order {
  const orderRef = makeOrderRef('day-trader', { tradeDate: tradeDateOf(now), lease, counter: 1 });
  return {
    orderRef,
    worker: 'day-trader',
    clientId: CLIENT_ID['day-trader'],
    orderId: lease,
    permId: null,
    tradeId: orderRef,
    contract: {
      conId: ACME.conId,
      symbol: ACME.symbol,
      secType: 'STK',
      exchange: 'SMART',
      primaryExchange: ACME.primaryExchange,
      currency: 'USD',
      tick: ACME.tick,
      multiplier: 1,
    },
    role: 'entry',
    side: 'BUY',
    quantity: shares(quantity),
    type: 'LMT',
    limitPrice: fromDollars(limit),
    stopPrice: null,
    tif: 'DAY',
    goodTill: null,
    ocaGroup: null,
    status: 'INTENT',
    filled: shares(0),
    createdAt: now,
    updatedAt: now,
    reason: null,
  };
}
