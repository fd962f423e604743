import type { Contract } from '../contract.js';
import type { EpochMs, Micros, Shares } from '../units.js';

/** Who may hold a lease and create orders. The liquidator acts under the exit manager's client id once that is proven gone. */
export type WorkerName = 'exit-manager' | 'day-trader' | 'liquidator';

/** Broker client ids, fixed: an order can be changed or cancelled only by the client id that placed it (IB docs, Cancelling orders). */
export const CLIENT_ID = { 'exit-manager': 10, 'day-trader': 2, liquidator: 10, reserve: 99 } as const;

/** Every orderRef of ours starts so; any order or execution that carries it is ours, row or not. */
export const ORDER_REF_PREFIX = 'HF';

export type OrderSide = 'BUY' | 'SELL';
export type OrderType = 'MKT' | 'LMT' | 'STP';
export type TimeInForce = 'DAY' | 'GTC' | 'IOC' | 'GTD' | 'OPG';

/** What an order is for. Everything but `entry` reduces a position and belongs to the exit manager. */
export type OrderRole = 'entry' | 'target' | 'stop' | 'disaster-stop' | 'exit';

/** Where an order can be, as we know it. See the table in step-order.ts. */
export type OrderStatus = 'INTENT' | 'SUBMITTED' | 'CANCELLING' | 'INACTIVE' | 'LOST' | 'CANCELLED' | 'REJECTED' | 'FILLED';

export const isFinal = ({ status }: Pick<Order, 'status'>): boolean =>
  status === 'CANCELLED' || status === 'REJECTED' || status === 'FILLED';

/** One order of ours, from its committed intent to its last word. A row of the table `orders`. */
export interface Order {
  /** Worker + trade date + lease + counter: unique for ever, carried to the broker as orderRef. */
  readonly orderRef: string;
  readonly worker: WorkerName;
  readonly clientId: number;
  /** The API order id: an address within the client id, not an identity (it can roll back after a gateway restart). */
  readonly orderId: number;
  readonly permId: number | null;
  readonly tradeId: string;
  readonly contract: Contract;
  readonly role: OrderRole;
  readonly side: OrderSide;
  readonly quantity: Shares;
  readonly type: OrderType;
  readonly limitPrice: Micros | null;
  readonly stopPrice: Micros | null;
  readonly tif: TimeInForce;
  /** Carried to the broker for GTD, so that an orphaned entry dies by itself. */
  readonly goodTill: EpochMs | null;
  /** Resting exits of one position share a group (type 2: reduce with block). */
  readonly ocaGroup: string | null;
  readonly status: OrderStatus;
  /** Shares filled so far: the sum of its executions. */
  readonly filled: Shares;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
  /** The broker's or our own words for how it ended. */
  readonly reason: string | null;
}

export const remainingOf = (order: Order): Shares => (order.quantity - order.filled) as Shares;

/** An order as the broker tells it, ours or anybody's, in an openOrder message or a snapshot. */
export interface BrokerOrder {
  readonly clientId: number;
  readonly orderId: number;
  readonly permId: number;
  readonly orderRef: string;
  readonly conId: number;
  readonly symbol: string;
  readonly side: OrderSide;
  readonly quantity: number;
  readonly type: string;
  readonly limitPrice: Micros | null;
  readonly stopPrice: Micros | null;
  readonly tif: string;
  readonly ocaGroup: string | null;
  /** The broker's status word, `PreSubmitted`, `Submitted`, `Inactive` …. */
  readonly status: string;
}

const WORKER_LETTER: Record<WorkerName, string> = { 'exit-manager': 'X', 'day-trader': 'D', liquidator: 'L' };

/** `HFX-20260309-7-12`: worker, trade date, lease number, counter within the lease. Unique across crashes because every lease has a new number. */
export const makeOrderRef = (worker: WorkerName, at: { tradeDate: string; lease: number; counter: number }): string =>
  `${ORDER_REF_PREFIX}${WORKER_LETTER[worker]}-${at.tradeDate.replaceAll('-', '')}-${at.lease}-${at.counter}`;

export const isOurs = (orderRef: string): boolean => /^HF[XDL]-\d{8}-\d+-\d+$/.test(orderRef);
/** Entries are the day trader's alone; everything else of ours reduces a position. */
export const isEntryRef = (orderRef: string): boolean => orderRef.startsWith(`${ORDER_REF_PREFIX}D-`);
