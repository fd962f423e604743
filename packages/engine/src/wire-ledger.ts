import type { Event } from '@holdfast/core/events';
import { type BrokerOrder, isFinal, type Order, type OrderSide } from '@holdfast/core/orders/order';
import type { Execution } from '@holdfast/core/positions/execution';
import type { SharedView } from '@holdfast/core/shared-view';
import type { EpochMs } from '@holdfast/core/units';

/**
 * What the cap at the wire believes, gathered by itself from what passes by: how much each trade bought or adopted, and how much exit
 * quantity is out and not proven dead. It shares no rule with the brain, so that the two catch each other's mistakes; it
 * errs towards "still alive" for orders, and believes any single source for holdings.
 */

interface Trade {
  readonly conId: number;
  /** Executions of others in the same instrument count from here on. */
  readonly startedAt: EpochMs;
  /** Adopted shares that no execution explains, from the row, after a restart. Unsigned. */
  readonly base: number;
  /** Largest holding in care the broker told while this trade was current, per direction. */
  peakLong: number;
  peakShort: number;
}

/** One exit order at the broker, found by its API order id: a successor under the same id is a modification, never a second order. */
interface ExitOrder {
  readonly tradeId: string;
  readonly clientId: number;
  readonly side: OrderSide;
  readonly refs: ReadonlySet<string>;
  readonly ocaGroup: string | null;
  /** Total, not remaining. While a modification is unconfirmed: the larger of both. */
  quantity: number;
  /** Of the newest send; an echo of just this settles the quantity. */
  asked: number;
  /** What order status told. Executions may know more. */
  toldFilled: number;
  isDead: boolean;
  isAcknowledged: boolean;
}

interface Fill {
  readonly tradeId: string | null;
  readonly conId: number;
  readonly side: OrderSide;
  readonly shares: number;
  readonly orderRef: string;
  readonly version: string;
}

export interface Quantities {
  /** Bought (for a sale) or sold short (for a buy-back) in this trade, adopted shares included. */
  readonly acquired: number;
  /** Exit shares sent and not proven dead, fills included, an OCA group counted once by its largest member. */
  readonly exposed: number;
}

export interface WireLedger {
  /** What the store knew when this process started. */
  seed(view: SharedView): void;
  observe(event: Event): void;
  /** The account's holdings before Holdfast met it: never ours to sell. */
  setBaseline(conId: number, quantity: number): void;
  /** A snapshot request leaves now: acknowledged exits that its answer does not list are over. */
  snapshotRequested(id: number): void;
  /** The quantities of the order's trade as they would be with this exit sent. */
  withExit(order: Order, at: EpochMs): Quantities;
  exitSent(order: Order, at: EpochMs): void;
}

const otherSide = (side: OrderSide): OrderSide => (side === 'BUY' ? 'SELL' : 'BUY');

/** `aaaa.bbbb.cccc.01` → root and version: a correction keeps the root and raises the last part. */
function splitExecId(execId: string): { root: string; version: string } {
  const dot = execId.lastIndexOf('.');
  return dot === -1 ? { root: execId, version: '' } : { root: execId.slice(0, dot), version: execId.slice(dot + 1) };
}

const DEAD_WORDS: readonly string[] = ['Cancelled', 'ApiCancelled', 'Filled'];

