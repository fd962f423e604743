import type { Write } from '@holdfast/core/effects';
import type { Event } from '@holdfast/core/events';
import { type BrokerOrder, isEntryRef, isFinal, isOurs, type Order, type OrderSide } from '@holdfast/core/orders/order';
import type { Execution } from '@holdfast/core/positions/execution';
import type { PositionRow, SharedView } from '@holdfast/core/shared-view';
import type { EpochMs } from '@holdfast/core/units';

/**
 * What the cap at the wire believes, gathered by itself from what passes by: how much each trade bought or adopted, and how much exit
 * quantity is out and not proven dead. It shares no rule with the brain, so that the two catch each other's mistakes; it
 * errs towards "still alive" for orders, and believes any single source for holdings.
 *
 * Its honest limit: an order that joins an OCA group, or is changed in one, while another member fills at that very moment is bounded
 * by what was known when it was sent.
 */

interface Trade {
  /** Executions of others in the same instrument count from here on. */
  readonly startedAt: EpochMs;
  /** Shares that no execution explains, as the row says: positive = held long. */
  base: number;
  /** Largest holding in care the broker told while this trade was current, per direction. */
  peakLong: number;
  peakShort: number;
}

/** One exit order at the broker, found by its API order id: a successor under the same id is a modification, never a second order. */
interface ExitOrder {
  readonly tradeId: string;
  readonly conId: number;
  readonly clientId: number;
  readonly side: OrderSide;
  readonly refs: ReadonlySet<string>;
  readonly ocaGroup: string | null;
  /**
   * Shares that it, or its whole OCA group, may have traded when it is done: its quantity and what the others of the group had filled when
   * it was sent (the broker reduces it by what they fill later). While a change is unconfirmed, the larger of both.
   */
  bound: number;
  /** Of the newest send; an echo of just this quantity confirms its bound. */
  readonly asked: { readonly quantity: number; readonly bound: number };
  /** What order status told. Executions may know more. */
  toldFilled: number;
  /** A fill of it was taken back: what status told then is no longer true, and executions alone count. */
  isBusted: boolean;
  isDead: boolean;
  /** Told `Filled`, or its executions once made it whole: no later word can make it work again, nor a fill that is taken back. */
  isFilled: boolean;
  /** The broker says it is over, but not how: dead once the executions were told again, in answer to a question after this one. */
  overSince: number | null;
  /** It was sent again under its id: a refusal may mean the change, and the order lives. */
  readonly isChanged: boolean;
  /** The broker had it: told by a word about it, or by a fill. */
  isAcknowledged: boolean;
  /** The connection its newest send left on; before the first of them for what the store remembers. */
  readonly session: number;
}

/** What the answer to one snapshot request can prove, fixed when the request leaves. */
interface Asked {
  /** Known to the broker already, and not over: over if the answer does not list them. */
  readonly due: ReadonlySet<ExitOrder>;
  /** Sent and never heard of: where they left on an earlier connection and the answer knows fills of them, it judges them too. */
  readonly unheard: ReadonlySet<ExitOrder>;
  /** Believed over: alive again if the answer lists them as working. One that ended after the request was made may stand in it for nothing. */
  readonly over: ReadonlySet<ExitOrder>;
}

interface Fill {
  readonly tradeId: string | null;
  /** Its trade is the store's word, not what the ledger took it for when it was heard. */
  readonly isStored: boolean;
  readonly side: OrderSide;
  readonly shares: number;
  readonly orderRef: string;
  readonly version: string;
}

export interface Quantities {
  /** Bought (for a sale) or sold short (for a buy-back) in this trade, adopted shares included. */
  readonly acquired: number;
  /** Exit shares filled, or sent and not proven dead; an OCA group counts once. With the order sent, and as they are now. */
  readonly exposed: number;
  readonly exposedBefore: number;
}

export interface WireLedger {
  /** What the store knew when this process started. */
  seed(view: SharedView): void;
  observe(event: Event): void;
  /**
   * The same that `seed` would find after a restart, at once. What was bought by hand before its position was adopted belongs to the trade only
   * by the store's word; and the account's holding before Holdfast met it is never ours to sell.
   */
  written(write: Write): void;
  /** A request for executions leaves now: its answer is younger than what was heard before. */
  executionsRequested(id: number): void;
  /** A snapshot request leaves now: exits that the broker is known to have had and its answer does not list are over. */
  snapshotRequested(id: number): void;
  /** The quantities of the order's trade as they would be with this exit sent. */
  withExit(order: Order, at: EpochMs): Quantities;
  exitSent(order: Order, at: EpochMs): void;
  /** It asks for fewer shares than were asked for last of the living exit under its id. */
  isSmaller(order: Order): boolean;
}

