import { type EpochMs, type Micros, micros } from '@holdfast/core/units';
import type { AccountBook } from './account.js';
import type { Book } from './book.js';
import { type CommissionModel, commissionSoFar } from './commission.js';
import type { ExchangeEvent, ExchangeExecution, ExchangeOrderStatus, OrderRequest } from './exchange-types.js';
import { type LiveOrder, snapshot } from './live-order.js';
import type { Match } from './matching.js';
import type { Refusal } from './order-rules.js';

/** What the ledger needs from the exchange around it. */
export interface LedgerSurroundings {
  readonly books: ReadonlyMap<number, Book>;
  readonly account: AccountBook;
  readonly commission: CommissionModel;
  /** First part of every execution id of this day. */
  execIdRoot(): string;
  now(): EpochMs;
  emit(event: ExchangeEvent): void;
}

const FIRST_PERM_ID = 1_284_610_001;

/** Every order and execution of the account, found by address or permId, and the one place that says aloud what becomes of them. */
export class OrderLedger {
  private readonly byAddress = new Map<string, LiveOrder>();
  private readonly byPermId = new Map<number, LiveOrder>();
  private readonly ended: LiveOrder[] = [];
  private readonly filledParts: ExchangeExecution[] = [];
  private readonly highestId = new Map<number, number>();
  private nextPermId = FIRST_PERM_ID;
  /** Where today's executions begin. */
  private dayFrom = 0;
  /** Where those of the day before begin: a trade may be broken until the next day, and what is older is settled. */
  private settledTo = 0;
  /** Rises whenever the set of working orders or their words change, for who keeps something computed from them. */
  version = 0;

  constructor(private readonly at: LedgerSurroundings) {}

  find(clientId: number, orderId: number): LiveOrder | undefined {
    return this.byAddress.get(addressOf(clientId, orderId));
  }

  /** Whether a client has used this id or a higher one. Ids of trades by hand are negative and count for nobody. */
  isUsed({ clientId, orderId }: OrderRequest): boolean {
    return orderId > 0 && orderId <= (this.highestId.get(clientId) ?? 0);
  }

  /** The highest id this client has used, 0 for none. */
  highestOrderId(clientId: number): number {
    return this.highestId.get(clientId) ?? 0;
  }

  /** Its gateway knows nothing of an order any more: its id may be used again. */
  freeAddress({ request: { clientId, orderId } }: LiveOrder): void {
    this.byAddress.delete(addressOf(clientId, orderId));
    if (this.highestId.get(clientId) === orderId) this.highestId.set(clientId, orderId - 1);
  }

  beginDay(): void {
    this.settledTo = this.dayFrom;
    this.dayFrom = this.filledParts.length;
    this.version += 1;
  }

  workingByPermId(permId: number): LiveOrder | undefined {
    return this.byPermId.get(permId);
  }

  /** A copy, oldest first: what is done with one order may end others. */
  working(): readonly LiveOrder[] {
    return [...this.byPermId.values()];
  }
  /** Without a copy, for the hot path. */
  eachWorking(): Iterable<LiveOrder> {
    return this.byPermId.values();
  }
  finished(): readonly LiveOrder[] {
    return this.ended;
  }
  executions(): readonly ExchangeExecution[] {
    return this.filledParts;
  }

  bookOf(order: LiveOrder): Book {
    const book = this.at.books.get(order.request.conId);
    if (!book) throw new Error(`order ${order.permId} without a book`);
    return book;
  }

  /** Enters a new order, in silence: `show` tells of it. */
  register(request: OrderRequest): LiveOrder {
    const parent = request.parentId ? this.find(request.clientId, request.parentId) : undefined;
    // The broker puts the children of one parent into a group of its own making (reference §3, Bracket and OCA).
    const grouped = parent && !request.ocaGroup ? { ...request, ocaGroup: String(parent.permId), ocaType: 2 as const } : request;
    const order: LiveOrder = {
      request: grouped,
      permId: this.nextPermId,
      acceptedAt: this.at.now(),
      status: 'PreSubmitted',
      hold: 'none',
      filled: 0,
      filledValue: 0,
      commission: micros(0),
      lastFillPrice: micros(0),
      sentQuantity: request.quantity,
      ...(parent ? { parent } : {}),
    };
    this.nextPermId += 1;
    this.byAddress.set(addressOf(request.clientId, request.orderId), order);
    this.highestId.set(request.clientId, Math.max(this.highestId.get(request.clientId) ?? 0, request.orderId));
    this.byPermId.set(order.permId, order);
    this.version += 1;
    this.bookOf(order).orders.push(order);
    return order;
  }