export function createWireLedger(): WireLedger {
  const trades = new Map<string, Trade>();
  const currentTrade = new Map<number, string>();
  const holdings = new Map<number, number>();
  const baseline = new Map<number, number>();
  const exits = new Map<number, ExitOrder>();
  /** Exits whose API order id was used again for another order: what they filled, or may still, counts on. */
  const buried: ExitOrder[] = [];
  const tradeOfRef = new Map<string, string>();
  const fills = new Map<string, Fill>();
  const exitRefs = new Set<string>();
  /** What an answer must list, by request: acknowledged before it was asked for. */
  const snapshots = new Map<number, readonly (readonly [orderId: number, exit: ExitOrder])[]>();

  function startTrade(tradeId: string, conId: number, facts: { startedAt: EpochMs; base: number }): void {
    if (trades.has(tradeId)) return;
    const inCare = (holdings.get(conId) ?? 0) - (baseline.get(conId) ?? 0);
    trades.set(tradeId, { conId, ...facts, peakLong: Math.max(0, inCare), peakShort: Math.max(0, -inCare) });
    currentTrade.set(conId, tradeId);
  }

  function holdingTold(conId: number, quantity: number): void {
    holdings.set(conId, quantity);
    const trade = trades.get(currentTrade.get(conId) ?? '');
    if (!trade) return;
    const inCare = quantity - (baseline.get(conId) ?? 0);
    trade.peakLong = Math.max(trade.peakLong, inCare);
    trade.peakShort = Math.max(trade.peakShort, -inCare);
  }

  function tradeOf(execution: Execution, told: string | null): string | null {
    if (told !== null) return told;
    const byRef = tradeOfRef.get(execution.orderRef);
    if (byRef !== undefined) return byRef;
    const current = currentTrade.get(execution.conId);
    const trade = trades.get(current ?? '');
    return current !== undefined && trade !== undefined && execution.at >= trade.startedAt ? current : null;
  }

  function booked(execution: Execution, told: string | null): void {
    const { root, version } = splitExecId(execution.execId);
    const known = fills.get(root);
    if (known && (known.version > version || (known.version === version && (known.tradeId !== null || told === null)))) return;
    const tradeId = tradeOf(execution, told) ?? known?.tradeId ?? null;
    const { conId, side, orderRef } = execution;
    fills.set(root, { tradeId, conId, side, shares: execution.shares, orderRef, version });
  }

  function orderKnown(order: Order): void {
    tradeOfRef.set(order.orderRef, order.tradeId);
  }

  function statusTold(orderId: number, clientId: number, told: { status: string; filled: number }): void {
    const exit = exits.get(orderId);
    if (!exit || exit.clientId !== clientId) return;
    exit.isAcknowledged = true;
    exit.toldFilled = Math.max(exit.toldFilled, told.filled);
    if (DEAD_WORDS.includes(told.status)) exit.isDead = true;
  }

  function openOrderTold(order: BrokerOrder): void {
    const exit = exits.get(order.orderId);
    if (!exit || exit.clientId !== order.clientId) return;
    exit.isAcknowledged = true;
    if (order.quantity === exit.asked) exit.quantity = order.quantity;
    if (DEAD_WORDS.includes(order.status)) exit.isDead = true;
  }

  function snapshotTold(event: Extract<Event, { kind: 'snapshot' }>): void {
    for (const execution of event.executions) booked(execution, null);
    const told = new Map<number, number>();
    for (const { contract, quantity } of event.positions) told.set(contract.conId, quantity);
    for (const [conId, quantity] of told) holdingTold(conId, quantity);
    const open = new Set(event.openOrders.map(order => `${order.clientId}:${order.orderId}`));
    for (const [orderId, exit] of snapshots.get(event.id) ?? []) {
      if (!open.has(`${exit.clientId}:${orderId}`)) exit.isDead = true;
    }
    snapshots.delete(event.id);
    for (const order of event.openOrders) openOrderTold(order);
  }

  function viewRead(view: SharedView): void {
    for (const { conId, quantity } of view.baseline) baseline.set(conId, quantity);
    for (const row of view.positions) {
      const { tradeId, contract, entryAt, updatedAt } = row;
      startTrade(tradeId, contract.conId, { startedAt: entryAt ?? updatedAt, base: 0 });
    }
    for (const order of view.orders) orderKnown(order);
    for (const execution of view.executions) booked(execution, execution.tradeId);
  }

  function filledOf(exit: ExitOrder): number {
    let executed = 0;
    for (const fill of fills.values()) if (exit.refs.has(fill.orderRef)) executed += fill.shares;
    return Math.max(executed, exit.toldFilled);
  }

  function exposedBy(candidates: Iterable<ExitOrder>, tradeId: string, side: OrderSide): number {
    let exposed = 0;
    const groups = new Map<string, number>();
    for (const exit of candidates) {
      if (exit.tradeId !== tradeId || exit.side !== side) continue;
      const filled = filledOf(exit);
      const remaining = exit.isDead ? 0 : Math.max(0, exit.quantity - filled);
      exposed += filled;
      if (exit.ocaGroup === null) exposed += remaining;
      else groups.set(exit.ocaGroup, Math.max(groups.get(exit.ocaGroup) ?? 0, remaining));
    }
    for (const largest of groups.values()) exposed += largest;
    return exposed;
  }

  function acquiredBy(tradeId: string, side: OrderSide): number {
    const trade = trades.get(tradeId);
    if (!trade) return 0;
    let net = trade.base;
    for (const fill of fills.values()) {
      if (fill.tradeId !== tradeId) continue;
      if (fill.side === otherSide(side)) net += fill.shares;
      else if (!exitRefs.has(fill.orderRef)) net -= fill.shares; // sold by hand, or the entry that an overshot sale is bought back against
    }
    return Math.max(net, side === 'SELL' ? trade.peakLong : trade.peakShort);
  }

  /** The record as it would be with this order sent: a new one, or the living one under its id changed. */
  function asSent(order: Order): { exit: ExitOrder; modifies: ExitOrder | null } {
    const known = exits.get(order.orderId);
    const fresh: ExitOrder = {
      tradeId: order.tradeId,
      clientId: order.clientId,
      side: order.side,
      refs: new Set([order.orderRef]),
      ocaGroup: order.ocaGroup,
      quantity: order.quantity,
      asked: order.quantity,
      toldFilled: 0,
      isDead: false,
      isAcknowledged: false,
    };
    const isModification = known && !known.isDead && known.clientId === order.clientId && known.side === order.side;
    if (!isModification) return { exit: fresh, modifies: null };
    const quantity = Math.max(known.quantity, order.quantity);
    const refs = new Set([...known.refs, order.orderRef]);
    return { exit: { ...fresh, refs, quantity, toldFilled: known.toldFilled, isAcknowledged: known.isAcknowledged }, modifies: known };
  }

  function putExit(order: Order, change: Partial<ExitOrder> = {}): void {
    const { exit, modifies } = asSent(order);
    const previous = exits.get(order.orderId);
    if (previous && previous !== modifies) buried.push(previous);
    exits.set(order.orderId, { ...exit, ...change });
    exitRefs.add(order.orderRef);
  }

  return {
    seed(view) {
      for (const row of view.positions) {
        const { tradeId, contract, entryAt, updatedAt, metadata } = row;
        startTrade(tradeId, contract.conId, { startedAt: entryAt ?? updatedAt, base: Math.abs(metadata.base) });
      }
      const ours = view.orders.filter(order => order.role !== 'entry');
      // The living last: where an id was used twice, broker messages must find the living order under it.
      for (const order of [...ours.filter(isFinal), ...ours.filter(candidate => !isFinal(candidate))]) {
        const isAcknowledged = order.status !== 'INTENT' && order.status !== 'LOST';
        putExit(order, { toldFilled: order.filled, isDead: isFinal(order), isAcknowledged });
      }
      viewRead(view);
    },
    observe(event) {
      switch (event.kind) {
        case 'store-changed':
          return viewRead(event.view);
        case 'entry-claimed':
          return orderKnown(event.order);
        case 'execution':
          return booked(event.execution, null);
        case 'position':
          return holdingTold(event.position.contract.conId, event.position.quantity);
        case 'order-status':
          return statusTold(event.orderId, event.clientId, event);
        case 'open-order':
          return openOrderTold(event.order);
        case 'order-notice':
          if (event.meaning === 'rejected' || event.meaning === 'cancelled' || event.meaning === 'already-final') {
            const exit = exits.get(event.orderId);
            if (exit) exit.isDead = true;
          }
          return;
        case 'snapshot':
          return snapshotTold(event);
        default:
          return;
      }
    },
    setBaseline: (conId, quantity) => {
      baseline.set(conId, quantity);
    },
    snapshotRequested(id) {
      const listed = [...exits].filter(([, exit]) => exit.isAcknowledged && !exit.isDead);
      snapshots.set(id, listed);
    },
    withExit(order, at) {
      startTrade(order.tradeId, order.contract.conId, { startedAt: at, base: 0 });
      const { exit, modifies } = asSent(order);
      const others = [...exits.values(), ...buried].filter(candidate => candidate !== modifies);
      return {
        acquired: acquiredBy(order.tradeId, order.side),
        exposed: exposedBy([...others, exit], order.tradeId, order.side),
      };
    },
    exitSent(order, at) {
      startTrade(order.tradeId, order.contract.conId, { startedAt: at, base: 0 });
      orderKnown(order);
      putExit(order);
    },
  };
}
