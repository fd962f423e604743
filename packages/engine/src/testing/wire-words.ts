import type { Event, EventBody } from '@holdfast/core/events';
import type { BrokerOrder, Order } from '@holdfast/core/orders/order';
import { monoMs, shares } from '@holdfast/core/units';
import { ACME, aFill, anOrder, aPosition, NOW, usd } from '@holdfast/store/testing/desk';
import { createWireCap, type WireCap } from '../wire-cap.js';

/** What the tests of the cap at the wire say to it: orders it is asked about, and the broker's words. */

export const LIMITS = { ordersPerMinute: 30, notionalMax: usd(100_000), collarBps: 1_000 };
export const at = { at: NOW, mono: monoMs(1_000) };
export const hear = (cap: WireCap, body: EventBody): void => cap.observe({ at: NOW, mono: monoMs(1_000), ...body } as Event);
export const view = (parts: object = {}) => ({
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
export const bought = (quantity: number) => ({
  positions: [aPosition({ quantity: shares(quantity) })],
  executions: [{ ...aFill({ shares: shares(quantity) }), tradeId: 'T-1' }],
});
export const capHolding = (quantity: number): WireCap => {
  const cap = createWireCap(LIMITS);
  cap.seed(view(bought(quantity)));
  return cap;
};
let orderId = 0;
export const exit = (quantity: number, order: Partial<Order> = {}): Order => {
  orderId += 1;
  return anOrder({ orderId, orderRef: `HFX-20260309-1-${orderId}`, quantity: shares(quantity), ...order });
};
export const send = (cap: WireCap, order: Order): string => {
  const verdict = cap.check(order, at);
  if (verdict.ok) cap.sent(order, at);
  return verdict.ok ? 'ok' : verdict.code;
};
export const status = (order: Order, word: string, filled = 0): EventBody => ({
  kind: 'order-status',
  clientId: order.clientId,
  orderId: order.orderId,
  permId: 1,
  status: word,
  filled,
  remaining: order.quantity - filled,
});
export const fillOf = (order: Order, quantity: number, execId = `f.${order.orderRef}.${quantity}.01`) => {
  const { orderRef, orderId, clientId, side } = order;
  return aFill({ execId, side, shares: shares(quantity), orderRef, orderId, clientId });
};
export const filled = (order: Order, quantity: number, execId?: string): EventBody => ({
  kind: 'execution',
  execution: fillOf(order, quantity, execId),
});
export const echo = (order: Order, change: Partial<BrokerOrder> = {}): BrokerOrder => ({
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
export const answer = (id: number, parts: Partial<Extract<EventBody, { kind: 'snapshot' }>>): EventBody => ({
  kind: 'snapshot',
  id,
  session: 0,
  openOrders: [],
  executions: [],
  positions: [],
  ...parts,
});
export const position = (quantity: number): EventBody => ({
  kind: 'position',
  position: { account: 'DU1', contract: ACME, quantity, averageCost: usd(50) },
});
