import { addBps, type Bps, bps, type Micros, micros, toDollars } from '../units.js';

/**
 * May a stock with this spread be entered? Not when the spread is more than a third of the way to the stop: bought at the ask and valued
 * at the bid, the position would begin a third of its risk in loss (DESIGN §4, "Marks").
 *
 * At $50 with a stop of 90 bps the way is $0.45, so the spread may be $0.15.
 */
export type SpreadCheck =
  | { readonly ok: true; readonly spread: Micros; readonly limit: Micros }
  | { readonly ok: false; readonly code: 'NO_QUOTE' | 'CROSSED_QUOTE' | 'SPREAD_TOO_WIDE'; readonly detail: string };

/** The part of the stop's distance the spread may take. */
const STOP_SHARE = 3;

const usd = (amount: Micros): string => `$${toDollars(amount).toFixed(4)}`;

/** `stopBps` is the stop's distance from the entry, positive. A side that is missing is told as 0. The entry is taken to be the ask. */
export function checkSpread({ bid, ask, stopBps }: { readonly bid: Micros; readonly ask: Micros; readonly stopBps: Bps }): SpreadCheck {
  if (bid <= 0 || ask <= 0) return { ok: false, code: 'NO_QUOTE', detail: `bid ${usd(bid)}, ask ${usd(ask)}: one side is missing` };
  if (bid > ask) return { ok: false, code: 'CROSSED_QUOTE', detail: `bid ${usd(bid)} above ask ${usd(ask)}` };
  const spread = micros(ask - bid);
  const toStop = ask - addBps(ask, bps(-Math.abs(stopBps)));
  const limit = micros(Math.floor(toStop / STOP_SHARE));
  if (spread > limit) {
    return {
      ok: false,
      code: 'SPREAD_TOO_WIDE',
      detail: `spread ${usd(spread)}, at most ${usd(limit)} (a third of the stop's ${usd(micros(toStop))})`,
    };
  }
  return { ok: true, spread, limit };
}
