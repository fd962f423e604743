import type { EpochMs, Micros, TradeDate } from '@holdfast/core/units';

/**
 * The words shared by the simulated exchange (`exchange.ts`), its market sources (`market/`), and whoever stands in front of
 * it: the TCP gateway (`gateway/`) and, in one process, `broker.ts`. The exchange is synchronous, deterministic and has no
 * timers: time moves only when its owner calls `advanceTo`.
 */

export interface Instrument {
  readonly conId: number;
  readonly symbol: string;
  readonly longName: string;
  readonly primaryExchange: string;
  readonly tick: Micros;
  readonly multiplier: number;
  readonly previousClose: Micros;
  readonly industry: string;
}

/** Top of book and the day so far, as the newest market update left it. A price of 0 with size 0 means: no quote on that side. */
export interface Quote {
  readonly conId: number;
  readonly at: EpochMs;
  readonly bid: Micros;
  readonly ask: Micros;
  readonly bidSize: number;
  readonly askSize: number;
  readonly last: Micros;
  readonly lastSize: number;
  readonly lastAt: EpochMs;
  readonly volume: number;
  readonly open: Micros;
  readonly high: Micros;
  readonly low: Micros;
  readonly halted: boolean;
}

/** One step of the market for one instrument. Fields that are absent did not change. */
export interface MarketUpdate {
  readonly at: EpochMs;
  readonly conId: number;
  readonly quote?: { readonly bid: Micros; readonly ask: Micros; readonly bidSize: number; readonly askSize: number };
  readonly trade?: { readonly open: Micros; readonly high: Micros; readonly low: Micros; readonly close: Micros; readonly volume: number };
  readonly halted?: boolean;
}

/** Start of bar, dollars as micros; volume in shares. */
export interface Bar {
  readonly at: EpochMs;
  readonly open: Micros;
  readonly high: Micros;
  readonly low: Micros;
  readonly close: Micros;
  readonly volume: number;
  readonly wap: Micros;
  readonly count: number;
}

/** A stock split: every `denominator` shares held become `numerator`. 2:1 doubles the shares and halves the price. */
export interface Split {
  readonly conId: number;
  readonly numerator: number;
  readonly denominator: number;
}

/** Something a market source made happen, for the counts of a campaign. */
export interface MarketEvent {
  readonly kind:
    | 'opening-gap'
    | 'overnight-jump'
    | 'split-like-jump'
    | 'split'
    | 'late-open'
    | 'jump'
    | 'crash'
    | 'flash'
    | 'halt'
    | 'resume'
    | 'halt-to-close'
    | 'wide-spread'
    | 'thin'
    | 'empty-quote'
    | 'crazy-print'
    | 'stale';
  readonly at: EpochMs;
  readonly conId: number;
  /** Its move, signed; the width of a wide spread; 0 where neither fits. */
  readonly bps: number;
}

/** Where prices come from: a seeded synthetic day or recorded files. Updates come in time order, ties by conId. */
export interface MarketSource {
  /** `synthetic seed 7` or the folder and date, for screens and reports. */
  readonly name: string;
  readonly date: TradeDate;
  readonly instruments: readonly Instrument[];
  /** Splits that took effect before this day; `previousClose` of their instruments is adjusted already. */
  readonly splits?: readonly Split[];
  /** The next update in time order, or undefined when the day is over. Called once per update. */
  next(): MarketUpdate | undefined;
  /** When the update of one instrument comes that `next` has not handed out yet; Infinity: never. A source that cannot tell lacks it. */
  nextAt?(conId: number): number;
  /** Bars of any size between two times, also of days before (daily bars), from the data behind the simulation; never beyond `now` of the caller. */
  history(conId: number, barMs: number, from: EpochMs, to: EpochMs): readonly Bar[];
}

export type OrderSide = 'BUY' | 'SELL';
export type OrderType = 'MKT' | 'LMT' | 'STP' | 'STP LMT';
export type TimeInForce = 'DAY' | 'GTC' | 'IOC' | 'GTD' | 'OPG' | 'FOK';

