import { isRegularHours, sessionAt } from '../calendar.js';
import { exitSide } from '../events.js';
import { type Shares, shares } from '../units.js';
import type { Care } from './care.js';
import { type Draft, putCare, type Tracked } from './desk.js';
import { cancelExit, modifyExit, mustGoToShrink, placeExit } from './place.js';
import { askAboutSilence, probe, repeatCancels } from './sell.js';
import { exitOrders, isReplaceable, isWrongWay, sellableShares } from './sellable.js';

/** A change is given this long to be answered before the next one. */
const CHANGE_ANSWER_MS = 3_000;

const isCarryingStop = ({ order }: Tracked): boolean => order.type === 'STP' && order.tif === 'GTC';

/**
 * Whether a position is to be carried rather than protected or sold now: the session is over, or it has not begun and the position comes
 * from an earlier one (on its way out, or under the stop it was carried with).
 */
export function isCarried(d: Draft, care: Care): boolean {
  if (isRegularHours(d.at)) return false;
  const { isTradingDay, close } = sessionAt(d.at);
  return !isTradingDay || d.at >= close || care.exit !== null || exitOrders(d.s, care.contract.conId).some(isCarryingStop);
}

/**
 * What could not be sold by the close (halted, broker lost) is carried under one GTC stop at its real level (I7). The sale itself stays
 * decided in the position's row, and so it is queued: it begins with the next session, by withdrawing this stop. One order at a time can sell.
 * Day orders die with the session; one that still works is withdrawn first, and its word is waited for.
 */
export function carry(d: Draft, care: Care, held: Shares): void {
  const { conId } = care.contract;
  // A refused sale is tried again with the next session, not after its pause.
  const waiting: Care = { ...care, retryAt: null };
  if (care.retryAt !== null) putCare(d, waiting);
  repeatCancels(d, conId);
  askAboutSilence(d, conId);
  const live = exitOrders(d.s, conId);
  const carries = (tracked: Tracked): boolean => isCarryingStop(tracked) && !isWrongWay(tracked, held);
  const stops = live.filter(tracked => carries(tracked) && tracked.order.status !== 'LOST');
  const [stop] = stops;
  for (const tracked of live) {
    if (tracked === stop) continue;
    if (tracked.order.status === 'LOST') {
      // A lost stop is replaced under its own id below; everything else is asked about.
      if (!carries(tracked) || stop !== undefined || !isReplaceable(tracked)) probe(d, tracked);
    } else if (tracked.order.status === 'SUBMITTED' || tracked.order.status === 'INACTIVE') cancelExit(d, tracked);
  }
  const lostStops = live.filter(tracked => carries(tracked) && isReplaceable(tracked));
  if (stop) fit(d, waiting, stop);
  else if (live.length === lostStops.length && lostStops.length <= 1) place(d, waiting, { held, lost: lostStops[0] ?? null });
  else for (const tracked of lostStops.slice(1)) probe(d, tracked);
}

function place(d: Draft, care: Care, { held, lost }: { held: Shares; lost: Tracked | null }): void {
  if (!care.levels || (care.restRetryAt !== null && d.mono < care.restRetryAt)) return;
  const quantity = sellableShares(d.s, care, { mono: d.mono, without: lost ? [lost.order.orderRef] : [] });
  if (quantity <= 0) return;
  const generation = care.generation + 1;
  putCare(d, { ...care, generation });
  placeExit(d, care, {
    role: 'disaster-stop',
    side: exitSide(held),
    quantity,
    type: 'STP',
    tif: 'GTC',
    stopPrice: care.levels.stop,
    ocaGroup: `${care.tradeId}-x${d.s.lease}-g${generation}`,
    inPlaceOf: lost,
  });
}

/** Follows what others sell or buy meanwhile, and levels that were set anew. */
function fit(d: Draft, care: Care, stop: Tracked): void {
  const { order, modified } = stop;
  if (order.status !== 'SUBMITTED' || (modified && d.mono - modified.at < CHANGE_ANSWER_MS)) return;
  if (care.restRetryAt !== null && d.mono < care.restRetryAt) return;
  const quantity = sellableShares(d.s, care, { mono: d.mono, without: [order.orderRef] });
  if (quantity <= 0 || !care.levels) {
    if (!d.s.mismatches.has(care.contract.conId)) cancelExit(d, stop);
    return;
  }
  const total = shares(order.filled + quantity);
  if (total === order.quantity && order.stopPrice === care.levels.stop) return;
  if (mustGoToShrink(stop, total)) cancelExit(d, stop);
  else modifyExit(d, stop, { quantity: total, stopPrice: care.levels.stop });
}
