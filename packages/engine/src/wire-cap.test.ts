import type { Event, EventBody } from '@holdfast/core/events';
import type { BrokerOrder, Order } from '@holdfast/core/orders/order';
import type { Execution } from '@holdfast/core/positions/execution';
import { epochMs, monoMs, shares } from '@holdfast/core/units';
import { ACME, aFill, anEntry, anOrder, aPosition, metadata, NOW, usd } from '@holdfast/store/testing/desk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWireCap, type WireCap } from './wire-cap.js';

const LIMITS = { ordersPerMinute: 30, notionalMax: usd(100_000), collarBps: 1_000 };
const at = { at: NOW, mono: monoMs(1_000) };
const hear = (cap: WireCap, body: EventBody): void => cap.observe({ at: NOW, mono: monoMs(1_000), ...body } as Event);
const view = (parts: object = {}) => ({
  positions: [],
  orders: [],
  executions: [],
  closedToday: [],
  baseline: [],
  commands: [],
  killSwitch: { on: false, reason: null },
  guard: { phase: 'READY' as const, alive: true },
  ...parts,
});
const bought = (quantity: number) => ({
  positions: [aPosition({ quantity: shares(quantity) })],
  executions: [{ ...aFill({ shares: shares(quantity) }), tradeId: 'T-1' }],
});
const capHolding = (quantity: number): WireCap => {
  const cap = createWireCap(LIMITS);
  cap.seed(view(bought(quantity)));
  return cap;
};
let orderId = 0;
const exit = (quantity: number, order: Partial<Order> = {}): Order => {
  orderId += 1;
  return anOrder({ orderId, orderRef: `HFX-20260309-1-${orderId}`, quantity: shares(quantity), ...order });
};
const send = (cap: WireCap, order: Order): string => {
  const verdict = cap.check(order, at);
  if (verdict.ok) cap.sent(order, at);
  return verdict.ok ? 'ok' : verdict.code;
};
const status = (order: Order, word: string, filled = 0): EventBody => ({
  kind: 'order-status',
  clientId: order.clientId,
  orderId: order.orderId,
  permId: 1,
  status: word,
  filled,
  remaining: order.quantity - filled,
});
const fillOf = (order: Order, quantity: number, execId = `f.${order.orderRef}.${quantity}.01`) => {
  const { orderRef, orderId, clientId, side } = order;
  return aFill({ execId, side, shares: shares(quantity), orderRef, orderId, clientId });
};
const filled = (order: Order, quantity: number, execId?: string): EventBody => ({
  kind: 'execution',
  execution: fillOf(order, quantity, execId),
});
const echo = (order: Order, change: Partial<BrokerOrder> = {}): BrokerOrder => ({
  clientId: order.clientId,
  orderId: order.orderId,
  permId: 1,
  orderRef: order.orderRef,
  conId: ACME.conId,
  symbol: ACME.symbol,
  side: order.side,
  quantity: order.quantity,
  type: order.type,
  limitPrice: null,
  stopPrice: null,
  tif: 'DAY',
  ocaGroup: order.ocaGroup,
  status: 'Submitted',
  ...change,
});
const answer = (id: number, parts: Partial<Extract<EventBody, { kind: 'snapshot' }>>): EventBody => ({
  kind: 'snapshot',
  id,
  session: 0,
  openOrders: [],
  executions: [],
  positions: [],
  ...parts,
});
const position = (quantity: number): EventBody => ({
  kind: 'position',
  position: { account: 'DU1', contract: ACME, quantity, averageCost: usd(50) },
});

