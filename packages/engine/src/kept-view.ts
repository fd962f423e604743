import type { Write } from '@holdfast/core/effects';
import type { SharedView } from '@holdfast/core/shared-view';
import type { PendingStep } from './emergency-file.js';

/**
 * The shared tables as they would read once these steps were merged. For a start at which the store can be read and not written: what a dead
 * predecessor sent is known from its emergency file alone, and an intent that nobody remembers could be sent again. Follows the rule
 * of the merge itself (store/commit.ts, `replay`): what the store has heard since wins. Housekeeping (alerts, equity, phases) is left out.
 */
export const withKept = (view: SharedView, steps: readonly PendingStep[]): SharedView =>
  steps.reduce((merged, { writes }) => writes.reduce(apply, merged), view);

/** Whether a baseline of this account is among these steps: the account was met, though the store has not heard of it (I12). */
export const keepsBaseline = (steps: readonly PendingStep[], account: string): boolean =>
  steps.some(({ writes }) => writes.some(write => write.do === 'write-baseline' && write.account === account));

function apply(view: SharedView, write: Write): SharedView {
  switch (write.do) {
    case 'write-intent':
      return view.orders.some(({ orderRef }) => orderRef === write.order.orderRef) ? view : withOrder(view, write.order);
    case 'write-order':
      return withOrder(view, write.order);
    case 'write-execution': {
      const { execution, tradeId } = write;
      const known = view.executions.find(({ execId }) => execId === execution.execId);
      if (!known) return { ...view, executions: [...view.executions, { ...execution, tradeId }] };
      // Told again, it may have found its trade: an adopted position begins so.
      if (tradeId === null || known.tradeId === tradeId) return view;
      return { ...view, executions: view.executions.map(other => (other === known ? { ...known, tradeId } : other)) };
    }
    case 'write-position': {
      const { position } = write;
      const others = view.positions.filter(({ tradeId }) => tradeId !== position.tradeId);
      const known = view.positions.find(({ tradeId }) => tradeId === position.tradeId);
      return known && known.updatedAt > position.updatedAt ? view : { ...view, positions: [...others, position] };
    }
    case 'close-position': {
      const { tradeId, contract, closeDate, exitReason } = write.trade;
      const isBlocked = view.closedToday.some(({ symbol }) => symbol === contract.symbol);
      return {
        ...view,
        positions: view.positions.filter(position => position.tradeId !== tradeId),
        closedToday: isBlocked ? view.closedToday : [...view.closedToday, { symbol: contract.symbol, closeDate, exitReason }],
      };
    }
    case 'write-baseline':
      return { ...view, baseline: write.holdings };
    default:
      return view;
  }
}

function withOrder(view: SharedView, order: SharedView['orders'][number]): SharedView {
  const known = view.orders.find(({ orderRef }) => orderRef === order.orderRef);
  if (known && known.updatedAt > order.updatedAt) return view;
  return { ...view, orders: [...view.orders.filter(({ orderRef }) => orderRef !== order.orderRef), order] };
}
