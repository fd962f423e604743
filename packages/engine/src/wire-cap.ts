import type { Write } from '@holdfast/core/effects';
import type { Event } from '@holdfast/core/events';
import type { Order } from '@holdfast/core/orders/order';
import type { SharedView } from '@holdfast/core/shared-view';
import { type EpochMs, type Micros, type MonoMs, notional, toDollars } from '@holdfast/core/units';
import { createWireLedger } from './wire-ledger.js';

/**
 * The cap at the wire (DESIGN §4): the last look at every order between the commit and the socket, independent of every rule that made it.
 * It is no risk rule: it bounds what a bug can do. Only quantity, rate and a crazy price can stop an exit, never size or money.
 */
export interface WireLimits {
  /**
   * Orders and modifications per symbol within 60 s of machine time. Sales may use them all, everything else four fifths, and targets a third:
   * whatever happens to a target or an entry, stops can follow, and what must be sold is sold. An exit that is made smaller counts for
   * nothing: it must never stay above what is held, and cannot go on for ever, since making it larger counts.
   */
  readonly ordersPerMinute: number;
  /** Largest entry, price × shares × multiplier. */
  readonly notionalMax: Micros;
  /** How far a limit may lie from the last mark on the losing side, and for entries on either side. Basis points. */
  readonly collarBps: number;
}

export type WireVerdict = { readonly ok: true } | { readonly ok: false; readonly code: WireCode; readonly detail: string };
export type WireCode = 'WIRE_CAP_QUANTITY' | 'WIRE_CAP_RATE' | 'WIRE_CAP_NOTIONAL' | 'WIRE_CAP_PRICE' | 'WIRE_CAP_NO_MARK';

export interface WireCap {
  seed(view: SharedView): void;
  /** Every event passes here before the brain sees it. */
  observe(event: Event): void;
  /** What stands in the store now: every write of a step, before its orders are asked about. */
  written(write: Write): void;
  /** Requests leave now; numbers rise. What their answers can prove depends on what was known by then. */
  executionsRequested(id: number): void;
  snapshotRequested(id: number): void;
  check(order: Order, now: { readonly at: EpochMs; readonly mono: MonoMs }): WireVerdict;
  /** The order went out. */
  sent(order: Order, now: { readonly at: EpochMs; readonly mono: MonoMs }): void;
}

const MINUTE_MS = 60_000;

/** What an order uses of the minute: a `sale` trades now, a `target` is never urgent. */
type Lane = 'sale' | 'target' | 'other';
interface Sent {
  readonly at: MonoMs;
  readonly lane: Lane;
}

function laneOf({ role, type }: Order): Lane {
  if (role === 'entry') return 'other';
  if (role === 'exit' || type === 'MKT') return 'sale';
  return role === 'target' ? 'target' : 'other';
}
const refuse = (code: WireCode, detail: string): WireVerdict => ({ ok: false, code, detail });