describe('I1: exits never exceed what was bought or adopted', () => {
  it('what is out counts until it is proven dead', () => {
    const cap = capHolding(100);
    const target = exit(100);
    expect(send(cap, target)).toBe('ok');
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
    hear(cap, status(target, 'PendingCancel'));
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
    hear(cap, status(target, 'Cancelled'));
    expect(send(cap, exit(100))).toBe('ok');
  });

  it('what the cancelled order had sold is gone', () => {
    const cap = capHolding(100);
    const target = exit(100);
    send(cap, target);
    hear(cap, status(target, 'Cancelled', 40));
    expect(send(cap, exit(61))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(60))).toBe('ok');
  });

  it('a fill that arrives after Cancelled counts', () => {
    const cap = capHolding(100);
    const target = exit(100);
    send(cap, target);
    hear(cap, status(target, 'Cancelled'));
    hear(cap, filled(target, 30));
    expect(send(cap, exit(71))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(70))).toBe('ok');
  });

  it('an OCA group counts once, also while one member fills', () => {
    const cap = capHolding(100);
    const [target, stop] = [exit(100, { ocaGroup: 'g1' }), exit(100, { ocaGroup: 'g1' })];
    expect([send(cap, target), send(cap, stop)]).toEqual(['ok', 'ok']);
    hear(cap, filled(target, 40));
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
    hear(cap, status(stop, 'Cancelled'));
    hear(cap, status(target, 'Cancelled', 40));
    expect(send(cap, exit(60))).toBe('ok');
  });

  it('a group whose member was changed after a fill is bounded by both', () => {
    const cap = capHolding(100);
    const [target, stop] = [exit(100, { ocaGroup: 'g1' }), exit(100, { ocaGroup: 'g1' })];
    send(cap, target);
    send(cap, stop);
    hear(cap, filled(target, 40));
    const changed = { ...stop, quantity: shares(60) };
    expect(send(cap, changed)).toBe('ok');
    hear(cap, { kind: 'open-order', order: echo(changed) });
    hear(cap, status(target, 'Cancelled', 40));
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
  });

  it('a modification counts by its change, and a smaller one only once the broker has it', () => {
    const cap = capHolding(100);
    const stop = exit(60);
    send(cap, stop);
    expect(send(cap, { ...stop, quantity: shares(101) })).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, { ...stop, quantity: shares(100) })).toBe('ok');
    const smaller = { ...stop, quantity: shares(50) };
    expect(send(cap, smaller)).toBe('ok');
    expect(send(cap, exit(50))).toBe('WIRE_CAP_QUANTITY');
    hear(cap, { kind: 'open-order', order: echo(smaller) });
    expect(send(cap, exit(50))).toBe('ok');
  });

  it('the successor of a lost order under the same id is no second order', () => {
    const cap = capHolding(100);
    const lost = exit(100);
    send(cap, lost);
    expect(send(cap, exit(100))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, { ...lost, orderRef: 'HFX-20260309-1-999' })).toBe('ok');
  });

  it('an acknowledged order that a later snapshot does not list is over; one never acknowledged is not', () => {
    const cap = capHolding(100);
    const [heard, silent] = [exit(50), exit(50)];
    send(cap, heard);
    send(cap, silent);
    hear(cap, status(heard, 'Submitted'));
    cap.snapshotRequested(1);
    hear(cap, { kind: 'snapshot', id: 1, session: 2, openOrders: [], executions: [], positions: [] });
    expect(send(cap, exit(51))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(50))).toBe('ok');
  });

  it('an order acknowledged only after the snapshot was asked for is not judged by it', () => {
    const cap = capHolding(100);
    const order = exit(100);
    send(cap, order);
    cap.snapshotRequested(1);
    hear(cap, status(order, 'Submitted'));
    hear(cap, { kind: 'snapshot', id: 1, session: 1, openOrders: [], executions: [], positions: [] });
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
  });

  it('A8: a market sale that filled in part while the line dropped is over, so that the rest can be sold', () => {
    const cap = capHolding(100);
    const sale = exit(100);
    send(cap, sale); // its echo is lost with the line
    hear(cap, { kind: 'connected', nextOrderId: 1, accounts: ['DU1'], session: 2 });
    cap.snapshotRequested(1);
    hear(cap, answer(1, { session: 2, executions: [fillOf(sale, 40)] }));
    expect(send(cap, exit(61))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(60))).toBe('ok');
  });

  it('a fill proves that the broker had the order: heard before the snapshot was asked for, silence ends it', () => {
    const cap = capHolding(100);
    const sale = exit(100);
    send(cap, sale);
    hear(cap, filled(sale, 40));
    cap.snapshotRequested(1);
    hear(cap, answer(1, { session: 0 }));
    expect(send(cap, exit(60))).toBe('ok');
  });

  it('a fill first heard of in the answer itself ends no order of the same connection: it may have come in between its parts', () => {
    const cap = capHolding(100);
    const sale = exit(100);
    send(cap, sale);
    cap.snapshotRequested(1);
    hear(cap, answer(1, { session: 0, executions: [fillOf(sale, 40)] }));
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
    cap.snapshotRequested(2);
    hear(cap, answer(2, { session: 0, executions: [fillOf(sale, 40)] }));
    expect(send(cap, exit(60))).toBe('ok');
  });

  it('never heard of and not filled, an order counts on, also over a new connection: only its own id may be used again', () => {
    const cap = capHolding(100);
    const lost = exit(100);
    send(cap, lost);
    hear(cap, { kind: 'connected', nextOrderId: 1, accounts: ['DU1'], session: 2 });
    cap.snapshotRequested(1);
    hear(cap, answer(1, { session: 2 }));
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, { ...lost, orderRef: 'HFX-20260309-1-998' })).toBe('ok');
  });

  it.each<readonly [string, (order: Order) => EventBody]>([
    ['a status', order => status(order, 'Submitted')],
    ['an open order', order => ({ kind: 'open-order', order: echo(order) })],
    ['a listing asked for afterwards', order => answer(2, { openOrders: [echo(order)] })],
  ])('an order believed over counts again when %s shows it working', (_title, word) => {
    const cap = capHolding(100);
    const order = exit(100);
    send(cap, order);
    hear(cap, status(order, 'Submitted'));
    cap.snapshotRequested(1);
    hear(cap, answer(1, {}));
    expect(cap.check(exit(100), at).ok).toBe(true);
    cap.snapshotRequested(2);
    hear(cap, word(order));
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
  });

  it('but not after Filled, not by Inactive after a rejection, and not by a listing older than its end', () => {
    const [done, refused, ended] = [exit(40), exit(30), exit(30)];
    const cap = capHolding(100);
    for (const order of [done, refused, ended]) expect(send(cap, order)).toBe('ok');
    hear(cap, status(done, 'Filled', 40));
    hear(cap, status(done, 'Submitted', 40));
    hear(cap, { kind: 'order-notice', orderId: refused.orderId, code: 201, meaning: 'rejected', text: '' });
    hear(cap, status(refused, 'Inactive'));
    cap.snapshotRequested(1);
    hear(cap, status(ended, 'Cancelled'));
    hear(cap, answer(1, { openOrders: [echo(ended)] }));
    expect(send(cap, exit(60))).toBe('ok');
  });

  it('the id used again belongs to the successor: a late word about the old order under it revives nothing of that', () => {
    const cap = capHolding(100);
    const old = exit(100);
    send(cap, old);
    hear(cap, status(old, 'Cancelled'));
    const next = { ...old, orderRef: 'HFX-20260309-1-997' };
    expect(send(cap, next)).toBe('ok');
    hear(cap, status(next, 'Filled', 50));
    hear(cap, status(next, 'Submitted'));
    expect(send(cap, exit(50))).toBe('ok');
  });

  it('an order the broker calls unknown or final is over when the executions are in', () => {
    const cap = capHolding(100);
    const order = exit(100);
    send(cap, order);
    hear(cap, { kind: 'order-notice', orderId: order.orderId, code: 10147, meaning: 'unknown-order', text: '' });
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
    hear(cap, { kind: 'executions-end', id: 1 });
    expect(send(cap, exit(100))).toBe('ok');
  });

  it('a position push is evidence enough, less the baseline', () => {
    const cap = createWireCap(LIMITS);
    cap.setBaseline(ACME.conId, 40);
    hear(cap, position(140));
    expect(send(cap, exit(101, { tradeId: 'T-9' }))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(100, { tradeId: 'T-9' }))).toBe('ok');
  });

  it('nothing known, nothing sold', () => expect(send(createWireCap(LIMITS), exit(1))).toBe('WIRE_CAP_QUANTITY'));

  it('a correction replaces its fill', () => {
    const cap = capHolding(100);
    hear(cap, { kind: 'execution', execution: aFill({ execId: '0001.0002.0003.02', shares: shares(60) }) });
    expect(send(cap, exit(61))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(60))).toBe('ok');
  });

  it('shares the operator buys on top may be sold too, once their execution is known', () => {
    const cap = capHolding(100);
    hear(cap, { kind: 'execution', execution: aFill({ execId: 'm.1.1.01', shares: shares(50), orderRef: '', at: epochMs(NOW + 1) }) });
    expect(send(cap, exit(150))).toBe('ok');
  });

  it('an overshot sale is bought back, and no more than that', () => {
    const cap = capHolding(100);
    const sale = exit(100);
    send(cap, sale);
    hear(cap, filled(sale, 150)); // an overfill: it happens
    expect(send(cap, exit(51, { side: 'BUY' }))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(50, { side: 'BUY' }))).toBe('ok');
  });

  it('a restart knows what was sold and what is out', () => {
    const sold = exit(30, { status: 'FILLED', filled: shares(30) });
    const out = exit(50, { status: 'SUBMITTED' });
    const cap = createWireCap(LIMITS);
    const { positions, executions } = bought(100);
    const sale = { ...aFill({ execId: 's.1.1.01', side: 'SELL', shares: shares(30), orderRef: sold.orderRef }), tradeId: 'T-1' };
    cap.seed(view({ positions, executions: [...executions, sale], orders: [sold, out] }));
    expect(send(cap, exit(21))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(20))).toBe('ok');
  });

  it('an adopted position keeps its base over a restart', () => {
    const cap = createWireCap(LIMITS);
    cap.seed(view({ positions: [aPosition({ metadata: metadata({ origin: 'adopted', base: 70 }) })] }));
    expect(send(cap, exit(71))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(70))).toBe('ok');
  });

  it('an exit of ours found at the broker without a record counts', () => {
    const cap = capHolding(100);
    hear(cap, { kind: 'open-order', order: echo(exit(80)) });
    expect(send(cap, exit(21))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(20))).toBe('ok');
  });
});

