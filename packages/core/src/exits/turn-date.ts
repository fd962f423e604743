import { previousTradingDate, sessionAt, tradeDateOf } from '../calendar.js';
import { isFinal } from '../orders/order.js';
import type { TradeDate } from '../units.js';
import { alert, type Draft, indexed, update } from './desk.js';
import { executionsOf } from './learn.js';
import { heldShares } from './sellable.js';

/** Fills of the closing minute may still be on their way. */
const CARRIED_AFTER_MS = 60_000;

/**
 * A new trading date: what only earlier dates needed is forgotten, so that an always-on process does not grow. Trades that traded last on the
 * date before stay for one more, with all they are made of: an exchange may break a trade until the next day.
 */
export function turnDate(d: Draft, date: TradeDate): void {
  const before = previousTradingDate(date);
  const closed = [...d.s.closed].filter(([tradeId]) => executionsOf(d, tradeId).some(({ at }) => tradeDateOf(at) >= before));
  const kept = new Set([...[...d.s.care.values()].map(({ tradeId }) => tradeId), ...closed.map(([tradeId]) => tradeId)]);
  const executions = [...d.s.executions].filter(
    ([, { tradeId, at }]) => (tradeId !== null && kept.has(tradeId)) || tradeDateOf(at) >= date,
  );
  const orders = [...d.s.orders].filter(([, { order }]) => !isFinal(order) || kept.has(order.tradeId));
  const indexes = indexed(
    orders.map(([, tracked]) => tracked),
    executions.map(([, execution]) => execution),
  );
  update(d, {
    tradeDate: date,
    executions: new Map(executions),
    orders: new Map(orders),
    ...indexes,
    closed: new Map(closed),
    goneEntries: new Set(),
  });
}

/** After the bell something is still held: day orders have died, and a person must know (I7). Said once a date. */
export function tellCarried(d: Draft): void {
  const session = sessionAt(d.at);
  if (!session.isTradingDay || d.at < session.close + CARRIED_AFTER_MS || d.s.carriedTold === session.date) return;
  update(d, { carriedTold: session.date });
  const carried = [...d.s.care.values()]
    .filter(care => heldShares(d.s, care) !== 0)
    .map(care => `${heldShares(d.s, care)} ${care.contract.symbol}`);
  if (carried.length === 0) return;
  alert(d, {
    level: 'critical',
    code: 'CARRIED_OVERNIGHT',
    symbol: null,
    happened: `Not flat after the close: ${carried.join(', ')}.`,
    did: 'Rests a GTC stop at the real level for each as soon as the broker takes one; what was on its way out is sold when the next session opens.',
    todo: 'Check in TWS that the stops rest; sell by hand in extended hours if that is too late. Holdfast notices.',
  });
}
