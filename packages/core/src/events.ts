import type { Contract } from './contract.js';
import type { BrokerOrder, Order, OrderSide } from './orders/order.js';
import type { Execution } from './positions/execution.js';
import type { CommandRow, SharedView } from './shared-view.js';
import type { EpochMs, Micros, MonoMs, Shares } from './units.js';

/**
 * All the world can tell a worker. Every event carries both kinds of time; a decision never asks a clock.
 * `at` is exchange time, `mono` is machine time.
 */
export type Event = { readonly at: EpochMs; readonly mono: MonoMs } & EventBody;
export type EventBody = BrokerEvent | StoreEvent | OutcomeEvent | ClockEvent;

export interface BrokerPosition {
  readonly account: string;
  readonly contract: Contract;
  /** Signed. A fractional holding is told as such and is hands-off. */
  readonly quantity: number;
  readonly averageCost: Micros;
}

/** What an error code on an order id means for that order; the table of codes is brokers/ib/notices.ts. */
export type OrderNoticeMeaning =
  | 'rejected' // dead: 201, 110 on a new order, 103, 321, 200 …
  | 'cancelled' // 202
  | 'unknown-order' // 10147, 135: the broker does not know it (or it is another client's)
  | 'already-final' // 10148 …state: Filled / Cancelled
  | 'not-cancellable' // 161, 10148 …state: PendingSubmit: not now
  | 'modify-refused' // the old order lives: 104, 105, 110 on a modify, 2102, 10326
  | 'advisory'; // 399, 404, 2109, 10349: the order lives

export type BrokerEvent =
  /** Handshake done, nextValidId and managedAccounts in: requests may be made. Nothing is known yet. */
  | { readonly kind: 'connected'; readonly nextOrderId: number; readonly accounts: readonly string[]; readonly session: number }
  | { readonly kind: 'disconnected'; readonly reason: string }
  /** A connection attempt failed: refused, timed out, client id in use (326). */
  | { readonly kind: 'connect-failed'; readonly code: number; readonly reason: string }
  /** The gateway's own line to the broker: 1100 / 1101 / 1102, 2110. */
  | { readonly kind: 'connectivity'; readonly state: 'lost' | 'restored-data-lost' | 'restored'; readonly text: string }
  | { readonly kind: 'open-order'; readonly order: BrokerOrder }
  | {
      readonly kind: 'order-status';
      readonly clientId: number;
      readonly orderId: number;
      readonly permId: number;
      readonly status: string;
      readonly filled: number;
      readonly remaining: number;
    }
  | {
      readonly kind: 'order-notice';
      readonly orderId: number;
      readonly code: number;
      readonly meaning: OrderNoticeMeaning;
      readonly text: string;
    }
  | { readonly kind: 'execution'; readonly execution: Execution }
  | { readonly kind: 'commission'; readonly execId: string; readonly commission: Micros; readonly realizedPnl: Micros | null }
  | { readonly kind: 'position'; readonly position: BrokerPosition }
  /** P&L stream of one position: value / quantity / multiplier is the mark. */
  | { readonly kind: 'pnl-mark'; readonly conId: number; readonly quantity: number; readonly price: Micros }
  | { readonly kind: 'portfolio-mark'; readonly contract: Contract; readonly quantity: number; readonly price: Micros }
  | { readonly kind: 'account'; readonly account: string; readonly values: AccountValues }
  /** The whole answer to one `request-snapshot`: every part ended. Parts that failed are not told at all: silence is never an answer. */
  | {
      readonly kind: 'snapshot';
      readonly id: number;
      readonly session: number;
      readonly openOrders: readonly BrokerOrder[];
      readonly executions: readonly Execution[];
      readonly positions: readonly BrokerPosition[];
    }
  /** End of a `request-executions`; the executions themselves came as `execution` events. */
  | { readonly kind: 'executions-end'; readonly id: number }
  | { readonly kind: 'contract'; readonly requestId: number; readonly contract: Contract; readonly liquidHours: readonly SessionHours[] }
  | { readonly kind: 'contract-unknown'; readonly requestId: number; readonly text: string }
  | { readonly kind: 'quote'; readonly conId: number; readonly quote: QuoteUpdate }
  | { readonly kind: 'bar'; readonly conId: number; readonly bar: BrokerBar }
  | { readonly kind: 'history'; readonly requestId: number; readonly bars: readonly BrokerBar[] }
  | { readonly kind: 'history-failed'; readonly requestId: number; readonly text: string }
  | {
      readonly kind: 'scanner';
      readonly requestId: number;
      readonly rows: readonly { readonly rank: number; readonly conId: number; readonly symbol: string }[];
    }
  /** Anything else the broker says, for the log: farm states, advisories, decoding complaints (505). */
  | { readonly kind: 'notice'; readonly code: number; readonly text: string; readonly severity: 'info' | 'warning' | 'error' };

export interface SessionHours {
  readonly open: EpochMs;
  readonly close: EpochMs;
}

export interface AccountValues {
  readonly netLiquidation?: Micros;
  readonly availableFunds?: Micros;
  readonly buyingPower?: Micros;
  readonly cash?: Micros;
  /** `AccountReady`: false right after a gateway start, when the other values are not valid. */
  readonly ready?: boolean;
}

/** Newest state of one market-data line; 0 = no quote on that side now. Delayed data never moves a stop. */
export interface QuoteUpdate {
  readonly bid: Micros;
  readonly ask: Micros;
  readonly bidSize: number;
  readonly askSize: number;
  readonly last: Micros;
  readonly volume: number;
  readonly close: Micros;
  readonly open: Micros;
  readonly halted: boolean;
  readonly delayed: boolean;
}

/** `at` is the start of the bar. Volume in shares. */
export interface BrokerBar {
  readonly at: EpochMs;
  readonly open: Micros;
  readonly high: Micros;
  readonly low: Micros;
  readonly close: Micros;
  readonly volume: number;
  readonly wap: Micros;
}

export type StoreEvent =
  /** Another process committed (PRAGMA data_version moved): what of the shared tables concerns this worker, read anew. */
  { readonly kind: 'store-changed'; readonly view: SharedView } | { readonly kind: 'command'; readonly command: CommandRow };

/** What became of our own effects. */
export type OutcomeEvent =
  | { readonly kind: 'sent'; readonly orderRef: string }
  /** Not sent, for sure: the wire cap, no connection, or more than a second between commit and send. */
  | { readonly kind: 'not-sent'; readonly orderRef: string; readonly code: string; readonly detail: string }
  | { readonly kind: 'entry-refused'; readonly tradeId: string; readonly symbol: string; readonly code: string; readonly detail: string }
  | { readonly kind: 'entry-claimed'; readonly order: Order }
  /** The store refused an exit's intent (its own sum of executions and working orders disagrees): doubt about that symbol. */
  | { readonly kind: 'exit-refused'; readonly orderRef: string; readonly code: string; readonly detail: string };

export type ClockEvent =
  /**
   * The loop's own beat, a few times a second of machine time and at every exchange second. `heardAt`: when the broker last spoke, in more
   * than the time and notices, which a gateway has of itself; absent before its first word, and in journals from before this field.
   */
  | { readonly kind: 'tick'; readonly heardAt?: MonoMs }
  /** This process stood still for `ms` of machine time (stopped, suspended, starved): reconcile before acting. */
  | { readonly kind: 'paused'; readonly ms: number };

/** Which side closes a position of this sign. */
export const exitSide = (quantity: Shares): OrderSide => (quantity > 0 ? 'SELL' : 'BUY');