describe('the other bounds', () => {
  const quote = (last: number): EventBody => ({ kind: 'pnl-mark', conId: ACME.conId, quantity: 0, price: usd(last) });

  it.each<readonly [string, number | null, Partial<Order>, string]>([
    ['an entry at the mark', 50, { limitPrice: usd(50), quantity: shares(100) }, 'ok'],
    ['ten per cent above', 50, { limitPrice: usd(55), quantity: shares(100) }, 'ok'],
    ['more than that', 50, { limitPrice: usd(55.01), quantity: shares(100) }, 'WIRE_CAP_PRICE'],
    ['a crazy low limit', 50, { limitPrice: usd(44.99), quantity: shares(100) }, 'WIRE_CAP_PRICE'],
    ['exactly the notional', 50, { limitPrice: usd(50), quantity: shares(2_000) }, 'ok'],
    ['a share too many', 50, { limitPrice: usd(50), quantity: shares(2_001) }, 'WIRE_CAP_NOTIONAL'],
    ['a price never heard', null, { limitPrice: usd(50), quantity: shares(1) }, 'WIRE_CAP_NO_MARK'],
  ])('entries: %s', (_title, last, order, expected) => {
    const cap = createWireCap(LIMITS);
    if (last !== null) hear(cap, quote(last));
    expect(send(cap, anEntry(order))).toBe(expected);
  });

  it.each<readonly [string, Partial<Order>, string]>([
    ['a limit at 90 % of the mark', { type: 'LMT', limitPrice: usd(45) }, 'ok'],
    ['below it', { type: 'LMT', limitPrice: usd(44.99) }, 'WIRE_CAP_PRICE'],
    ['far above: it only rests', { type: 'LMT', limitPrice: usd(80) }, 'ok'],
    ['at market', { type: 'MKT' }, 'ok'],
    ['a stop, wherever', { type: 'STP', stopPrice: usd(30) }, 'ok'],
  ])('exits: %s', (_title, order, expected) => {
    const cap = capHolding(100);
    hear(cap, quote(50));
    expect(send(cap, exit(100, order))).toBe(expected);
  });

  it('an exit has no notional cap', () => {
    const cap = capHolding(100_000);
    hear(cap, quote(50));
    expect(send(cap, exit(100_000))).toBe('ok');
  });

  it('thirty orders a minute for one symbol, others unharmed', () => {
    const cap = capHolding(100);
    const stop = exit(1);
    for (let sent = 0; sent < 30; sent++) expect(send(cap, stop)).toBe('ok');
    expect(send(cap, stop)).toBe('WIRE_CAP_RATE');
    expect(cap.check(stop, { at: NOW, mono: monoMs(61_001) })).toEqual({ ok: true });
  });
});

