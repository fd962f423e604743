import { alert, type Draft, type ExitManagerState, emit } from '../exits/desk.js';
import { toDollars } from '../units.js';

/** One thing that was not as we had it, in words for the journal and the operator. */
export interface Correction {
  readonly symbol: string;
  readonly code: 'EXECUTION_LEARNED' | 'EXECUTION_CORRECTED' | 'ORDER_FOUND' | 'ORDER_SETTLED';
  readonly detail: string;
}

/** What an answer of the broker has changed: executions we had not heard of, orders we did not know, orders whose state was another. */
export function correctionsBetween(before: ExitManagerState, after: ExitManagerState): readonly Correction[] {
  const corrections: Correction[] = [];
  for (const [root, told] of after.executions) {
    const known = before.executions.get(root);
    if (known === told || known?.execId === told.execId) continue;
    const { symbol, side, shares, price, orderRef, execId } = told;
    const by = orderRef === '' ? 'by hand' : orderRef;
    const what = `${side} ${shares} ${symbol} at ${toDollars(price)} (${by}, ${execId})`;
    if (known)
      corrections.push({ symbol, code: 'EXECUTION_CORRECTED', detail: `${what} replaces ${known.execId}: ${known.shares} shares` });
    else corrections.push({ symbol, code: 'EXECUTION_LEARNED', detail: what });
  }
  for (const [orderRef, { order }] of after.orders) {
    const known = before.orders.get(orderRef)?.order;
    const { symbol } = order.contract;
    if (!known)
      corrections.push({
        symbol,
        code: 'ORDER_FOUND',
        detail: `${orderRef}: ${order.side} ${order.quantity}, ${order.role}, not on record`,
      });
    else if (known.status !== order.status)
      corrections.push({
        symbol,
        code: 'ORDER_SETTLED',
        detail: `${orderRef}: ${known.status} is ${order.status}${order.reason ? `, ${order.reason}` : ''}`,
      });
  }
  return corrections;
}

/** How many are named in the alert; all are in the journal. */
const NAMED_MAX = 5;

/** Each correction is a row of `decisions`; together they are one message to the operator. */
export function tellCorrections(d: Draft, corrections: readonly Correction[]): void {
  if (corrections.length === 0) return;
  for (const { symbol, code, detail } of corrections)
    emit(d, { do: 'write-decision', decision: { symbol, strategy: 'reconcile', verdict: 'hold', code, detail, numbers: {} } });
  const symbols = new Set(corrections.map(({ symbol }) => symbol));
  const named = corrections.slice(0, NAMED_MAX).map(({ detail }) => detail);
  const rest = corrections.length > NAMED_MAX ? `; and ${corrections.length - NAMED_MAX} more` : '';
  alert(d, {
    level: 'info',
    code: 'RECONCILED',
    symbol: symbols.size === 1 ? ([...symbols][0] ?? null) : null,
    happened: `The broker's answer differed from the store in ${corrections.length} point(s): ${named.join('; ')}${rest}.`,
    did: 'Took the broker for right where it knows (executions, then its orders); an order it left out counts until its fate is proven.',
    todo: 'Nothing. If it repeats without outages or trades by hand, look at the connection; every point is in `decisions` (strategy reconcile).',
  });
}
