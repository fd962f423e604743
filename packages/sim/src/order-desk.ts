import { type EpochMs, type Micros, micros } from '@holdfast/core/units';
import type { Book } from './book.js';
import type { CancelAnswer, ExchangeOrderStatus, MarketUpdate, OrderRequest, OrderSide } from './exchange-types.js';
import { type Hold, isFinal, type LiveOrder } from './live-order.js';
import { isTriggeredBy, isTriggeredByTrade, type Match, matchCross, matchQuote, matchTrade } from './matching.js';
import { OcaGroups, type OcaShrink } from './oca.js';
import { type LedgerSurroundings, OrderLedger } from './order-ledger.js';
import { type Refusal, refuseByDesk, refuseModification, refuseShape, refuseUsedId } from './order-rules.js';
import { expiryOf, mayTradeAt, type TradingSession } from './trading-session.js';

/** What the desk needs from the exchange around it. */
export interface DeskSurroundings extends LedgerSurroundings {
  session(): TradingSession;
  /** When the next regular session begins, in the broker's words. */
  nextOpening(): string;
  /** Groups are per account by name; false keeps them apart per client (reference §3: not documented). */
  readonly ocaAcrossClients: boolean;
  /** Cancelling one member by hand takes the others along (reference §3: unverified for the API). */
  readonly cancelTakesOcaGroup: boolean;
  /** A refusal that no rule of the desk makes, for whoever plays the broker. */
  deny(request: OrderRequest): Refusal | undefined;
}

/** The reason every victim of a global cancel carries. */
export const GLOBAL_CANCEL = 'global cancel';
/** The reason of an order that a restarting gateway forgot. */
export const LOST_BY_GATEWAY = 'lost by the gateway';
const IGNORED_OUTSIDE_RTH =
  'Order Event Warning: Attribute "Outside Regular Trading Hours" is ignored based on the order type and destination.';

/**
 * Takes orders in, lets them wait, fills them, ends them. Order of work within one market step: triggers and fills in time priority; OCA
 * groups without block (type 3) shrink only after the step, so two members can both fill in it.
 */
export class OrderDesk {
  readonly ledger: OrderLedger;
  private readonly groups: OcaGroups;
  private readonly unblocked: OcaShrink[] = [];
  private manualId = 0;
  private soonestExpiry = Number.POSITIVE_INFINITY;
  private expiryVersion = -1;

  constructor(private readonly at: DeskSurroundings) {
    this.ledger = new OrderLedger(at);
    this.groups = new OcaGroups(at.ocaAcrossClients);
  }

  // ---- taking in ----

  place(request: OrderRequest): void {
    const known = this.ledger.find(request.clientId, request.orderId);
    if (known && !isFinal(known.status)) {
      this.modify(known, request);
      return;
    }
    const used = known !== undefined || this.ledger.isUsed(request);
    const refused = used ? refuseUsedId(known) : refuseShape(request, this.at.books.get(request.conId)?.instrument);
    if (refused) this.ledger.reject(request, refused);
    else this.accept(request);
  }

  /** A trade by hand: a market order of client 0 under a negative id; what is quoted fills it whole, whatever size is displayed. */
  placeByHand(conId: number, side: OrderSide, quantity: number): LiveOrder | undefined {
    this.manualId -= 1;
    const request: OrderRequest = { clientId: 0, orderId: this.manualId, conId, side, quantity, type: 'MKT', tif: 'DAY', orderRef: '' };
    const refused = refuseShape(request, this.at.books.get(conId)?.instrument);
    if (refused) {
      this.ledger.reject(request, refused);
      return undefined;
    }
    const order = this.ledger.register(request);
    const book = this.ledger.bookOf(order);
    this.ledger.show(order);
    const price = book.opposite(side);
    const canTrade = mayTradeAt(this.at.session(), this.at.now(), request) && !book.quote.halted && price > 0;
    if (canTrade) this.fill(order, { shares: quantity, price });
    else this.route(order);
    return order;
  }

  cancel(clientId: number, orderId: number): CancelAnswer {
    const order = this.ledger.find(clientId, orderId);
    if (!order) return this.ledger.working().some(other => other.request.orderId === orderId) ? 'foreign' : 'unknown';
    if (isFinal(order.status)) return { final: order.status };
    const members = this.at.cancelTakesOcaGroup ? this.groups.othersOf(order, this.ledger.working()) : [];
    this.end(order, 'Cancelled', '');
    for (const member of members) this.end(member, 'Cancelled', 'OCA group cancelled');
    return 'accepted';
  }

  lose(clientId: number, orderId: number): boolean {
    const order = this.ledger.find(clientId, orderId);
    if (!order || isFinal(order.status) || order.filled > 0) return false;
    this.end(order, 'Cancelled', LOST_BY_GATEWAY);
    this.ledger.freeAddress(order);
    return true;
  }

  /** The broker ends an order that nobody asked to cancel. */
  withdraw(permId: number, reason: string): boolean {
    const order = this.ledger.workingByPermId(permId);
    if (order) this.end(order, 'Cancelled', reason);
    return order !== undefined;
  }

