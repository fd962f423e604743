import { type Contract, isTradable } from '@holdfast/core/contract';
import type { BrokerPosition } from '@holdfast/core/events';
import type { BrokerOrder, Order } from '@holdfast/core/orders/order';
import type { Execution } from '@holdfast/core/positions/execution';
import { fromDollars, type Micros, micros, shares, toDollars } from '@holdfast/core/units';
import type { ContractDetails, Contract as IbContract, Execution as IbExecution, Order as IbOrder, OrderState } from '@stoqey/ib';
import { SecType } from '@stoqey/ib/dist/api/data/enum/sec-type.js';
import { OrderAction } from '@stoqey/ib/dist/api/order/enum/order-action.js';
import { OrderType } from '@stoqey/ib/dist/api/order/enum/orderType.js';
import { gatewayUtc, parseGatewayTime } from './zoned-time.js';

/** The broker's shapes and ours. Dollars become micro-dollars here and nowhere else on this side of the house. */

/** The zone of a time that names none. Only servers older than 174 leave it out, and the desk's gateway trades New York. */
export const ZONE_IF_UNNAMED = 'America/New_York';

/**
 * A cent, for a US stock whose details have not come yet. It is always a valid price step there (Regulation NMS, rule 612: a cent from $1 on,
 * finer below, and every finer step divides a cent), so an order priced with it is never refused for its tick.
 */
const CENT = micros(10_000);

/** Dollars as decoded, or undefined for "unset", not a number, or beyond what we can hold. */
export function dollarsOf(value: number | undefined): Micros | undefined {
  if (value === undefined || !Number.isFinite(value) || Math.abs(value) > 9e9) return undefined;
  return fromDollars(value);
}

const secTypeOf = (contract: IbContract): Contract['secType'] => {
  const told: string | undefined = contract.secType;
  return told === 'STK' || told === 'FUT' || told === 'CASH' ? told : 'OTHER';
};

/** Ticker for USD stocks, local symbol otherwise: an option on AAPL must never be taken for AAPL. */
export function displaySymbol(contract: IbContract): string {
  const { symbol = '', localSymbol = '', currency = '' } = contract;
  if (isTradable({ secType: secTypeOf(contract), currency })) return symbol;
  return localSymbol || [symbol, contract.secType, currency].filter(Boolean).join('.');
}

/**
 * A contract as it stands in a position, portfolio or order message: without its tick, and with an exchange one can't route by.
 * Stocks are routed by SMART.
 */
export function contractFromMessage(contract: IbContract, known?: Contract): Contract {
  if (known) return known;
  return {
    conId: contract.conId ?? 0,
    symbol: displaySymbol(contract),
    secType: secTypeOf(contract),
    exchange: secTypeOf(contract) === 'STK' ? 'SMART' : (contract.exchange ?? ''),
    primaryExchange: contract.primaryExch ?? contract.exchange ?? '',
    currency: contract.currency ?? '',
    tick: CENT,
    multiplier: contract.multiplier || 1,
  };
}

/** A contract from its details; undefined when they lack what may not be assumed. */
export function contractFromDetails({ contract, minTick }: ContractDetails): Contract | undefined {
  const tick = dollarsOf(minTick);
  if (!contract.conId || tick === undefined || tick <= 0) return undefined;
  return { ...contractFromMessage(contract), tick };
}

/** What the broker needs to find one of our contracts again: its conId, and where to route. */
export const contractForWire = (contract: Contract): IbContract => ({
  conId: contract.conId,
  symbol: contract.symbol,
  ...(contract.secType === 'OTHER' ? {} : { secType: SecType[contract.secType] }),
  exchange: contract.exchange,
  currency: contract.currency,
});

/** What to ask about a ticker: a US stock, best routing. */
export const stockQuery = (symbol: string): IbContract => ({ symbol, secType: SecType.STK, exchange: 'SMART', currency: 'USD' });

/**
 * An order of ours as the broker takes it. `transmit` is always said: unset travels as empty, which a gateway reads as "hold it back".
 * `outsideRth` is always false: stops act in the contract's liquid hours only.
 */