// ---- whatever the brain asks for, in whatever order the broker answers ----

type Act =
  | { readonly do: 'buy' | 'cancel' | 'fill' | 'deliver'; readonly n: number }
  | { readonly do: 'arrive'; readonly n: number }
  | { readonly do: 'drop' | 'ask' | 'answer' }
  | { readonly do: 'sell'; readonly n: number; readonly group: number | null; readonly isSlow: boolean }
  | { readonly do: 'change'; readonly n: number; readonly to: number };

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ do: fc.constant('deliver' as const), n: fc.integer({ min: 1, max: 5 }) }),
  fc.record({
    do: fc.constantFrom('buy' as const, 'cancel' as const, 'fill' as const, 'deliver' as const),
    n: fc.integer({ min: 1, max: 100 }),
  }),
  fc.record({
    do: fc.constant('sell' as const),
    n: fc.integer({ min: 1, max: 60 }),
    group: fc.option(fc.integer({ min: 1, max: 2 })),
    isSlow: fc.boolean(),
  }),
  fc.record({ do: fc.constantFrom('drop' as const, 'ask' as const, 'answer' as const) }),
  fc.record({ do: fc.constant('arrive' as const), n: fc.integer({ min: 1, max: 100 }) }),
  fc.record({ do: fc.constant('change' as const), n: fc.integer({ min: 1, max: 100 }), to: fc.integer({ min: 1, max: 150 }) }),
);