/** An order as a client asks for it. */
export interface OrderRequest {
  readonly clientId: number;
  readonly orderId: number;
  readonly conId: number;
  readonly side: OrderSide;
  readonly quantity: number;
  readonly type: OrderType;
  readonly limitPrice?: Micros;
  readonly stopPrice?: Micros;
  readonly tif: TimeInForce;
  readonly goodTill?: EpochMs;
  readonly ocaGroup?: string;
  /** 1 cancel with block, 2 reduce with block, 3 reduce without. */
  readonly ocaType?: 1 | 2 | 3;
  readonly orderRef?: string;
  readonly outsideRth?: boolean;
  readonly transmit?: boolean;
  readonly parentId?: number;
}

export type ExchangeOrderStatus = 'PendingSubmit' | 'PreSubmitted' | 'Submitted' | 'PendingCancel' | 'Cancelled' | 'Filled' | 'Inactive';

export interface ExchangeOrder {
  readonly request: OrderRequest;
  readonly permId: number;
  readonly status: ExchangeOrderStatus;
  readonly filled: number;
  readonly remaining: number;
  readonly averageFillPrice: Micros;
  readonly lastFillPrice: Micros;
  readonly acceptedAt: EpochMs;
  readonly finishedAt?: EpochMs;
  /** Why it ended or waits, in the broker's words. */
  readonly reason?: string;
}

export interface ExchangeExecution {
  /** `aaaa.bbbb.cc.nn`; a correction has the same root and a higher last part. */
  readonly execId: string;
  readonly at: EpochMs;
  readonly clientId: number;
  readonly orderId: number;
  readonly permId: number;
  readonly conId: number;
  readonly symbol: string;
  readonly side: OrderSide;
  readonly shares: number;
  readonly price: Micros;
  readonly cumulative: number;
  readonly averagePrice: Micros;
  readonly orderRef: string;
  readonly commission: Micros;
  /** Undefined when the execution opens or adds. */
  readonly realizedPnl?: Micros;
}

export interface ExchangePosition {
  readonly conId: number;
  readonly symbol: string;
  /** Signed. */
  readonly quantity: number;
  /** Per share, commissions included, as the broker reports it. */
  readonly averageCost: Micros;
  readonly mark: Micros;
  readonly realizedToday: Micros;
}

export interface AccountState {
  readonly account: string;
  readonly cash: Micros;
  readonly netLiquidation: Micros;
  readonly grossPositionValue: Micros;
  readonly realizedToday: Micros;
  readonly unrealized: Micros;
  readonly buyingPower: Micros;
}

/** Everything that happens at the exchange, in order; the gateway turns these into messages, the audits check them. */
export type ExchangeEvent =
  | { readonly kind: 'order'; readonly at: EpochMs; readonly order: ExchangeOrder }
  | { readonly kind: 'execution'; readonly at: EpochMs; readonly execution: ExchangeExecution }
  | {
      /** An error on an order id that leaves no working order behind (103, 110 on a new one, 200, 201, 321) or an old one untouched (104, 105, 110). A cancelled order is no rejection: it comes as `order` with its reason (the gateway adds 202). */
      readonly kind: 'rejected';
      readonly at: EpochMs;
      readonly clientId: number;
      readonly orderId: number;
      readonly code: number;
      readonly text: string;
    }
  | {
      /** An advisory on an order that lives on: 399 (waits for the session), 2109 (outsideRth ignored). */
      readonly kind: 'notice';
      readonly at: EpochMs;
      readonly clientId: number;
      readonly orderId: number;
      readonly code: number;
      readonly text: string;
    }
  /** The broker replaces an execution: same root, higher last part. A bust has no shares. `replaced` counts no more. */
  | { readonly kind: 'correction'; readonly at: EpochMs; readonly execution: ExchangeExecution; readonly replaced: ExchangeExecution }
  /** A new trading day has begun (`beginDay`). Ground truth only: no client is told. */
  | { readonly kind: 'day-began'; readonly at: EpochMs; readonly date: TradeDate }
  /** Shares became others without an execution; the clients hear of the position alone. */
  | { readonly kind: 'split'; readonly at: EpochMs; readonly split: Split; readonly before: number; readonly after: number }
  | { readonly kind: 'position'; readonly at: EpochMs; readonly position: ExchangePosition }
  | { readonly kind: 'quote'; readonly at: EpochMs; readonly quote: Quote; readonly update: MarketUpdate };

