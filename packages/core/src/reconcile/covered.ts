import { isTradable } from '../contract.js';
import type { BrokerPosition, EventBody } from '../events.js';
import type { Care } from '../exits/care.js';
import { alert, type Draft, edit, putCare } from '../exits/desk.js';
import { newCare, openCare } from '../exits/learn.js';
import { heldShares } from '../exits/sellable.js';
import { isEntryRef, isOurs } from '../orders/order.js';
import { meaningOfStatus } from '../orders/step-order.js';
import { boughtLessSold } from '../positions/book.js';

type Snapshot = Extract<EventBody, { kind: 'snapshot' }>;

/**
 * Signed shares of one holding that are certainly in care when the store knows nothing: what executions under our orderRefs left, or what exits
 * of ours still rest for (an adopted position has no execution of ours, but its exits do not rest for anything else). Never more
 * than the broker holds, never the other way round: what our exits sold of an adopted position leaves no short behind.
 */
export function oursOf(told: Snapshot, { contract, quantity }: Pick<BrokerPosition, 'contract' | 'quantity'>): number {
  const side = Math.sign(quantity);
  const ours = told.executions.filter(({ conId, orderRef }) => conId === contract.conId && isOurs(orderRef));
  const explained = Math.max(0, boughtLessSold(ours) * side);
  return side * Math.min(Math.abs(quantity), Math.max(explained, coveredBy(told, contract.conId, side)));
}

/** What the working exits of ours may still trade against a holding of this sign; an OCA group counts once, by its largest member. */
function coveredBy(told: Snapshot, conId: number, side: number): number {
  const groups = new Map<string, number>();
  for (const order of told.openOrders) {
    const isExit = isOurs(order.orderRef) && !isEntryRef(order.orderRef) && order.side === (side > 0 ? 'SELL' : 'BUY');
    if (order.conId !== conId || !isExit || meaningOfStatus(order.status) === 'cancelled') continue;
    const done = told.executions.reduce((sum, { orderRef, shares }) => sum + (orderRef === order.orderRef ? shares : 0), 0);
    const group = order.ocaGroup ?? order.orderRef;
    groups.set(group, Math.max(groups.get(group) ?? 0, order.quantity - done));
  }
  return [...groups.values()].reduce((sum, quantity) => sum + Math.max(0, quantity), 0);
}

/**
 * At the first meeting, care begins with just what is ours of each holding, once all executions of the answer are learned. What executions of
 * ours do not explain was adopted, and its row lost with the store: without this its exits would be cancelled as orphans, and `liquidate-all`
 * would call the holding somebody else's.
 */
export function takeCovered(d: Draft, told: Snapshot): void {
  for (const position of told.positions) {
    const { contract, account, quantity } = position;
    if (account !== d.s.account || !isTradable(contract) || !Number.isSafeInteger(quantity)) continue;
    const ours = oursOf(told, position);
    const known = d.s.care.get(contract.conId);
    if (known) {
      const difference = ours - heldShares(d.s, known);
      if (difference !== 0) putCare(d, { ...known, base: known.base + difference });
    } else if (ours !== 0) recover(d, contract, ours);
  }
}

function recover(d: Draft, contract: BrokerPosition['contract'], ours: number): void {
  edit(d, 'contracts').set(contract.conId, contract);
  const tradeId = `recovered-${contract.conId}-${d.s.tradeDate}`;
  const care: Care = { ...newCare(d, contract), tradeId, side: ours > 0 ? 1 : -1 };
  openCare(d, { ...care, base: ours - heldShares(d.s, care) });
  alert(d, {
    level: 'warning',
    code: 'POSITION_RECOVERED',
    symbol: contract.symbol,
    happened: `${ours} ${contract.symbol} are not in the store, but orders of ours traded them or rest for them at the broker.`,
    did: 'Took them into care again: target and stops start from the price now.',
    todo: 'Nothing, unless the store was lost unnoticed: then look at the disk and at var/backups.',
  });
}
