import { mono } from '@holdfast/engine/live';
import { pause, waitFor } from '../e2e/waiting.js';
import { openGuardedDesk } from './hang.js';

const DESKS = 3;
/** From a dropped line to an outage in which the reconnecting client waits its longest between two attempts. */
const AWAY_MS = [100, 12_000] as const;

/** The gateway accepts connections again, after outages and restarts of many lengths → the exit manager READY. Milliseconds. */
export async function measureReturns(n: number, say: (line: string) => void): Promise<readonly number[]> {
  const times: number[] = [];
  let begun = 0;
  const one = async (): Promise<void> => {
    const desk = await openGuardedDesk();
    const { gateway } = desk.room;
    try {
      while (begun < n) {
        begun += 1;
        await pause(300 + Math.random() * 500);
        // Short ones are the commonest.
        const ms = AWAY_MS[0] + (AWAY_MS[1] - AWAY_MS[0]) * Math.random() ** 3;
        if (Math.random() < 0.5) gateway.outage(ms);
        else gateway.restart(ms, 3);
        await waitFor('the gateway to be away', () => !gateway.truth().accepting);
        let backAt = 0;
        while (!gateway.truth().accepting) {
          await pause(1);
          backAt = mono();
        }
        const beat = await waitFor(
          'the exit manager to be READY again',
          () => {
            const now = desk.heartbeat('exit-manager');
            return now !== null && now.mono > backAt && now.phase === 'READY' && gateway.truth().clients.includes(10) && now;
          },
          { withinMs: 30_000, lastSeen: desk.story },
        );
        times.push(beat.mono - backAt);
        if (times.length % 20 === 0) say(`${times.length} of ${n} outages`);
      }
    } finally {
      await desk.close();
    }
  };
  await Promise.all(Array.from({ length: Math.min(DESKS, n) }, one));
  return times;
}
