import { CLIENT_ID, isEntryRef } from '@holdfast/core/orders/order';
import type { EpochMs, Micros, MonoMs } from '@holdfast/core/units';
import type { OrderRequest } from '../exchange-types.js';

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'I10' | 'I11' | 'I12';

/** A broken promise of DESIGN §8, as seen at the exchange. */
export interface Violation {
  readonly invariant: Invariant;
  /** Exchange time at which it was certain. */
  readonly at: EpochMs;
  /** Empty where it concerns a worker and no instrument. */
  readonly symbol: string;
  readonly detail: string;
}

/** Both clocks at one instant. */
export interface Moment {
  readonly at: EpochMs;
  readonly machine: MonoMs;
}

export const OPERATOR = 0;
/** Clients whose orders reduce positions: the exit manager (also worn by the liquidator) and the reserve id. */
export const EXIT_CLIENTS: readonly number[] = [CLIENT_ID['exit-manager'], CLIENT_ID.reserve];
export const ENTRY_CLIENT: number = CLIENT_ID['day-trader'];

export const isExitClient = (clientId: number): boolean => EXIT_CLIENTS.includes(clientId);
export const isOurClient = (clientId: number): boolean => clientId === ENTRY_CLIENT || isExitClient(clientId);
export const isEntry = (request: Pick<OrderRequest, 'clientId' | 'orderRef'>): boolean =>
  request.clientId === ENTRY_CLIENT || isEntryRef(request.orderRef ?? '');

/** The last price kept within the quote: what the broker values the position at. 0 = none. */
export function markOf(quote: { readonly bid: Micros; readonly ask: Micros; readonly last: Micros }): number {
  const { bid, ask, last } = quote;
  if (bid > 0 && last < bid) return bid;
  return ask > 0 && last > ask ? ask : last;
}
