import { isFinal, remainingOf } from '../orders/order.js';
import { type Micros, micros, notional } from '../units.js';
import type { DayTraderState } from './desk.js';

/**
 * What is active, as far as this process knows: the store's view is read anew only when somebody else has committed, so what was claimed
 * or given back here since is laid over it. The store decides in the end, in the claim's own transaction.
 */
export function activeSymbols(s: DayTraderState): ReadonlyMap<string, string> {
  const active = new Map<string, string>();
  for (const { contract, tradeId, status, quantity } of s.view.positions) {
    // A claim given back is none; a position of it is one: it had filled before its cancel, and was told later.
    if (quantity !== 0 || !s.entries.get(tradeId)?.isReleased) active.set(contract.symbol, status);
  }
  for (const { order, isReleased } of s.entries.values()) {
    const { symbol } = order.contract;
    // Its claim was given back, but it works again: nothing is entered beside it.
    if ((isReleased && isFinal(order) && order.filled === 0) || active.has(symbol)) continue;
    // Over only when its position is: until the exit manager has written that, a filled entry counts, and so does one whose
    // fills the broker has announced but not told.
    const isOver = isFinal(order) && order.filled > 0 && isClosedToday(s, symbol);
    if (!isOver) active.set(symbol, order.status);
  }
  for (const { contract } of s.asked.values()) active.set(contract.symbol, 'CLAIMED');
  return active;
}

/** Why a symbol is closed for today's entries, or null: it was closed on this trading date (A10). */
export const closedReason = (s: DayTraderState, symbol: string): string | null =>
  s.view.closedToday.find(block => block.symbol === symbol && block.closeDate === s.tradeDate)?.exitReason ?? null;
const isClosedToday = (s: DayTraderState, symbol: string): boolean => closedReason(s, symbol) !== null;

/** Dollars that entries under way may still spend, at their limits. */
export function committedMoney(s: DayTraderState): Micros {
  let sum = 0;
  for (const { order } of s.entries.values()) if (!isFinal(order)) sum += notional(order.limitPrice ?? micros(0), remainingOf(order));
  for (const order of s.asked.values()) sum += notional(order.limitPrice ?? micros(0), order.quantity);
  return micros(sum);
}
