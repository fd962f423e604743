import { type Micros, micros, toDollars } from '@holdfast/core/units';
import type { AccountState, ExchangePosition, Instrument } from '../exchange-types.js';
import { dollars } from './order-messages.js';
import { type Field, UNSET_DOUBLE } from './wire.js';

/** Account values, portfolio rows, positions and P&L. */

/** To cents, as account values are written. */
const cents = (amount: Micros): string => toDollars(amount).toFixed(2);
const value = (position: ExchangePosition, instrument: Instrument): Micros =>
  micros(Math.round(position.mark * position.quantity * instrument.multiplier));

/** (mark − average cost) × shares. Undefined while nothing has marked the position. */
export const unrealizedOf = (position: ExchangePosition, instrument: Instrument): Micros | undefined =>
  position.mark === 0 ? undefined : micros(Math.round((position.mark - position.averageCost) * position.quantity * instrument.multiplier));

/**
 * The keys a margin account shows, with their currency. Margin is the plain overnight half of the positions' value: enough for a client that
 * reads the figures, not a margin model.
 */
export function accountValues(state: AccountState): readonly (readonly [key: string, value: string, currency: string])[] {
  const margin = micros(Math.round(state.grossPositionValue / 2));
  const available = micros(state.netLiquidation - margin);
  const cushion = state.netLiquidation > 0 ? available / state.netLiquidation : 0;
  return [
    ['AccountCode', state.account, ''],
    ['AccountType', 'INDIVIDUAL', ''],
    ['AccountReady', 'true', ''],
    ['Currency', 'USD', 'USD'],
    ['NetLiquidation', cents(state.netLiquidation), 'USD'],
    ['EquityWithLoanValue', cents(state.netLiquidation), 'USD'],
    ['TotalCashValue', cents(state.cash), 'USD'],
    ['CashBalance', cents(state.cash), 'USD'],
    ['TotalCashBalance', cents(state.cash), 'BASE'],
    ['SettledCash', cents(state.cash), 'USD'],
    ['GrossPositionValue', cents(state.grossPositionValue), 'USD'],
    ['StockMarketValue', cents(state.grossPositionValue), 'USD'],
    ['BuyingPower', cents(state.buyingPower), 'USD'],
    ['AvailableFunds', cents(available), 'USD'],
    ['ExcessLiquidity', cents(available), 'USD'],
    ['InitMarginReq', cents(margin), 'USD'],
    ['MaintMarginReq', cents(margin), 'USD'],
    ['FullInitMarginReq', cents(margin), 'USD'],
    ['FullMaintMarginReq', cents(margin), 'USD'],
    ['RealizedPnL', cents(state.realizedToday), 'USD'],
    ['UnrealizedPnL', cents(state.unrealized), 'USD'],
    ['DayTradesRemaining', '-1', ''],
    ['Cushion', cushion.toFixed(6), ''],
    ['Leverage-S', state.netLiquidation > 0 ? (state.grossPositionValue / state.netLiquidation).toFixed(2) : '0.00', ''],
  ];
}

/** Message 6. */
export const accountValueMessage = (account: string, entry: readonly [string, string, string]): Field[] => [6, 2, ...entry, account];

/** Message 7. A position closed today is one row with position 0. */
export const portfolioMessage = (account: string, position: ExchangePosition, instrument: Instrument): Field[] => [
  7,
  8,
  instrument.conId,
  instrument.symbol,
  'STK',
  '',
  0,
  '0',
  '',
  instrument.primaryExchange,
  'USD',
  instrument.symbol,
  instrument.symbol,
  position.quantity,
  dollars(position.mark),
  dollars(value(position, instrument)),
  dollars(position.averageCost),
  dollars(unrealizedOf(position, instrument) ?? micros(0)),
  dollars(position.realizedToday),
  account,
];

/** Message 61. The exchange of a stock position is its primary one, or empty; clients must not route by it. */
export const positionMessage = (account: string, position: ExchangePosition, instrument: Instrument): Field[] => [
  61,
  3,
  account,
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
  position.quantity,
  dollars(position.averageCost),
];

/** Message 95. Fields are unset until computed; a closed position has value 0. */
export const pnlSingleMessage = (requestId: number, position: ExchangePosition, instrument: Instrument, daily: Micros): Field[] => {
  const unrealized = unrealizedOf(position, instrument);
  const known = unrealized !== undefined || position.quantity === 0;
  return [
    95,
    requestId,
    position.quantity,
    known ? dollars(daily) : UNSET_DOUBLE,
    unrealized === undefined || position.quantity === 0 ? UNSET_DOUBLE : dollars(unrealized),
    position.realizedToday === 0 ? UNSET_DOUBLE : dollars(position.realizedToday),
    known ? dollars(value(position, instrument)) : UNSET_DOUBLE,
  ];
};

/** Message 94. */
export const pnlMessage = (requestId: number, daily: Micros, state: AccountState): Field[] => [
  94,
  requestId,
  dollars(daily),
  dollars(state.unrealized),
  dollars(state.realizedToday),
];
