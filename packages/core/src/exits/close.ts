import { tradeDateOf } from '../calendar.js';
import type { ClosedTrade } from '../effects.js';
import { isFinal } from '../orders/order.js';
import { type Micros, micros, shares, toDollars } from '../units.js';
import type { Care } from './care.js';
import { alert, askExecutions, type Booked, type Draft, edit, emit, freshMismatch, mayAct, say, type Tracked, write } from './desk.js';
import { averagePriceOf, executionsOf, isFlat } from './learn.js';
import { cancelExit } from './place.js';
import { probe, repeatCancels } from './sell.js';
import { exitOrders, openEntries } from './sellable.js';
import { stopReason } from './trail.js';

/** Members of the group end by themselves when one fills; only those that do not are cancelled by us. */
const BROKER_CANCELS_MS = 1_000;
/** A trade is closed without the commissions of its last fills after this long; they are asked for, and added when they come. */
const COMMISSION_WAIT_MS = 2_000;

/**
 * Nothing is held any more. The position ends only when no order of the trade can fill again; then trade, block and removal are one
 * transaction (A10). Until that the row stays CLOSING: neither closed nor claimable.
 */
export function closeWhenDone(d: Draft, care: Care): void {
  const live = exitOrders(d.s, care.contract.conId);
  // Nothing learned by this process: the last fill is older than its start.
  const executedAt = d.s.lastExecution.get(care.contract.conId) ?? Number.NEGATIVE_INFINITY;
  const isFresh = d.mono - executedAt < BROKER_CANCELS_MS;
  if (mayAct(d)) {
    for (const tracked of live) {
      if (isFresh && endsByItself(d, tracked, care.tradeId)) continue;
      if (tracked.order.status === 'LOST') {
        probe(d, tracked);
      } else if (tracked.order.status !== 'CANCELLING' && tracked.order.status !== 'INTENT') cancelExit(d, tracked);
    }
  }
  if (mayAct(d)) repeatCancels(d, care.contract.conId);
  if (live.length > 0 || openEntries(d.s, care.tradeId).length > 0) return;
  // The broker holds something else: what is still to be learned (a sale by hand, an overshoot) belongs to this trade.
  if (d.s.mismatches.has(care.contract.conId) && d.mono - executedAt < COMMISSION_WAIT_MS) return;
  const executions = executionsOf(d, care.tradeId);
  // Nothing is known to have left it: what this process does not remember the broker may, and a row without its executions is no end.
  const leavingSide = care.side > 0 ? 'SELL' : 'BUY';
  if (!mayAct(d) && !executions.some(({ side }) => side === leavingSide)) return;
  const commissionsMissing = executions.some(({ commission }) => commission === undefined);
  if (commissionsMissing && d.mono - executedAt < COMMISSION_WAIT_MS) return;
  // One that overtook its execution was told of nothing known: the answer tells it again, now that the execution is (I6). A question of the time since
  // then does for this one too: after a store was lost ten trades may end at once (I9).
  if (commissionsMissing) askExecutions(d, COMMISSION_WAIT_MS);
  close(d, care, tradeResult(d, care, executions));
}

/** A member of its group has filled, so the broker is cancelling it. What was sold by hand, or a fill taken back, cancels nothing. */
const endsByItself = (d: Draft, { order }: Tracked, tradeId: string): boolean =>
  order.ocaGroup !== null &&
  executionsOf(d, tradeId).some(
    ({ orderRef, shares: filled }) => filled > 0 && d.s.orders.get(orderRef)?.order.ocaGroup === order.ocaGroup,
  );

/** Ends a position in care. The block is dated by its last exit execution. */
export function close(d: Draft, care: Care, trade: ClosedTrade): void {
  const { conId } = care.contract;
  edit(d, 'care').delete(conId);
  edit(d, 'closed').set(care.tradeId, care);
  edit(d, 'sights').delete(conId);
  keepLooking(d, conId);
  write(d, { do: 'close-position', trade });
  if (d.s.link.isUp) emit(d, { do: 'unsubscribe-pnl', conId });
  say(d, 'position-closed', {
    symbol: care.contract.symbol,
    tradeId: care.tradeId,
    reason: trade.exitReason,
    quantity: trade.quantity,
    entryPrice: trade.entryPrice === null ? null : toDollars(trade.entryPrice),
    exitPrice: trade.exitPrice === null ? null : toDollars(trade.exitPrice),
    pnl: trade.pnl === null ? null : toDollars(trade.pnl),
  });
}

/**
 * What the broker holds besides a trade that ended, unexplained, is asked about afresh and at the pace of one just seen: with the trade gone nothing
 * else would look at the instrument before the minute's reconcile.
 */
function keepLooking(d: Draft, conId: number): void {
  const quantity = d.s.holdings.get(conId)?.quantity ?? 0;
  if (d.s.mismatches.has(conId) && quantity !== (d.s.baseline?.get(conId) ?? 0))
    edit(d, 'mismatches').set(conId, freshMismatch(quantity, d.mono));
  else edit(d, 'mismatches').delete(conId);
}

/** A late commission changes a closed trade's result; the row is written anew, the block stays as it is. */
export function rewriteClosed(d: Draft, care: Care): void {
  write(d, { do: 'close-position', trade: tradeResult(d, care, executionsOf(d, care.tradeId)) });
}

