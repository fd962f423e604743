import { tradeDateOf } from '../calendar.js';
import type { EventBody } from '../events.js';
import type { Care } from '../exits/care.js';
import { closeWithoutPrice } from '../exits/close.js';
import { alert, type Draft, edit, NO_SIGHT } from '../exits/desk.js';
import { ANSWER_LAG_MS, heldShares } from '../exits/sellable.js';
import { boughtLessSold, newestOf, splitExecId } from '../positions/book.js';
import type { Execution } from '../positions/execution.js';

type Told = Pick<Extract<EventBody, { kind: 'snapshot' }>, 'executions' | 'positions'>;

/**
 * Trades of earlier dates that are over though the store holds them: the broker holds of that instrument, to the share, just what executions of today
 * left that are none of that trade's. So an older copy of the store looks, once its position was sold and another one taken. Joined, the two would
 * be one position of too many shares, with the levels of the old price. How the first one ended nobody tells any more, so it ends
 * without a price, before the executions of the answer are learned: they find their own trade. Not where the position may lag behind the newest of
 * those executions.
 */
export function endGone(d: Draft, told: Told): void {
  for (const care of d.s.care.values()) {
    if (care.status === 'CLAIMED' || heldShares(d.s, care) === 0 || tradeDateOf(care.openedAt) >= d.s.tradeDate) continue;
    if (isReplaced(d, care, told)) endOne(d, care);
  }
}

function isReplaced(d: Draft, care: Care, told: Told): boolean {
  const { conId } = care.contract;
  const position = told.positions.find(({ account, contract }) => account === d.s.account && contract.conId === conId);
  const others = [...newestOf(told.executions.filter(execution => execution.conId === conId)).values()].filter(
    execution => !isOfTrade(d, care, execution),
  );
  const left = boughtLessSold(others);
  if (!position || left === 0 || position.quantity - (d.s.baseline?.get(conId) ?? 0) !== left) return false;
  return others.every(({ at }) => d.at - at > ANSWER_LAG_MS);
}

const isOfTrade = (d: Draft, { tradeId }: Care, { execId, orderRef }: Execution): boolean => {
  const order = d.s.orders.get(orderRef)?.order ?? d.s.entries.get(orderRef);
  return order?.tradeId === tradeId || d.s.executions.get(splitExecId(execId).root)?.tradeId === tradeId;
};

function endOne(d: Draft, care: Care): void {
  const { symbol } = care.contract;
  alert(d, {
    level: 'warning',
    code: 'POSITION_OUTDATED',
    symbol,
    happened: `The store held ${heldShares(d.s, care)} ${symbol} of an earlier date; the broker holds just what was traded today.`,
    did: 'Closed the old position in the store as vanished, without an exit price; what is held is in care as a position of its own.',
    todo: 'The store is an older copy: look for the end of that trade in TWS if its result matters.',
  });
  const book = d.s.sights.get(care.contract.conId)?.book;
  closeWithoutPrice(d, care);
  // The price is of the instrument: without it nothing would rest for its successor until the next mark.
  if (book) edit(d, 'sights').set(care.contract.conId, { ...NO_SIGHT, book });
}
