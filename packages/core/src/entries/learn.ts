import { tradeDateOf } from '../calendar.js';
import { CLIENT_ID, isEntryRef } from '../orders/order.js';
import { bookFilled } from '../orders/step-order.js';
import { splitExecId } from '../positions/book.js';
import type { Execution } from '../positions/execution.js';
import { type Micros, micros, notional } from '../units.js';
import { alert, type Draft, edit, putEntry, update, write } from './desk.js';

/**
 * Takes an execution of one of our entries, from whoever told it; others are the exit manager's. It is written in the step that hears of
 * it: this commit is what tells the exit manager, since the broker pushes fills only to the client that placed the order (DESIGN §3).
 * `isStored`: a row already tells it.
 */
export function learnExecution(d: Draft, told: Execution, isStored = false): void {
  if (!isEntryRef(told.orderRef)) return;
  const { root, revision } = splitExecId(told.execId);
  const known = d.s.executions.get(root);
  if (known && revision <= splitExecId(known.execId).revision) {
    if (known.commission === undefined && told.commission !== undefined) learnCommission(d, told.execId, told.commission, null);
    return;
  }
  // An id that has traded was used, row or not.
  if (told.clientId === CLIENT_ID['day-trader'] && told.orderId >= d.s.nextOrderId) update(d, { nextOrderId: told.orderId + 1 });
  edit(d, 'executions').set(root, known?.commission === undefined ? told : { commission: known.commission, ...told });
  const tracked = d.s.entries.get(told.orderRef);
  // An entry's trade carries the entry's own orderRef, also when its row was lost.
  if (!isStored)
    write(d, { do: 'write-execution', execution: told, tradeId: tracked?.order.tradeId ?? told.orderRef, tradeDate: tradeDateOf(told.at) });
  countIntoEntry(d, told.orderRef);
  const paid = notional(told.price, told.shares - (known?.shares ?? 0));
  update(d, { funds: { ...d.s.funds, spentSince: micros(Math.max(0, d.s.funds.spentSince + paid)) } });
}

function countIntoEntry(d: Draft, orderRef: string): void {
  const tracked = d.s.entries.get(orderRef);
  if (!tracked) return;
  let filled = 0;
  for (const execution of d.s.executions.values()) if (execution.orderRef === orderRef) filled += execution.shares;
  const { order } = tracked;
  if (filled > order.quantity && filled > order.filled)
    overfilled(d, { orderRef, symbol: order.contract.symbol, filled, of: order.quantity });
  const { heardFilled } = tracked;
  const isStillMissing = heardFilled !== null && filled < heardFilled.shares;
  // A fill that is news says that it worked: an answer that did not list it has to be given twice again.
  const unlisted = filled === order.filled ? tracked.unlisted : null;
  putEntry(d, { ...tracked, order: bookFilled(order, filled), heardFilled: isStillMissing ? heardFilled : null, unlisted });
}

const overfilled = (d: Draft, fill: { orderRef: string; symbol: string; filled: number; of: number }): void =>
  alert(d, {
    level: 'warning',
    code: 'OVERFILL',
    symbol: fill.symbol,
    happened: `Entry ${fill.orderRef} filled ${fill.filled} of ${fill.of} shares.`,
    did: 'Booked what was filled; the exit manager protects all of it.',
    todo: 'Check the executions in TWS against `holdfast orders`.',
  });

/** The commission of a fill, in a message of its own and later than the fill. */
export function learnCommission(d: Draft, execId: string, commission: Micros, realizedPnl: Micros | null): void {
  const { root } = splitExecId(execId);
  const known = d.s.executions.get(root);
  if (!known || known.commission === commission) return;
  edit(d, 'executions').set(root, { ...known, commission });
  write(d, { do: 'write-commission', execId: known.execId, commission, realizedPnl });
}