/** Broker and store agreed twice that the shares are gone, and no execution says how: closed without an exit price. */
export function closeVanished(d: Draft, care: Care): void {
  alert(d, {
    level: 'critical',
    code: 'POSITION_VANISHED',
    symbol: care.contract.symbol,
    happened: `The broker twice reported no ${care.contract.symbol}, and no execution explains it.`,
    did: 'Closed the position in the store as vanished, without an exit price; re-entry is blocked today.',
    todo: 'Look for a transfer, a corporate action or a trade older than today in TWS.',
  });
  for (const tracked of exitOrders(d.s, care.contract.conId))
    if (!isFinal(tracked.order) && tracked.order.status === 'SUBMITTED') cancelExit(d, tracked);
  closeWithoutPrice(d, care);
}

const VANISHED = 'vanished';

/** Its end is known, and nothing of how. */
export function closeWithoutPrice(d: Draft, care: Care): void {
  const exit = { reason: VANISHED, detail: '', decidedAt: d.at, attempts: 0, emptyAttempts: 0, lastAttempt: null };
  const ended: Care = { ...care, exit };
  close(d, ended, endOf(d, ended));
}

/** What is known of a trade that has ended. Shares that vanished have no price, and no result: it is not as if they had been given away. */
export function endOf(d: Draft, care: Care): ClosedTrade {
  const result = tradeResult(d, care, executionsOf(d, care.tradeId));
  if (care.exit?.reason !== VANISHED || isFlat(d, care)) return result;
  const exitAt = care.exit.decidedAt;
  return { ...result, exitPrice: null, pnl: null, exitAt, closeDate: tradeDateOf(exitAt), exitReason: VANISHED };
}

/** The trade from its executions; an adopted base counts at the reference price it was adopted at. P&L is net of commissions. */
export function tradeResult(d: Draft, care: Care, executions: readonly Booked[]): ClosedTrade {
  const [entrySide, leavingSide] = care.side > 0 ? (['BUY', 'SELL'] as const) : (['SELL', 'BUY'] as const);
  const entry = averagePriceOf(executions, entrySide);
  const exit = averagePriceOf(executions, leavingSide);
  const base = Math.max(0, care.base * care.side);
  const reference = care.levels?.reference ?? entry.price ?? micros(0);
  const quantity = entry.quantity + base;
  const entryValue = (entry.price ?? 0) * entry.quantity + reference * base;
  const commission = micros(executions.reduce((sum, execution) => sum + (execution.commission ?? 0), 0));
  const exitValue = (exit.price ?? 0) * exit.quantity;
  // What made it flat, whichever side that was on: an overshoot carried over a night is bought back on the day that blocks re-entry (I4).
  const last = executions.at(-1);
  const exitAt = last?.at ?? d.at;
  return {
    tradeId: care.tradeId,
    account: care.account,
    contract: care.contract,
    side: care.side,
    origin: care.origin,
    quantity: shares(quantity),
    base: care.base,
    basePrice: care.base === 0 ? null : reference,
    entryPrice: quantity > 0 ? micros(Math.round(entryValue / quantity)) : null,
    exitPrice: exit.price,
    entryAt: care.openedAt,
    exitAt,
    exitReason: reasonOf(
      d,
      care,
      executions.filter(({ side }) => side === leavingSide),
    ),
    closeDate: tradeDateOf(exitAt),
    pnl: netOf({ executions, care, reference, commission, exitValue, entryValue }),
    commission,
    agentName: care.agentName,
  };
}

interface Sums {
  readonly executions: readonly Booked[];
  readonly care: Care;
  readonly reference: Micros;
  readonly commission: Micros;
  readonly exitValue: number;
  readonly entryValue: number;
}

/** Exact: sums price × shares of every execution, no average in between. */
function netOf({ executions, care, reference, commission }: Sums): Micros {
  let cash = -care.base * reference;
  for (const { side, price, shares: quantity } of executions) cash += (side === 'SELL' ? 1 : -1) * price * quantity;
  return micros(Math.round(cash * care.contract.multiplier) - commission);
}

/** Which order sold the most shares names the reason: `target`, `stop`, `end-of-day`, `manual`, … */
function reasonOf(d: Draft, care: Care, leaving: readonly Booked[]): string {
  const sums = new Map<string, number>();
  for (const execution of leaving) {
    const reason = reasonOfOne(d, care, execution);
    sums.set(reason, (sums.get(reason) ?? 0) + execution.shares);
  }
  let best = care.exit?.reason ?? 'unknown';
  let most = 0;
  for (const [reason, sum] of sums) if (sum > most) [best, most] = [reason, sum];
  return best;
}

function reasonOfOne(d: Draft, care: Care, { orderRef }: Booked): string {
  const order = d.s.orders.get(orderRef)?.order;
  if (!order) return orderRef.startsWith('HFL-') ? 'liquidate' : orderRef === '' ? 'manual' : (care.exit?.reason ?? 'manual');
  if (order.role === 'exit' || order.type === 'MKT') return care.exit?.reason ?? 'exit';
  if (order.role === 'target') return 'target';
  return order.stopPrice === care.levels?.stop ? stopReason(care) : 'disaster-stop';
}
