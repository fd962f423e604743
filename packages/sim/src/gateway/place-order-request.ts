import type { EpochMs } from '@holdfast/core/units';
import type { OrderRequest, OrderType, TimeInForce } from '../exchange-types.js';
import { type ContractQuery, readContract } from './contract-request.js';
import type { RequestFields } from './request-fields.js';
import { parseWireTime } from './wire-time.js';

/** A placeOrder as it came, before any instrument is known. Fields we do not simulate are read over by position. */
export interface PlaceOrder {
  readonly orderId: number;
  readonly contract: ContractQuery;
  readonly side: string;
  readonly quantity: number;
  readonly type: string;
  readonly tif: string;
  readonly account: string;
  readonly goodTillDate: string;
  readonly whatIf: boolean;
  /** Names of features the order uses that this gateway does not simulate. */
  readonly unsupported: readonly string[];
  readonly terms: Pick<
    OrderRequest,
    'limitPrice' | 'stopPrice' | 'ocaGroup' | 'ocaType' | 'orderRef' | 'outsideRth' | 'transmit' | 'parentId'
  >;
}

/** Reads message 3 at server versions 157 to 193 (no version field; faProfile until 176). */
export function readPlaceOrder(fields: RequestFields, version: number): PlaceOrder {
  const orderId = fields.integer();
  const contract = readContract(fields);
  fields.skip(2); // secIdType, secId
  const side = fields.text();
  const quantity = fields.optionalNumber() ?? 0;
  const type = fields.text().toUpperCase();
  const limitPrice = fields.optionalPrice();
  const stopPrice = fields.optionalPrice();
  const tif = fields.text();
  const ocaGroup = fields.text();
  const account = fields.text();
  fields.skip(2); // openClose, origin
  const orderRef = fields.text();
  const transmit = fields.flag();
  const parentId = fields.optionalNumber() ?? 0;
  fields.skip(4); // blockOrder, sweepToFill, displaySize, triggerMethod
  const outsideRth = fields.flag();
  const unsupported: string[] = [];
  const base = { orderId, contract, side, quantity, type, tif, account };
  if (contract.secType === 'BAG') return { ...base, goodTillDate: '', whatIf: false, unsupported: ['combination orders'], terms: {} };
  fields.skip(3); // hidden, sharesAllocation, discretionaryAmt
  if (fields.text() !== '') unsupported.push('good-after times');
  const goodTillDate = fields.text();
  fields.skip(version < 177 ? 4 : 3); // faGroup, faMethod, faPercentage, faProfile
  fields.skip(4); // modelCode, shortSaleSlot, designatedLocation, exemptCode
  const ocaType = fields.optionalNumber() ?? 0;
  const whatIf = readConditionalTail(fields, unsupported);
  return {
    ...base,
    goodTillDate,
    whatIf,
    unsupported,
    terms: {
      transmit,
      outsideRth,
      ...(limitPrice === undefined ? {} : { limitPrice }),
      ...(stopPrice === undefined ? {} : { stopPrice }),
      ...(ocaGroup === '' ? {} : { ocaGroup }),
      ...(ocaType === 1 || ocaType === 2 || ocaType === 3 ? { ocaType } : {}),
      ...(orderRef === '' ? {} : { orderRef }),
      ...(parentId === 0 ? {} : { parentId }),
    },
  };
}

/** From rule80A to the conditions: blocks whose length depends on an earlier field. Returns whether the order is a what-if. */
function readConditionalTail(fields: RequestFields, unsupported: string[]): boolean {
  fields.skip(15); // rule80A … overridePercentageConstraints
  fields.skip(2); // volatility, volatilityType
  if (fields.text() !== '') {
    fields.skip(8);
    unsupported.push('delta-neutral orders');
  }
  fields.skip(1); // deltaNeutralAuxPrice
  fields.skip(2); // continuousUpdate, referencePriceType
  fields.skip(4); // trailStopPrice, trailingPercent, scaleInitLevelSize, scaleSubsLevelSize
  if (fields.optionalNumber() !== undefined) {
    fields.skip(7);
    unsupported.push('scale orders');
  }
  fields.skip(3); // scaleTable, activeStartTime, activeStopTime
  if (fields.text() !== '') {
    fields.skip(1);
    unsupported.push('hedge orders');
  }
  fields.skip(4); // optOutSmartRouting, clearingAccount, clearingIntent, notHeld
  if (fields.flag()) {
    fields.skip(3);
    unsupported.push('delta-neutral orders');
  }
  if (fields.text() !== '') {
    fields.skip((fields.optionalNumber() ?? 0) * 2);
    unsupported.push('algorithmic orders');
  }
  fields.skip(1); // algoId
  const whatIf = fields.flag();
  fields.skip(4); // orderMiscOptions, solicited, randomizeSize, randomizePrice
  if ((fields.optionalNumber() ?? 0) > 0) unsupported.push('conditions');
  return whatIf;
}

