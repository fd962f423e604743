import { CLIENT_ID } from '@holdfast/core/orders/order';
import { pause } from '../e2e/waiting.js';
import { openShortDay } from '../soak/short-day.js';
import { createArmingClock } from './arming-clock.js';

/** Entries are many after the open; past this the day is begun anew under another seed. */
const DAY_MS = 45_000;
const SPEED = 60;
const DESKS = 2;
/** Where days without an entry would go on for ever. */
const EMPTY_DAYS_MAX = 3;

/**
 * The day trader's entry fills → the exit manager's target and disaster stop work at the exchange. Real days of the synthetic market without
 * faults, fast where nothing happens; while an order is in flight exchange time runs at 1×. Milliseconds.
 */
export async function measureArming(n: number, say: (line: string) => void): Promise<readonly number[]> {
  const times: number[] = [];
  let seed = 100;
  let empty = 0;
  const one = async (): Promise<void> => {
    while (times.length < n) {
      seed += 1;
      const before = times.length;
      await oneDay(seed, times, n);
      empty = times.length === before ? empty + 1 : 0;
      if (empty >= EMPTY_DAYS_MAX)
        throw new Error(`${EMPTY_DAYS_MAX} days in a row without an entry: the market or the rules have changed`);
      say(`${times.length} of ${n} entries armed`);
    }
  };
  await Promise.all(Array.from({ length: DESKS }, one));
  return times.slice(0, n);
}

async function oneDay(seed: number, times: number[], n: number): Promise<void> {
  const day = await openShortDay({ seed, start: '09:31', speed: SPEED, mode: 'guarded', isMinimalAllowed: true });
  try {
    const clock = createArmingClock(CLIENT_ID['day-trader']);
    day.onEvent(clock.observe);
    day.desk.start('supervisor');
    await day.desk.ready('exit-manager');
    await day.desk.ready('day-trader');
    const until = performance.now() + DAY_MS;
    while (performance.now() < until && times.length + clock.times.length < n) await pause(100);
    times.push(...clock.times);
  } finally {
    await day.close();
  }
}
