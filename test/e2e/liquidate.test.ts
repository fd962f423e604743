import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { fromDollars } from '@holdfast/core/units';
import { formatHeartbeat, parseHeartbeat } from '@holdfast/engine/heartbeat';
import { BOLT } from '@holdfast/sim/gateway/testing/scripted-market';
import { readKillSwitch } from '@holdfast/store/kill-switch';
import { afterEach, describe, expect, it } from 'vitest';
import type { TestProcess } from './harness.js';
import { openRefereedDesk, type Ran, type RefereedDesk } from './refereed-desk.js';
import { buyByHand } from './trader-by-hand.js';
import { pause, waitFor } from './waiting.js';

/**
 * `liquidate-all` whatever else is alive, hung, dead or damaged (A14, DESIGN §6): flat but for the baseline, every share sold once, entries off
 * afterwards.
 */

let desk: RefereedDesk | undefined;
afterEach(async () => {
  await desk?.close();
  desk = undefined;
});

const KEPT = 50;

/** 100 ACME bought and protected, 50 BOLT held since before the first start. */
async function holdingDesk(): Promise<{ desk: RefereedDesk; guard: TestProcess }> {
  desk = await openRefereedDesk({ holdings: [{ conId: BOLT.conId, quantity: KEPT, averageCost: fromDollars(18) }] });
  desk.walk(50);
  const guard = await desk.guard();
  await buyByHand(desk, 100, 50.05);
  const of = desk;
  await waitFor('target and disaster stop to rest', () => of.resting().length === 2, { lastSeen: of.story });
  return { desk, guard };
}

interface Told {
  readonly flat: boolean;
  readonly path: string;
  readonly left: readonly unknown[];
  readonly handsOff: readonly { readonly symbol: string; readonly quantity: number }[];
  readonly workingOrders: number;
}

const press = (desk: RefereedDesk): Promise<Ran> => desk.run('liquidate-all', '--yes', '--json');

function toldBy(ran: Ran, desk: RefereedDesk): Told {
  expect(ran.code, `${ran.out}\n${ran.err}\n${desk.story()}`).toBe(0);
  expect(ran.out.trim().split('\n')).toHaveLength(1);
  return JSON.parse(ran.out) as Told;
}

/** At the exchange: nothing in care, nothing working, one sale's worth of shares, the baseline as it was. */
function expectSoldOnce(desk: RefereedDesk): void {
  expect(desk.held(), desk.story()).toBe(0);
  expect(desk.traded('SELL'), desk.story()).toBe(100);
  expect(desk.resting(), desk.story()).toEqual([]);
  expect(desk.held(BOLT.conId)).toBe(KEPT);
  expect(desk.resting(BOLT.conId)).toEqual([]);
}

const FLAT = { flat: true, left: [], workingOrders: 0, handsOff: [{ symbol: 'BOLT', quantity: KEPT }] };
const entriesAreOff = (desk: RefereedDesk): boolean => desk.look(db => readKillSwitch(db).on);

async function dies(desk: RefereedDesk, process_: TestProcess): Promise<void> {
  process.kill(process_.pid, 'SIGKILL');
  await desk.ended(process_);
}

it('A14: with the exit manager alive it is asked', async () => {
  const { desk, guard } = await holdingDesk();
  expect(toldBy(await press(desk), desk)).toMatchObject({ ...FLAT, path: 'exit-manager' });
  expectSoldOnce(desk);
  await desk.verdict();
  expect(desk.reasons()).toEqual(['liquidate']);
  expect(entriesAreOff(desk)).toBe(true);
  expect(desk.pidOf('exit-manager')).toBe(guard.pid);
});

it('A14, D7: a broken desk.yaml does not stand in the way of the emergency, and a person resumes afterwards', async () => {
  const { desk } = await holdingDesk();
  writeFileSync(desk.files.config, 'exits: { targetBps: many }\n');
  const ran = await press(desk);
  expect(toldBy(ran, desk)).toMatchObject({ ...FLAT, path: 'exit-manager' });
  expect(ran.err).toContain('exits.targetBps');
  expect(ran.err).toContain('Going on with the last configuration that worked');
  expectSoldOnce(desk);
  expect(entriesAreOff(desk)).toBe(true);
  expect(existsSync(desk.files.halt)).toBe(true);
  const resumed = await desk.run('resume', '--json');
  expect(JSON.parse(resumed.out)).toEqual({ resumed: true, wasOn: true, reason: 'liquidate-all', wasHalted: true });
  expect(entriesAreOff(desk)).toBe(false);
  expect(existsSync(desk.files.halt)).toBe(false);
  await desk.verdict();
});

