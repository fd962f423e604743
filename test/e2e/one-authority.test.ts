import { existsSync } from 'node:fs';
import type { WireMessage } from '@holdfast/sim/gateway/gateway';
import { openStore } from '@holdfast/store/db';
import { readKillSwitch } from '@holdfast/store/kill-switch';
import { afterEach, expect, it } from 'vitest';
import type { TestProcess } from './harness.js';
import { openRefereedDesk, type RefereedDesk } from './refereed-desk.js';
import { buyByHand } from './trader-by-hand.js';
import { pause, waitFor } from './waiting.js';

/**
 * I10: at most one live exit authority, with real processes. A stopped process still holds its socket, its lease and its intentions; nobody takes
 * its place before it is gone for certain, and nothing of it leaves afterwards.
 */

let desk: RefereedDesk | undefined;
afterEach(async () => {
  await desk?.close();
  desk = undefined;
});

const BEYOND_THE_STOP = 49.4;
const isCancel = ({ direction, clientId, fields }: WireMessage): boolean => direction === 'in' && clientId === 10 && fields[0] === '4';
const isSale = ({ direction, clientId, fields }: WireMessage): boolean => direction === 'in' && clientId === 10 && fields[0] === '3';

async function holding(): Promise<{ desk: RefereedDesk; guard: TestProcess }> {
  desk = await openRefereedDesk({ supervision: { stillMsMax: 2_000 } });
  const of = desk;
  of.walk(50);
  const guard = await of.guard();
  await buyByHand(of, 100, 50.05);
  await waitFor('target and disaster stop to rest', () => of.resting().length === 2, { lastSeen: of.story });
  return { desk: of, guard };
}

/** The same with a supervisor that has started the exit manager. */
async function supervised(): Promise<{ desk: RefereedDesk; guardPid: number }> {
  const { desk: of, guard } = await holding();
  process.kill(guard.pid, 'SIGKILL');
  await of.ended(guard);
  of.start('supervisor');
  return { desk: of, guardPid: await of.ready('exit-manager') };
}

/** SIGSTOP at the very instant the gateway meets such a message. */
function stopAt(of: RefereedDesk, pid: number, fits: (message: WireMessage) => boolean): Promise<void> {
  return new Promise(resolve => {
    of.onWire(message => {
      if (!fits(message)) return;
      of.onWire(null);
      process.kill(pid, 'SIGSTOP');
      resolve();
    });
  });
}

async function soldOnce(of: RefereedDesk): Promise<void> {
  await waitFor('the position to be sold', () => of.held() === 0, { lastSeen: of.story });
  await waitFor('its other exits to be gone', () => of.resting().length === 0, { lastSeen: of.story });
  expect(of.traded('SELL'), of.story()).toBe(100);
  await of.verdict();
}

const resume = (pid: number): void => {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    return; // gone for good, which is what the story is about
  }
};

it.each([
  ['its first cancel', isCancel],
  ['its sale', isSale],
])('I10, I1: an exit manager that hangs at %s is ended before the next one acts; resumed, it does nothing', async (_title, fits) => {
  const { desk: of, guardPid } = await supervised();
  const stopped = stopAt(of, guardPid, fits);
  of.walk(BEYOND_THE_STOP);
  await stopped;
  await of.ready('exit-manager', { notPid: guardPid });
  resume(guardPid);
  await soldOnce(of);
  expect(of.processesOf('exit-manager')).not.toContain(guardPid);
});

it('I10: while a stopped exit manager lives, no other one starts; resumed, it goes on as the only one', async () => {
  const { desk: of, guard } = await holding();
  process.kill(guard.pid, 'SIGSTOP');
  const second = of.start('exit-manager');
  expect(await of.ended(second)).toBe(3);
  of.walk(BEYOND_THE_STOP);
  await pause(500);
  expect(of.held()).toBe(100);
  resume(guard.pid);
  await soldOnce(of);
  expect(of.pidOf('exit-manager')).toBe(guard.pid);
});

it.each([1_000, 1_950, 2_050])('I10, A14: an exit manager that wakes %d ms after liquidate-all was pressed', async wakesMs => {
  const { desk: of, guard } = await holding();
  const pressed = of.run('liquidate-all', '--yes', '--json');
  process.kill(guard.pid, 'SIGSTOP');
  const woken = setTimeout(() => resume(guard.pid), wakesMs);
  const ran = await pressed;
  clearTimeout(woken);
  expect(ran.code, `${ran.out}\n${ran.err}\n${of.story()}`).toBe(0);
  expect(JSON.parse(ran.out)).toMatchObject({ flat: true, left: [], workingOrders: 0 });
  await soldOnce(of);
});

it.each([
  ['its first cancel', isCancel, 300],
  ['its first cancel', isCancel, 2_050],
  ['its sale', isSale, 300],
  ['its sale', isSale, 2_050],
] as const)('I10, A14: an exit manager that hangs at %s, and wakes during liquidate-all', async (_title, fits, wakesMs) => {
  const { desk: of, guardPid } = await supervised();
  const stopped = stopAt(of, guardPid, fits);
  of.walk(BEYOND_THE_STOP);
  await stopped;
  const pressed = of.run('liquidate-all', '--yes', '--json');
  const woken = setTimeout(() => resume(guardPid), wakesMs);
  const ran = await pressed;
  clearTimeout(woken);
  resume(guardPid);
  expect(ran.code, `${ran.out}\n${ran.err}\n${of.story()}`).toBe(0);
  expect(JSON.parse(ran.out)).toMatchObject({ flat: true, left: [], workingOrders: 0 });
  await soldOnce(of);
});

it('I10, A14: liquidate-all while a stranger holds the store, with everything alive: one sale, and the books follow when the lock ends', async () => {
  const { desk: of, guardPid } = await supervised();
  await of.ready('day-trader');
  const stranger = openStore(of.files.store, { busyTimeoutMs: 1_000, synchronous: 'NORMAL', mustExist: true });
  try {
    stranger.exec('BEGIN IMMEDIATE');
    const ran = await of.run('liquidate-all', '--yes', '--json');
    expect(ran.code, `${ran.out}\n${ran.err}\n${of.story()}`).toBe(0);
    expect(JSON.parse(ran.out)).toMatchObject({ flat: true, path: 'takeover', left: [], workingOrders: 0 });
    expect(ran.err).toContain('copy');
    expect(existsSync(of.files.halt)).toBe(true);
    expect(of.traded('SELL'), of.story()).toBe(100);
  } finally {
    stranger.close();
  }
  await of.ready('exit-manager', { notPid: guardPid });
  await soldOnce(of);
  expect(of.look(readKillSwitch).on || existsSync(of.files.halt)).toBe(true);
});
