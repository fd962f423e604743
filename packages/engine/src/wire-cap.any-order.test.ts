import type { EventBody } from '@holdfast/core/events';
import type { Order } from '@holdfast/core/orders/order';
import type { Execution } from '@holdfast/core/positions/execution';
import { shares } from '@holdfast/core/units';
import { aFill, anOrder, aPosition, NOW } from '@holdfast/store/testing/desk';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { answer, echo, filled, hear, LIMITS, send, status, view } from './testing/wire-words.js';
import { createWireCap } from './wire-cap.js';

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
  hear(cap, { kind: 'connected', nextOrderId: 1, accounts: ['DU1'], session: 1 });
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

/** It left on a connection that dropped, and the answer to what was asked on the next one is older than its first fill. */
const FILLED_SINCE_ASKED: Act[] = [
  { do: 'sell', n: 18, group: null, isSlow: true },
  { do: 'drop' },
  { do: 'ask' },
  { do: 'arrive', n: 1 },
  { do: 'fill', n: 1 },
  { do: 'deliver', n: 5 },
  { do: 'answer' },
  { do: 'sell', n: 60, group: null, isSlow: false },
  { do: 'sell', n: 39, group: null, isSlow: false },
];

it('I1: for any order of sends, changes, cancels, fills, late news, dropped lines and answers, no more can be sold than was bought', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60, size: 'max' }), acts => {
      for (const { bought: limit, worst } of playOut(acts)) expect(worst).toBeLessThanOrEqual(limit);
    }),
    { numRuns: 2_000, examples: [[FILLED_SINCE_ASKED]] },
  );
});