/** A refusal in the broker's words, such as 201. */
export interface InjectedRefusal {
  readonly code: number;
  readonly text: string;
}

export type CancelAnswer = 'accepted' | 'unknown' | 'foreign' | { readonly final: ExchangeOrderStatus };

/**
 * The one simulated exchange and account. Listeners are called synchronously, in subscription order, after the operation that
 * caused the events is complete: a listener may place and cancel (its events follow in the same queue), but never advance time.
 */
export interface ExchangePort {
  readonly now: EpochMs;
  readonly instruments: readonly Instrument[];
  readonly accountId: string;
  subscribe(listener: (event: ExchangeEvent) => void): () => void;
  /** Applies every market update up to `to`, triggers and fills orders, expires TIFs. Throws when asked to go back. */
  advanceTo(to: EpochMs): void;
  /** Time of the next market update or TIF expiry, so that the owner need not tick through empty time. */
  nextEventAt(): EpochMs | undefined;
  place(request: OrderRequest): void;
  cancel(clientId: number, orderId: number): CancelAnswer;
  globalCancel(): void;
  /** A trade made by hand in TWS: client id 0, a negative order id, fills at once and whole against the quote; without one it rests. */
  manualTrade(conId: number, side: OrderSide, quantity: number): ExchangeOrder;
  /**
   * A gateway that restarts has lost an order it took just before: it ends here (reason "lost by the gateway"), and its address is free again.
   * False when there is no such working order, or part of it has filled: what the exchange has traded nobody loses.
   */
  lose(clientId: number, orderId: number): boolean;
  /** Books an execution anew under a corrected id: another price, or 0 shares for a bust. Undefined when no such execution stands. */
  correct(execId: string, words: { readonly price?: Micros; readonly shares?: number }): ExchangeExecution | undefined;
  /** The highest order id this client has used, 0 for none. */
  highestOrderId(clientId: number): number;
  quote(conId: number): Quote;
  openOrders(): readonly ExchangeOrder[];
  completedOrders(): readonly ExchangeOrder[];
  executions(): readonly ExchangeExecution[];
  positions(): readonly ExchangePosition[];
  /** One line of it; an instrument never held has quantity 0. */
  position(conId: number): ExchangePosition;
  account(): AccountState;
  /** Whether the regular session is open at exchange time `now` and the instrument is not halted. */
  isTrading(conId: number): boolean;
}

/** One day of the market, and its hours (`sessionOf(date)` fits). */
export interface MarketDay {
  readonly source: MarketSource;
  readonly session: { readonly preOpen: EpochMs; readonly open: EpochMs; readonly close: EpochMs; readonly extendedClose: EpochMs };
}

/** The exchange as its owner holds it: what only the world around may do to it. */
export interface SimulatedExchange extends ExchangePort {
  /**
   * As `nextEventAt`, without the updates of instruments that concern nobody: none of their orders works, and the account holds just what
   * `handsOff` says, which nobody watches.
   */
  nextConcernAt(handsOff: ReadonlyMap<number, number>): EpochMs | undefined;
  /**
   * The next day's market takes the place of the old one. Time goes on to the end of the old day's after-hours (its last updates and expiries
   * happen) if it is not there yet, and stays; the new day's prices come with `advanceTo`. Cash, positions, GTC orders and what was queued
   * after the close stay; realized P&L of the day starts at 0; splits are applied and end the resting orders of their instruments. Throws when
   * the new session has opened already, or does not list an instrument that is held or has a working order.
   */
  beginDay(day: MarketDay): void;
  /** The broker ends a working order by itself. False when there is none with this permId. */
  withdraw(permId: number, reason: string): boolean;
  /** Asked before the desk's own rules about each new order, not about modifications; undefined lets it through. */
  deny: ((request: OrderRequest) => InjectedRefusal | undefined) | undefined;
}
