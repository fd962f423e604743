import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createState } from '../exit-manager.js';
import { openDraft } from '../exits/desk.js';
import { DEFAULT_EXIT_RULES } from '../exits/rules.js';
import { isFinal, type Order, type OrderStatus, type TimeInForce } from '../orders/order.js';
import { splitExecId } from '../positions/book.js';
import type { Execution } from '../positions/execution.js';
import { epochMs, fromDollars, micros, monoMs, shares } from '../units.js';
import { settleSnapshot } from './settle.js';

/** Random pairs of what we have and what the broker answers: the invariants in the header of settle.ts hold afterwards. */

const NOW = epochMs(Date.UTC(2026, 2, 9, 15, 0));
const TRADE = 'HFD-20260309-1-1';
const CONTRACT = {
  conId: 1,
  symbol: 'ACME',
  secType: 'STK' as const,
  exchange: 'SMART',
  primaryExchange: '',
  currency: 'USD',
  tick: micros(10_000),
  multiplier: 1,
};

const execution = (slot: number, revision: number, orderRef: string): Execution => ({
  execId: `0001.${slot}.0${revision}`,
  at: epochMs(NOW - 60_000 + slot),
  conId: 1,
  symbol: 'ACME',
  side: orderRef.startsWith('HFX') ? 'SELL' : 'BUY',
  shares: shares(10 + slot + revision),
  price: fromDollars(50),
  orderRef,
  permId: 100 + slot,
  clientId: orderRef.startsWith('HFX') ? 10 : 2,
  orderId: slot,
});

const order = (n: number, about: { status: OrderStatus; tif: TimeInForce; role: Order['role'] }): Order => ({
  orderRef: `HFX-20260309-1-${n}`,
  worker: 'exit-manager',
  clientId: 10,
  orderId: n,
  permId: about.status === 'INTENT' ? null : 1_000 + n,
  tradeId: TRADE,
  contract: CONTRACT,
  role: about.role,
  side: 'SELL',
  quantity: shares(50),
  type: about.role === 'target' ? 'LMT' : about.role === 'exit' ? 'MKT' : 'STP',
  limitPrice: about.role === 'target' ? fromDollars(50.9) : null,
  stopPrice: about.role === 'disaster-stop' ? fromDollars(49.1) : null,
  tif: about.tif,
  goodTill: null,
  ocaGroup: about.role === 'exit' ? null : `${TRADE}-x1-g${n}`,
  status: about.status,
  filled: shares(0),
  createdAt: epochMs(NOW - 120_000),
  updatedAt: epochMs(NOW - 120_000),
  reason: null,
});

const aCase = fc.record({
  ours: fc.array(
    fc.record({
      status: fc.constantFrom<OrderStatus>('INTENT', 'SUBMITTED', 'CANCELLING', 'INACTIVE', 'LOST', 'CANCELLED', 'REJECTED'),
      tif: fc.constantFrom<TimeInForce>('DAY', 'GTC', 'IOC'),
      role: fc.constantFrom<Order['role']>('target', 'disaster-stop', 'exit'),
      isOpen: fc.boolean(),
    }),
    { maxLength: 5 },
  ),
  unknownOrders: fc.nat(2),
  ourExecutions: fc.subarray([1, 2, 3, 4]),
  theirExecutions: fc.subarray([1, 2, 3, 4, 5, 6], { minLength: 1 }),
  revisions: fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 7, maxLength: 7 }),
  held: fc.constantFrom(0, 40, 100, -20),
  isNewSession: fc.boolean(),
});

type Case = typeof aCase extends fc.Arbitrary<infer T> ? T : never;

/** What the broker tells of slot n, and what we had: the same id tells the same, a higher revision corrects. */
const refOf = (slot: number): string => (slot % 3 === 0 ? 'HFX-20260309-1-1' : TRADE);

function build(about: Case) {
  const orders = about.ours.map((one, index) => order(index + 1, one));
  const known = about.ourExecutions.map(slot => ({ ...execution(slot, 1, refOf(slot)), tradeId: TRADE }));
  const told = about.theirExecutions.map(slot => execution(slot, about.revisions[slot] ?? 1, refOf(slot)));
  const state = createState({
    rules: DEFAULT_EXIT_RULES,
    account: 'DU1',
    lease: 2,
    isMinimal: false,
    at: NOW,
    hasBaseline: true,
    view: {
      positions: [],
      orders,
      executions: known,
      closedToday: [],
      baseline: [],
      commands: [],
      killSwitch: { on: false, reason: null },
      guard: { phase: 'READY', alive: true },
    },
  });
  const brokerOrder = (one: Order) => ({
    clientId: 10,
    orderId: one.orderId,
    permId: 1_000 + one.orderId,
    orderRef: one.orderRef,
    conId: 1,
    symbol: 'ACME',
    side: one.side,
    quantity: one.quantity,
    type: one.type,
    limitPrice: one.limitPrice,
    stopPrice: one.stopPrice,
    tif: one.tif,
    ocaGroup: one.ocaGroup,
    status: 'Submitted',
  });
  const found = Array.from({ length: about.unknownOrders }, (_, index) =>
    order(50 + index, { status: 'SUBMITTED', tif: 'DAY', role: 'target' }),
  );
  const openOrders = [...orders.filter((_, index) => about.ours[index]?.isOpen), ...found].map(brokerOrder);
  const positions = about.held === 0 ? [] : [{ account: 'DU1', contract: CONTRACT, quantity: about.held, averageCost: fromDollars(50) }];
  const session = about.isNewSession ? 1 : 0;
  const linked = {
    ...state,
    contracts: new Map([[1, CONTRACT]]),
    link: { ...state.link, isUp: true, session, snapshot: { id: 7, askedAt: monoMs(20_000), tries: 1, isFirst: true } },
  };
  const snapshot = { kind: 'snapshot' as const, id: 7, session, openOrders, executions: told, positions };
  return { linked, snapshot, rows: orders };
}