const ORDER_TYPES: readonly string[] = ['MKT', 'LMT', 'STP', 'STP LMT'] satisfies OrderType[];
const TIMES_IN_FORCE: readonly string[] = ['DAY', 'GTC', 'IOC', 'GTD', 'OPG', 'FOK'] satisfies TimeInForce[];
const isOrderType = (text: string): text is OrderType => ORDER_TYPES.includes(text);
const isTimeInForce = (text: string): text is TimeInForce => TIMES_IN_FORCE.includes(text);

export interface Refusal {
  readonly ok: false;
  readonly code: number;
  readonly detail: string;
}
const refuse = (code: number, detail: string): Refusal => ({ ok: false, code, detail });
const invalid = (cause: string): Refusal => refuse(321, `Error validating request.-'bW' : cause - ${cause}`);

/**
 * What the gateway checks before the exchange hears of an order; the codes are the broker's (IBKR §3, "Rejections and messages").
 * An empty time in force becomes DAY (the caller adds advisory 10349).
 */
export function checkPlaceOrder(
  order: PlaceOrder,
  context: { readonly clientId: number; readonly account: string; readonly conId: number },
): { readonly ok: true; readonly request: OrderRequest } | Refusal {
  const { side, quantity, type } = order;
  const tif = order.tif === '' ? 'DAY' : order.tif.toUpperCase();
  if (order.account !== '' && order.account !== context.account) return invalid('The account code you entered is invalid.');
  if (order.contract.exchange === '') return invalid('Missing order exchange');
  if (side !== 'BUY' && side !== 'SELL') return invalid('Invalid order side');
  if (!(quantity > 0)) return refuse(434, 'The order size cannot be zero.');
  if (!Number.isInteger(quantity)) return refuse(10243, 'Fractional-sized order cannot be placed via API. Please use desktop version.');
  if (!isOrderType(type)) return refuse(387, `Unsupported order type for this exchange and security type: ${type}`);
  if (!isTimeInForce(tif)) return refuse(10052, `Invalid time in force: ${tif}`);
  if (order.unsupported.length > 0) return invalid(`this simulated gateway does not know ${order.unsupported.join(', ')}`);
  if (order.whatIf) return invalid('this simulated gateway does not answer what-if orders');
  if ((type === 'LMT' || type === 'STP LMT') && order.terms.limitPrice === undefined) return invalid('a limit price is missing');
  if ((type === 'STP' || type === 'STP LMT') && !((order.terms.stopPrice ?? 0) > 0)) return invalid('a stop price is missing');
  const goodTill = goodTillOf(order, tif);
  if (goodTill === 'invalid') return refuse(391, 'The good-till-date entered is not in the correct format: yyyymmdd hh:mm:ss zone');
  return {
    ok: true,
    request: {
      ...pricesOf(order, type),
      clientId: context.clientId,
      orderId: order.orderId,
      conId: context.conId,
      side,
      quantity,
      type,
      tif,
      ...(goodTill === undefined ? {} : { goodTill }),
    },
  };
}

/** Some clients send 0 for a price their order type has none of. */
function pricesOf(order: PlaceOrder, type: OrderType): PlaceOrder['terms'] {
  const { limitPrice, stopPrice, ...others } = order.terms;
  const hasLimit = (type === 'LMT' || type === 'STP LMT') && limitPrice !== undefined;
  const hasStop = (type === 'STP' || type === 'STP LMT') && stopPrice !== undefined;
  return { ...others, ...(hasLimit ? { limitPrice } : {}), ...(hasStop ? { stopPrice } : {}) };
}

function goodTillOf(order: PlaceOrder, tif: TimeInForce): EpochMs | undefined | 'invalid' {
  if (tif !== 'GTD') return undefined;
  return parseWireTime(order.goodTillDate) ?? 'invalid';
}
