import { atTime, sessionOf } from '@holdfast/core/calendar';
import { epochMs, type TradeDate } from '@holdfast/core/units';

import { compareDesk } from './compare.js';
import type { Storm } from './profile.js';
import { marketOf } from './script.js';
import type { World } from './world.js';

const MINUTE_MS = 60_000;
/** A lost entry keeps its claim until its good-till time plus a minute and one more clean answer (DESIGN §3); then some. */
const QUIET_MS = 6 * MINUTE_MS;
const AFTER_CLOSE_MS = 12 * MINUTE_MS;

/** One trading day: a storm, quiet, a storm (into the close on some days), quiet; each quiet ends with the books compared. */
export function runDay(world: World, date: TradeDate, isFirst: boolean): void {
  const session = sessionOf(date);
  const { open, close } = session;
  const sessionMs = close - open;
  if (!isFirst) beginDay(world, date);
  if (session.earlyClose) world.bit('half day');
  world.say('day', `${date}, ${world.setup.protection}, ${world.setup.ownership}`);
  world.runTo(open);

  const intoTheClose = world.random.chance(1, 3);
  const quietPerMille = Math.ceil((QUIET_MS * 1_000) / sessionMs);
  const first: Storm = { from: 1, to: 480 };
  const second: Storm = { from: 480 + quietPerMille + 5, to: intoTheClose ? 990 : 900 };
  world.faults.planDay(open, close, [first, second]);

  world.tell({ fact: 'faults', active: true });
  world.runTo(epochMs(open + (sessionMs * first.to) / 1_000));
  quiet(world, QUIET_MS);
  world.tell({ fact: 'faults', active: true });
  world.runTo(epochMs(open + Math.floor((sessionMs * second.to) / 1_000)));
  quiet(world, Math.max(QUIET_MS, close + AFTER_CLOSE_MS - world.time.exchange()));
}

/** Everything that was wrong is over: safety was first, now the desk must get well by itself (I6, I11). */
function quiet(world: World, ms: number): void {
  world.faults.end(ms);
  world.tell({ fact: 'faults', active: false });
  world.say('day', 'quiet');
  world.runTo(epochMs(world.time.exchange() + ms));
  world.violate(compareDesk(world));
}

/** The night: the exchange's day turns, and with it the workers' trading date; the desk runs on. */
function beginDay(world: World, date: TradeDate): void {
  const before = world.date;
  const previous = world.source.closes();
  world.runTo(sessionOf(world.date).extendedClose);
  if (world.random.chance(2, 3)) nightlyRestart(world);
  world.runTo(epochMs(sessionOf(date).preOpen));
  world.source = marketOf(world.options, date, previous);
  world.date = date;
  const session = sessionOf(date);
  world.tell({ fact: 'session', session: { open: session.open, close: session.close }, tradeDate: date });
  world.exchange.beginDay({ source: world.source, session });
  world.bit('day turns');
  if (utcHourOf(session.open) !== utcHourOf(sessionOf(before).open)) world.bit('clocks change');
}

/** The gateway's own restart, at a quarter to midnight (reference §8): ids may roll back, the first answers may be empty. */
function nightlyRestart(world: World): void {
  world.runTo(atTime(world.date, '23:45'));
  const { random } = world;
  world.bit('nightly restart');
  world.gateway.gateway.restart({
    downMs: random.between(20_000, 120_000),
    lostLastMs: random.chance(1, 2) ? random.between(500, 120_000) : 0,
    rollBackIds: random.below(4),
    unsettledMs: random.below(8_000),
  });
}

const HOUR_MS = 3_600_000;
const utcHourOf = (at: number): number => Math.floor(at / HOUR_MS) % 24;
