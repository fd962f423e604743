import { atTime, nextTradingDate, tradeDateOf } from '@holdfast/core/calendar';
import { type EpochMs, epochMs, type Micros, micros } from '@holdfast/core/units';
import { EventQueue } from '@holdfast/engine/event-queue';
import { AccountBook, type Holding } from './account.js';
import { Book } from './book.js';
import { type CommissionModel, IBKR_FIXED } from './commission.js';
import type {
  AccountState,
  CancelAnswer,
  ExchangeEvent,
  ExchangeExecution,
  ExchangeOrder,
  ExchangePosition,
  Instrument,
  MarketDay,
  MarketSource,
  MarketUpdate,
  OrderRequest,
  OrderSide,
  Quote,
  SimulatedExchange,
  Split,
} from './exchange-types.js';
import { snapshot } from './live-order.js';
import { OrderDesk } from './order-desk.js';
import { hashText } from './random.js';
import { isRegular, type TradingSession } from './trading-session.js';

export interface ExchangeOptions {
  readonly source: MarketSource;
  /** Hours of the day; `sessionOf(date)` of the calendar fits. */
  readonly session: TradingSession;
  /** Account id; paper ones begin with DU. */
  readonly account?: string;
  /** Default $100,000. */
  readonly startingCash?: Micros;
  /** What the account held before the day. */
  readonly holdings?: readonly Holding[];
  readonly commission?: CommissionModel;
  /** Marks the execution ids of this run; two runs of one date should differ if their executions may meet in one store. */
  readonly seed?: number;
  /** Exchange time at the start; default the session's pre-open. */
  readonly startAt?: EpochMs;
  readonly ocaAcrossClients?: boolean;
  readonly cancelTakesOcaGroup?: boolean;
}

const DEFAULT_CASH = micros(100_000_000_000);

/** The simulated exchange and account behind one port. Synchronous and deterministic: the same source and calls give the same events. */
export function createExchange(options: ExchangeOptions): SimulatedExchange {
  return new Exchange(options);
}

class Exchange implements SimulatedExchange {
  instruments: readonly Instrument[];
  readonly accountId: string;
  deny: SimulatedExchange['deny'];
  private source: MarketSource;
  private session: TradingSession;
  private readonly listed: Map<number, Instrument>;
  private readonly books = new Map<number, Book>();
  private readonly account_: AccountBook;
  private readonly desk: OrderDesk;
  private listeners: readonly ((event: ExchangeEvent) => void)[] = [];
  private readonly queue = new EventQueue<ExchangeEvent>();
  private delivering = false;
  private pending: MarketUpdate | undefined;
  private time: EpochMs;
  private sessionStarted: boolean;
  private readonly seed: number;
  private execIdRoot: string;

  constructor(options: ExchangeOptions) {
    this.source = options.source;
    this.session = options.session;
    this.instruments = options.source.instruments;
    this.accountId = options.account ?? 'DU1234567';
    this.time = options.startAt ?? options.session.preOpen;
    this.sessionStarted = this.time > this.session.open;
    this.listed = new Map(this.instruments.map(instrument => [instrument.conId, instrument]));
    for (const instrument of this.instruments) this.books.set(instrument.conId, new Book(instrument, this.session.open));
    this.account_ = new AccountBook(this.accountId, options.startingCash ?? DEFAULT_CASH, this.listed, options.holdings ?? []);
    this.seed = options.seed ?? 0;
    this.execIdRoot = execIdRootOf(this.source, this.seed);
    this.desk = new OrderDesk({
      session: () => this.session,
      books: this.books,
      account: this.account_,
      commission: options.commission ?? IBKR_FIXED,
      ocaAcrossClients: options.ocaAcrossClients ?? true,
      cancelTakesOcaGroup: options.cancelTakesOcaGroup ?? false,
      deny: request => this.deny?.(request),
      execIdRoot: () => this.execIdRoot,
      nextOpening: () => {
        const { date } = this.source;
        const on = this.time < this.session.open ? date : nextTradingDate(date);
        return `${on} 09:30:00 US/Eastern`;
      },
      now: () => this.time,
      emit: event => this.queue.put(event),
    });
    this.pending = this.source.next();
  }

