import { type Micros, toDollars } from '@holdfast/core/units';
import type { ExchangeOrder, Instrument, OrderRequest } from '../exchange-types.js';
import { type Field, UNSET_DOUBLE, UNSET_INTEGER, UNSET_LONG } from './wire.js';
import { wireTime } from './wire-time.js';

/**
 * openOrder and completedOrder, field by field as a real gateway fills them for a stock (captures at 164, extended to 193). A wrong
 * count shows at once: the client reports error 505. `since` marks the server version a field appeared with.
 */

const since = (version: number, first: number, ...fields: Field[]): Field[] => (version >= first ? fields : []);
const until = (version: number, last: number, ...fields: Field[]): Field[] => (version <= last ? fields : []);

/** `50.0`, `50.43`: the real gateway writes doubles the Java way. */
export const dollars = (amount: Micros): string => {
  const value = toDollars(amount);
  return Number.isInteger(value) ? `${value}.0` : String(value);
};

/** conId … tradingClass as orders carry them: right `?`, no multiplier for stocks. */
const orderContract = (instrument: Instrument): Field[] => [
  instrument.conId,
  instrument.symbol,
  'STK',
  '',
  0,
  '?',
  '',
  'SMART',
  'USD',
  instrument.symbol,
  instrument.symbol,
];

const orderTerms = (request: OrderRequest, quantity: number, account: string): Field[] => [
  request.side,
  quantity,
  request.type,
  request.limitPrice === undefined ? '0.0' : dollars(request.limitPrice),
  request.stopPrice === undefined ? '0.0' : dollars(request.stopPrice),
  request.tif,
  request.ocaGroup ?? '',
  account,
  '', // openClose
  0, // origin: customer
  request.orderRef ?? '',
];

const faFields = (version: number): Field[] => ['', '', '', ...until(version, 176, '')];
const goodTill = (request: OrderRequest, version: number): string =>
  request.goodTill === undefined ? '' : wireTime(request.goodTill, version);
/** rule80A, percentOffset, settlingFirm, shortSaleSlot, designatedLocation, exemptCode. */
const settlement: readonly Field[] = ['', '', '', 0, '', -1];
/** startingPrice, stockRefPrice, delta, stockRangeLower, stockRangeUpper. */
const boxAndPeg: readonly Field[] = ['', '', '', '', ''];
/** scaleInitLevelSize, scaleSubsLevelSize, scalePriceIncrement, hedgeType. */
const scaleAndHedge: readonly Field[] = [UNSET_INTEGER, UNSET_INTEGER, '', ''];
const pegBestFields = (version: number): Field[] => since(version, 170, '', '', '', '', '');
/** The default group type: reduce without block. */
const ocaType = (request: OrderRequest): number => request.ocaType ?? 3;

export interface OrderMargin {
  readonly commission?: Micros;
  readonly warningText?: string;
}

