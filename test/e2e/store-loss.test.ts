import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { DATE } from '@holdfast/sim/gateway/testing/scripted-market';
import { readAlerts } from '@holdfast/store/alerts';
import { readBlocks } from '@holdfast/store/blocks';
import { openStore } from '@holdfast/store/db';
import { readKillSwitch } from '@holdfast/store/kill-switch';
import { readLease } from '@holdfast/store/leases';
import { readPositions } from '@holdfast/store/positions';
import { afterEach, expect, it } from 'vitest';
import type { TestProcess } from './harness.js';
import { openRefereedDesk, type RefereedDesk } from './refereed-desk.js';
import { buyByHand } from './trader-by-hand.js';
import { pause, waitFor } from './waiting.js';

/**
 * The store is deleted, damaged or locked while a position is open, with real processes (DESIGN §5, decisions 17 and 18): protection goes on, the
 * supervisor alone restores, nothing is sold twice, and entries wait for a person.
 */

let desk: RefereedDesk | undefined;
afterEach(async () => {
  await desk?.close();
  desk = undefined;
});

interface Noon {
  readonly desk: RefereedDesk;
  readonly supervisor: TestProcess;
  readonly guardPid: number;
}

/** 100 ACME held and protected, supervisor and both workers at work. */
async function noon(): Promise<Noon> {
  desk = await openRefereedDesk();
  const of = desk;
  of.walk(50);
  const guard = await of.guard();
  await buyByHand(of, 100, 50.05);
  await waitFor('target and disaster stop to rest', () => of.resting().length === 2, { lastSeen: of.story });
  process.kill(guard.pid, 'SIGKILL');
  await of.ended(guard);
  const supervisor = of.start('supervisor');
  const guardPid = await of.ready('exit-manager');
  await of.ready('day-trader');
  await waitFor(
    'the daily backup',
    () => existsSync(of.files.backups) && readdirSync(of.files.backups).some(name => name.startsWith('daily-')),
  );
  return { desk: of, supervisor, guardPid };
}

const killSwitch = (of: RefereedDesk) => of.look(readKillSwitch);
const alerts = (of: RefereedDesk): readonly string[] => of.look(db => readAlerts(db, DATE).map(({ code }) => code));

/** Machine milliseconds from `begin` to a restored store and a READY exit manager on it. */
async function restored(of: RefereedDesk, { guardPid, since }: { guardPid: number; since: number }): Promise<number> {
  const isRestored = (): boolean => existsSync(of.files.store) && killSwitch(of).on;
  await waitFor('the store to be restored', isRestored, { lastSeen: of.story });
  await of.ready('exit-manager', { notPid: guardPid });
  return performance.now() - since;
}

async function soldOnce(of: RefereedDesk): Promise<void> {
  of.walk(49.4);
  await waitFor('the position to be sold', () => of.held() === 0, { lastSeen: of.story });
  await waitFor('its other exits to be gone', () => of.resting().length === 0, { lastSeen: of.story });
  expect(of.traded('SELL'), of.story()).toBe(100);
  await of.verdict();
}

const removeStore = (of: RefereedDesk): void => {
  for (const side of ['', '-wal', '-shm']) rmSync(`${of.files.store}${side}`, { force: true });
};
/**
 * Nothing is left of it but the backups: the supervisor, whose open connection would still have every page, dies with it. The next one
 * finds a file that is no database.
 */
function loseForGood(of: RefereedDesk, supervisor: TestProcess): void {
  process.kill(supervisor.pid, 'SIGKILL');
  removeStore(of);
  writeFileSync(of.files.store, 'no database at all '.repeat(4_000));
  of.start('supervisor');
}
const LOSSES: readonly (readonly [title: string, lose: (of: RefereedDesk) => void])[] = [
  ['deleted', removeStore],
  ['overwritten with garbage', of => writeFileSync(of.files.store, 'no database at all '.repeat(4_000))],
];

it.each(LOSSES)('A13, I2, DESIGN §5: the store is %s with a position open', async (title, lose) => {
  const { desk: of, guardPid } = await noon();
  const since = performance.now();
  lose(of);
  const tookMs = await restored(of, { guardPid, since });
  expect(of.resting(), of.story()).toHaveLength(2);
  expect(tookMs, of.story()).toBeLessThan(6_000);
  if (process.env.HOLDFAST_SHOW_TIMES) console.log(`${title}: ${Math.round(tookMs)} ms`); // allowed: measuring
  await soldOnce(of);
  expect(killSwitch(of).reason).toContain('restored');
  expect(alerts(of)).toContain('STORE_RESTORED');
  // At most what lay there: a deleted file leaves nothing.
  const aside = readdirSync(of.files.folder).filter(name => name.includes('set-aside') && name.endsWith('.db'));
  expect(aside).toHaveLength(title === 'deleted' ? 0 : 1);
  expect((await of.run('resume', '--json')).code).toBe(0);
  expect(killSwitch(of).on).toBe(false);
});

it('A13, I2, DESIGN §5: the store is damaged and the exit manager killed at the same moment: what is ours is told by the broker', async () => {
  const { desk: of, supervisor, guardPid } = await noon();
  const since = performance.now();
  process.kill(guardPid, 'SIGKILL');
  loseForGood(of, supervisor);
  await restored(of, { guardPid, since });
  await soldOnce(of);
});

