import { type EpochMs, type Micros, micros } from '@holdfast/core/units';
import type { AccountBook } from './account.js';
import type { Book } from './book.js';
import { type CommissionModel, commissionSoFar } from './commission.js';
import type {
  CancelAnswer,
  ExchangeEvent,
  ExchangeExecution,
  ExchangeOrderStatus,
  MarketUpdate,
  OrderRequest,
  OrderSide,
} from './exchange-types.js';
import { type Hold, isFinal, type LiveOrder, snapshot } from './live-order.js';
import { isTriggeredBy, isTriggeredByTrade, type Match, matchCross, matchQuote, matchTrade } from './matching.js';
import { afterFill, type OcaShrink } from './oca.js';
import { type Refusal, refuseByDesk, refuseModification, refuseShape, refuseUsedId } from './order-rules.js';
import { expiryOf, isRegular, mayTradeAt, type TradingSession } from './trading-session.js';

/** What the desk needs from the exchange around it. */
export interface DeskSurroundings {
  readonly session: TradingSession;
  readonly books: ReadonlyMap<number, Book>;
  readonly account: AccountBook;
  readonly commission: CommissionModel;
  /** Groups are per account by name; false keeps them apart per client (reference §3: not documented). */
  readonly ocaAcrossClients: boolean;
  /** Cancelling one member by hand takes the others along (reference §3: unverified for the API). */
  readonly cancelTakesOcaGroup: boolean;
  readonly execIdRoot: string;
  now(): EpochMs;
  emit(event: ExchangeEvent): void;
}

const WAITS_FOR_CROSS = 'waits for the opening cross';
/** The reason every victim of a global cancel carries. */
export const GLOBAL_CANCEL = 'global cancel';
const FIRST_PERM_ID = 1_284_610_001;

/**
 * Takes orders in, keeps them, fills them, ends them. One instance per exchange. Order of work within one market step: triggers and
 * fills in time priority; OCA groups without block (type 3) shrink only after the step, so two members can both fill in it.
 */
export class OrderDesk {
  private readonly byAddress = new Map<string, LiveOrder>();
  private readonly working = new Map<number, LiveOrder>();
  private readonly finished: LiveOrder[] = [];
  private readonly executions: ExchangeExecution[] = [];
  private readonly highestId = new Map<number, number>();
  private readonly finishedGroups = new Set<string>();
  private readonly unblocked: OcaShrink[] = [];
  private permId = FIRST_PERM_ID;
  private manualId = 0;

  constructor(private readonly at: DeskSurroundings) {}

  // ---- taking in ----

  place(request: OrderRequest): LiveOrder | undefined {
    const known = this.byAddress.get(addressOf(request.clientId, request.orderId));
    if (known && !isFinal(known.status)) {
      this.modify(known, request);
      return known;
    }
    const used = known !== undefined || (request.orderId > 0 && request.orderId <= (this.highestId.get(request.clientId) ?? 0));
    const refused = used ? refuseUsedId(known) : refuseShape(request, this.at.books.get(request.conId)?.instrument);
    if (refused) {
      this.reject(request, refused);
      return undefined;
    }
    return this.accept(request);
  }

  /** A trade by hand: a market order of client 0 under a negative id; what is quoted fills it whole, whatever size is displayed. */
  placeByHand(conId: number, side: OrderSide, quantity: number): LiveOrder | undefined {
    this.manualId -= 1;
    const request: OrderRequest = { clientId: 0, orderId: this.manualId, conId, side, quantity, type: 'MKT', tif: 'DAY', orderRef: '' };
    const refused = refuseShape(request, this.at.books.get(conId)?.instrument);
    if (refused) {
      this.reject(request, refused);
      return undefined;
    }
    const order = this.register(request);
    const book = this.bookOf(order);
    this.show(order);
    const price = book.opposite(side);
    if (mayTradeAt(this.at.session, this.at.now(), request) && !book.quote.halted && price > 0)
      this.fill(order, { shares: quantity, price });
    else this.route(order);
    return order;
  }

  cancel(clientId: number, orderId: number): CancelAnswer {
    const order = this.byAddress.get(addressOf(clientId, orderId));
    if (!order) {
      for (const other of this.working.values()) if (other.request.orderId === orderId) return 'foreign';
      return 'unknown';
    }
    if (isFinal(order.status)) return { final: order.status };
    this.end(order, 'Cancelled', '');
    if (this.at.cancelTakesOcaGroup) for (const member of this.groupOf(order)) this.end(member, 'Cancelled', 'OCA group cancelled');
    return 'accepted';
  }

  cancelAll(): void {
    for (const order of [...this.working.values()]) if (!isFinal(order.status)) this.end(order, 'Cancelled', GLOBAL_CANCEL);
  }

