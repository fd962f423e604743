import { mono } from '@holdfast/engine/live';
import { ACME, BOLT, CORE } from '@holdfast/sim/gateway/testing/scripted-market';
import { openDesk, type TestDesk } from '../e2e/harness.js';
import { pause, waitFor } from '../e2e/waiting.js';

/** Desks side by side: a hang is waiting, not work. */
const DESKS = 4;
const BETWEEN_MS = [300, 1_500] as const;

/** SIGSTOP of the exit manager at random instants → its successor READY, three positions in its care. Milliseconds. */
export async function measureHangs(n: number, say: (line: string) => void): Promise<readonly number[]> {
  const times: number[] = [];
  let begun = 0;
  const one = async (): Promise<void> => {
    const desk = await openGuardedDesk();
    try {
      while (begun < n) {
        begun += 1;
        await pause(BETWEEN_MS[0] + Math.random() * (BETWEEN_MS[1] - BETWEEN_MS[0]));
        const pid = desk.pidOf('exit-manager');
        if (pid === null) throw new Error(`no exit manager to stop\n${desk.story()}`);
        const stoppedAt = mono();
        process.kill(pid, 'SIGSTOP');
        const beat = await waitFor(
          'the next exit manager to be READY',
          () => {
            const now = desk.heartbeat('exit-manager');
            return now !== null && now.pid !== pid && now.phase === 'READY' && now;
          },
          { lastSeen: desk.story },
        );
        times.push(beat.mono - stoppedAt);
        if (times.length % 10 === 0) say(`${times.length} of ${n} hangs`);
      }
    } finally {
      await desk.close();
    }
  };
  await Promise.all(Array.from({ length: Math.min(DESKS, n) }, one));
  return times;
}

/** The real supervisor and both workers READY, three positions in care with two resting exits each. Crashes do not add up. */
export async function openGuardedDesk(): Promise<TestDesk> {
  const desk = await openDesk({
    supervision: { minimalWindowMs: 1 },
    config: { entries: { scanner: { enabled: false }, watchlist: ['ACME', 'BOLT'] } },
  });
  try {
    desk.start('supervisor');
    await desk.ready('exit-manager');
    await desk.ready('day-trader');
    for (const { symbol } of [ACME, BOLT, CORE]) desk.room.gateway.manualTrade(symbol, 'BUY', 100);
    await waitFor('two resting exits for each of three positions', () => desk.room.gateway.exchange.openOrders().length === 6, {
      lastSeen: desk.story,
    });
    return desk;
  } catch (error) {
    await desk.close();
    throw error;
  }
}
