import type { EpochMs } from '@holdfast/core/units';
import type { OrderRequest } from './exchange-types.js';

/** The hours of the simulated day, exchange time. A calendar `Session` fits. */
export interface TradingSession {
  readonly preOpen: EpochMs;
  readonly open: EpochMs;
  readonly close: EpochMs;
  readonly extendedClose: EpochMs;
}

const MINUTE_MS = 60_000;
/** On-open orders must be in two minutes before the open (Nasdaq 9:28; reference §3), and die two minutes after it without a print. */
const CROSS_CUTOFF_MS = 2 * MINUTE_MS;

export const isRegular = (session: TradingSession, now: EpochMs): boolean => now >= session.open && now < session.close;

const isExtended = (session: TradingSession, now: EpochMs): boolean => now >= session.preOpen && now < session.extendedClose;

export const crossCutoff = (session: TradingSession): number => session.open - CROSS_CUTOFF_MS;

/** outsideRth counts only for limit-like orders that may rest (reference §3, "outsideRth"); others trade in regular hours alone. */
export const honoursOutsideRth = (request: OrderRequest): boolean =>
  request.outsideRth === true &&
  request.tif !== 'IOC' &&
  request.tif !== 'FOK' &&
  request.tif !== 'OPG' &&
  request.type !== 'MKT' &&
  request.type !== 'STP';

export const mayTradeAt = (session: TradingSession, now: EpochMs, request: OrderRequest): boolean =>
  isRegular(session, now) || (honoursOutsideRth(request) && isExtended(session, now));

/**
 * When an order dies by itself. DAY: at the close it was accepted before (20:00 with outsideRth); one accepted later is queued for the
 * next day. GTC: never. GTD: at its time. On-open: two minutes after the open it was accepted before.
 */
export function expiryOf(session: TradingSession, request: OrderRequest, acceptedAt: EpochMs): number {
  switch (request.tif) {
    case 'DAY': {
      const end = honoursOutsideRth(request) ? session.extendedClose : session.close;
      return acceptedAt < end ? end : Number.POSITIVE_INFINITY;
    }
    case 'GTD':
      return request.goodTill ?? Number.POSITIVE_INFINITY;
    case 'OPG':
      return acceptedAt < session.close ? session.open + CROSS_CUTOFF_MS : Number.POSITIVE_INFINITY;
    case 'GTC':
    case 'IOC':
    case 'FOK':
      return Number.POSITIVE_INFINITY;
  }
}
