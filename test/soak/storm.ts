import { mono } from '@holdfast/engine/live';
import type { Random } from '@holdfast/sim/random';
import type { App } from '../e2e/harness.js';
import { pause } from '../e2e/waiting.js';
import { ENTRY_SENT, type Hangman, INSTANTS } from './hangman.js';
import type { ShortDay } from './short-day.js';
import { count, type Tally } from './tally.js';

/** What one storm is made of. */
export interface Weather {
  readonly day: ShortDay;
  readonly hangman: Hangman;
  readonly tally: Tally;
  readonly random: Random;
  readonly isOver: () => boolean;
}

/** Mean time between two blows, machine milliseconds. */
const GAP_MS = 140;
/** A symbol is pushed beyond its stop, its target, or its disaster stop. */
const PUSHES_BPS = [-120, -120, -210, 200, 260] as const;
const HELD_AT_ONCE_MAX = 7;
/** How long a hunt waits for one message. */
const PATIENCE_MS = 1_500;

type Blow = (weather: Weather) => boolean;

const kill =
  (app: App): Blow =>
  ({ hangman }) =>
    hangman.kill(app);

const stop =
  (app: App): Blow =>
  ({ hangman, random }) =>
    hangman.stop(app, random.chance(2, 3) ? random.between(500, 3_000) : random.between(3_000, 12_000));

const fault = (name: string, give: (weather: Weather) => void): Blow =>
  function blow(weather) {
    weather.hangman.disturbed();
    weather.day.note(name);
    count(weather.tally.faults, name);
    give(weather);
    return true;
  };

/**
 * Somebody buys in TWS: a new position, or more of one. Adopted on sight. Not what was sold a moment ago and is still a position in the store:
 * such a purchase continues the old trade, and then realized P&L says nothing until that is flat.
 */
export const buyByHand: Blow = ({ day, random, tally }) => {
  const held = new Set(day.inCare().map(({ conId }) => conId));
  const active = day.activeInStore();
  if (active === null) return false;
  const unsettled = new Set(active.filter(conId => !held.has(conId)));
  const symbols = day.source.instruments.filter(
    ({ conId }) => conId !== day.baseline.conId && !unsettled.has(conId) && day.exchange.isTrading(conId),
  );
  const choice = held.size >= HELD_AT_ONCE_MAX ? symbols.filter(({ conId }) => held.has(conId)) : symbols;
  const one = choice[random.below(choice.length)];
  if (!one) return false;
  day.note(`bought by hand: ${one.symbol}`);
  day.gateway.manualTrade(one.symbol, 'BUY', random.between(1, 12) * 10);
  count(tally.faults, 'bought by hand');
  return true;
};

/** The price of something held jumps. */
export const pushPrice: Blow = ({ day, random, tally }) => {
  const held = day.inCare();
  const one = held[random.below(held.length)];
  const bps = PUSHES_BPS[random.below(PUSHES_BPS.length)];
  if (!one || bps === undefined) return false;
  day.note(`${one.symbol} pushed by ${bps} bps`);
  day.source.sway(one.conId, bps);
  count(tally.faults, 'price pushed');
  return true;
};

/** Weights say how often. */
const BLOWS: readonly (readonly [number, Blow])[] = [
  [30, kill('exit-manager')],
  [26, kill('day-trader')],
  [6, kill('supervisor')],
  [
    14,
    ({ hangman, random }) => {
      const instant = INSTANTS[random.below(INSTANTS.length)];
      if (!instant || hangman.isArmed) return false;
      hangman.arm(instant);
      return true;
    },
  ],
  [3, stop('exit-manager')],
  [2, stop('day-trader')],
  [1, stop('supervisor')],
  [4, fault('line cut', ({ day, random }) => day.gateway.drop(random.chance(1, 3) ? undefined : random.chance(1, 2) ? 10 : 2))],
  [3, fault('broken inside a message', ({ day, random }) => day.line.breakWithin(random.chance(1, 2) ? 'to desk' : 'to gateway'))],
  [3, fault('line mute', ({ day, random }) => day.mute(random.between(200, 3_000)))],
  [2, fault('outage', ({ day, random }) => day.outage(random.between(200, 3_000)))],
  [1, fault('gateway restart, ids roll back', ({ day, random }) => day.outage(random.between(300, 2_500), random.between(1, 6)))],
  [4, fault('orders late', ({ day, random }) => day.lateOrders(random.between(50, 1_200), random.between(300, 2_000)))],
  [14, buyByHand],
  [16, pushPrice],
];
const WEIGHT = BLOWS.reduce((sum, [weight]) => sum + weight, 0);

function draw(random: Random): Blow {
  let left = random.below(WEIGHT);
  for (const [weight, blow] of BLOWS) {
    left -= weight;
    if (left < 0) return blow;
  }
  return pushPrice;
}

/** Blow upon blow for so long; then everything that was done to the desk is undone. */
export async function storm(weather: Weather, ms: number): Promise<void> {
  const { day, hangman, tally, random, isOver } = weather;
  tally.storms += 1;
  day.tellReferee({ fact: 'faults', active: true });
  const until = mono() + ms;
  if (random.chance(1, 4)) hangman.doom(random.between(2, 4));
  while (mono() < until && !isOver()) {
    draw(random)(weather);
    // From at once to four times the mean, short waits the commonest.
    await pause((GAP_MS * random.below(2_000) * random.below(2_000)) / 1_000_000);
  }
  hangman.rest();
  hangman.doom(null);
  await day.heal();
  day.tellReferee({ fact: 'faults', active: false });
  day.note('the storm is over');
}

/** At full speed, one death at a time: at the next message of some kind, as they come when nothing else is wrong. */
export async function hunt(weather: Weather, ms: number): Promise<void> {
  const { day, hangman, random, isOver } = weather;
  const until = mono() + ms;
  day.tellReferee({ fact: 'faults', active: true });
  while (mono() < until && !isOver()) {
    // Entries are few and fast: who wants to meet one must lie in wait for it.
    const instant = random.chance(2, 5) ? ENTRY_SENT : INSTANTS[random.below(INSTANTS.length)];
    if (instant) hangman.arm(instant);
    if (random.chance(1, 2)) pushPrice(weather);
    if (random.chance(1, 3)) buyByHand(weather);
    const patience = mono() + PATIENCE_MS;
    while (hangman.isArmed && mono() < patience && !isOver()) await pause(10);
    await pause(random.between(0, 1_000));
  }
  hangman.rest();
  day.tellReferee({ fact: 'faults', active: false });
}