/**
 * A broker that works what the cap lets through, tells of it later, and reduces the members of a group. Groups are joined and changed
 * only while no news is on its way: what fills in that very moment nobody can know (the honest limit in wire-ledger.ts).
 *
 * The line drops and takes all news on its way with it; what was sent may be slow, also past the drop and past the answers of the next
 * connection. An answer says how things were when it was asked for; what is told later may be heard before it.
 */
function playOut(acts: readonly Act[]): { readonly bought: number; readonly worst: number }[] {
  const cap = createWireCap({ ...LIMITS, ordersPerMinute: 10_000 });
  cap.seed(view({ positions: [aPosition({ quantity: shares(0) })] }));
  const told: EventBody[] = [];
  const live = new Map<number, { order: Order; quantity: number; filled: number }>();
  const history: { bought: number; worst: number }[] = [];
  hear(cap, { kind: 'execution', execution: aFill({ execId: 'b.0.1.01', shares: shares(100), orderRef: '', at: NOW }) });
  let boughtSoFar = 100;
  let sold = 0;
  let fills = 0;
  let ids = 0;
  let session = 1;
  const transit: Order[] = [];
  const executions = new Map<string, Execution>();
  let asked: { readonly told: EventBody; readonly news: readonly EventBody[] } | null = null;
  let asks = 0;
  let isBehind = false;
  const execute = (body: EventBody): void => {
    if (body.kind === 'execution') executions.set(body.execution.execId, body.execution);
    told.push(body);
  };
  const arrive = (order: Order): void => {
    live.set(order.orderId, { order, quantity: order.quantity, filled: 0 });
    told.push({ kind: 'open-order', order: echo(order) });
  };
  const deliver = (count: number): void => {
    for (const body of told.splice(0, count)) hear(cap, body);
  };
  function ask(): void {
    if (asked !== null) return;
    asks += 1;
    cap.snapshotRequested(asks);
    const openOrders = [...live.values()].map(({ order, quantity }) => echo(order, { quantity }));
    // The broker told these before it answered; they are heard before the answer, later ones may be.
    asked = { told: answer(asks, { session, openOrders, executions: [...executions.values()] }), news: [...told] };
  }
  function hearAnswer(): void {
    if (asked === null) return;
    const last = asked.news.findLast(body => told.includes(body));
    if (last) deliver(told.indexOf(last) + 1);
    hear(cap, asked.told);
    asked = null;
    isBehind = false;
  }
  /** All news in; after a drop that takes a complete answer, as the brain reconciles before it acts. */
  function catchUp(): void {
    if (isBehind) {
      hearAnswer();
      ask();
      hearAnswer();
    }
    deliver(told.length);
  }
  const pick = (n: number) => [...live.values()][n % Math.max(1, live.size)];

  for (const step of acts) {
    const chosen = step.do === 'change' || step.do === 'cancel' || step.do === 'fill' ? pick(step.n) : undefined;
    if (step.do === 'buy') {
      boughtSoFar += step.n;
      fills += 1;
      execute({ kind: 'execution', execution: aFill({ execId: `b.${fills}.1.01`, shares: shares(step.n), orderRef: '', at: NOW }) });
    } else if (step.do === 'arrive') {
      const [order] = transit.splice(step.n % Math.max(1, transit.length), 1);
      if (order) arrive(order);
    } else if (step.do === 'drop') {
      session += 1;
      asked = null;
      isBehind = true;
      told.length = 0;
      hear(cap, { kind: 'connected', nextOrderId: ids + 1, accounts: ['DU1'], session });
    } else if (step.do === 'ask') {
      ask();
    } else if (step.do === 'answer') {
      hearAnswer();
    } else if (step.do === 'sell') {
      ids += 1;
      if (step.group !== null) catchUp();
      const ocaGroup = step.group === null ? null : `g${step.group}`;
      const order = anOrder({ orderId: ids, orderRef: `HFX-20260309-1-${ids}`, quantity: shares(step.n), ocaGroup });
      if (send(cap, order) === 'ok') {
        if (step.isSlow && ocaGroup === null) transit.push(order);
        else arrive(order);
      }
    } else if (step.do === 'change' && chosen && step.to > chosen.filled) {
      if (chosen.order.ocaGroup !== null) catchUp();
      const changed = { ...chosen.order, quantity: shares(step.to) };
      if (send(cap, changed) === 'ok') {
        live.set(changed.orderId, { ...chosen, order: changed, quantity: step.to });
        told.push({ kind: 'open-order', order: echo(changed) });
      }
    } else if (step.do === 'cancel' && chosen) {
      live.delete(chosen.order.orderId);
      told.push(status(chosen.order, 'Cancelled', chosen.filled));
    } else if (step.do === 'fill' && chosen) {
      const shared = Math.min(step.n, chosen.quantity - chosen.filled);
      chosen.filled += shared;
      sold += shared;
      fills += 1;
      execute(filled(chosen.order, shared, `s.${fills}.1.01`));
      for (const other of live.values()) {
        if (other !== chosen && other.order.ocaGroup !== null && other.order.ocaGroup === chosen.order.ocaGroup) other.quantity -= shared;
      }
      for (const [id, { quantity, filled: done }] of live) if (quantity <= done) live.delete(id);
    } else if (step.do === 'deliver') {
      deliver(step.n);
    }
    const groups = new Map<string, number>();
    for (const { order, quantity, filled: done } of live.values()) {
      const key = order.ocaGroup ?? order.orderRef;
      groups.set(key, Math.max(groups.get(key) ?? 0, quantity - done));
    }
    for (const { orderRef, quantity } of transit) groups.set(orderRef, quantity);
    history.push({ bought: boughtSoFar, worst: sold + [...groups.values()].reduce((sum, remaining) => sum + remaining, 0) });
  }
  return history;
}

it('I1: for any order of sends, changes, cancels, fills, late news, dropped lines and answers, no more can be sold than was bought', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60, size: 'max' }), acts => {
      for (const { bought: limit, worst } of playOut(acts)) expect(worst).toBeLessThanOrEqual(limit);
    }),
    { numRuns: 2_000 },
  );
});

it('and the cap is no wall: with all news in, everything left can be sold', () => {
  const cap = createWireCap(LIMITS);
  cap.seed(view(bought(100)));
  let left = 100;
  while (left > 0) {
    const order = exit(left);
    expect(send(cap, order)).toBe('ok');
    const part = Math.ceil(left / 2);
    hear(cap, filled(order, part));
    hear(cap, status(order, 'Cancelled', part));
    left -= part;
  }
  expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
});