const WRITES = new Set(['write-order', 'write-execution', 'write-intent', 'write-decision', 'write-alert', 'close-position']);

describe('A8: reconcile, ours against theirs', () => {
  it('holds its invariants for random pairs, and a second application corrects nothing', () => {
    fc.assert(
      fc.property(aCase, about => {
        const { linked, snapshot, rows } = build(about);
        const d = openDraft(linked, NOW, monoMs(20_100));
        settleSnapshot(d, snapshot);
        // 1: every execution of the answer is booked, by its newest word.
        for (const told of snapshot.executions) {
          const booked = d.s.executions.get(splitExecId(told.execId).root);
          expect(splitExecId(booked?.execId ?? '').revision).toBeGreaterThanOrEqual(splitExecId(told.execId).revision);
        }
        // 2: every order the broker works under our prefix is known, and is not taken for ended.
        for (const told of snapshot.openOrders) {
          const order = d.s.orders.get(told.orderRef)?.order;
          expect(order, told.orderRef).toBeDefined();
          if (order && order.status !== 'REJECTED' && order.status !== 'FILLED') expect(isFinal(order), told.orderRef).toBe(false);
        }
        // 3: what the answer leaves out still counts where it could rest, and is waited for no longer where it cannot.
        const open = new Set(snapshot.openOrders.map(({ orderRef }) => orderRef));
        for (const [orderRef, { order }] of d.s.orders) {
          const before = linked.orders.get(orderRef)?.order;
          if (open.has(orderRef) || !before || isFinal(before) || order.status === 'FILLED') continue;
          if (before.tif === 'IOC' && before.status !== 'INTENT' && before.status !== 'LOST' && order.filled === 0)
            expect(order.status, orderRef).toBe('CANCELLED');
          if (before.tif !== 'IOC') expect(isFinal(order), `${orderRef} ${before.status}`).toBe(false);
        }
        // 4: holdings are the broker's.
        expect(d.s.holdings.get(1)?.quantity ?? 0).toBe(about.held);
        // 5: nothing was sent, and no intent was written.
        expect(d.effects.filter(({ do: what }) => what === 'place' || what === 'cancel' || what === 'write-intent')).toEqual([]);
        // 7: the row of every order says what is known of it, also where it was behind its executions from the start.
        for (const row of rows) {
          const words = d.effects.flatMap(effect =>
            effect.do === 'write-order' && effect.order.orderRef === row.orderRef ? [effect.order] : [],
          );
          const { status, filled } = words.at(-1) ?? row;
          const known = d.s.orders.get(row.orderRef)?.order;
          expect(`${status} ${filled}`, row.orderRef).toBe(`${known?.status} ${known?.filled}`);
        }
        // 6: the same answer again corrects nothing.
        const again = openDraft({ ...d.s, link: { ...d.s.link, snapshot: linked.link.snapshot } }, NOW, monoMs(20_100));
        settleSnapshot(again, snapshot);
        expect(again.effects.filter(({ do: what }) => WRITES.has(what))).toEqual([]);
      }),
      { numRuns: 1_500 },
    );
  });

  it('C7: each correction is a row of decisions, and together one message in three parts', () => {
    const { linked, snapshot } = build({
      ours: [{ status: 'SUBMITTED', tif: 'IOC', role: 'exit', isOpen: false }],
      unknownOrders: 0,
      ourExecutions: [],
      theirExecutions: [1],
      revisions: [1, 1, 1, 1, 1, 1, 1],
      held: 40,
      isNewSession: true,
    });
    const d = openDraft(linked, NOW, monoMs(20_100));
    settleSnapshot(d, snapshot);
    const decisions = d.effects.flatMap(effect =>
      effect.do === 'write-decision' ? [`${effect.decision.code} ${effect.decision.detail}`] : [],
    );
    expect(decisions).toEqual([
      'EXECUTION_LEARNED BUY 12 ACME at 50 (HFD-20260309-1-1, 0001.1.01)',
      'ORDER_SETTLED HFX-20260309-1-1: SUBMITTED is CANCELLED, not among the open orders of a complete answer',
    ]);
    const alerts = d.effects.flatMap(effect => (effect.do === 'write-alert' && effect.alert.code === 'RECONCILED' ? [effect.alert] : []));
    expect(alerts.length).toBe(1);
    expect(alerts[0]?.happened).toContain('2 point(s)');
  });
});
