import { type Micros, notional } from '@holdfast/core/units';
import type { Instrument, OrderRequest } from './exchange-types.js';
import { isFinal, type LiveOrder } from './live-order.js';
import { crossCutoff, type TradingSession } from './trading-session.js';

/** A broker's refusal: its code and words (reference §3, "Rejections and messages on an order id"). */
export interface Refusal {
  readonly code: number;
  readonly text: string;
}

/** "20 working orders per contract, side, account" (reference §6). */
export const WORKING_ORDERS_MAX = 20;

const refusal = (code: number, text: string): Refusal => ({ code, text });

/** What is wrong with the order's own words, whatever the market does. */
export function refuseShape(request: OrderRequest, instrument: Instrument | undefined): Refusal | undefined {
  if (!instrument) return refusal(200, 'No security definition has been found for the request');
  if (!Number.isSafeInteger(request.quantity) || request.quantity <= 0) {
    return refusal(321, "Error validating request.-'bX' : cause - Order size must be a positive whole number");
  }
  const needsLimit = request.type === 'LMT' || request.type === 'STP LMT';
  const needsStop = request.type === 'STP' || request.type === 'STP LMT';
  if ((needsLimit && !isPrice(request.limitPrice)) || (needsStop && !isPrice(request.stopPrice))) {
    return refusal(321, `Error validating request.-'bX' : cause - ${request.type} needs a positive price`);
  }
  if (request.tif === 'GTD' && request.goodTill === undefined) {
    return refusal(321, "Error validating request.-'bX' : cause - GTD needs goodTillDate");
  }
  if ((needsLimit && isOffTick(request.limitPrice, instrument)) || (needsStop && isOffTick(request.stopPrice, instrument))) {
    return refusal(110, 'The price does not conform to the minimum price variation for this contract.');
  }
  return undefined;
}

const isPrice = (price: Micros | undefined): boolean => price !== undefined && price > 0;
const isOffTick = (price: Micros | undefined, instrument: Instrument): boolean => price !== undefined && price % instrument.tick !== 0;

/** A modification may change price, quantity, type and time in force; the instrument, the side and a live group stay. */
export function refuseModification(known: LiveOrder, request: OrderRequest): Refusal | undefined {
  const old = known.request;
  if (old.conId !== request.conId || old.side !== request.side) {
    return refusal(105, 'Order being modified does not match original order.');
  }
  if ((old.ocaGroup ?? '') !== (request.ocaGroup ?? '')) return refusal(10326, 'OCA group revision is not allowed.');
  if (request.quantity <= known.filled) {
    return refusal(104, `Cannot modify: ${known.filled} already filled, new quantity ${request.quantity} leaves nothing.`);
  }
  return undefined;
}

/** A used id that cannot be modified any more. */
export const refuseUsedId = (known: LiveOrder | undefined): Refusal =>
  known !== undefined && known.status === 'Filled' ? refusal(104, 'Cannot modify a filled order.') : refusal(103, 'Duplicate order id');

export interface Surroundings {
  readonly now: number;
  readonly session: TradingSession;
  readonly sameInstrument: readonly LiveOrder[];
  readonly held: number;
  readonly mark: Micros;
  readonly multiplier: number;
  readonly buyingPower: Micros;
}

/** What the broker's desk refuses (201) although the words are right. It never asks whether a sell exceeds what is held. */
export function refuseByDesk(request: OrderRequest, around: Surroundings): Refusal | undefined {
  const sameSide = around.sameInstrument.filter(order => order.request.side === request.side && !isFinal(order.status)).length;
  if (sameSide >= WORKING_ORDERS_MAX) {
    return refusal(201, `Order rejected - reason:Only ${WORKING_ORDERS_MAX} working orders are allowed on a side of a contract.`);
  }
  // From the close on it is an order for the next open.
  if (request.tif === 'OPG' && around.now >= crossCutoff(around.session) && around.now < around.session.close) {
    return refusal(201, 'Order rejected - reason:The on-open cut-off time has passed.');
  }
  const sign = request.side === 'BUY' ? 1 : -1;
  const growth = Math.max(0, Math.abs(around.held + sign * request.quantity) - Math.abs(around.held));
  const price = request.limitPrice ?? request.stopPrice ?? around.mark;
  if (growth > 0 && notional(price, growth, around.multiplier) > around.buyingPower) {
    return refusal(201, 'Order rejected - reason:Your available funds are not sufficient to cover the margin for this order.');
  }
  return undefined;
}