  /** A changed order queues again behind the others. */
  replace(order: LiveOrder, request: OrderRequest): void {
    order.request = request;
    order.sentQuantity = request.quantity;
    this.version += 1;
    const { orders } = this.bookOf(order);
    orders.splice(orders.indexOf(order), 1);
    orders.push(order);
  }

  /** Books one fill: order, account, execution. The caller says afterwards what became of the order. */
  book(order: LiveOrder, match: Match): void {
    const { request } = order;
    const { instrument } = this.bookOf(order);
    order.filled += match.shares;
    order.filledValue += match.shares * match.price;
    order.lastFillPrice = match.price;
    delete order.reason;
    const total = commissionSoFar(this.at.commission, order.filled, order.filledValue * instrument.multiplier);
    const commission = micros(total - order.commission);
    order.commission = total;
    const { conId, side } = request;
    const realizedPnl = this.at.account.book({ conId, side, shares: match.shares, price: match.price, commission });
    const execution: ExchangeExecution = {
      execId: `${this.at.execIdRoot()}.${(this.filledParts.length + 1).toString(16).padStart(8, '0')}.01.01`,
      at: this.at.now(),
      clientId: request.clientId,
      orderId: request.orderId,
      permId: order.permId,
      conId,
      symbol: instrument.symbol,
      side,
      shares: match.shares,
      price: match.price,
      cumulative: order.filled,
      averagePrice: micros(Math.round(order.filledValue / order.filled)),
      orderRef: request.orderRef ?? '',
      commission,
      ...(realizedPnl === undefined ? {} : { realizedPnl }),
    };
    this.filledParts.push(execution);
    this.at.emit({ kind: 'execution', at: execution.at, execution });
  }

  /** Replaces an execution by its correction. The order's own figures stay: it is over, or goes on for what it had left. */
  correct(execId: string, words: { readonly price?: Micros; readonly shares?: number }): ExchangeExecution | undefined {
    const index = this.filledParts.findIndex(one => one.execId === execId);
    const replaced = this.filledParts[index];
    if (!replaced || index < this.settledTo) return undefined;
    const [root, revision] = [execId.slice(0, execId.lastIndexOf('.')), Number(execId.slice(execId.lastIndexOf('.') + 1))];
    const execution = { ...replaced, ...words, execId: `${root}.${String(revision + 1).padStart(2, '0')}` };
    const { conId } = replaced;
    const before = this.filledParts.slice(index < this.dayFrom ? this.settledTo : this.dayFrom).filter(one => one.conId === conId);
    this.filledParts[index] = execution;
    this.at.account.rebook(before, before.with(before.indexOf(replaced), execution), { isOfToday: index >= this.dayFrom });
    this.at.emit({ kind: 'correction', at: this.at.now(), execution, replaced });
    const mark = this.at.books.get(conId)?.mark() ?? execution.price;
    this.at.emit({ kind: 'position', at: this.at.now(), position: this.at.account.position(conId, mark) });
    return execution;
  }

  close(order: LiveOrder, status: ExchangeOrderStatus, reason: string | undefined): void {
    order.finishedAt = this.at.now();
    if (reason === undefined) delete order.reason;
    else order.reason = reason;
    this.byPermId.delete(order.permId);
    this.version += 1;
    const { orders } = this.bookOf(order);
    orders.splice(orders.indexOf(order), 1);
    this.ended.push(order);
    this.show(order, status);
  }

  // ---- saying it ----

  show(order: LiveOrder, status: ExchangeOrderStatus = order.status): void {
    order.status = status;
    this.at.emit({ kind: 'order', at: this.at.now(), order: snapshot(order) });
  }

  showPosition(order: LiveOrder): void {
    const { conId } = order.request;
    this.at.emit({ kind: 'position', at: this.at.now(), position: this.at.account.position(conId, this.bookOf(order).mark()) });
  }

  notice({ request }: LiveOrder, code: number, text: string): void {
    this.at.emit({ kind: 'notice', at: this.at.now(), clientId: request.clientId, orderId: request.orderId, code, text });
  }

  reject({ clientId, orderId }: OrderRequest, { code, text }: Refusal): void {
    this.at.emit({ kind: 'rejected', at: this.at.now(), clientId, orderId, code, text });
  }
}

const addressOf = (clientId: number, orderId: number): string => `${clientId}/${orderId}`;