it('I1, DESIGN §5: the store is lost while a sale is on its way to the exchange: nothing is sold twice', async () => {
  const { desk: of, supervisor, guardPid } = await noon();
  const lateMs = 2_500;
  of.onWire(({ direction, clientId, fields }) => {
    if (direction !== 'in' || clientId !== 10 || fields[0] !== '3') return;
    of.onWire(null);
    of.room.gateway.holdOrders(lateMs);
    loseForGood(of, supervisor);
    setTimeout(() => of.room.gateway.holdOrders(0), lateMs);
  });
  const since = performance.now();
  of.walk(49.4);
  await restored(of, { guardPid, since });
  await soldOnce(of);
});

it('A5, DESIGN §5: an adopted position, younger than any backup, keeps its levels and its orders', async () => {
  desk = await openRefereedDesk();
  const of = desk;
  of.walk(50);
  const supervisor = of.start('supervisor');
  const guardPid = await of.ready('exit-manager');
  await of.ready('day-trader');
  of.room.gateway.manualTrade('ACME', 'BUY', 100);
  await waitFor('target and disaster stop to rest', () => of.resting().length === 2, { lastSeen: of.story });
  const before = of.resting();
  const row = () => of.look(db => readPositions(db).map(({ tradeId, stopPrice }) => [tradeId, stopPrice]));
  // The row's plan is committed after the orders have left.
  const known = await waitFor('its levels in the store', () => row().some(([, stop]) => stop !== null) && row());
  const since = performance.now();
  loseForGood(of, supervisor);
  await restored(of, { guardPid, since });
  expect(row(), of.story()).toEqual(known);
  expect(of.resting(), of.story()).toEqual(before);
  await soldOnce(of);
});

it('A10: a symbol sold before the loss stays blocked for the day', async () => {
  const { desk: of, supervisor, guardPid } = await noon();
  await soldOnce(of);
  const since = performance.now();
  loseForGood(of, supervisor);
  await restored(of, { guardPid, since });
  await waitFor('the block', () => of.look(db => readBlocks(db, DATE)).some(({ symbol }) => symbol === 'ACME'), { lastSeen: of.story });
  expect(of.held()).toBe(0);
  expect(of.traded('SELL')).toBe(100);
});

it('A13, I2, DESIGN §5: the store is deleted while no supervisor lives: the exit manager goes on, the next supervisor restores', async () => {
  const { desk: of, supervisor, guardPid } = await noon();
  process.kill(supervisor.pid, 'SIGKILL');
  await of.ended(supervisor);
  removeStore(of);
  await pause(600);
  of.walk(49.4);
  await waitFor('the position to be sold without a store', () => of.held() === 0, { lastSeen: of.story });
  expect(of.heartbeat('exit-manager')?.pid).toBe(guardPid);
  of.start('supervisor');
  await restored(of, { guardPid, since: performance.now() });
  expect(of.traded('SELL'), of.story()).toBe(100);
  await of.verdict();
});

it('I10, DESIGN §3: kill −9 of the exit manager while a stranger holds the store: READY in time, sells, and the books follow', async () => {
  const { desk: of, guardPid } = await noon();
  const stranger = openStore(of.files.store, { busyTimeoutMs: 1_000, synchronous: 'NORMAL', mustExist: true });
  try {
    stranger.exec('BEGIN IMMEDIATE');
    const since = performance.now();
    process.kill(guardPid, 'SIGKILL');
    const isReady = (): boolean => {
      const beat = of.heartbeat('exit-manager');
      return beat !== null && beat.pid !== guardPid && beat.phase === 'READY';
    };
    await waitFor('the next exit manager to be READY', isReady, { lastSeen: of.story });
    const tookMs = performance.now() - since;
    if (process.env.HOLDFAST_SHOW_TIMES) console.log(`locked: ${Math.round(tookMs)} ms`); // allowed: measuring
    expect(tookMs, of.story()).toBeLessThan(6_000);
    of.walk(49.4);
    await waitFor('the position to be sold', () => of.held() === 0, { lastSeen: of.story });
    expect(of.look(db => readLease(db, 'exit-manager')?.holder?.pid)).toBe(guardPid);
  } finally {
    stranger.close();
  }
  await of.ready('exit-manager', { notPid: guardPid });
  expect(of.traded('SELL'), of.story()).toBe(100);
  await of.verdict();
});

it('A4, A13, I2: kill −9 of everything while a stranger holds the store: supervisor and exit manager are back before it lets go, and the lease is on record after', async () => {
  const { desk: of, supervisor, guardPid } = await noon();
  const traderPid = await of.ready('day-trader');
  const stranger = openStore(of.files.store, { busyTimeoutMs: 1_000, synchronous: 'NORMAL', mustExist: true });
  let next: TestProcess;
  try {
    stranger.exec('BEGIN IMMEDIATE');
    for (const pid of [supervisor.pid, guardPid, traderPid]) process.kill(pid, 'SIGKILL');
    await of.ended(supervisor);
    next = of.start('supervisor');
    // Its phase in the store is its predecessor's: nobody can write.
    const isReady = (): boolean => {
      const beat = of.heartbeat('exit-manager');
      return beat !== null && beat.pid !== guardPid && beat.phase === 'READY';
    };
    await waitFor('the next exit manager to be READY', isReady, { lastSeen: of.story });
    expect(next.output()).toContain('the store takes no write');
    of.walk(49.4);
    await waitFor('the position to be sold', () => of.held() === 0, { lastSeen: of.story });
    expect(of.look(db => readLease(db, 'supervisor')?.holder?.pid)).toBe(supervisor.pid);
  } finally {
    stranger.close();
  }
  await waitFor('its lease to be on record', () => of.look(db => readLease(db, 'supervisor')?.holder?.pid) === next.pid, {
    lastSeen: of.story,
  });
  await of.ready('day-trader', { notPid: traderPid });
  expect(of.traded('SELL'), of.story()).toBe(100);
  await of.verdict();
});
