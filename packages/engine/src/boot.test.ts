import { existsSync, writeFileSync } from 'node:fs';
import { monoMs } from '@holdfast/core/units';
import { type Db, openStore } from '@holdfast/store/db';
import { type StoreFaults, storeFailure } from '@holdfast/store/faults';
import { acquireLease, readLease } from '@holdfast/store/leases';
import { migrate } from '@holdfast/store/migrate';
import { readOrder } from '@holdfast/store/orders';
import { anOrder, aPosition, booked, closeAll, MONDAY, NOW, openDesk, openTestStore, storePath } from '@holdfast/store/testing/desk';
import { afterEach, describe, expect, it } from 'vitest';
import { ASK_AGAIN_MS, type BootParts, boot, createBoot, LOCKED_MS_MAX, UNWRITTEN_AFTER_MS } from './boot.js';
import { createEmergencyFile, EMERGENCY_FILE_BYTES } from './emergency-file.js';
import { silentLog } from './log.js';
import { createMemoryFile } from './random-file.js';

afterEach(closeAll);

const me = { pid: 1, processStartedAt: 'me', bootId: 'boot' };
const partsOf = (storePath: string): BootParts => ({
  name: 'exit-manager',
  storePath,
  busyTimeoutMs: 0,
  holder: me,
  isGone: () => true,
  emergency: null,
  log: silentLog,
  mono: () => monoMs(0),
  wall: () => NOW,
});
function bootAt(storePath: string, parts: Partial<Parameters<typeof boot>[0]> = {}) {
  let mono = 0;
  return boot({
    ...partsOf(storePath),
    mono: () => monoMs(mono),
    sleep: async ms => {
      mono += ms;
    },
    ...parts,
  });
}

describe('the start of a worker', () => {
  it('takes the lease of one that is gone', async () => {
    const { path } = openDesk();
    const booted = await bootAt(path);
    expect(booted).toMatchObject({ ok: true, lease: { name: 'exit-manager', leaseId: 3 }, binding: null });
  });

  it('I10: refuses while another holds it, naming it, with the code the supervisor knows', async () => {
    const { path, db } = openDesk();
    const holder = readLease(db, 'exit-manager')?.holder;
    expect(await bootAt(path, { isGone: () => false })).toMatchObject({
      ok: false,
      exitCode: 3,
      detail: expect.stringContaining(`held by process ${holder?.pid}`),
    });
  });

  it('refuses an unmigrated store, naming the command', async () => {
    const path = storePath();
    openTestStore(path);
    expect(await bootAt(path)).toMatchObject({ ok: false, exitCode: 5, detail: expect.stringMatching(/STORE_NOT_MIGRATED.*holdfast/) });
  });

  it('refuses a store that is not there, and does not make one', async () => {
    const path = storePath();
    expect(await bootAt(path)).toMatchObject({ ok: false, exitCode: 6 });
    expect(existsSync(path)).toBe(false);
  });

  it('refuses a file that is no store', async () => {
    const path = storePath();
    writeFileSync(path, 'not a database at all, but long enough to be read as a header of one, one would think'.repeat(20));
    expect(await bootAt(path)).toMatchObject({ ok: false, exitCode: 6, detail: expect.stringContaining('STORE_CORRUPT') });
  });

  it('waits while the store is locked, and starts when it is free', async () => {
    const { path } = openDesk();
    const stranger = openTestStore(path);
    stranger.exec('BEGIN IMMEDIATE');
    let naps = 0;
    const booted = await bootAt(path, {
      sleep: async () => {
        naps += 1;
        if (naps === 3) stranger.exec('ROLLBACK');
      },
    });
    expect(booted.ok).toBe(true);
    expect(naps).toBe(3);
  });

  it('in steps: asks once each, waits for nothing, and has its last word once', () => {
    const { path, db } = openDesk();
    const stranger = openTestStore(path);
    stranger.exec('BEGIN IMMEDIATE');
    let mono = 7;
    const opened: string[] = [];
    const start = createBoot({
      ...partsOf(path),
      mono: () => monoMs(mono),
      synchronous: 'OFF',
      open: (file, options) => {
        opened.push(options.synchronous);
        return openStore(file, options);
      },
    });
    expect(start.step()).toBe('waiting');
    mono += ASK_AGAIN_MS;
    expect(start.step()).toBe('waiting');
    stranger.exec('ROLLBACK');
    const booted = start.step();
    expect(booted).toMatchObject({ ok: true, lease: { leaseId: 3 } });
    expect(start.step()).toBe(booted);
    expect(opened).toEqual(['OFF']);
    expect(readLease(db, 'exit-manager')?.leaseId).toBe(3);
  });

  it.each<[string, number, 'waiting' | { ok: false }]>([
    ['one ms before the limit', LOCKED_MS_MAX - 1, 'waiting'],
    ['at the limit', LOCKED_MS_MAX, { ok: false }],
  ])('in steps: locked until %s', (_title, later, said) => {
    const { path } = openDesk();
    openTestStore(path).exec('BEGIN IMMEDIATE');
    let mono = 7;
    const start = createBoot({ ...partsOf(path), mono: () => monoMs(mono) });
    expect(start.step()).toBe('waiting');
    mono += later;
    if (said === 'waiting') expect(start.step()).toBe('waiting');
    else expect(start.step()).toMatchObject({ ...said, exitCode: 5, detail: expect.stringContaining('STORE_BUSY') });
  });

  it('in steps: one that dies while it waits leaves the lease as it was and the file closed', () => {
    const { path, db } = openDesk();
    const stranger = openTestStore(path);
    stranger.exec('BEGIN IMMEDIATE');
    const before = readLease(db, 'exit-manager');
    let connection: Db | null = null;
    const start = createBoot({
      ...partsOf(path),
      open: (file, options) => {
        connection = openStore(file, options);
        return connection;
      },
    });
    expect(start.step()).toBe('waiting');
    start.abandon();
    expect(() => (connection as Db | null)?.dataVersion()).toThrow(/not open/);
    expect(readLease(db, 'exit-manager')).toEqual(before);
  });

  it('gives up after five seconds of a locked store', async () => {
    const { path } = openDesk();
    openTestStore(path).exec('BEGIN IMMEDIATE');
    expect(await bootAt(path)).toMatchObject({ ok: false, exitCode: 5, detail: expect.stringContaining('STORE_BUSY') });
  });
});