  /** Resting orders of an instrument end with a corporate action: their prices and quantities mean something else now (reference §3, tif). */
  cancelForSplit(conId: number): void {
    for (const order of this.ledger.working()) if (order.request.conId === conId) this.end(order, 'Cancelled', 'corporate action');
  }

  cancelAll(): void {
    for (const order of this.ledger.working()) this.end(order, 'Cancelled', GLOBAL_CANCEL);
  }

  // ---- the market and the clock move ----

  /** After the book took in `update`: the cross, then triggers, quotes and prints, in time priority. */
  step(book: Book, update: MarketUpdate): void {
    const { open, close } = this.at.session();
    const { trade } = update;
    if (trade && !book.crossed && update.at >= open && update.at < close) this.cross(book, trade.open);
    if (book.orders.length === 0 || book.quote.halted) return;
    if (!this.someoneActs(book, trade)) {
      this.shrinkUnblocked();
      return;
    }
    let volumeLeft = trade?.volume ?? 0;
    for (const order of [...book.orders]) {
      if (isFinal(order.status) || !mayTradeAt(this.at.session(), this.at.now(), order.request)) continue;
      const triggered = order.hold === 'trigger' && trade !== undefined && isTriggeredByTrade(order, trade, book);
      if (triggered) {
        order.hold = 'none';
        this.ledger.show(order, 'Submitted');
      }
      if (order.hold !== 'none') continue;
      this.fillFromQuote(order, book);
      // The print that triggered a stop was somebody else's trade: it cannot fill it as well.
      if (isFinal(order.status) || !trade || triggered) continue;
      const printed = matchTrade(order, book, { trade, volumeLeft });
      if (!printed) continue;
      volumeLeft -= printed.shares;
      this.fill(order, printed);
    }
    this.shrinkUnblocked();
  }

  /** Most updates touch no order: found out without a copy of the list. While this is false for all, none can make another act. */
  private someoneActs(book: Book, trade: MarketUpdate['trade']): boolean {
    for (const order of book.orders) {
      if (!mayTradeAt(this.at.session(), this.at.now(), order.request)) continue;
      if (order.hold === 'trigger' && trade !== undefined && isTriggeredByTrade(order, trade, book)) return true;
      if (order.hold !== 'none') continue;
      if (matchQuote(order, book) || (trade && matchTrade(order, book, { trade, volumeLeft: trade.volume }))) return true;
    }
    return false;
  }

  /** The regular session begins: what waited for it goes to work. */
  openSession(): void {
    for (const order of this.ledger.working()) if (order.hold === 'session') this.route(order);
  }

  /** When the next working order dies of age; Infinity when none does. */
  nextExpiry(): number {
    if (this.expiryVersion === this.ledger.version) return this.soonestExpiry;
    let next = Number.POSITIVE_INFINITY;
    for (const { request, acceptedAt } of this.ledger.eachWorking())
      next = Math.min(next, expiryOf(this.at.session(), request, acceptedAt));
    this.expiryVersion = this.ledger.version;
    this.soonestExpiry = next;
    return next;
  }

  expire(now: EpochMs): void {
    for (const order of this.ledger.working()) {
      const { request, acceptedAt } = order;
      if (expiryOf(this.at.session(), request, acceptedAt) <= now) this.end(order, 'Cancelled', `${request.tif} expired`);
    }
  }

  // ---- acceptance ----

  private accept(request: OrderRequest): void {
    const { books, account } = this.at;
    const order = this.ledger.register(request);
    const book = this.ledger.bookOf(order);
    const byWish = this.at.deny(request);
    const byRule = refuseByDesk(request, {
      now: this.at.now(),
      session: this.at.session(),
      sameInstrument: book.orders.filter(other => other !== order),
      held: account.quantityOf(request.conId),
      mark: book.mark(),
      multiplier: book.instrument.multiplier,
      buyingPower: account.state(conId => books.get(conId)?.mark() ?? micros(0)).buyingPower,
    });
    const denied = byWish ?? byRule;
    if (denied) {
      this.end(order, 'Inactive', denied.text);
      this.ledger.reject(request, denied);
      return;
    }
    if (request.transmit === false) {
      order.hold = 'transmit';
      this.ledger.show(order, 'PendingSubmit');
      return;
    }
    this.ledger.show(order);
    if (order.parent) this.transmitFamily(order.parent);
    const neverOutside = request.tif === 'IOC' || request.tif === 'FOK' || request.tif === 'OPG';
    if (request.outsideRth === true && neverOutside) this.ledger.notice(order, 2109, IGNORED_OUTSIDE_RTH);
    this.route(order);
  }

