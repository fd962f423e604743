import { tradeDateOf } from '../calendar.js';
import { bestMark } from '../market/mark.js';
import type { Micros } from '../units.js';
import { askSnapshot } from './adopt.js';
import type { Care } from './care.js';
import { alert, type Draft, edit, putCare } from './desk.js';

/** Shares for one, or one for shares. Below 3:2 a jump is more likely the market's. */
const RATIOS = [1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100];
/** The price goes on moving after the split is priced in. */
const TOLERANCE = 0.03;

/** Whether a price that went from one to the other may have been split (or merged): 50.00 → 24.90 fits 2:1. */
export function fitsSplit(from: Micros, to: Micros): boolean {
  const ratio = Math.max(from, to) / Math.min(from, to);
  return RATIOS.some(known => Math.abs(ratio / known - 1) <= TOLERANCE);
}

/**
 * A breach far away, in a position carried over a night: a split moves the price before anybody tells the new quantity, and a stop of the old
 * scale would sell it all (DESIGN §4). The levels are suspended until the broker has told the quantity twice, ten seconds apart: the old one, and the
 * fall is real; another one, and the levels start anew from the mark (`relevel`).
 */
export function isSuspended(d: Draft, care: Care, price: Micros): boolean {
  const { conId, symbol } = care.contract;
  if (!care.levels || tradeDateOf(care.openedAt) >= d.s.tradeDate || !fitsSplit(care.levels.reference, price)) return false;
  const since = care.jumpSeenAt;
  if (since === null) {
    putCare(d, { ...care, jumpSeenAt: d.mono });
    askSnapshot(d);
    alert(d, {
      level: 'critical',
      code: 'SPLIT_SUSPECTED',
      symbol,
      happened: `${symbol} stands at ${price / 1e6}, its reference is ${care.levels.reference / 1e6}: an overnight jump that fits a split.`,
      did: 'Suspends its levels until the broker has told the quantity twice. Unchanged, the fall is real and the stop acts; changed, levels start anew.',
      todo: 'Look for a corporate action in TWS; sell by hand there if you know better.',
    });
    return true;
  }
  if (d.s.mismatches.has(conId)) return true;
  const heardAt = d.s.holdings.get(conId)?.heardAt ?? since;
  if (heardAt - since >= d.s.rules.positionAgreeMs) return false;
  if (d.mono - since >= d.s.rules.positionAgreeMs) askSnapshot(d);
  return true;
}

/**
 * The quantity changed and no execution says how (a split, a transfer): prices of the old scale mean nothing any more. Levels start anew, as at an
 * adoption, from a mark that is live now, or else from the next one.
 */
export function relevel(d: Draft, care: Care): Care {
  const { conId } = care.contract;
  const sight = d.s.sights.get(conId);
  const isLive = sight !== undefined && bestMark(sight.book, { now: d.at, marketMovedAt: d.s.marketMovedAt })?.isLive === true;
  if (sight && isLive) edit(d, 'sights').set(conId, { ...sight, breach: undefined, lastLive: null });
  else edit(d, 'sights').delete(conId);
  return { ...care, origin: 'adopted', levels: null, peak: null, jumpSeenAt: null };
}