  beginDay({ source, session }: MarketDay): void {
    this.advanceTo(epochMs(Math.max(this.time, this.session.extendedClose)));
    if (this.time > session.open) throw new Error(`${source.date} cannot begin: its session has opened before the exchange's ${this.time}`);
    const listed = new Map(source.instruments.map(instrument => [instrument.conId, instrument]));
    for (const conId of [...this.account_.held(), ...this.desk.ledger.working().map(order => order.request.conId)]) {
      if (!listed.has(conId))
        throw new Error(`${source.name} of ${source.date} does not list conId ${conId}, which is held or has a working order`);
    }
    this.source = source;
    this.session = session;
    this.sessionStarted = false;
    this.instruments = source.instruments;
    this.execIdRoot = execIdRootOf(source, this.seed);
    const waiting = new Map([...this.books].map(([conId, book]) => [conId, book.orders]));
    this.books.clear();
    for (const [conId, instrument] of listed) {
      this.listed.set(conId, instrument);
      this.books.set(conId, new Book(instrument, session.open, waiting.get(conId)));
    }
    this.account_.beginDay();
    this.desk.ledger.beginDay();
    this.queue.put({ kind: 'day-began', at: this.time, date: source.date });
    for (const split of source.splits ?? []) this.split(split);
    this.pending = source.next();
    this.deliver();
  }

  get now(): EpochMs {
    return this.time;
  }

  subscribe(listener: (event: ExchangeEvent) => void): () => void {
    this.listeners = [...this.listeners, listener];
    return () => {
      this.listeners = this.listeners.filter(other => other !== listener);
    };
  }

  /**
   * At one and the same time: expiries first (a DAY order never trades at 16:00:00.000), then market updates, then the session's start
   * (orders that waited for it meet the opening quotes).
   */
  advanceTo(to: EpochMs): void {
    if (to < this.time) throw new Error(`exchange time never goes back: at ${this.time}, asked for ${to}`);
    if (this.delivering) throw new Error('a listener of the exchange must not advance its time');
    for (;;) {
      const updateAt = this.pending?.at ?? Number.POSITIVE_INFINITY;
      const expiryAt = this.desk.nextExpiry();
      if (expiryAt <= to && expiryAt <= updateAt) {
        this.time = epochMs(Math.max(expiryAt, this.time));
        this.desk.expire(this.time);
      } else if (!this.sessionStarted && this.session.open <= to && this.session.open < updateAt) {
        this.sessionStarted = true;
        this.time = epochMs(Math.max(this.session.open, this.time));
        this.desk.openSession();
      } else if (this.pending && updateAt <= to) {
        this.apply(this.pending);
        this.pending = this.source.next();
      } else break;
      this.deliver();
    }
    this.time = to;
  }

  nextEventAt(): EpochMs | undefined {
    return this.nextAfter(this.pending?.at ?? Number.POSITIVE_INFINITY);
  }

  nextConcernAt(handsOff: ReadonlyMap<number, number>): EpochMs | undefined {
    const { pending, source } = this;
    if (source.nextAt === undefined) return this.nextEventAt();
    let next = Number.POSITIVE_INFINITY;
    for (const [conId, book] of this.books) {
      if (book.orders.length === 0 && this.account_.quantityOf(conId) === (handsOff.get(conId) ?? 0)) continue;
      const at = pending?.conId === conId ? pending.at : source.nextAt(conId);
      if (at < next) next = at;
    }
    return this.nextAfter(next);
  }

  private nextAfter(updateAt: number): EpochMs | undefined {
    const openAt = this.sessionStarted ? Number.POSITIVE_INFINITY : this.session.open;
    const next = Math.min(updateAt, openAt, this.desk.nextExpiry());
    return Number.isFinite(next) ? epochMs(Math.max(next, this.time)) : undefined;
  }

  place(request: OrderRequest): void {
    this.desk.place(request);
    this.deliver();
  }

