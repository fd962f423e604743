import { isRegularHours } from '../calendar.js';
import { bestMark } from '../market/mark.js';
import { bpsBetween, type Micros, micros, toTick } from '../units.js';
import type { Care, Levels } from './care.js';
import { type Draft, edit, NO_SIGHT, putCare, say } from './desk.js';
import type { ExitRules } from './rules.js';

/** The stop is raised in steps of this part of what may be given back, so that not every mark is a commit and a change at the broker. */
const STEPS_PER_GIVE_BACK = 10;

type Side = Pick<Care, 'side' | 'contract'>;

/** The better of two prices for the position, and the worse. */
const better = (side: 1 | -1, a: Micros, b: Micros): Micros => (side > 0 ? micros(Math.max(a, b)) : micros(Math.min(a, b)));
const worse = (side: 1 | -1, a: Micros, b: Micros): Micros => (side > 0 ? micros(Math.min(a, b)) : micros(Math.max(a, b)));

/**
 * Where the stop stands once `peak` was seen: the give-back below it (above, for a short), in basis points of the reference like every level, on the
 * tick towards the entry. Entry 50.00, peak 50.60, give-back 60 → 50.30. Null below the arming gain, and with the rule off.
 */
export function trailingStop(
  { reference, peak }: { reference: Micros; peak: Micros },
  { side, contract }: Side,
  rules: ExitRules,
): Micros | null {
  const { trailArmBps, trailGiveBackBps } = rules;
  if (trailArmBps === null || bpsBetween(reference, peak) * side < trailArmBps) return null;
  const level = micros(Math.round(peak - (side * reference * trailGiveBackBps) / 10_000));
  return toTick(level, contract.tick, side > 0 ? 'up' : 'down');
}

/** Levels that were set anew (another average price): what the trail had reached is not given up for them. */
export const keepTrail = (next: Levels, care: Pick<Care, 'side' | 'levels' | 'peak'>): Levels =>
  care.peak === null || care.levels === null ? next : { ...next, stop: better(care.side, next.stop, care.levels.stop) };

/**
 * Raises the stop behind the best price that was believed: the worse of two successive live marks, since one alone may be crazy. The stop only ever
 * tightens, and peak and stop are in the position's row: a restart cannot loosen them.
 */
export function trail(d: Draft, care: Care): Care {
  const { rules } = d.s;
  if (rules.trailArmBps === null || d.s.isMinimal || !care.levels || care.exit || !isRegularHours(d.at)) return care;
  const { conId, symbol, tick } = care.contract;
  const sight = d.s.sights.get(conId) ?? NO_SIGHT;
  const seen = bestMark(sight.book, { now: d.at, marketMovedAt: d.s.marketMovedAt });
  if (!seen?.isLive || seen.mark.source === 'portfolio' || seen.mark.price === sight.lastLive) return care;
  edit(d, 'sights').set(conId, { ...sight, lastLive: seen.mark.price });
  if (sight.lastLive === null) return care;
  const { reference, stop } = care.levels;
  const believed = worse(care.side, sight.lastLive, seen.mark.price);
  const peak = care.peak === null ? believed : better(care.side, care.peak, believed);
  const next = trailingStop({ reference, peak }, care, rules);
  const step = Math.max(tick, (reference * rules.trailGiveBackBps) / 10_000 / STEPS_PER_GIVE_BACK);
  if (next === null || (next - stop) * care.side < step) return care;
  const raised: Care = { ...care, peak, levels: { ...care.levels, stop: next } };
  putCare(d, raised);
  say(d, 'stop-trails', { symbol, peak: peak / 1e6, stop: next / 1e6 });
  return raised;
}

/** What the review calls a sale at the stop's level. */
export const stopReason = ({ peak }: Pick<Care, 'peak'>): 'stop' | 'trailing-stop' => (peak === null ? 'stop' : 'trailing-stop');
