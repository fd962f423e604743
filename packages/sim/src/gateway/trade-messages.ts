import type { ExchangeExecution, ExchangeOrder, Instrument } from '../exchange-types.js';
import { dollars } from './order-messages.js';
import { type Field, UNSET_DOUBLE } from './wire.js';
import { wireTime } from './wire-time.js';

/** What is said about orders and fills besides the order itself. */

/** Message 3. `whyHeld` stays empty: we never locate. */
export const orderStatusMessage = (order: ExchangeOrder): Field[] => [
  3,
  order.request.orderId,
  order.status,
  order.filled,
  order.remaining,
  dollars(order.averageFillPrice),
  order.permId,
  order.request.parentId ?? 0,
  dollars(order.lastFillPrice),
  order.request.clientId,
  '',
  0,
];

/** Message 11. `requestId` −1 marks a live push. */
export const executionMessage = (
  execution: ExchangeExecution,
  instrument: Instrument,
  context: { readonly version: number; readonly account: string; readonly requestId: number },
): Field[] => [
  11,
  context.requestId,
  execution.orderId,
  instrument.conId,
  instrument.symbol,
  'STK',
  '',
  0,
  '',
  '',
  instrument.primaryExchange,
  'USD',
  instrument.symbol,
  instrument.symbol,
  execution.execId,
  wireTime(execution.at, context.version),
  context.account,
  instrument.primaryExchange,
  execution.side === 'BUY' ? 'BOT' : 'SLD',
  execution.shares,
  dollars(execution.price),
  execution.permId,
  execution.clientId,
  0, // liquidation
  execution.cumulative,
  dollars(execution.averagePrice),
  execution.orderRef,
  '', // evRule
  '', // evMultiplier
  '', // modelCode
  2, // lastLiquidity: removed
  ...(context.version >= 178 ? [false] : []), // pendingPriceRevision
];

/** Message 59. Realized P&L is unset while a position opens or grows. */
export const commissionMessage = (execution: ExchangeExecution): Field[] => [
  59,
  1,
  execution.execId,
  dollars(execution.commission),
  'USD',
  execution.realizedPnl === undefined ? UNSET_DOUBLE : dollars(execution.realizedPnl),
  UNSET_DOUBLE, // yield
  '', // yieldRedemptionDate
];
