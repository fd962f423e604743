import type { Micros } from './units.js';

/**
 * What we need to know about an instrument before we may trade it. Everything comes from the broker's contract details;
 * tick and multiplier are never assumed. Identity is (account, conId); `symbol` is the display key.
 */
export interface Contract {
  readonly conId: number;
  /** Ticker for USD stocks, local symbol otherwise. */
  readonly symbol: string;
  readonly secType: 'STK' | 'FUT' | 'CASH' | 'OTHER';
  readonly exchange: string;
  readonly primaryExchange: string;
  readonly currency: string;
  /** Smallest price step. */
  readonly tick: Micros;
  /** Dollars per point: 1 for stocks, 5 for a micro S&P future. */
  readonly multiplier: number;
}

/** Whether Holdfast may care for it at all: USD stocks, ETFs (and configured futures). Everything else is hands-off and said so. */
export const isTradable = (contract: Pick<Contract, 'secType' | 'currency'>): boolean =>
  contract.secType === 'STK' && contract.currency === 'USD';