  cancel(clientId: number, orderId: number): CancelAnswer {
    const answer = this.desk.cancel(clientId, orderId);
    this.deliver();
    return answer;
  }

  globalCancel(): void {
    this.desk.cancelAll();
    this.deliver();
  }

  manualTrade(conId: number, side: OrderSide, quantity: number): ExchangeOrder {
    const order = this.desk.placeByHand(conId, side, quantity);
    this.deliver();
    if (!order) throw new Error(`a trade by hand needs a known conId and a positive whole quantity, got ${conId} and ${quantity}`);
    return snapshot(order);
  }

  lose(clientId: number, orderId: number): boolean {
    const isLost = this.desk.lose(clientId, orderId);
    this.deliver();
    return isLost;
  }

  correct(execId: string, words: { readonly price?: Micros; readonly shares?: number }): ExchangeExecution | undefined {
    const corrected = this.desk.ledger.correct(execId, words);
    this.deliver();
    return corrected;
  }

  highestOrderId(clientId: number): number {
    return this.desk.ledger.highestOrderId(clientId);
  }

  withdraw(permId: number, reason: string): boolean {
    const isEnded = this.desk.withdraw(permId, reason);
    this.deliver();
    return isEnded;
  }

  quote(conId: number): Quote {
    return this.book(conId).quote;
  }
  openOrders(): readonly ExchangeOrder[] {
    return this.desk.ledger.working().map(snapshot);
  }
  completedOrders(): readonly ExchangeOrder[] {
    const midnight = this.midnight();
    return this.desk.ledger
      .finished()
      .filter(({ finishedAt }) => finishedAt !== undefined && finishedAt >= midnight)
      .map(snapshot);
  }
  /** Of the New York date that it is now: the broker answers for its own day, since midnight (reference §4, reqExecutions). */
  executions(): readonly ExchangeExecution[] {
    const midnight = this.midnight();
    return this.desk.ledger.executions().filter(({ at }) => at >= midnight);
  }
  positions(): readonly ExchangePosition[] {
    return this.account_.positions(conId => this.book(conId).mark());
  }
  position(conId: number): ExchangePosition {
    return this.account_.position(conId, this.book(conId).mark());
  }
  account(): AccountState {
    return this.account_.state(conId => this.book(conId).mark());
  }
  isTrading(conId: number): boolean {
    return isRegular(this.session, this.time) && !this.book(conId).quote.halted;
  }

  private midnight(): EpochMs {
    return atTime(tradeDateOf(this.time), '00:00');
  }

  private split(split: Split): void {
    const { conId } = split;
    const before = this.account_.quantityOf(conId);
    const price = this.book(conId).instrument.previousClose;
    this.account_.split(split, price);
    this.desk.cancelForSplit(conId);
    this.queue.put({ kind: 'split', at: this.time, split, before, after: this.account_.quantityOf(conId) });
    if (before !== 0) this.queue.put({ kind: 'position', at: this.time, position: this.account_.position(conId, price) });
  }

  private apply(update: MarketUpdate): void {
    const book = this.book(update.conId);
    // A source may begin before the exchange does (pre-market data); such updates count, at the exchange's own start time.
    if (update.at > this.time) this.time = update.at;
    book.apply(update);
    this.queue.put({ kind: 'quote', at: this.time, quote: book.quote, update });
    this.desk.step(book, update);
  }

  private book(conId: number): Book {
    const book = this.books.get(conId);
    if (!book) throw new Error(`no instrument with conId ${conId} in ${this.source.name}`);
    return book;
  }

  /** Hands out what has happened, also what listeners cause while it is handed out, in one order for everyone. */
  private deliver(): void {
    if (this.delivering) return;
    this.delivering = true;
    try {
      for (let event = this.queue.take(); event; event = this.queue.take()) for (const listener of this.listeners) listener(event);
    } finally {
      if (this.queue.length > 0) this.queue.clear();
      this.delivering = false;
    }
  }
}

/** Two days, and two runs with different seeds, never share an execution id. */
const execIdRootOf = ({ date }: MarketSource, seed: number): string => hashText(`${date}/${seed}`).toString(16).padStart(8, '0');