/** Message 5. `orderId` and `clientId` are the placing client's, also when another client reads them in an all-orders snapshot. */
export function openOrderMessage(
  order: ExchangeOrder,
  instrument: Instrument,
  context: { readonly version: number; readonly account: string } & OrderMargin,
): Field[] {
  const { request, permId } = order;
  const { version, account, commission } = context;
  const unsetMargins: Field[] = Array.from({ length: 9 }, () => UNSET_DOUBLE);
  return [
    5,
    request.orderId,
    ...orderContract(instrument),
    ...orderTerms(request, request.quantity, account),
    request.clientId,
    permId,
    request.outsideRth === true,
    false, // hidden
    0, // discretionaryAmt
    '', // goodAfterTime
    `${permId}.0/${account}/${request.quantity}`,
    ...faFields(version),
    '', // modelCode
    goodTill(request, version),
    ...settlement,
    0, // auctionStrategy
    ...boxAndPeg,
    UNSET_INTEGER, // displaySize
    false, // blockOrder
    false, // sweepToFill
    false, // allOrNone
    '', // minQty
    ocaType(request),
    false, // eTradeOnly
    false, // firmQuoteOnly
    '', // nbboPriceCap
    request.parentId ?? 0,
    0, // triggerMethod
    // volatility, volatilityType, then delta neutral: order type `None` is followed by eight more
    ...['', 0, 'None', '', 0, '', '', '', '?', false, 0, '', 0, 0],
    ...['', ''], // trailStopPrice, trailingPercent
    ...['', ''], // basisPoints, basisPointsType
    ...['', 0, 0, 0], // combo legs description, legs, order legs, smart routing parameters
    ...scaleAndHedge,
    false, // optOutSmartRouting
    '', // clearingAccount
    'IB', // clearingIntent
    false, // notHeld
    false, // delta neutral contract
    '', // algoStrategy
    false, // solicited
    false, // whatIf
    order.status,
    ...unsetMargins,
    commission === undefined ? '' : dollars(commission),
    '', // minCommission
    '', // maxCommission
    commission === undefined ? '' : 'USD',
    context.warningText ?? '',
    ...[false, false], // randomizeSize, randomizePrice
    0, // conditions
    ...['None', UNSET_DOUBLE, UNSET_DOUBLE, UNSET_DOUBLE, UNSET_DOUBLE, UNSET_DOUBLE, UNSET_DOUBLE, 0], // adjusted order
    ...['', '', ''], // soft dollar tier
    0, // cashQty
    true, // dontUseAutoPriceForHedge
    false, // isOmsContainer
    false, // discretionaryUpToLimitPrice
    false, // usePriceMgmtAlgo
    ...since(version, 158, ''), // duration
    ...since(version, 160, ''), // postToAts
    ...since(version, 162, false), // autoCancelParent
    ...pegBestFields(version),
    ...since(version, 183, ''), // customerAccount
    ...since(version, 184, false), // professionalCustomer
    ...since(version, 185, ''), // bondAccruedInterest
    ...since(version, 189, false), // includeOvernight
    ...since(version, 193, '', UNSET_INTEGER), // extOperator, manualOrderIndicator
  ];
}

/** `Filled Size: 100` or `Cancelled by Trader`. */
const completedStatus = (order: ExchangeOrder): string => {
  if (order.filled > 0 && order.remaining === 0) return `Filled Size: ${order.filled}`;
  return order.reason === undefined ? 'Cancelled by Trader' : order.reason;
};

/** Message 101: no order id and no client id. A filled order shows total quantity 0 and its size as filledQuantity. */
export function completedOrderMessage(
  order: ExchangeOrder,
  instrument: Instrument,
  context: { readonly version: number; readonly account: string },
): Field[] {
  const { request } = order;
  const { version, account } = context;
  const quantity = order.filled > 0 && order.remaining === 0 ? 0 : request.quantity;
  return [
    101,
    ...orderContract(instrument),
    ...orderTerms(request, quantity, account),
    order.permId,
    request.outsideRth === true,
    false, // hidden
    0, // discretionaryAmt
    '', // goodAfterTime
    ...faFields(version),
    '', // modelCode
    goodTill(request, version),
    ...settlement,
    ...boxAndPeg,
    UNSET_INTEGER, // displaySize
    false, // sweepToFill
    false, // allOrNone
    '', // minQty
    ocaType(request),
    0, // triggerMethod
    ...['', 0, 'None', '', 0, false, 0, '', 0, 0], // volatility and delta neutral, the short form
    ...['', ''], // trailStopPrice, trailingPercent
    ...['', 0, 0, 0], // combo legs
    ...scaleAndHedge,
    '', // clearingAccount
    'IB', // clearingIntent
    false, // notHeld
    false, // delta neutral contract
    '', // algoStrategy
    false, // solicited
    order.status,
    ...[false, false], // randomizeSize, randomizePrice
    0, // conditions
    ...[UNSET_DOUBLE, UNSET_DOUBLE], // trailStopPrice, lmtPriceOffset
    0, // cashQty
    true, // dontUseAutoPriceForHedge
    false, // isOmsContainer
    '', // autoCancelDate
    order.filled,
    0, // refFuturesConId
    false, // autoCancelParent
    '', // shareholder
    false, // imbalanceOnly
    false, // routeMarketableToBbo
    UNSET_LONG, // parentPermId
    wireTime(order.finishedAt ?? order.acceptedAt, 193),
    completedStatus(order),
    ...pegBestFields(version),
    ...since(version, 183, ''), // customerAccount
    ...since(version, 184, false), // professionalCustomer
  ];
}