  private modify(order: LiveOrder, request: OrderRequest): void {
    const wanted = order.parent && !request.ocaGroup ? { ...request, ...groupWords(order.request) } : request;
    const refused = refuseShape(wanted, this.ledger.bookOf(order).instrument) ?? refuseModification(order, wanted);
    if (refused) {
      this.ledger.reject(request, refused);
      return;
    }
    this.ledger.replace(order, wanted);
    if (wanted.transmit === false) {
      this.ledger.show(order);
      return;
    }
    this.ledger.show(order, 'PreSubmitted');
    this.route(order);
  }

  /** The last child is transmitted: parent and elder children go with it, oldest first. */
  private transmitFamily(parent: LiveOrder): void {
    for (const member of this.ledger.working()) {
      if (member.hold !== 'transmit' || (member !== parent && member.parent !== parent)) continue;
      member.hold = 'none';
      this.ledger.show(member, 'PreSubmitted');
      this.route(member);
    }
  }

  // ---- routing and filling ----

  /** Decides what the order waits for, and lets it trade at once where it waits for nothing. */
  private route(order: LiveOrder): void {
    if (isFinal(order.status)) return;
    const book = this.ledger.bookOf(order);
    const { halted, last } = book.quote;
    const { tif } = order.request;
    if (this.groups.isFinished(order)) {
      this.end(order, 'Cancelled', 'its OCA group is finished');
      return;
    }
    const immediate = tif === 'IOC' || tif === 'FOK';
    const open = mayTradeAt(this.at.session(), this.at.now(), order.request);
    const waitedForSession = order.hold === 'session';
    order.hold = this.holdOf(order, open);
    if (order.hold === 'trigger' && !halted && isTriggeredBy(order, last, book)) order.hold = 'none';
    if (immediate && (order.hold !== 'none' || halted)) {
      this.end(order, 'Cancelled', open ? 'an immediate order cannot wait' : 'the exchange is closed');
      return;
    }
    if (order.hold === 'session' && !waitedForSession) this.ledger.notice(order, 399, this.waitingText(order));
    if (order.hold !== 'none') return;
    if (tif === 'FOK' && (matchQuote(order, book)?.shares ?? 0) < order.request.quantity) {
      this.end(order, 'Cancelled', 'fill or kill: not enough at the price');
      return;
    }
    if (!halted) this.fillFromQuote(order, book);
    this.shrinkUnblocked();
    if (isFinal(order.status)) return;
    if (immediate) this.end(order, 'Cancelled', 'the rest of an immediate order');
    else if (order.status !== 'Submitted') this.ledger.show(order, 'Submitted');
  }

  private holdOf({ request, parent }: LiveOrder, mayTrade: boolean): Hold {
    if (parent && !isFinal(parent.status) && parent.filled === 0) return 'parent';
    if (request.tif === 'OPG') return 'cross';
    if (!mayTrade) return 'session';
    return request.type === 'STP' || request.type === 'STP LMT' ? 'trigger' : 'none';
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
    this.ledger.book(order, match);
    if (order.filled >= order.request.quantity) this.end(order, 'Filled');
    else this.ledger.show(order, 'Submitted');
    this.ledger.showPosition(order);
    for (const shrink of this.groups.afterFill(order, match.shares, this.ledger.working())) {
      if (shrink.delayed) this.unblocked.push(shrink);
      else this.shrink(shrink);
    }
    for (const child of this.ledger.working()) if (child.parent === order && child.hold === 'parent') this.route(child);
  }

  private shrinkUnblocked(): void {
    if (this.unblocked.length === 0) return;
    for (const shrink of this.unblocked.splice(0)) this.shrink(shrink);
  }

  private shrink({ order, by, why }: OcaShrink): void {
    if (isFinal(order.status)) return;
    const quantity = order.request.quantity - by;
    if (quantity <= order.filled) this.end(order, 'Cancelled', why);
    else {
      order.request = { ...order.request, quantity };
      this.ledger.show(order);
    }
  }

  /** Ends an order, and with it what its children still wanted beyond the parent's fills. Silent for one that has ended meanwhile. */
  private end(order: LiveOrder, status: ExchangeOrderStatus, reason?: string): void {
    if (isFinal(order.status)) return;
    this.ledger.close(order, status, reason);
    if (status === 'Filled') return;
    const why = 'its parent was cancelled';
    for (const child of this.ledger.working()) {
      if (child.parent !== order) continue;
      if (order.filled === 0) this.end(child, 'Cancelled', why);
      else this.shrink({ order: child, by: Math.max(0, child.request.quantity - order.filled), why, delayed: false });
    }
  }

  // ---- small answers ----

  private waitingText(order: LiveOrder): string {
    const { side, quantity } = order.request;
    const { symbol } = this.ledger.bookOf(order).instrument;
    return `Order Message:\n${side} ${quantity} ${symbol} SMART\nWarning: your order will not be placed at the exchange until ${this.at.nextOpening()}`;
  }
}

const groupWords = (request: OrderRequest): Pick<OrderRequest, 'ocaGroup' | 'ocaType'> => ({
  ...(request.ocaGroup === undefined ? {} : { ocaGroup: request.ocaGroup }),
  ...(request.ocaType === undefined ? {} : { ocaType: request.ocaType }),
});
