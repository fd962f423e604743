import { mono } from '@holdfast/engine/live';
import { pause, waitFor } from '../e2e/waiting.js';
import { MODES, type Mode, openShortDay, restingOf, type ShortDay } from '../soak/short-day.js';
import type { Unprotected } from './bound-report.js';

/** After this long everything bought by hand is armed, and the next fault may come. */
const SETTLE_MS = 20_000;

type Fault = (day: ShortDay) => Promise<void>;

const guardOf = (day: ShortDay): number => {
  const beat = day.desk.heartbeat('exit-manager');
  if (!beat || !day.desk.owns(beat.pid, 'exit-manager')) throw new Error(`no exit manager\n${day.desk.story()}`);
  return beat.pid;
};

/** Buys by hand a moment after `begin`, so that a position opens while nobody watches: the worst instant. */
async function withPurchase(day: ShortDay, begin: () => void): Promise<void> {
  const { exchange, gateway, baseline } = day;
  const held = new Set(day.inCare().map(({ conId }) => conId));
  const one = exchange.instruments.find(({ conId }) => conId !== baseline.conId && !held.has(conId) && exchange.isTrading(conId));
  begin();
  await pause(Math.random() * 60);
  if (one) gateway.manualTrade(one.symbol, 'BUY', 20);
}

const FAULTS: readonly (readonly [string, Fault])[] = [
  [
    'exit manager killed',
    day =>
      withPurchase(day, () => {
        const pid = guardOf(day);
        process.kill(pid, 'SIGKILL');
        day.exposure.lost(mono());
      }),
  ],
  [
    'exit manager hangs',
    day =>
      withPurchase(day, () => {
        process.kill(guardOf(day), 'SIGSTOP');
        day.exposure.lost(mono());
      }),
  ],
  ['line cut', day => withPurchase(day, () => day.gateway.drop(10))],
  ['gateway away for 2 s', day => withPurchase(day, () => day.gateway.outage(2_000))],
];

/** In each protection mode, one fault at a time, each with a purchase that nobody sees: the longest times without protection. */
export async function measureUnprotected(n: number, say: (line: string) => void): Promise<readonly Unprotected[]> {
  const rows: Unprotected[] = [];
  for (const mode of MODES) rows.push(...(await oneMode(mode, n, say)));
  return rows;
}

async function oneMode(mode: Mode, n: number, say: (line: string) => void): Promise<readonly Unprotected[]> {
  const rows: Unprotected[] = [];
  for (const [fault, give] of FAULTS) {
    // A desk for each: positions add up, and there are only so many symbols.
    const times = fault.includes('hangs') ? Math.max(1, Math.ceil(n / 5)) : n;
    const day = await openShortDay({ seed: 300, start: '10:05', speed: 1, mode, isMinimalAllowed: false });
    try {
      day.desk.start('supervisor');
      await day.desk.ready('exit-manager');
      await day.desk.ready('day-trader');
      // One that is armed before the first fault.
      await withPurchase(day, () => undefined);
      await waitFor('the first position to be armed', () => day.inCare().length === 1 && isArmed(day, mode), { lastSeen: day.desk.story });
      day.exposure.restart();
      for (let time = 0; time < times; time += 1) {
        await give(day);
        await waitFor('everything held to be armed', () => isArmed(day, mode), { withinMs: SETTLE_MS, lastSeen: day.desk.story });
        await sellSome(day);
      }
      const { unwatchedMs, nakedMs, newNakedMs } = day.exposure.report(mono());
      rows.push({ mode, fault, times, unwatchedMs, nakedMs, newNakedMs });
      say(`${mode}, ${fault}: ${Math.round(unwatchedMs)} ms unwatched`);
    } finally {
      await day.close();
    }
  }
  return rows;
}

const isArmed = (day: ShortDay, mode: Mode): boolean =>
  day.desk.heartbeat('exit-manager')?.phase === 'READY' &&
  day
    .inCare()
    .filter(({ conId }) => day.exchange.isTrading(conId))
    .every(({ conId }) => {
      const resting = restingOf(day, conId);
      return resting.includes('LMT') && (mode === 'monitored' || resting.includes('STP'));
    });

/** Keeps the number of positions small: their price falls through the stop. */
async function sellSome(day: ShortDay): Promise<void> {
  const held = day.inCare();
  if (held.length < 5) return pause(200);
  for (const { conId } of held.slice(0, 3)) day.source.sway(conId, -150);
  await waitFor('some to be sold', () => day.inCare().length <= held.length - 3, { withinMs: SETTLE_MS, lastSeen: day.desk.story });
}