describe('A8: the emergency file is merged first at every start', () => {
  const order = anOrder();
  const kept = () => {
    const emergency = createEmergencyFile(createMemoryFile(EMERGENCY_FILE_BYTES));
    emergency.append({ at: NOW, tradeDate: MONDAY, writes: [{ do: 'write-intent', order }] });
    emergency.append({ at: NOW, tradeDate: MONDAY, writes: [{ do: 'write-order', order: { ...order, status: 'SUBMITTED', permId: 77 } }] });
    return emergency;
  };

  it('its intents are facts: recorded even where the store would refuse them now', async () => {
    const { path, db } = openDesk();
    const emergency = kept();
    const booted = await bootAt(path, { emergency });
    expect(booted.ok).toBe(true);
    expect(readOrder(db, order.orderRef)).toMatchObject({ status: 'SUBMITTED', permId: 77 });
    expect(emergency.read().steps).toEqual([]);
  });

  it('twice does no harm, and what the store has heard since stands', async () => {
    const desk = openDesk();
    desk.commit([{ do: 'write-position', position: aPosition() }, booked()]);
    desk.commit([{ do: 'write-order', order: { ...order, status: 'FILLED', updatedAt: (NOW + 5_000) as typeof NOW } }]);
    await bootAt(desk.path, { emergency: kept() });
    expect(readOrder(desk.db, order.orderRef)?.status).toBe('FILLED');
  });

  it('when the store cannot take it, it stays as it is and what it holds is handed on', async () => {
    const { path } = openDesk();
    const emergency = kept();
    openTestStore(path).exec('BEGIN IMMEDIATE');
    expect(await bootAt(path, { emergency })).toMatchObject({ ok: true, unwritten: { steps: [{}, {}] } });
    expect(emergency.read().steps).toHaveLength(2);
  });
});