export function orderForWire(order: Order, account: string): IbOrder {
  return {
    action: OrderAction[order.side],
    totalQuantity: order.quantity,
    orderType: OrderType[order.type],
    ...(order.limitPrice === null ? {} : { lmtPrice: toDollars(order.limitPrice) }),
    ...(order.stopPrice === null ? {} : { auxPrice: toDollars(order.stopPrice) }),
    tif: order.tif,
    ...(order.goodTill === null ? {} : { goodTillDate: gatewayUtc(order.goodTill) }),
    // Type 2: reduce the others in proportion, one member at a time at the exchange. Type 1 would drop the stop on the target's first partial fill.
    ...(order.ocaGroup === null ? {} : { ocaGroup: order.ocaGroup, ocaType: 2 }),
    orderRef: order.orderRef,
    account,
    outsideRth: false,
    transmit: true,
  };
}

const carriesLimit = (type: string): boolean => /LMT|LOC|LIT|REL/.test(type);
const stopOf = (order: IbOrder): number | undefined => {
  const type: string = order.orderType;
  if (type.startsWith('TRAIL')) return order.trailStopPrice;
  return type.startsWith('STP') ? order.auxPrice : undefined;
};

/** Anybody's order, as told. Prices an order type does not use arrive as 0 and become null. */
export function brokerOrder(told: { orderId: number; contract: IbContract; order: IbOrder; state: OrderState }): BrokerOrder {
  const { orderId, contract, order, state } = told;
  return {
    clientId: order.clientId ?? 0,
    orderId,
    permId: order.permId ?? 0,
    orderRef: order.orderRef ?? '',
    conId: contract.conId ?? 0,
    symbol: displaySymbol(contract),
    side: order.action === OrderAction.BUY ? 'BUY' : 'SELL',
    quantity: order.totalQuantity ?? 0,
    type: order.orderType,
    limitPrice: carriesLimit(order.orderType) ? (dollarsOf(order.lmtPrice) ?? null) : null,
    stopPrice: dollarsOf(stopOf(order)) ?? null,
    tif: order.tif ?? '',
    ocaGroup: order.ocaGroup || null,
    status: state.status,
  };
}

export type ExecutionReading =
  | { readonly ok: true; readonly execution: Execution }
  | { readonly ok: false; readonly code: 'NOT_OURS_TO_COUNT' | 'UNREADABLE'; readonly detail: string };

const unreadable = (execId: string, what: string): ExecutionReading => ({
  ok: false,
  code: 'UNREADABLE',
  detail: `execution ${execId || '(without id)'}: ${what}`,
});

/**
 * One fill. Refused are instruments we never trade (an option's fill must not count as its stock's, another currency's price is not dollars)
 * and what can't be booked: fractions, no price, a time we can't read.
 */
export function executionOf(contract: IbContract, told: IbExecution): ExecutionReading {
  const { execId = '', side = '', price, shares: size } = told;
  if (!isTradable({ secType: secTypeOf(contract), currency: contract.currency ?? '' })) {
    return { ok: false, code: 'NOT_OURS_TO_COUNT', detail: `execution ${execId} in ${displaySymbol(contract)}: not a US stock` };
  }
  if (execId === '' || contract.conId === undefined) return unreadable(execId, 'it names no execution id or no contract');
  if (size === undefined || !Number.isInteger(size) || size < 0)
    return unreadable(execId, `${size} shares can't be booked, whole shares only`);
  const at = parseGatewayTime(told.time ?? '', ZONE_IF_UNNAMED);
  if (at === undefined) return unreadable(execId, `unknown time ${JSON.stringify(told.time)}`);
  const paid = dollarsOf(price);
  if (paid === undefined) return unreadable(execId, `no price (${price})`);
  return {
    ok: true,
    execution: {
      execId,
      at,
      conId: contract.conId,
      symbol: displaySymbol(contract),
      side: side === 'BOT' || side === 'BUY' ? 'BUY' : 'SELL',
      shares: shares(size),
      price: paid,
      orderRef: told.orderRef ?? '',
      permId: told.permId ?? 0,
      clientId: told.clientId ?? 0,
      orderId: told.orderId ?? 0,
    },
  };
}

/** A holding as told: fractions as they are, the average cost per unit times the multiplier as the broker counts it. */
export const positionOf = (
  account: string,
  contract: Contract,
  told: { quantity: number; averageCost: number | undefined },
): BrokerPosition => ({
  account,
  contract,
  quantity: told.quantity,
  averageCost: dollarsOf(told.averageCost) ?? micros(0),
});
