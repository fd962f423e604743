import { type Micros, micros } from '@holdfast/core/units';

/** What the broker takes per order. All amounts in micro-dollars. */
export interface CommissionModel {
  readonly perShare: Micros;
  readonly minimum: Micros;
  /** Upper bound in basis points of the trade value; wins over the minimum. */
  readonly capBps: number;
}

/** IBKR Pro, fixed: $0.005 a share, at least $1.00, at most 1 % of the trade value ("IBKR: Commissions, Stocks, Fixed"). */
export const IBKR_FIXED: CommissionModel = { perShare: micros(5_000), minimum: micros(1_000_000), capBps: 100 };

/**
 * Commission on everything an order has filled so far. Minimum and cap hold per order, so an execution is charged the growth
 * since the one before: 100 + 100 + 100 shares at $50 cost $1.00, $0.00 and $0.50. Never shrinks as the order fills.
 */
export function commissionSoFar(model: CommissionModel, filledShares: number, filledValue: number): Micros {
  const cap = Math.round((filledValue * model.capBps) / 10_000);
  return micros(Math.min(Math.max(filledShares * model.perShare, model.minimum), cap));
}
