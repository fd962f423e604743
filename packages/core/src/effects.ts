import type { Contract } from './contract.js';
import type { Order } from './orders/order.js';
import type { Execution } from './positions/execution.js';
import type { PositionRow, WorkerPhase } from './shared-view.js';
import type { EpochMs, Micros, MonoMs, Shares, TradeDate } from './units.js';

/**
 * All a worker can ask of the world. `Write`s of one step happen in one immediate transaction, together with the lease check;
 * `Send`s happen after it commits. Every write can be applied twice without harm: the emergency file is merged by replaying.
 */
export type Effect = Write | Send | Enter | Later;

export type Write =
  /** A new order, before it is sent. The store checks an exit against its own sum of executions and working orders. */
  | { readonly do: 'write-intent'; readonly order: Order }
  /** The newest word about an order of ours (also one first seen at the broker: inserted when unknown). */
  | { readonly do: 'write-order'; readonly order: Order }
  | { readonly do: 'write-execution'; readonly execution: Execution; readonly tradeId: string | null; readonly tradeDate: TradeDate }
  | { readonly do: 'write-commission'; readonly execId: string; readonly commission: Micros; readonly realizedPnl: Micros | null }
  | { readonly do: 'write-position'; readonly position: PositionRow }
  /** The position's end: trade row, removal from active_positions and the re-entry block, all in one transaction. */
  | { readonly do: 'close-position'; readonly trade: ClosedTrade }
  /** A claim that ended without a fill. */
  | { readonly do: 'release-claim'; readonly tradeId: string; readonly symbol: string; readonly reason: string }
  | {
      readonly do: 'write-baseline';
      readonly account: string;
      readonly holdings: readonly { readonly contract: Contract; readonly quantity: number }[];
    }
  | { readonly do: 'write-phase'; readonly phase: WorkerPhase; readonly detail: string }
  | {
      readonly do: 'write-command';
      readonly target: 'exit-manager' | 'day-trader';
      readonly kind: string;
      readonly payload: CommandPayload;
      readonly expiresAt: EpochMs;
    }
  | { readonly do: 'answer-command'; readonly id: number; readonly status: 'done' | 'refused'; readonly answer: string }
  /** A decision not to act, with its numbers; `signal` when a strategy fired. */
  | { readonly do: 'write-decision'; readonly decision: DecisionRow }
  | { readonly do: 'write-alert'; readonly alert: Alert }
  | {
      readonly do: 'write-equity';
      readonly account: string;
      readonly netLiquidation: Micros;
      readonly cash: Micros | null;
      readonly tradeDate: TradeDate;
    };

/**
 * Bookkeeping that nothing depends on before the sends of its step: committed right after them, in a transaction of its own, so that an exit
 * does not wait for it. A kill in between loses only what the next reconcile or decision finds again. The exit manager's alone.
 */
export interface Later {
  readonly do: 'later';
  readonly write: Write;
}

export type CommandPayload = Readonly<Record<string, string | number | boolean | null>>;

export interface ClosedTrade {
  readonly tradeId: string;
  readonly account: string;
  readonly contract: Contract;
  readonly side: 1 | -1;
  /** Absent in what an older version kept: taken for an entry, where no row of the trade tells. */
  readonly origin?: 'entry' | 'adopted';
  /** Shares bought (long) or sold short (short) in all. */
  readonly quantity: Shares;
  /** Signed shares that no execution explains, and the price they count at: what else makes it flat. Absent in what an older version kept. */
  readonly base?: number;
  readonly basePrice?: Micros | null;
  readonly entryPrice: Micros | null;
  readonly exitPrice: Micros | null;
  readonly entryAt: EpochMs | null;
  readonly exitAt: EpochMs;
  readonly exitReason: string;
  /** Trading date of the last exit execution: the date of the block. */
  readonly closeDate: TradeDate;
  readonly pnl: Micros | null;
  readonly commission: Micros;
  readonly agentName: string;
}

export interface DecisionRow {
  readonly symbol: string;
  readonly strategy: string;
  readonly verdict: 'enter' | 'reject' | 'hold' | 'exit';
  readonly code: string;
  readonly detail: string;
  readonly numbers: Readonly<Record<string, number | string | boolean | null>>;
}

/** Three parts: what happened, what the desk did, what you should do. */
export interface Alert {
  readonly level: 'info' | 'warning' | 'critical';
  readonly code: string;
  readonly symbol: string | null;
  readonly happened: string;
  readonly did: string;
  readonly todo: string;
}

export type Send =
  /** Place, or modify when the broker already works an order under this id. The row is committed. `decidedAt` is machine time. */
  | { readonly do: 'place'; readonly order: Order; readonly decidedAt: MonoMs }
  | { readonly do: 'cancel'; readonly orderRef: string; readonly orderId: number }
  /** Open orders of all clients, executions and positions; answered by one `snapshot` event when every part has ended. */
  | { readonly do: 'request-snapshot'; readonly id: number }
  | { readonly do: 'request-executions'; readonly id: number }
  | { readonly do: 'request-open-orders' }
  | { readonly do: 'subscribe-pnl'; readonly conId: number }
  | { readonly do: 'unsubscribe-pnl'; readonly conId: number }
  | { readonly do: 'request-contract'; readonly requestId: number; readonly symbol: string }
  | { readonly do: 'subscribe-bars'; readonly contract: Contract }
  | { readonly do: 'unsubscribe-bars'; readonly conId: number }
  | { readonly do: 'subscribe-quotes'; readonly contract: Contract }
  | { readonly do: 'unsubscribe-quotes'; readonly conId: number }
  | {
      readonly do: 'request-history';
      readonly requestId: number;
      readonly contract: Contract;
      readonly duration: string;
      readonly barSize: string;
      readonly rthOnly: boolean;
    }
  | { readonly do: 'subscribe-scanner'; readonly requestId: number; readonly scan: string }
  /** Drop the connection and make a new one under the same client id. */
  | { readonly do: 'reconnect'; readonly reason: string }
  /** One line in the run log. `core` never logs; it gives reasons. */
  | {
      readonly do: 'say';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly event: string;
      readonly fields: Readonly<Record<string, string | number | boolean | null>>;
    };

/**
 * The day trader's one way in: claim and entry intent in one transaction of their own (synchronous FULL), then the send.
 * Refused → `entry-refused`, and nothing was written; done → `entry-claimed`.
 */
export interface Enter {
  readonly do: 'enter';
  readonly claim: PositionRow;
  readonly order: Order;
  readonly tradeDate: TradeDate;
  readonly decidedAt: MonoMs;
}

export interface Step<S> {
  readonly state: S;
  readonly effects: readonly Effect[];
}
