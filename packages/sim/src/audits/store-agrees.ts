import { isOurs } from '@holdfast/core/orders/order';
import { type EpochMs, type Micros, toCents } from '@holdfast/core/units';
import type { OrderSide } from '../exchange-types.js';
import type { Violation } from './violation.js';

export interface PositionLine {
  readonly symbol: string;
  readonly quantity: number;
}

export interface ExecutionLine {
  readonly execId: string;
  readonly symbol: string;
  readonly side: OrderSide;
  readonly shares: number;
  readonly price: Micros;
  readonly orderRef: string;
}

/** One side of the comparison: the exchange's ground truth, or what the store says. Positions in care only, flat ones left out or 0. */
export interface BooksView {
  readonly positions: readonly PositionLine[];
  readonly executions: readonly ExecutionLine[];
  /** Of the day, over the same executions, commissions treated alike on both sides. */
  readonly realizedPnl: Micros;
}

/**
 * I6: when faults have stopped, store == broker: positions share by share, executions one by one (ours must all be there; the operator's
 * may be; none may be invented), realized P&L to the cent. `vanished` symbols are left out of positions.
 */
export function compareWithStore(
  truth: BooksView,
  store: BooksView,
  { at, vanished = [] }: { at: EpochMs; vanished?: readonly string[] },
): readonly Violation[] {
  const found: Violation[] = [];
  const say = (symbol: string, detail: string) => found.push({ invariant: 'I6', at, symbol, detail });

  const [real, kept] = [quantities(truth), quantities(store)];
  for (const symbol of [...new Set([...real.keys(), ...kept.keys()])].sort()) {
    if (vanished.includes(symbol)) continue;
    const [broker, ours] = [real.get(symbol) ?? 0, kept.get(symbol) ?? 0];
    if (broker !== ours) say(symbol, `the broker holds ${broker}, the store says ${ours}`);
  }

  const stored = new Map(store.executions.map(execution => [execution.execId, execution]));
  if (stored.size !== store.executions.length) say('', `the store has ${store.executions.length - stored.size} executions twice`);
  for (const execution of truth.executions) {
    const mine = stored.get(execution.execId);
    stored.delete(execution.execId);
    if (!mine) {
      if (isOurs(execution.orderRef)) say(execution.symbol, `the store misses execution ${execution.execId} (${line(execution)})`);
    } else if (line(mine) !== line(execution))
      say(execution.symbol, `execution ${execution.execId} is ${line(execution)}, the store says ${line(mine)}`);
  }
  for (const execution of stored.values())
    say(execution.symbol, `the store has execution ${execution.execId} (${line(execution)}) which never happened`);

  const [earned, booked] = [toCents(truth.realizedPnl), toCents(store.realizedPnl)];
  if (earned !== booked) say('', `realized P&L is $${earned.toFixed(2)}, the store says $${booked.toFixed(2)}`);
  return found;
}

const quantities = (view: BooksView): ReadonlyMap<string, number> =>
  new Map(view.positions.map(({ symbol, quantity }) => [symbol, quantity]));
const line = ({ symbol, side, shares, price }: ExecutionLine): string => `${side} ${shares} ${symbol} @ ${price / 1_000_000}`;
