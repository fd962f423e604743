import type { ClosedTrade, Write } from '@holdfast/core/effects';
import { averagePrice, bookOf } from '@holdfast/core/positions/book';
import type { PositionRow, SharedView } from '@holdfast/core/shared-view';
import { type EpochMs, type Micros, micros, shares } from '@holdfast/core/units';
import type { PendingStep } from './emergency-file.js';

/**
 * The shared tables as they would read once these steps were merged. For a start at which the store can be read and not written: what a dead
 * predecessor sent is known from its emergency file alone, and an intent that nobody remembers could be sent again. Follows the rule
 * of the merge itself (store/commit.ts, `replay`): what the store has heard since wins. Housekeeping (alerts, equity, phases) is left out.
 */
export const withKept = (view: SharedView, steps: readonly PendingStep[]): SharedView =>
  steps.reduce((merged, { at, writes }) => writes.reduce((view, write) => apply(view, write, at), merged), view);

/** Whether a baseline of this account is among these steps: the account was met, though the store has not heard of it (I12). */
export const keepsBaseline = (steps: readonly PendingStep[], account: string): boolean =>
  steps.some(({ writes }) => writes.some(write => write.do === 'write-baseline' && write.account === account));

function apply(view: SharedView, write: Write, at: EpochMs): SharedView {
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
      const isOther = ({ tradeId }: PositionRow): boolean => tradeId !== position.tradeId;
      const known = view.positions.find(({ tradeId }) => tradeId === position.tradeId);
      const ended = endOf(view, position.tradeId);
      if ((known && known.updatedAt > position.updatedAt) || (ended && ended.updatedAt >= position.updatedAt)) return view;
      // An older copy's row of a trade that has ended since gives way, as in the merge.
      const stays = (row: PositionRow): boolean =>
        isOther(row) && (row.contract.conId !== position.contract.conId || row.updatedAt >= position.updatedAt);
      return { ...view, positions: [...view.positions.filter(stays), position], endedTrades: view.endedTrades?.filter(isOther) ?? [] };
    }
    case 'close-position': {
      const { tradeId, contract, closeDate, exitReason } = write.trade;
      if ((rowOf(view, tradeId)?.updatedAt ?? at) > at) return view;
      const isBlocked = view.closedToday.some(block => block.symbol === contract.symbol && block.closeDate === closeDate);
      return {
        ...view,
        positions: view.positions.filter(position => position.tradeId !== tradeId),
        endedTrades: [...(view.endedTrades ?? []).filter(row => row.tradeId !== tradeId), endedRow(view, write.trade, at)],
        closedToday: isBlocked ? view.closedToday : [...view.closedToday, { symbol: contract.symbol, closeDate, exitReason }],
      };
    }
    case 'write-baseline':
      return { ...view, baseline: write.holdings };
    default:
      return view;
  }
}

const endOf = (view: SharedView, trade: string): PositionRow | undefined => view.endedTrades?.find(({ tradeId }) => tradeId === trade);
const rowOf = (view: SharedView, trade: string): PositionRow | undefined =>
  view.positions.find(({ tradeId }) => tradeId === trade) ?? endOf(view, trade);

/** What the store would read of a trade that ended so (store/trades.ts, `readEndedTrades`): a late word about it must find it, not open another. */
function endedRow(view: SharedView, trade: ClosedTrade, at: EpochMs): PositionRow {
  const { tradeId, account, contract, side, entryAt, agentName, exitReason, exitAt } = trade;
  const known = rowOf(view, tradeId)?.metadata;
  const { base, price } = unexplainedOf(view, trade);
  return {
    ...{ tradeId, account, contract, quantity: shares(0), entryPrice: price, entryAt, agentName, targetPrice: null, stopPrice: null },
    status: 'CLOSING',
    updatedAt: at,
    metadata: {
      ...{ origin: known?.origin ?? trade.origin ?? 'entry', base, side, disasterPrice: null, generation: 0 },
      ...{ exit: { reason: exitReason, decidedAt: exitAt }, failedSells: 0, quarantinedAt: null, signal: known?.signal ?? null },
    },
  };
}

/** As `readEndedTrades` has it, also of an end that an older version kept. */
function unexplainedOf(view: SharedView, trade: ClosedTrade): { base: number; price: Micros | null } {
  const { tradeId, side, quantity, entryPrice } = trade;
  if (trade.base !== undefined) return { base: trade.base, price: trade.basePrice ?? entryPrice };
  const book = bookOf(view.executions.filter(execution => execution.tradeId === tradeId));
  const entrySide = side > 0 ? 'BUY' : 'SELL';
  const opened = [...book.byRoot.values()].reduce((sum, one) => sum + (one.side === entrySide ? one.shares : 0), 0);
  const unexplained = Math.max(0, quantity - opened);
  if (entryPrice === null || unexplained === 0) return { base: side * unexplained, price: entryPrice };
  const paid = (averagePrice(book, entrySide) ?? 0) * opened;
  return { base: side * unexplained, price: micros(Math.round((entryPrice * quantity - paid) / unexplained)) };
}

function withOrder(view: SharedView, order: SharedView['orders'][number]): SharedView {
  const known = view.orders.find(({ orderRef }) => orderRef === order.orderRef);
  if (known && known.updatedAt > order.updatedAt) return view;
  return { ...view, orders: [...view.orders.filter(({ orderRef }) => orderRef !== order.orderRef), order] };
}