it('A14: a hung exit manager is ended and replaced, so that it sends nothing if it wakes', async () => {
  const { desk, guard } = await holdingDesk();
  process.kill(guard.pid, 'SIGSTOP');
  expect(toldBy(await press(desk), desk)).toMatchObject({ ...FLAT, path: 'takeover' });
  expect(await desk.ended(guard)).toBe('SIGKILL');
  expectSoldOnce(desk);
  await desk.verdict();
  expect(entriesAreOff(desk)).toBe(true);
});

it('A14: an exit manager that hangs at the moment it is asked', async () => {
  const { desk, guard } = await holdingDesk();
  const pressed = press(desk);
  // Its heartbeat is still young when the tool looks; it does not answer.
  process.kill(guard.pid, 'SIGSTOP');
  expect(toldBy(await pressed, desk)).toMatchObject({ ...FLAT, path: 'takeover' });
  expectSoldOnce(desk);
  await desk.verdict();
});

it('A14: with everything dead', async () => {
  const { desk, guard } = await holdingDesk();
  await dies(desk, guard);
  expect(toldBy(await press(desk), desk)).toMatchObject({ ...FLAT, path: 'takeover' });
  expectSoldOnce(desk);
  await desk.verdict();
  expect(entriesAreOff(desk)).toBe(true);

  // The next exit manager finds nothing to do.
  await desk.guard();
  await pause(1_000);
  expectSoldOnce(desk);
});

it('A14: the exit manager dies in the middle of it', async () => {
  const { desk, guard } = await holdingDesk();
  const killed = desk.killAt(guard, ({ direction, clientId, fields }) => direction === 'in' && clientId === 10 && fields[0] === '4');
  const pressed = press(desk);
  await killed;
  expect(toldBy(await pressed, desk)).toMatchObject({ ...FLAT, path: 'takeover' });
  expectSoldOnce(desk);
  await desk.verdict();
});

it('A14: pressed twice at once, with the exit manager alive and with everything dead', async () => {
  for (const isAlive of [true, false]) {
    const { desk, guard } = await holdingDesk();
    if (!isAlive) await dies(desk, guard);
    const both = await Promise.all([press(desk), press(desk)]);
    for (const ran of both) expect(toldBy(ran, desk)).toMatchObject(FLAT);
    expectSoldOnce(desk);
    await desk.verdict();
    await desk.close();
  }
});

describe('A14: everything dead and the database unusable: what is ours is told by the broker', () => {
  const damages: readonly (readonly [string, (path: string) => void])[] = [
    ['overwritten with garbage', path => writeFileSync(path, 'no database at all '.repeat(4_000))],
    ['cut to zero bytes', path => truncateSync(path, 0)],
    ['deleted', path => rmSync(path)],
  ];
  it.each(damages)('%s', async (_title, damage) => {
    const { desk, guard } = await holdingDesk();
    await dies(desk, guard);
    for (const side of ['-wal', '-shm']) rmSync(`${desk.files.store}${side}`, { force: true });
    damage(desk.files.store);
    expect(toldBy(await press(desk), desk)).toMatchObject({ ...FLAT, path: 'takeover-without-store' });
    expectSoldOnce(desk);
    expect(desk.violations()).toEqual([]);
  });
});

/** Bought in TWS by a person and adopted: no execution carries our orderRef, only the exits that rest for it do. */
async function adoptedDesk(): Promise<{ desk: RefereedDesk; guard: TestProcess }> {
  desk = await openRefereedDesk({ holdings: [{ conId: BOLT.conId, quantity: KEPT, averageCost: fromDollars(18) }] });
  const of = desk;
  const guard = await of.guard();
  of.walk(50);
  of.room.gateway.manualTrade('ACME', 'BUY', 100);
  await waitFor('target and disaster stop to rest', () => of.resting().length === 2, { lastSeen: of.story });
  return { desk: of, guard };
}

