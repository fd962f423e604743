import { CLIENT_ID, isEntryRef, isFinal, type Order } from '../orders/order.js';
import { freeOrderId } from '../orders/order-ids.js';
import { bookFilled } from '../orders/step-order.js';
import { filledOf } from '../positions/filled-of.js';
import type { SharedView } from '../shared-view.js';
import { monoMs } from '../units.js';
import { type Draft, edit, newTracked, type Tracked, update, write } from './desk.js';
import { learnExecution } from './learn.js';

const isOwnEntry = ({ clientId, role, worker }: Order): boolean =>
  clientId === CLIENT_ID['day-trader'] && role === 'entry' && worker === 'day-trader';

/** Own entries of which nothing is known yet, as the store tells them. */
export function entriesOf(view: SharedView, isKnown: (orderRef: string) => boolean = () => false): readonly Tracked[] {
  const unknown = view.orders.filter(order => isOwnEntry(order) && !isKnown(order.orderRef));
  if (unknown.length === 0) return [];
  const claimed = new Set(view.positions.map(({ tradeId }) => tradeId));
  return unknown.map(row => {
    // The exit manager may have booked fills that this worker did not live to count: executions are the truth, not the row's figure.
    const order = bookFilled(row, filledOf(row.orderRef, view));
    // An entry that ended without a share and whose claim is still there is given back once reconciled.
    const isReleased = isFinal(order) && order.filled === 0 && !claimed.has(order.tradeId);
    return { ...newTracked(order, { session: 0, sentAt: monoMs(0) }), isReleased };
  });
}

/**
 * What other processes have written, read anew. After a loss of the store it may tell more of us than was on record at our start: the exit manager
 * merges what it knew into the copy that took the store's place, and may come to that later than we did. Such entries are taken up as if they had been
 * there, and a claim that comes back after its entry has ended is given back once more; else both would stay until the next start (I6).
 */
export function hearRows(d: Draft, view: SharedView): void {
  update(d, { view });
  for (const execution of view.executions) learnExecution(d, execution, true);
  const isKnown = (orderRef: string): boolean => d.s.entries.has(orderRef) || d.s.asked.has(orderRef);
  const unknown = entriesOf(view, isKnown).filter(({ isReleased }) => !isReleased);
  for (const tracked of unknown) edit(d, 'entries').set(tracked.order.orderRef, tracked);
  if (unknown.length > 0) update(d, { nextOrderId: Math.max(d.s.nextOrderId, freeOrderId(view, CLIENT_ID['day-trader'])) });
  for (const { tradeId, status } of view.positions) if (status === 'CLAIMED' && isEntryRef(tradeId)) releaseAgain(d, tradeId);
}

/** With its order's last word: what brought the claim back may have brought an older one. */
function releaseAgain(d: Draft, tradeId: string): void {
  const tracked = d.s.entries.get(tradeId);
  if (!tracked?.isReleased || !isFinal(tracked.order) || tracked.order.filled > 0) return;
  write(d, { do: 'write-order', order: { ...tracked.order, updatedAt: d.at } });
  edit(d, 'entries').set(tradeId, { ...tracked, isReleased: false });
}