  // ---- the market moves ----

  /** After the book took in `update`: triggers, prints, quotes, in time priority. */
  step(book: Book, update: MarketUpdate): void {
    if (update.trade && !book.crossed && update.at >= this.at.session.open && update.at < this.at.session.close)
      this.cross(book, update.trade.open);
    if (book.orders.length === 0 || book.quote.halted) return;
    let volumeLeft = update.trade?.volume ?? 0;
    for (const order of [...book.orders]) {
      if (isFinal(order.status) || !mayTradeAt(this.at.session, this.at.now(), order.request)) continue;
      const triggered = order.hold === 'trigger' && update.trade !== undefined && isTriggeredByTrade(order, update.trade, book);
      if (triggered) this.trigger(order);
      if (order.hold !== 'none') continue;
      this.fillFromQuote(order, book);
      // The print that triggered a stop was somebody else's trade: it cannot fill it as well.
      if (isFinal(order.status) || !update.trade || triggered) continue;
      const printed = matchTrade(order, book, { trade: update.trade, volumeLeft });
      if (!printed) continue;
      volumeLeft -= printed.shares;
      this.fill(order, printed);
    }
    this.shrinkUnblocked();
  }

  /** The regular session begins: what waited for it goes to work. */
  openSession(): void {
    for (const order of [...this.working.values()]) if (order.hold === 'session') this.route(order);
  }