/** `aaaa.bbbb.cccc.01` → root and version: a correction keeps the root and raises the last part. */
function splitVersion(execId: string): { root: string; version: string } {
  const dot = execId.lastIndexOf('.');
  return dot === -1 ? { root: execId, version: '' } : { root: execId.slice(0, dot), version: execId.slice(dot + 1) };
}

const FIRST_VERSION = '01';
const DEAD_WORDS: readonly string[] = ['Cancelled', 'ApiCancelled', 'Filled'];
/** 104 "Cannot modify a filled order": whatever was sent under this id, nothing works there any more (reference/ibkr-behaviour.md §3). */
const FILLED_ID = 104;
/** `Inactive` is not among them: it also follows a rejection. */
const WORKING_WORDS: readonly string[] = ['ApiPending', 'PendingSubmit', 'PreSubmitted', 'Submitted', 'PendingCancel'];

/** The ledger of one worker. Mutable inside, deterministic, without any door to the world. */
export function createWireLedger(): WireLedger {
  const trades = new Map<string, Trade>();
  const currentTrade = new Map<number, string>();
  const holdings = new Map<number, number>();
  const baseline = new Map<number, number>();
  const exits = new Map<number, ExitOrder>();
  /** Exits whose API order id was used again for another order: what they filled, or may still, counts on. */
  const buried: ExitOrder[] = [];
  const exitRefs = new Set<string>();
  const tradeOfRef = new Map<string, string>();
  /** By trade: what its row says of shares that no execution explains. */
  const bases = new Map<string, number>();
  const fills = new Map<string, Fill>();
  const snapshots = new Map<number, Asked>();
  let session = 0;
  let lastAsked = 0;

  const everyExit = (): readonly ExitOrder[] => [...exits.values(), ...buried];
  const inCare = (conId: number): number => (holdings.get(conId) ?? 0) - (baseline.get(conId) ?? 0);

  function startTrade(tradeId: string, conId: number, startedAt: EpochMs): void {
    if (trades.has(tradeId)) return;
    const base = bases.get(tradeId) ?? 0;
    trades.set(tradeId, { startedAt, base, peakLong: Math.max(0, inCare(conId)), peakShort: Math.max(0, -inCare(conId)) });
    currentTrade.set(conId, tradeId);
  }

  function holdingTold(conId: number, quantity: number): void {
    holdings.set(conId, quantity);
    const trade = trades.get(currentTrade.get(conId) ?? '');
    if (!trade) return;
    trade.peakLong = Math.max(trade.peakLong, inCare(conId));
    trade.peakShort = Math.max(trade.peakShort, -inCare(conId));
  }

  /** Whose fill it is until the store says so: by our own order, or (somebody's own trade) the last trade in that instrument. */
  function guessedTrade(execution: Execution): string | null {
    const known = tradeOfRef.get(execution.orderRef);
    if (known !== undefined) return known;
    const current = currentTrade.get(execution.conId) ?? null;
    const trade = trades.get(current ?? '');
    return trade && execution.at >= trade.startedAt ? current : null;
  }

  function booked(execution: Execution, stored: string | null): void {
    const { root, version } = splitVersion(execution.execId);
    const known = fills.get(root);
    const isStored = stored !== null || known?.isStored === true;
    const isNews = !known || version > known.version || (version === known.version && isStored && !known.isStored);
    if (!isNews) return;
    const { side, shares, orderRef } = execution;
    const tradeId = stored ?? (known?.isStored ? known.tradeId : null) ?? guessedTrade(execution) ?? known?.tradeId ?? null;
    fills.set(root, { tradeId, isStored, side, shares, orderRef, version });
    const isTakenBack = shares < (known?.shares ?? 0);
    for (const exit of everyExit()) {
      if (!exit.refs.has(orderRef)) continue;
      exit.isAcknowledged = true;
      if (isTakenBack) exit.isBusted = true;
      if (filledOf(exit) < exit.bound) continue;
      exit.isDead = true;
      exit.isFilled = true;
    }
  }

  /** A fill of it was corrected before anybody here heard of it: by how much is no longer known. */
  const wasBusted = (orderRef: string): boolean =>
    [...fills.values()].some(fill => fill.orderRef === orderRef && (fill.shares === 0 || fill.version > FIRST_VERSION));

  const filledOf = (exit: ExitOrder): number => {
    let executed = 0;
    for (const fill of fills.values()) if (exit.refs.has(fill.orderRef)) executed += fill.shares;
    return exit.isBusted ? executed : Math.max(executed, exit.toldFilled);
  };

  function groupFilled(ocaGroup: string | null, without: ExitOrder | undefined): number {
    if (ocaGroup === null) return 0;
    const others = everyExit().filter(exit => exit.ocaGroup === ocaGroup && exit !== without);
    return others.reduce((sum, exit) => sum + filledOf(exit), 0);
  }

  /** The record as it would be with this order sent: a new one, or the living one under its id changed. */
  function asSent(order: Order): { exit: ExitOrder; modifies: ExitOrder | null } {
    const known = exits.get(order.orderId);
    const { tradeId, clientId, side, orderRef, ocaGroup, quantity } = order;
    const isSame = known && known.clientId === clientId && known.side === side;
    // One that an answer left out and that is changed all the same is that order again: as two, its fills would count twice.
    const isModification = isSame && (!known.isDead || known.refs.has(orderRef));
    const bound = quantity + groupFilled(ocaGroup, known);
    const fresh: ExitOrder = {
      tradeId,
      conId: order.contract.conId,
      clientId,
      side,
      refs: new Set([orderRef]),
      ocaGroup,
      bound,
      asked: { quantity, bound },
      toldFilled: 0,
      isBusted: false,
      isDead: false,
      isFilled: false,
      overSince: null,
      isChanged: known !== undefined,
      isAcknowledged: false,
      session,
    };
    if (!isModification) return { exit: fresh, modifies: null };
    const { toldFilled, isBusted, isFilled, overSince, isAcknowledged } = known;
    const refs = new Set([...known.refs, orderRef]);
    const bounded = known.isDead ? bound : Math.max(known.bound, bound);
    return { exit: { ...fresh, refs, bound: bounded, toldFilled, isBusted, isFilled, overSince, isAcknowledged }, modifies: known };
  }

  function putExit(order: Order, change: Partial<ExitOrder> = {}): void {
    const { exit, modifies } = asSent(order);
    const previous = exits.get(order.orderId);
    if (previous && previous !== modifies) buried.push(previous);
    exits.set(order.orderId, { ...exit, ...change });
    exitRefs.add(order.orderRef);
    tradeOfRef.set(order.orderRef, order.tradeId);
  }

  /** The broker's own word on whether it works. What it says of the order under this id later than it said `over` is believed. */
  function wordTold(exit: ExitOrder, word: string): void {
    if (DEAD_WORDS.includes(word)) exit.isDead = true;
    if (word === 'Filled') exit.isFilled = true;
    if (!WORKING_WORDS.includes(word) || exit.isFilled) return;
    exit.isDead = false;
    exit.overSince = null;
  }

  /** One of ours without a record: the store was lost. It counts against its instrument until it is dead. */
  function takeUp(order: BrokerOrder): void {
    if (!isOurs(order.orderRef) || isEntryRef(order.orderRef)) return;
    const known = exits.get(order.orderId);
    if (known && !(known.isDead && !known.refs.has(order.orderRef) && WORKING_WORDS.includes(order.status))) return;
    if (known) buried.push(known);
    const { clientId, conId, side, orderRef, ocaGroup, quantity } = order;
    const bound = quantity;
    const told = {
      toldFilled: 0,
      isBusted: wasBusted(orderRef),
      isDead: false,
      isFilled: false,
      overSince: null,
      isChanged: known !== undefined,
      isAcknowledged: true,
      session,
    };
    const refs = new Set([orderRef]);
    const tradeId = currentTrade.get(conId) ?? '';
    exits.set(order.orderId, { tradeId, conId, clientId, side, refs, ocaGroup, bound, asked: { quantity, bound }, ...told });
    exitRefs.add(orderRef);
  }

  function openOrderTold(order: BrokerOrder): void {
    takeUp(order);
    const exit = exits.get(order.orderId);
    if (!exit || exit.clientId !== order.clientId) return;
    exit.isAcknowledged = true;
    if (order.quantity === exit.asked.quantity) exit.bound = exit.asked.bound;
    wordTold(exit, order.status);
  }

  function statusTold({ orderId, clientId, status, filled }: Extract<Event, { kind: 'order-status' }>): void {
    const exit = exits.get(orderId);
    if (!exit || exit.clientId !== clientId) return;
    exit.isAcknowledged = true;
    exit.toldFilled = Math.max(exit.toldFilled, filled);
    wordTold(exit, status);
  }

  function noticeTold({ orderId, meaning, code }: Extract<Event, { kind: 'order-notice' }>): void {
    const exit = exits.get(orderId);
    if (!exit) return;
    if (meaning === 'rejected' || meaning === 'cancelled') exit.isDead = true;
    // Told of an order that was sent once, under an id that was never ours, and never heard of: the id is an older order's, ours was refused.
    if (meaning === 'modify-refused' && !exit.isChanged && !exit.isAcknowledged) exit.isDead = true;
    if (meaning === 'unknown-order' || meaning === 'already-final' || code === FILLED_ID) exit.overSince ??= lastAsked;
  }

  const executionsTold = (id: number): void => {
    for (const exit of exits.values()) if (exit.overSince !== null && id > exit.overSince) exit.isDead = true;
  };

  function snapshotTold(event: Extract<Event, { kind: 'snapshot' }>): void {
    for (const execution of event.executions) booked(execution, null);
    for (const { contract, quantity } of event.positions) holdingTold(contract.conId, quantity);
    const asked = snapshots.get(event.id);
    snapshots.delete(event.id);
    const open = new Set(event.openOrders.map(order => `${order.clientId}:${order.orderId}`));
    for (const [orderId, exit] of exits) {
      if (asked && isJudgedBy(exit, asked, event) && !open.has(`${exit.clientId}:${orderId}`)) exit.isDead = true;
    }
    executionsTold(event.id);
    for (const order of event.openOrders) {
      const exit = exits.get(order.orderId);
      const endedSince = exit?.isDead && !asked?.over.has(exit) && exit.refs.has(order.orderRef);
      if (!endedSince) openOrderTold(order);
    }
  }

  /**
   * Silence is an answer only about what the broker is known to have had. A fill that this very answer tells proves that, but not that
   * the order was there when the open orders were listed, unless it left on an earlier connection: the new one starts after all of that was
   * taken in. Never heard of, or filled since it was asked for, it may still be on its way or work: it counts on, and the brain uses its id again.
   */
  const isJudgedBy = (exit: ExitOrder, { due, unheard }: Asked, told: Extract<Event, { kind: 'snapshot' }>): boolean =>
    due.has(exit) || (unheard.has(exit) && exit.session < told.session && told.executions.some(({ orderRef }) => exit.refs.has(orderRef)));

  function rowWritten({ tradeId, metadata: { base } }: PositionRow): void {
    bases.set(tradeId, base);
    const trade = trades.get(tradeId);
    if (trade) trade.base = base;
  }

  function viewRead(view: SharedView): void {
    for (const { contract, quantity } of view.baseline) baseline.set(contract.conId, quantity);
    for (const { tradeId, contract, entryAt, updatedAt } of view.positions) {
      startTrade(tradeId, contract.conId, entryAt ?? updatedAt);
    }
    for (const order of view.orders) tradeOfRef.set(order.orderRef, order.tradeId);
    for (const execution of view.executions) booked(execution, execution.tradeId);
  }

  /** What the store's orders say at the start. Members that the broker reduced are stored reduced or not: the group's largest member bounds it. */
  function seedExits(view: SharedView): void {
    const ours = view.orders.filter(order => order.role !== 'entry');
    // The living last: where an id was used twice, broker messages must find the living order under it.
    for (const order of [...ours.filter(isFinal), ...ours.filter(candidate => !isFinal(candidate))]) {
      const members = ours.filter(({ ocaGroup }) => ocaGroup !== null && ocaGroup === order.ocaGroup);
      const isAcknowledged = (order.status !== 'INTENT' && order.status !== 'LOST') || order.filled > 0;
      const isFilled = order.status === 'FILLED';
      const isBusted = wasBusted(order.orderRef);
      putExit(order, { toldFilled: order.filled, isBusted, isDead: isFinal(order), isFilled, isAcknowledged, session: -1 });
      const exit = exits.get(order.orderId);
      if (exit && members.length > 0) exit.bound = Math.min(exit.bound, Math.max(...members.map(({ quantity }) => quantity)));
    }
  }

  function exposedBy(candidates: readonly ExitOrder[], order: Pick<Order, 'tradeId' | 'side' | 'contract'>): number {
    const groups = new Map<string, { filled: number; bound: number }>();
    let exposed = 0;
    for (const exit of candidates) {
      const isOfTrade = exit.tradeId === order.tradeId;
      const mayTradeOnIt = exit.conId === order.contract.conId && !exit.isDead;
      if (exit.side !== order.side || !(isOfTrade || mayTradeOnIt)) continue;
      const filled = filledOf(exit);
      const bound = exit.isDead ? 0 : exit.bound;
      if (exit.ocaGroup === null) exposed += Math.max(filled, bound);
      else {
        const group = groups.get(exit.ocaGroup) ?? { filled: 0, bound: 0 };
        groups.set(exit.ocaGroup, { filled: group.filled + filled, bound: Math.max(group.bound, bound) });
      }
    }
    for (const { filled, bound } of groups.values()) exposed += Math.max(filled, bound);
    return exposed;
  }

  function acquiredBy({ tradeId, side }: Pick<Order, 'tradeId' | 'side'>): number {
    const trade = trades.get(tradeId);
    if (!trade) return 0;
    let net = side === 'SELL' ? trade.base : -trade.base;
    for (const fill of fills.values()) {
      if (fill.tradeId !== tradeId) continue;
      if (fill.side !== side) net += fill.shares;
      else if (!exitRefs.has(fill.orderRef)) net -= fill.shares; // sold by hand, or the entry that an overshot sale is bought back against
    }
    return Math.max(net, side === 'SELL' ? trade.peakLong : trade.peakShort);
  }

  return {
    seed(view) {
      for (const position of view.positions) rowWritten(position);
      viewRead(view);
      seedExits(view);
    },
    observe(event) {
      if (event.kind === 'connected') session = event.session;
      else if (event.kind === 'store-changed') viewRead(event.view);
      else if (event.kind === 'entry-claimed') tradeOfRef.set(event.order.orderRef, event.order.tradeId);
      else if (event.kind === 'execution') booked(event.execution, null);
      else if (event.kind === 'executions-end') executionsTold(event.id);
      else if (event.kind === 'position') holdingTold(event.position.contract.conId, event.position.quantity);
      else if (event.kind === 'order-status') statusTold(event);
      else if (event.kind === 'open-order') openOrderTold(event.order);
      else if (event.kind === 'order-notice') noticeTold(event);
      else if (event.kind === 'snapshot') snapshotTold(event);
    },
    written(write) {
      if (write.do === 'write-execution') booked(write.execution, write.tradeId);
      else if (write.do === 'write-position') rowWritten(write.position);
      else if (write.do === 'write-baseline') for (const { contract, quantity } of write.holdings) baseline.set(contract.conId, quantity);
    },
    executionsRequested(id) {
      lastAsked = id;
    },
    snapshotRequested(id) {
      lastAsked = id;
      const sent = [...exits.values()];
      const working = sent.filter(exit => !exit.isDead);
      snapshots.set(id, {
        due: new Set(working.filter(exit => exit.isAcknowledged)),
        unheard: new Set(working.filter(exit => !exit.isAcknowledged)),
        over: new Set(sent.filter(exit => exit.isDead || exit.overSince !== null)),
      });
    },
    withExit(order, at) {
      startTrade(order.tradeId, order.contract.conId, at);
      const { exit, modifies } = asSent(order);
      const others = everyExit().filter(candidate => candidate !== modifies);
      return { acquired: acquiredBy(order), exposed: exposedBy([...others, exit], order), exposedBefore: exposedBy(everyExit(), order) };
    },
    exitSent(order, at) {
      startTrade(order.tradeId, order.contract.conId, at);
      putExit(order);
    },
    isSmaller(order) {
      const { modifies } = asSent(order);
      return modifies !== null && !modifies.isDead && order.quantity < modifies.asked.quantity;
    },
  };
}