describe("I10, A8: an exit manager whose store takes no write begins on the broker's lease", () => {
  const emptyFile = () => createEmergencyFile(createMemoryFile(EMERGENCY_FILE_BYTES));
  const dead = { pid: 77, processStartedAt: 'then', bootId: 'boot' };

  function lockedStart(parts: Partial<BootParts> = {}) {
    const desk = openDesk();
    const stranger = openTestStore(desk.path);
    stranger.exec('BEGIN IMMEDIATE');
    let mono = 0;
    const start = createBoot({ ...partsOf(desk.path), emergency: emptyFile(), mono: () => monoMs(mono), ...parts });
    const stepAt = (ms: number) => {
      mono = ms;
      return start.step();
    };
    return { ...desk, stranger, stepAt };
  }

  it('after a quarter of a second, under a number nobody has; on record as soon as the lock ends', () => {
    const { db, stranger, stepAt } = lockedStart();
    const before = readLease(db, 'exit-manager');
    expect(stepAt(0)).toBe('waiting');
    expect(stepAt(UNWRITTEN_AFTER_MS - 1)).toBe('waiting');
    const booted = stepAt(UNWRITTEN_AFTER_MS);
    if (booted === 'waiting' || !booted.ok || !booted.unwritten) throw new Error(`not begun: ${JSON.stringify(booted)}`);
    expect(booted.lease.leaseId).toBe(Math.floor(NOW / 100));
    expect(readLease(db, 'exit-manager')).toEqual(before);
    expect(booted.unwritten.record()).toMatchObject({ ok: false, code: 'STORE_BUSY' });
    stranger.exec('ROLLBACK');
    expect(booted.unwritten.record()).toEqual({ ok: true });
    expect(readLease(db, 'exit-manager')).toMatchObject({ leaseId: booted.lease.leaseId, holder: me });
  });

  it('never under a number that an unrecorded predecessor has used', () => {
    const leaseId = Math.floor(NOW / 100) + 5;
    const { stepAt } = lockedStart({ lastBeat: () => ({ holder: dead, leaseId }) });
    stepAt(0);
    expect(stepAt(UNWRITTEN_AFTER_MS)).toMatchObject({ ok: true, lease: { leaseId: leaseId + 1 } });
  });

  it('not while the holder by the table lives', () => {
    const { stepAt } = lockedStart({ isGone: () => false });
    stepAt(0);
    expect(stepAt(UNWRITTEN_AFTER_MS)).toMatchObject({ ok: false, exitCode: 3 });
  });

  it('not while an unrecorded predecessor lives, which only its heartbeat tells', () => {
    const { stepAt } = lockedStart({ isGone: ({ pid }) => pid !== dead.pid, lastBeat: () => ({ holder: dead, leaseId: 9 }) });
    stepAt(0);
    expect(stepAt(UNWRITTEN_AFTER_MS)).toMatchObject({ ok: false, exitCode: 3, detail: expect.stringContaining('77') });
  });

  it('gives way to whoever took the lease while the store was locked', () => {
    const { db, stranger, stepAt } = lockedStart({ isGone: ({ pid }) => pid !== 500 });
    stepAt(0);
    const booted = stepAt(UNWRITTEN_AFTER_MS);
    if (booted === 'waiting' || !booted.ok) throw new Error('not begun');
    stranger.exec('ROLLBACK');
    acquireLease(db, { name: 'exit-manager', pid: 500, processStartedAt: 'tool', bootId: 'boot', now: NOW }, () => true);
    expect(booted.unwritten?.record()).toMatchObject({ ok: false, code: 'LEASE_LOST' });
  });

  it('the day trader waits: it does nothing without a commit', () => {
    const { stepAt } = lockedStart({ name: 'day-trader', emergency: null });
    stepAt(0);
    expect(stepAt(UNWRITTEN_AFTER_MS)).toBe('waiting');
    expect(stepAt(LOCKED_MS_MAX)).toMatchObject({ ok: false, exitCode: 5 });
  });

  it('a full disk is not waited for', () => {
    const { path } = openDesk();
    const faults: StoreFaults = {
      before({ kind }) {
        if (kind === 'begin') throw storeFailure('full');
      },
      afterCommit: () => undefined,
    };
    const open: BootParts['open'] = (file, options) => openStore(file, { ...options, faults });
    const booted = createBoot({ ...partsOf(path), emergency: emptyFile(), open }).step();
    expect(booted).toMatchObject({ ok: true, unwritten: { why: expect.stringContaining('STORE_FULL') } });
  });
});

it('the migrations of a test store are the real ones', () => {
  expect(migrate(openDesk().db, NOW)).toEqual({ ok: true, applied: [] });
});