export function createWireCap(limits: WireLimits): WireCap {
  const ledger = createWireLedger();
  /** By conId: the last price anybody told. Its age is the brain's concern; this catches a price of another world. */
  const marks = new Map<number, Micros>();
  const sends = new Map<number, readonly Sent[]>();

  const mark = (conId: number, price: Micros): void => {
    if (price > 0) marks.set(conId, price);
  };

  function observeMark(event: Event): void {
    if (event.kind === 'pnl-mark') mark(event.conId, event.price);
    else if (event.kind === 'portfolio-mark') mark(event.contract.conId, event.price);
    else if (event.kind === 'bar') mark(event.conId, event.bar.close);
    else if (event.kind === 'quote') mark(event.conId, event.quote.last > 0 ? event.quote.last : event.quote.bid);
    else if (event.kind === 'execution') mark(event.execution.conId, event.execution.price);
  }

  const recentSends = (conId: number, now: MonoMs): readonly Sent[] => (sends.get(conId) ?? []).filter(sent => now - sent.at < MINUTE_MS);

  const isSmaller = (order: Order): boolean => order.role !== 'entry' && ledger.isSmaller(order);

  function checkRate(order: Order, now: MonoMs): WireVerdict {
    if (isSmaller(order)) return { ok: true };
    const { conId, symbol } = order.contract;
    const recent = recentSends(conId, now);
    const lane = laneOf(order);
    const most = limits.ordersPerMinute;
    const allowed = lane === 'sale' ? most : most - Math.max(1, Math.floor(most / 5));
    if (recent.length >= allowed)
      return refuse('WIRE_CAP_RATE', `${recent.length} orders for ${symbol} within a minute, allowed ${allowed}`);
    const targets = lane === 'target' ? recent.filter(sent => sent.lane === 'target').length : 0;
    const ofTargets = Math.max(1, Math.floor(most / 3));
    if (targets < ofTargets) return { ok: true };
    return refuse('WIRE_CAP_RATE', `${targets} orders for the target of ${symbol} within a minute, allowed ${ofTargets}`);
  }

  function checkEntry(order: Order): WireVerdict {
    const { conId, symbol, multiplier } = order.contract;
    const last = marks.get(conId);
    if (last === undefined) return refuse('WIRE_CAP_NO_MARK', `no price of ${symbol} was ever heard, so the entry's cannot be judged`);
    const price = order.limitPrice ?? last;
    const away = (Math.abs(price - last) / last) * 10_000;
    if (away > limits.collarBps) {
      return refuse(
        'WIRE_CAP_PRICE',
        `limit ${toDollars(price)} lies ${Math.round(away)} bps from the last mark ${toDollars(last)}, allowed ${limits.collarBps}`,
      );
    }
    const size = notional(price, order.quantity, multiplier);
    if (size <= limits.notionalMax) return { ok: true };
    return refuse(
      'WIRE_CAP_NOTIONAL',
      `${order.quantity} × ${toDollars(price)} = $${toDollars(size)}, allowed $${toDollars(limits.notionalMax)}`,
    );
  }

  function checkExit(order: Order, at: EpochMs): WireVerdict {
    const { acquired, exposed, exposedBefore } = ledger.withExit(order, at);
    // After a sale by hand more may be working than is held: what makes that less, or no more, must never be stopped here.
    if (exposed > acquired && exposed > exposedBefore) {
      const detail = `with this order ${exposed} shares of exits would be filled or alive against ${acquired} bought or adopted`;
      return refuse('WIRE_CAP_QUANTITY', detail);
    }
    const last = marks.get(order.contract.conId);
    if (last === undefined || order.limitPrice === null) return { ok: true };
    const worse = ((order.side === 'SELL' ? last - order.limitPrice : order.limitPrice - last) / last) * 10_000;
    if (worse <= limits.collarBps) return { ok: true };
    const detail = `limit ${toDollars(order.limitPrice)} gives away ${Math.round(worse)} bps of the last mark ${toDollars(last)}, allowed ${limits.collarBps}`;
    return refuse('WIRE_CAP_PRICE', detail);
  }

  return {
    seed: view => ledger.seed(view),
    observe(event) {
      ledger.observe(event);
      observeMark(event);
    },
    written: write => ledger.written(write),
    executionsRequested: id => ledger.executionsRequested(id),
    snapshotRequested: id => ledger.snapshotRequested(id),
    check(order, { at, mono }) {
      const rate = checkRate(order, mono);
      if (!rate.ok) return rate;
      return order.role === 'entry' ? checkEntry(order) : checkExit(order, at);
    },
    sent(order, { at, mono }) {
      const { conId } = order.contract;
      if (!isSmaller(order)) sends.set(conId, [...recentSends(conId, mono), { at: mono, lane: laneOf(order) }]);
      if (order.role !== 'entry') ledger.exitSent(order, at);
    },
  };
}
