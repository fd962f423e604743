import { CLIENT_ID, makeOrderRef, type Order, type OrderRole, type OrderSide, type OrderType, type TimeInForce } from '../orders/order.js';
import { stepOrder } from '../orders/step-order.js';
import { type Micros, type Shares, shares } from '../units.js';
import { type BracketEvent, bracketFacts, phaseOf, surpriseOf } from './bracket.js';
import type { Care } from './care.js';
import { type Draft, emit, putOrder, setOrder, type Tracked, trackedOf, update, write } from './desk.js';
import { exitOrders, heldShares } from './sellable.js';

export interface ExitOrderSpec {
  readonly role: OrderRole;
  readonly side: OrderSide;
  readonly quantity: Shares;
  readonly type: OrderType;
  readonly tif: TimeInForce;
  readonly limitPrice?: Micros | null;
  readonly stopPrice?: Micros | null;
  readonly ocaGroup?: string | null;
  /** A LOST order of the same instrument whose API order id is used again, so that the broker can never work both. */
  readonly inPlaceOf?: Tracked | null;
}

const REPLACED_BY = 'id used again by ';

/** It was lost, and another order has its API order id now (that one alone, if `by` is given). */
export const isReplaced = ({ status, reason }: Pick<Order, 'status' | 'reason'>, by = ''): boolean =>
  status === 'CANCELLED' && reason !== null && (by === '' ? reason.startsWith(REPLACED_BY) : reason === `${REPLACED_BY}${by}`);

/** A sale of this trade that never arrived, whoever sent it: its row tells the successor of a process that died meanwhile. */
const hasLostSale = (d: Draft, { tradeId }: Care): boolean =>
  [...d.s.orders.values()].some(
    ({ order }) => order.tradeId === tradeId && order.role === 'exit' && (order.status === 'LOST' || isReplaced(order)),
  );

/** Writes the intent of a new exit order and asks for it to be sent. The row is committed before anything leaves (DESIGN §3). */
export function placeExit(d: Draft, care: Care, spec: ExitOrderSpec): Order {
  assertInOrder(d, care, spec.role === 'exit' ? 'sold' : 'rested');
  const orderId = spec.inPlaceOf ? spec.inPlaceOf.order.orderId : d.s.nextOrderId;
  const orderRef = makeOrderRef('exit-manager', { tradeDate: d.s.tradeDate, lease: d.s.lease, counter: d.s.nextRef });
  update(d, { nextRef: d.s.nextRef + 1, nextOrderId: spec.inPlaceOf ? d.s.nextOrderId : orderId + 1 });
  if (spec.inPlaceOf)
    putOrder(d, { ...spec.inPlaceOf, order: { ...spec.inPlaceOf.order, status: 'CANCELLED', reason: `${REPLACED_BY}${orderRef}` } });
  const order: Order = {
    orderRef,
    worker: 'exit-manager',
    clientId: CLIENT_ID['exit-manager'],
    orderId,
    permId: null,
    tradeId: care.tradeId,
    contract: care.contract,
    role: spec.role,
    side: spec.side,
    quantity: spec.quantity,
    type: spec.type,
    limitPrice: spec.limitPrice ?? null,
    stopPrice: spec.stopPrice ?? null,
    tif: spec.tif,
    goodTill: null,
    // The group of a live order cannot be changed (10326): whoever takes over an id takes over its group.
    ocaGroup: spec.inPlaceOf ? spec.inPlaceOf.order.ocaGroup : (spec.ocaGroup ?? null),
    status: 'INTENT',
    filled: shares(0),
    createdAt: d.at,
    updatedAt: d.at,
    reason: null,
  };
  const followsLost = Boolean(spec.inPlaceOf) || (spec.role === 'exit' && hasLostSale(d, care));
  setOrder(d, { ...trackedOf(order, d.s.link.session, d.mono), followsLost });
  write(d, { do: 'write-intent', order });
  emit(d, { do: 'place', order, decidedAt: d.mono });
  return order;
}

/**
 * The one door of every exit order asks the bracket's table. What it does not allow is a bug of ours: the symbol is suspended with what rests
 * left resting, rather than sold twice (docs/decisions/0012).
 */
function assertInOrder(d: Draft, care: Care, event: BracketEvent): void {
  const { conId, symbol } = care.contract;
  const current = d.s.care.get(conId) ?? care;
  const phase = phaseOf(bracketFacts(exitOrders(d.s, conId), { held: heldShares(d.s, current), isDecided: current.exit !== null }));
  const surprise = surpriseOf(phase, event);
  if (surprise !== null) throw new Error(`the exits of ${symbol} are ${phase}, and "${event}" would mean: ${surprise}`);
}

/** Turns a resting order whose cancel is not answered into the sale itself, under its own id: one order cannot sell twice. */
export function repriceExit(d: Draft, care: Care, tracked: Tracked, quantity: Shares): void {
  assertInOrder(d, care, 'repriced');
  modifyExit(d, { ...tracked, isRepriced: true }, { type: 'MKT', quantity, limitPrice: null, stopPrice: null });
}

const CHANGES_KEPT_MS = 60_000;

/** Changes a working order under its own id. The broker may refuse, and then the old order lives: `modified.from` remembers it. */
export function modifyExit(
  d: Draft,
  tracked: Tracked,
  change: Partial<Pick<Order, 'quantity' | 'type' | 'tif' | 'limitPrice' | 'stopPrice'>>,
): void {
  const order: Order = { ...tracked.order, ...change };
  const changes = [...tracked.changes.filter(at => d.mono - at < CHANGES_KEPT_MS), d.mono];
  putOrder(d, {
    ...tracked,
    order,
    session: d.s.link.session,
    sentAt: d.mono,
    changes,
    growsSoon: false,
    modified: { from: tracked.order, at: d.mono },
  });
  emit(d, { do: 'place', order, decidedAt: d.mono });
}

/** So many shrinkings of one order in a row that never arrived, and it is withdrawn instead: until then it could trade more than is held (I1). */
const MISSED_SHRINKS_MAX = 2;

/** It would become less by a change, and changes of it do not arrive: a cancel is the other way, and what is right is placed anew. */
export const mustGoToShrink = ({ order, missedShrinks }: Tracked, total: number): boolean =>
  total < order.quantity && missedShrinks >= MISSED_SHRINKS_MAX;

/** Asks the broker to cancel one of our working exits, for a reason that its row keeps. The word that it is gone comes from the broker, never from here. */
export function cancelExit(d: Draft, tracked: Tracked, why: string | null = null): void {
  const { order } = stepOrder(tracked.order, 'cancelAsked', why);
  putOrder(d, { ...tracked, order, cancelAskedAt: d.mono, cancelRetry: null, queriedAt: null, modified: null });
  emit(d, { do: 'cancel', orderRef: order.orderRef, orderId: order.orderId });
}
