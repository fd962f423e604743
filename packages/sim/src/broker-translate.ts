import type { Contract } from '@holdfast/core/contract';
import type { BrokerPosition, EventBody } from '@holdfast/core/events';
import type { BrokerOrder } from '@holdfast/core/orders/order';
import type { BrokerSend } from '@holdfast/core/ports';
import type { Execution } from '@holdfast/core/positions/execution';
import { type Micros, micros, shares } from '@holdfast/core/units';
import type { ExchangeExecution, ExchangeOrder, ExchangePosition, Instrument, OrderRequest, Quote } from './exchange-types.js';

/** The exchange's words in core's, as `brokers/ib` would read them off the wire. */

export const contractOf = (instrument: Instrument): Contract => ({
  conId: instrument.conId,
  symbol: instrument.symbol,
  secType: 'STK',
  exchange: 'SMART',
  primaryExchange: instrument.primaryExchange,
  currency: 'USD',
  tick: instrument.tick,
  multiplier: instrument.multiplier,
});

export const brokerOrder = ({ request, permId, status, filled, remaining }: ExchangeOrder, symbol: string): BrokerOrder => ({
  clientId: request.clientId,
  orderId: request.orderId,
  permId,
  orderRef: request.orderRef ?? '',
  conId: request.conId,
  symbol,
  side: request.side,
  quantity: filled + remaining,
  type: request.type,
  limitPrice: request.limitPrice ?? null,
  stopPrice: request.stopPrice ?? null,
  tif: request.tif,
  ocaGroup: request.ocaGroup ?? null,
  status,
});

export const statusOf = ({ request, permId, status, filled, remaining }: ExchangeOrder): Extract<EventBody, { kind: 'order-status' }> => ({
  kind: 'order-status',
  clientId: request.clientId,
  orderId: request.orderId,
  permId,
  status,
  filled,
  remaining,
});

export const executionOf = (told: ExchangeExecution): Execution => ({
  execId: told.execId,
  at: told.at,
  conId: told.conId,
  symbol: told.symbol,
  side: told.side,
  shares: shares(told.shares),
  price: told.price,
  orderRef: told.orderRef,
  permId: told.permId,
  clientId: told.clientId,
  orderId: told.orderId,
});

export const commissionOf = ({ execId, commission, realizedPnl }: ExchangeExecution): EventBody => ({
  kind: 'commission',
  execId,
  commission,
  realizedPnl: realizedPnl ?? null,
});

export const positionOf = (account: string, contract: Contract, { quantity, averageCost }: ExchangePosition): BrokerPosition => ({
  account,
  contract,
  quantity,
  averageCost,
});

export const requestOf = (clientId: number, { order }: Extract<BrokerSend, { do: 'place' }>): OrderRequest => ({
  clientId,
  orderId: order.orderId,
  conId: order.contract.conId,
  side: order.side,
  quantity: order.quantity,
  type: order.type,
  tif: order.tif,
  orderRef: order.orderRef,
  transmit: true,
  ...(order.limitPrice !== null && { limitPrice: order.limitPrice }),
  ...(order.stopPrice !== null && { stopPrice: order.stopPrice }),
  ...(order.goodTill !== null && { goodTill: order.goodTill }),
  ...(order.ocaGroup !== null && { ocaGroup: order.ocaGroup, ocaType: 2 as const }),
});

/** One market-data line, merged as the adapter merges ticks. `close` is the previous session's. */
export const quoteEvent = (quote: Quote, close: Micros, delayed: boolean): EventBody => ({
  kind: 'quote',
  conId: quote.conId,
  quote: {
    bid: quote.bid,
    ask: quote.ask,
    bidSize: quote.bidSize,
    askSize: quote.askSize,
    last: quote.last,
    volume: quote.volume,
    close,
    open: quote.open,
    halted: quote.halted,
    delayed,
  },
});

/** `factor` in thousandths: a price that is plainly wrong, and still a price. */
export const thousandthsOf = (price: Micros, factor: number): Micros => micros(Math.max(10_000, Math.round((price * factor) / 1_000)));
