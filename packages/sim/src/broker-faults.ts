import type { Random } from './random.js';

/**
 * The faults of the gateway and of the lines to it, by name. A kind is reported when it bit (something was changed, held back or refused),
 * never when it was only switched on: a campaign in which a kind never bit has proven nothing about it.
 */
export const GATEWAY_FAULTS = [
  '1100 broker lost',
  '1101 data lost',
  '1102 data kept',
  'send lost in 1100',
  'unheard in 1100',
  'gateway restart',
  'connect refused',
  '326 client id in use',
  'order id rolled back',
  'order lost by gateway',
  'partial answer',
  'account not ready',
  'stale position answer',
  'rejected 201',
  'rejected 110',
  'rejected 103',
  'placement vanished',
  'slow cancel',
  'fill won the race',
  'cancel 161',
  'cancel 10147',
  'cancel 10148',
  'correction',
  'bust',
] as const;

export const LINE_FAULTS = [
  'late execution',
  'late commission',
  'late position',
  'late order',
  'late order-notice',
  'late pnl-mark',
  'late quote',
  'late answer',
  'late account',
  'repeated message',
  'status before open-order',
  'execution after status',
  'fill after Cancelled',
  'missing status',
  'mute',
  'deaf',
  'half-open',
  'given up for dead',
  'cut',
  'crazy mark',
  'frozen mark',
  'frozen quote',
] as const;

export type FaultKind = (typeof GATEWAY_FAULTS)[number] | (typeof LINE_FAULTS)[number];

/** Whom a fault bit: the client, and the order where it was one's. */
export interface FaultAbout {
  readonly clientId: number | null;
  readonly orderId: number | null;
  readonly orderRef: string | null;
}

export type OnFault = (kind: FaultKind, about: FaultAbout) => void;

/** In so many of so many cases. */
export type Odds = readonly [numerator: number, denominator: number];

export const happens = (random: Random, odds: Odds | null): boolean => odds !== null && random.chance(odds[0], odds[1]);

/** Refusals a gateway can be told to give. 201 and 103 end a new order; 110 too, but leaves a changed one as it was. */
export type RejectCode = 201 | 110 | 103;

/** What the gateway does to orders and cancels; null = off. Fields are set and read at any time. */
export interface GatewayFaults {
  reject: { readonly odds: Odds; readonly codes: readonly RejectCode[] } | null;
  /** A new order is taken without a word and never seen again (seen on paper accounts; reference §3). */
  vanish: { readonly odds: Odds /** Of this client alone; null: of anybody. */; readonly of: number | null } | null;
  /** A cancel reaches the exchange only after so many milliseconds of machine time; until then the order is PendingCancel and may fill. */
  slowCancel: { readonly odds: Odds; readonly lowMs: number; readonly highMs: number } | null;
  /** 161: not cancellable now. The order lives. */
  refuseCancel: Odds | null;
  /** A cancel of an order that has ended is answered with 10147 (purged) instead of 10148. */
  purge: Odds | null;
  /** A snapshot's positions are those of so many milliseconds of machine time ago; at most 20 s. */
  stalePositions: { readonly odds: Odds; readonly lowMs: number; readonly highMs: number } | null;
}

export const noGatewayFaults = (): GatewayFaults => ({
  reject: null,
  vanish: null,
  slowCancel: null,
  refuseCancel: null,
  purge: null,
  stalePositions: null,
});

/** Messages that can be late together. Within one lane the order is always kept. */
export type Lane = 'execution' | 'commission' | 'position' | 'order' | 'order-notice' | 'pnl-mark' | 'quote' | 'answer' | 'account';

/** What the line does to the messages of one process; null or false = off. Times are milliseconds of machine time. */
export interface LineFaults {
  delay: { readonly lanes: readonly Lane[]; readonly odds: Odds; readonly lowMs: number; readonly highMs: number } | null;
  /** Said again: at once, or (executions, commissions, notices) up to 3 s later. */
  repeat: Odds | null;
  /** As IB's servers do it: a status before its openOrder, an execution after a later status, a commission seconds late (reference §3). */
  reorder: Odds | null;
  /** An orderStatus that is never told, in half of the cases its openOrder neither. */
  drop: Odds | null;
  isMute: boolean;
  isDeaf: boolean;
  /** A P&L mark far off; the next one is right again. */
  crazyMark: Odds | null;
  frozenMarks: boolean;
  frozenQuotes: boolean;
}

export const noLineFaults = (): LineFaults => ({
  delay: null,
  repeat: null,
  reorder: null,
  drop: null,
  isMute: false,
  isDeaf: false,
  crazyMark: null,
  frozenMarks: false,
  frozenQuotes: false,
});
