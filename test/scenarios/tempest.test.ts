import { CLIENT_ID } from '@holdfast/core/orders/order';
import type { ExchangePort } from '@holdfast/sim/exchange-types';
import { createRandom } from '@holdfast/sim/random';
import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';
import { FAULT_KINDS, stormMarket, TempestFaults } from './tempest-faults.js';

/**
 * Denser storms than `storm.test.ts`: deaths and cuts around single sends, late and repeated messages, a stranger's lock on the store, trades
 * by hand, corrections and commands, in all three ways of protection. A failing seed replays exactly:
 * `TEMPEST=<seed> vitest run --project unit tempest`; `TEMPEST_SEEDS=<n>` runs more of them.
 */
const STORM_S = 300;
const QUIET_S = 200;
const PROTECTIONS = ['guarded', 'monitored', 'resting'] as const;
/** Every fifth tempest runs into the end of the day (flat by 15:45), every other one has an operator who trades by hand. */
const isLate = (seed: number): boolean => seed % 5 === 0;
const hasHands = (seed: number): boolean => seed % 2 === 1;
/** How long after a trade by hand an exit that was under way may still cross it. */
const HAND_GRACE_MS = 30_000;
/** Over all seeds of a run of at least so many. */
const ENOUGH_SEEDS = 60;
const FIRED_MIN = 20;
const SOLD_MIN = 60;

interface Outcome {
  readonly stage: Stage;
  readonly faults: TempestFaults;
  readonly exits: Exits;
}

interface Exits {
  /** Exit orders that filled, wholly or in part. */
  readonly sold: Set<string>;
  /** Exits that grew the position or turned it round. */
  readonly wrong: string[];
}

/** Reads at the exchange what exits did to the position, from the first share on. */
function watchExits(exchange: ExchangePort): Exits {
  const exits: Exits = { sold: new Set(), wrong: [] };
  let held = 0;
  let handAt = Number.NEGATIVE_INFINITY;
  exchange.subscribe(event => {
    if (event.kind !== 'execution') return;
    const { side, shares, clientId, orderRef, at } = event.execution;
    const before = held;
    held += side === 'BUY' ? shares : -shares;
    if (clientId === 0) handAt = at;
    if (clientId !== CLIENT_ID['exit-manager']) return;
    if (side === 'SELL') exits.sold.add(orderRef ?? '');
    const isTurned = held !== 0 && Math.sign(held) === -Math.sign(before);
    if (at - handAt > HAND_GRACE_MS && (isTurned || Math.abs(held) > Math.abs(before)))
      exits.wrong.push(`${orderRef} ${side} ${shares}: ${before} -> ${held}`);
  });
  return exits;
}

function tempest(seed: number): Outcome {
  const random = createRandom(seed + 5_000_000);
  const from = isLate(seed) ? '15:38:00' : '09:45:00';
  const stage = new Stage({
    market: stormMarket({ seed, from, stormS: STORM_S, quietS: QUIET_S }),
    from,
    rules: { protection: PROTECTIONS[random.below(PROTECTIONS.length)] ?? 'guarded' },
    bounds: { unguardedMsMax: 30_000, exitWithinMs: 60_000 },
  });
  const exits = watchExits(stage.exchange);
  const faults = new TempestFaults(stage, random, hasHands(seed));
  for (let second = 0; second < STORM_S; second += 1) faults.storm(second);
  faults.end();
  for (let second = 0; second < QUIET_S; second += 1) {
    if (second % 5 === 0) faults.book();
    stage.run(1_000);
  }
  return { stage, faults, exits };
}

/** What is wrong after the quiet spell, in which the exit manager must have got well by itself. */
function problems({ stage, faults, exits }: Outcome, seed: number): string[] {
  const found = faults.wrongStops.map(why => `stopped in the storm: ${why}`);
  if (stage.stopped) found.push(`stopped: ${stage.stopped.why}`);
  // The referee of I3 takes what was bought or sold by hand at its average cost, the exit manager at the price it adopted it: not comparable.
  for (const { invariant, detail } of stage.referee.report())
    if (invariant !== 'I3' || faults.handTrades === 0) found.push(`${invariant} ${detail}`);
  found.push(...exits.wrong.map(exit => `I1/I12 ${exit}`));
  const { phase } = stage.exitManager.facts();
  if (phase !== 'READY') found.push(`phase ${phase}`);
  const held = stage.position();
  if (stage.heldInStore() !== held) found.push(`I6 the store says ${stage.heldInStore()}, the broker ${held}`);
  const resting = stage.resting();
  if (held !== 0 && isLate(seed)) found.push(`I7 not flat at the end of the day: ${held}`);
  else if (held !== 0 && !resting.some(line => line.startsWith(held > 0 ? 'SELL' : 'BUY'))) found.push(`I2 nothing rests for ${held}`);
  // A bid of the day trader's at its limit may still work; every other order belongs to a position.
  if (held === 0) found.push(...resting.filter(line => !line.includes('LMT 51.00')).map(line => `orphan ${line}`));
  return found;
}

const { TEMPEST: only, TEMPEST_SEEDS: wanted = '60' } = process.env; // allowed: one seed, or more of them, by hand
const seeds = only === undefined ? Array.from({ length: Number(wanted) }, (_, index) => index + 1) : [Number(only)];

describe('tempests on stage', () => {
  const fired = new Map<string, number>();
  let sold = 0;

  it.each(seeds)('I1, I2, I3, I5, I6, I7, I12: seed %i', seed => {
    const outcome = tempest(seed);
    const { stage, faults, exits } = outcome;
    try {
      for (const [kind, count] of Object.entries(faults.fired)) fired.set(kind, (fired.get(kind) ?? 0) + count);
      sold += exits.sold.size;
      const told = `TEMPEST=${seed} ${JSON.stringify(faults.fired)}\n${stage.story.slice(only === undefined ? -80 : -400).join('\n')}`;
      expect(problems(outcome, seed), told).toEqual([]);
    } finally {
      stage.close();
    }
  });

  it.runIf(seeds.length >= ENOUGH_SEEDS)(
    'every kind of fault fired and exits were sold: a storm that injects nothing proves nothing',
    () => {
      const told = JSON.stringify({ fired: Object.fromEntries(fired), sold }, null, 1);
      expect(
        FAULT_KINDS.filter(kind => (fired.get(kind) ?? 0) < FIRED_MIN),
        told,
      ).toEqual([]);
      expect(sold, told).toBeGreaterThanOrEqual(SOLD_MIN);
    },
  );
});
