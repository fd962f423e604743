import type { Contract } from '@holdfast/core/contract';
import { makeOrderRef, type Order } from '@holdfast/core/orders/order';
import { type EpochMs, epochMs, fromDollars, shares, type TradeDate } from '@holdfast/core/units';
import type { OrderRequest } from '@holdfast/sim/exchange-types';
import { ACME } from '@holdfast/sim/list-source';

/** ACME as the workers know it. */
export const ACME_CONTRACT: Contract = {
  conId: ACME.conId,
  symbol: ACME.symbol,
  secType: 'STK',
  exchange: 'SMART',
  primaryExchange: 'NASDAQ',
  currency: 'USD',
  tick: ACME.tick,
  multiplier: 1,
};

const TIME_TO_LIVE_MS = 90_000;

export interface HandEntry {
  readonly tradeDate: TradeDate;
  readonly lease: number;
  /** Counts this day trader's entries: in the reference and, played by hand, as the API order id. */
  readonly counter: number;
  readonly orderId: number;
  readonly quantity: number;
  readonly limit: number;
  readonly now: EpochMs;
}

/** The resting entry order a day trader would intend now. */
export function handEntry({ tradeDate, lease, counter, orderId, quantity, limit, now }: HandEntry): Order {
  const orderRef = makeOrderRef('day-trader', { tradeDate, lease, counter });
  return {
    orderRef,
    worker: 'day-trader',
    clientId: 2,
    orderId,
    permId: null,
    tradeId: orderRef,
    contract: ACME_CONTRACT,
    role: 'entry',
    side: 'BUY',
    quantity: shares(quantity),
    type: 'LMT',
    limitPrice: fromDollars(limit),
    stopPrice: null,
    tif: 'GTD',
    goodTill: epochMs(now + TIME_TO_LIVE_MS),
    ocaGroup: null,
    status: 'INTENT',
    filled: shares(0),
    createdAt: now,
    updatedAt: now,
    reason: null,
  };
}

/** The same as the exchange takes it. */
export const requestOf = ({ clientId, orderId, contract, side, quantity, limitPrice, goodTill, orderRef }: Order): OrderRequest => ({
  clientId,
  orderId,
  conId: contract.conId,
  side,
  quantity,
  type: 'LMT',
  tif: 'GTD',
  orderRef,
  transmit: true,
  ...(limitPrice !== null && { limitPrice }),
  ...(goodTill !== null && { goodTill }),
});