it('A14, A5: without the database an adopted position is known by the exits that rest for it, and sold', async () => {
  const { desk, guard } = await adoptedDesk();
  await dies(desk, guard);
  for (const side of ['', '-wal', '-shm']) rmSync(`${desk.files.store}${side}`, { force: true });
  expect(toldBy(await press(desk), desk)).toMatchObject({ ...FLAT, path: 'takeover-without-store' });
  expectSoldOnce(desk);
  expect(desk.violations()).toEqual([]);
});

it('A14: without the database, what our orders traded and nothing explains is reported as left, not called flat', async () => {
  const { desk, guard } = await holdingDesk();
  desk.walk(49.4);
  await waitFor('the position to be sold', () => desk.held() === 0, { lastSeen: desk.story });
  await waitFor('its orders to be gone', () => desk.resting().length === 0, { lastSeen: desk.story });
  await dies(desk, guard);
  // Bought by a person while nobody looked: no exit rests for it, and today's executions of ours sum to nothing.
  desk.room.gateway.manualTrade('ACME', 'BUY', 40);
  rmSync(desk.files.store);
  const ran = await press(desk);
  expect(ran.code, `${ran.out}\n${ran.err}`).toBe(1);
  expect(JSON.parse(ran.out)).toMatchObject({
    flat: false,
    left: [{ symbol: 'ACME', quantity: 40, reason: expect.stringContaining('without the store') }],
    handsOff: [{ symbol: 'BOLT', quantity: KEPT }],
  });
  expect(desk.held()).toBe(40);
});

it('A14: without the database a dead worker is known by its heartbeat; whoever has its number now is left alone', async () => {
  const { desk, guard } = await holdingDesk();
  await dies(desk, guard);
  const stranger = spawn(process.execPath, ['-e', 'setTimeout(() => undefined, 60_000)']);
  try {
    const file = desk.files.heartbeat('exit-manager');
    const beat = parseHeartbeat(readFileSync(file, 'utf8'));
    if (!beat || stranger.pid === undefined) throw new Error('no heartbeat, or no stranger');
    writeFileSync(file, formatHeartbeat({ ...beat, pid: stranger.pid }));
    rmSync(desk.files.store);
    expect(toldBy(await press(desk), desk)).toMatchObject({ ...FLAT, path: 'takeover-without-store' });
    expect(stranger.signalCode).toBeNull();
    expectSoldOnce(desk);
  } finally {
    stranger.kill('SIGKILL');
  }
});

it('A14: a hung exit manager without the database is ended by its heartbeat', async () => {
  const { desk, guard } = await holdingDesk();
  process.kill(guard.pid, 'SIGSTOP');
  writeFileSync(desk.files.store, 'no database at all '.repeat(4_000));
  expect(toldBy(await press(desk), desk)).toMatchObject({ ...FLAT, path: 'takeover-without-store' });
  expect(await desk.ended(guard)).toBe('SIGKILL');
  expectSoldOnce(desk);
});

it('A14: pressed twice at once with everything dead and the database unusable', async () => {
  const { desk, guard } = await holdingDesk();
  await dies(desk, guard);
  writeFileSync(desk.files.store, 'no database at all '.repeat(4_000));
  const both = await Promise.all([press(desk), press(desk)]);
  for (const ran of both) expect(toldBy(ran, desk)).toMatchObject(FLAT);
  expectSoldOnce(desk);
  expect(desk.violations()).toEqual([]);
});

it('A14: under a supervisor whose exit manager hangs: one sale, and the supervisor starts the next one afterwards', async () => {
  const { desk, guard } = await holdingDesk();
  await dies(desk, guard);
  desk.start('supervisor');
  const next = await desk.ready('exit-manager');
  await desk.ready('day-trader');
  process.kill(next, 'SIGSTOP');
  expect(toldBy(await press(desk), desk)).toMatchObject(FLAT);
  expectSoldOnce(desk);
  await desk.ready('exit-manager', { notPid: next });
  await pause(1_000);
  expectSoldOnce(desk);
  await desk.verdict();
  expect(entriesAreOff(desk)).toBe(true);
});
