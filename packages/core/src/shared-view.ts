import type { Contract } from './contract.js';
import type { Order, WorkerName } from './orders/order.js';
import type { Execution } from './positions/execution.js';
import type { EpochMs, Micros, Shares, TradeDate } from './units.js';

/** How far a worker is: it may act only when READY. */
export type WorkerPhase = 'STARTING' | 'CONNECTING' | 'RECONCILING' | 'READY' | 'BROKER-LOST' | 'STOPPING' | 'CANCEL-ONLY';

export type PositionStatus = 'CLAIMED' | 'OPEN' | 'CLOSING';

/** A row of `active_positions`: a claim, or a position in care. */
export interface PositionRow {
  readonly tradeId: string;
  readonly account: string;
  readonly contract: Contract;
  /** Signed shares; 0 while only claimed. */
  readonly quantity: Shares;
  readonly entryPrice: Micros | null;
  readonly entryAt: EpochMs | null;
  readonly agentName: string;
  readonly targetPrice: Micros | null;
  readonly stopPrice: Micros | null;
  readonly status: PositionStatus;
  readonly updatedAt: EpochMs;
  readonly metadata: PositionMetadata;
}

/** What else must survive a restart, kept as JSON in the row. */
export interface PositionMetadata {
  /** `entry`: our own; `adopted`: opened by hand or by another tool. */
  readonly origin: 'entry' | 'adopted';
  /** Signed shares that no known execution explains (adopted positions). */
  readonly base: number;
  /** 1 long, -1 short. */
  readonly side: 1 | -1;
  /** Where the disaster stop belongs, dollars in micros. */
  readonly disasterPrice: Micros | null;
  /** The best price a trailing stop follows; absent or null while it is not armed. */
  readonly peak?: Micros | null;
  /** OCA generation of its resting exits; a group name is never reused. */
  readonly generation: number;
  /** An exit that has been decided and must be carried on after a restart. */
  readonly exit: { readonly reason: string; readonly decidedAt: EpochMs } | null;
  readonly failedSells: number;
  readonly quarantinedAt: EpochMs | null;
  /** What the strategy saw when it decided to enter. */
  readonly signal: string | null;
}

export interface CommandRow {
  readonly id: number;
  readonly target: WorkerName | 'supervisor';
  readonly kind: string;
  readonly payload: Readonly<Record<string, string | number | boolean | null>>;
  readonly tradeDate: TradeDate;
  readonly expiresAt: EpochMs;
}

/** What a worker reads of the shared tables when somebody else has written. Values only. */
export interface SharedView {
  readonly positions: readonly PositionRow[];
  /** Orders of every worker that are not final, and those that ended on this trading date; at the exit manager's start also on the one before it. */
  readonly orders: readonly Order[];
  /** Executions of this trading date and of every open trade; at the exit manager's start also those of `endedTrades`. */
  readonly executions: readonly (Execution & { readonly tradeId: string | null })[];
  /**
   * Trades that ended on this trading date or the one before it, as rows without shares, in case a correction, a late fill or a commission still
   * belongs to one: an exchange may break a trade until the next day.
   * Read at a worker's start alone: later it has seen them end itself.
   */
  readonly endedTrades?: readonly PositionRow[];
  /**
   * The highest API order id on record under this worker's client id, of whatever date: the broker's own next id can roll back, and an id that
   * was used before is refused (103, 104). Read at a worker's start alone; 0 = none.
   */
  readonly lastOrderId?: number;
  readonly closedToday: readonly { readonly symbol: string; readonly closeDate: TradeDate; readonly exitReason: string }[];
  /** What the account held when Holdfast first met it; with its contracts, so that the list can be handed on whole before the broker has told of any. */
  readonly baseline: readonly { readonly contract: Contract; readonly quantity: number }[];
  readonly commands: readonly CommandRow[];
  readonly killSwitch: { readonly on: boolean; readonly reason: string | null };
  /** The exit manager's lease as the table shows it; its heartbeat is added by the engine. */
  readonly guard: { readonly phase: WorkerPhase; readonly alive: boolean };
}