  /** When the next working order dies of age; Infinity when none does. */
  nextExpiry(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const order of this.working.values()) next = Math.min(next, expiryOf(this.at.session, order.request, order.acceptedAt));
    return next;
  }

  expire(now: EpochMs): void {
    for (const order of [...this.working.values()]) {
      if (!isFinal(order.status) && expiryOf(this.at.session, order.request, order.acceptedAt) <= now)
        this.end(order, 'Cancelled', `${order.request.tif} expired`);
    }
  }

  // ---- what others may see ----

  openOrders(): readonly LiveOrder[] {
    return [...this.working.values()];
  }
  completedOrders(): readonly LiveOrder[] {
    return this.finished;
  }
  allExecutions(): readonly ExchangeExecution[] {
    return this.executions;
  }

  // ---- acceptance ----

  private accept(request: OrderRequest): LiveOrder {
    const book = this.at.books.get(request.conId);
    if (!book) throw new Error(`conId ${request.conId} passed the rules without a book`);
    const denied = refuseByDesk(request, {
      now: this.at.now(),
      session: this.at.session,
      sameInstrument: book.orders,
      held: this.at.account.quantityOf(request.conId),
      mark: book.mark(),
      multiplier: book.instrument.multiplier,
      buyingPower: this.at.account.state(conId => this.markOf(conId)).buyingPower,
    });
    const order = this.register(request);
    if (denied) {
      this.end(order, 'Inactive', denied.text);
      this.reject(request, denied);
      return order;
    }
    if (request.transmit === false) {
      order.hold = 'transmit';
      order.status = 'PendingSubmit';
      this.show(order);
      return order;
    }
    this.show(order);
    if (order.parent) this.transmitFamily(order.parent);
    if (request.outsideRth === true && (request.tif === 'IOC' || request.tif === 'FOK' || request.tif === 'OPG')) {
      this.notice(
        order,
        2109,
        'Order Event Warning: Attribute "Outside Regular Trading Hours" is ignored based on the order type and destination.',
      );
    }
    this.route(order);
    return order;
  }

  private register(request: OrderRequest): LiveOrder {
    const parent = request.parentId ? this.byAddress.get(addressOf(request.clientId, request.parentId)) : undefined;
    // The broker puts the children of one parent into a group of its own making (reference §3, Bracket and OCA).
    const grouped = parent && !request.ocaGroup ? { ...request, ocaGroup: String(parent.permId), ocaType: 2 as const } : request;
    const order: LiveOrder = {
      request: grouped,
      permId: this.permId,
      acceptedAt: this.at.now(),
      status: 'PreSubmitted',
      hold: 'none',
      filled: 0,
      filledValue: 0,
      commission: micros(0),
      lastFillPrice: micros(0),
      fills: 0,
      sentQuantity: request.quantity,
      ...(parent ? { parent } : {}),
    };
    this.permId += 1;
    this.byAddress.set(addressOf(request.clientId, request.orderId), order);
    this.highestId.set(request.clientId, Math.max(this.highestId.get(request.clientId) ?? 0, request.orderId));
    this.working.set(order.permId, order);
    this.bookOf(order).orders.push(order);
    return order;
  }

  private modify(order: LiveOrder, request: OrderRequest): void {
    const wanted = order.parent && !request.ocaGroup ? { ...request, ...groupWords(order.request) } : request;
    const refused = refuseShape(wanted, this.bookOf(order).instrument) ?? refuseModification(order, wanted);
    if (refused) {
      this.reject(request, refused);
      return;
    }
    order.request = wanted;
    order.sentQuantity = wanted.quantity;
    const { orders } = this.bookOf(order);
    orders.splice(orders.indexOf(order), 1);
    orders.push(order); // a changed order queues again behind the others
    if (wanted.transmit === false) {
      this.show(order);
      return;
    }
    order.status = 'PreSubmitted';
    this.show(order);
    this.route(order);
  }

  /** The last child is transmitted: parent and elder children go with it, oldest first. */
  private transmitFamily(parent: LiveOrder): void {
    for (const member of [...this.working.values()]) {
      if (member.hold !== 'transmit' || (member !== parent && member.parent !== parent)) continue;
      member.hold = 'none';
      member.status = 'PreSubmitted';
      this.show(member);
      this.route(member);
    }
  }

  // ---- routing and filling ----

  /** Decides what the order waits for, and lets it trade at once where it waits for nothing. */
  private route(order: LiveOrder): void {
    if (isFinal(order.status)) return;
    const book = this.bookOf(order);
    const { tif, ocaGroup } = order.request;
    if (ocaGroup && this.finishedGroups.has(this.groupKey(order))) {
      this.end(order, 'Cancelled', 'its OCA group is finished');
      return;
    }
    const immediate = tif === 'IOC' || tif === 'FOK';
    const open = mayTradeAt(this.at.session, this.at.now(), order.request);
    const before = order.hold;
    order.hold = this.holdOf(order, open);
    if (immediate && (order.hold !== 'none' || book.quote.halted)) {
      this.end(order, 'Cancelled', open ? 'the instrument is halted' : 'the exchange is closed');
      return;
    }
    if (order.hold === 'session' && before !== 'session') this.notice(order, 399, this.waitingText(order));
    if (order.hold === 'cross') order.reason = WAITS_FOR_CROSS;
    if (order.hold === 'trigger' && open && isTriggeredBy(order, book.quote.last, book) && !book.quote.halted) this.trigger(order, true);
    if (order.hold !== 'none') return;
    if (tif === 'FOK' && (matchQuote(order, book)?.shares ?? 0) < order.request.quantity) {
      this.end(order, 'Cancelled', 'fill or kill: not enough at the price');
      return;
    }
    if (!book.quote.halted) this.fillFromQuote(order, book);
    this.shrinkUnblocked();
    if (isFinal(order.status)) return;
    if (immediate) this.end(order, 'Cancelled', 'the rest of an immediate order');
    else if (order.status !== 'Submitted') this.show(order, 'Submitted');
  }

  private holdOf(order: LiveOrder, mayTrade: boolean): Hold {
    const { request, parent } = order;
    if (parent && !isFinal(parent.status) && parent.filled === 0) return 'parent';
    if (request.tif === 'OPG') return 'cross';
    if (!mayTrade) return 'session';
    return request.type === 'STP' || request.type === 'STP LMT' ? 'trigger' : 'none';
  }

  private trigger(order: LiveOrder, quietly = false): void {
    order.hold = 'none';
    if (!quietly) this.show(order, 'Submitted');
  }

  private fillFromQuote(order: LiveOrder, book: Book): void {
    const match = matchQuote(order, book);
    if (!match) return;
    book.consume(order.request.side, match.shares);
    this.fill(order, match);
  }

  /** The opening print serves the on-open orders; what it does not fill is cancelled after the cross. */
  private cross(book: Book, price: Micros): void {
    book.crossed = true;
    for (const order of [...book.orders]) {
      if (order.hold !== 'cross') continue;
      const match = matchCross(order, price);
      if (match) this.fill(order, match);
      else this.end(order, 'Cancelled', 'not filled in the opening cross');
    }
  }

  private fill(order: LiveOrder, match: Match): void {
    const { request } = order;
    const book = this.bookOf(order);
    order.filled += match.shares;
    order.filledValue += match.shares * match.price;
    order.lastFillPrice = match.price;
    order.fills += 1;
    delete order.reason;
    const total = commissionSoFar(this.at.commission, order.filled, order.filledValue * book.instrument.multiplier);
    const commission = micros(total - order.commission);
    order.commission = total;
    const realizedPnl = this.at.account.book({
      conId: request.conId,
      side: request.side,
      shares: match.shares,
      price: match.price,
      commission,
    });

    const execution: ExchangeExecution = {
      execId: `${this.at.execIdRoot}.${hex(this.executions.length + 1, 8)}.01.01`,
      at: this.at.now(),
      clientId: request.clientId,
      orderId: request.orderId,
      permId: order.permId,
      conId: request.conId,
      symbol: book.instrument.symbol,
      side: request.side,
      shares: match.shares,
      price: match.price,
      cumulative: order.filled,
      averagePrice: micros(Math.round(order.filledValue / order.filled)),
      orderRef: request.orderRef ?? '',
      commission,
      ...(realizedPnl === undefined ? {} : { realizedPnl }),
    };
    this.executions.push(execution);
    this.at.emit({ kind: 'execution', at: execution.at, execution });
    if (order.filled >= request.quantity) this.end(order, 'Filled');
    else this.show(order, 'Submitted');
    this.at.emit({ kind: 'position', at: execution.at, position: this.at.account.position(request.conId, book.mark()) });
    this.afterFill(order, match.shares);
  }

  private afterFill(order: LiveOrder, shares: number): void {
    if (order.request.ocaGroup) {
      if (order.status === 'Filled') this.finishedGroups.add(this.groupKey(order));
      for (const shrink of afterFill(order, shares, this.groupOf(order))) {
        if (shrink.delayed) this.unblocked.push(shrink);
        else this.shrink(shrink);
      }
    }
    for (const child of [...this.working.values()]) if (child.parent === order && child.hold === 'parent') this.route(child);
  }

  private shrinkUnblocked(): void {
    for (const shrink of this.unblocked.splice(0)) this.shrink(shrink);
  }

  private shrink({ order, by, why }: OcaShrink): void {
    if (isFinal(order.status)) return;
    const quantity = order.request.quantity - by;
    if (quantity <= order.filled) this.end(order, 'Cancelled', why);
    else {
      order.request = { ...order.request, quantity };
      this.show(order);
    }
  }

  // ---- ending ----

  private end(order: LiveOrder, status: ExchangeOrderStatus, reason?: string): void {
    order.finishedAt = this.at.now();
    if (reason === undefined) delete order.reason;
    else order.reason = reason;
    this.working.delete(order.permId);
    const { orders } = this.bookOf(order);
    orders.splice(orders.indexOf(order), 1);
    this.finished.push(order);
    this.show(order, status);
    if (status === 'Filled') return;
    for (const child of [...this.working.values()]) {
      if (child.parent !== order) continue;
      if (order.filled === 0) this.end(child, 'Cancelled', 'its parent was cancelled');
      else
        this.shrink({
          order: child,
          by: Math.max(0, child.request.quantity - order.filled),
          why: 'its parent was cancelled',
          delayed: false,
        });
    }
  }

  private show(order: LiveOrder, status: ExchangeOrderStatus = order.status): void {
    order.status = status;
    this.at.emit({ kind: 'order', at: this.at.now(), order: snapshot(order) });
  }

  private notice(order: LiveOrder, code: number, text: string): void {
    this.at.emit({ kind: 'notice', at: this.at.now(), clientId: order.request.clientId, orderId: order.request.orderId, code, text });
  }

  private reject(request: OrderRequest, { code, text }: Refusal): void {
    this.at.emit({ kind: 'rejected', at: this.at.now(), clientId: request.clientId, orderId: request.orderId, code, text });
  }

  // ---- small answers ----

  private bookOf(order: LiveOrder): Book {
    const book = this.at.books.get(order.request.conId);
    if (!book) throw new Error(`order ${order.permId} without a book`);
    return book;
  }

  private markOf(conId: number): Micros {
    return this.at.books.get(conId)?.mark() ?? micros(0);
  }

  private groupKey(order: LiveOrder): string {
    const { ocaGroup, clientId } = order.request;
    return this.at.ocaAcrossClients ? `${ocaGroup}` : `${clientId}/${ocaGroup}`;
  }

  private groupOf(order: LiveOrder): readonly LiveOrder[] {
    if (!order.request.ocaGroup) return [];
    const key = this.groupKey(order);
    return [...this.working.values()].filter(other => other !== order && other.request.ocaGroup && this.groupKey(other) === key);
  }

  private waitingText(order: LiveOrder): string {
    const { side, quantity, conId } = order.request;
    const symbol = this.at.books.get(conId)?.instrument.symbol ?? conId;
    const until = isRegular(this.at.session, this.at.now()) ? 'later' : new Date(this.at.session.open).toISOString();
    return `Order Message:\n${side} ${quantity} ${symbol} SMART\nWarning: your order will not be placed at the exchange until ${until}`;
  }
}

const addressOf = (clientId: number, orderId: number): string => `${clientId}/${orderId}`;
const hex = (value: number, width: number): string => value.toString(16).padStart(width, '0');
const groupWords = (request: OrderRequest): Pick<OrderRequest, 'ocaGroup' | 'ocaType'> => ({
  ...(request.ocaGroup === undefined ? {} : { ocaGroup: request.ocaGroup }),
  ...(request.ocaType === undefined ? {} : { ocaType: request.ocaType }),
});
