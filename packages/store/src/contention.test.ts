import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { claimEntry } from './claims.js';
import { insertCommand } from './commands.js';
import { commitStep } from './commit.js';
import { openStore } from './db.js';
import { readExecutionsOfTrade } from './executions.js';
import { acquireLease } from './leases.js';
import { requireMigrated } from './migrate.js';
import { attempt } from './refusal.js';
import { q, statement } from './statement.js';
import { anEnter, booked, closeAll, later, MONDAY, NOW, openDesk, openTestStore, storePath } from './testing/desk.js';
import { loadView } from './view.js';

const begin = (db: ReturnType<typeof openTestStore>) => db.exec('BEGIN IMMEDIATE');

describe('two connections', () => {
  afterEach(closeAll);

  it('a stranger’s open write costs a commit its timeout at most, and comes back as STORE_BUSY with nothing written', () => {
    const desk = openDesk();
    const impatient = openTestStore(desk.path, { busyTimeoutMs: 50 });
    const stranger = openTestStore(desk.path);
    begin(stranger);

    const since = performance.now(); // allowed: measures the wait itself
    const result = commitStep(impatient, { lease: desk.exitManager, writes: [booked()], now: NOW, tradeDate: MONDAY, durable: true });
    const waitedMs = performance.now() - since; // allowed: as above
    expect(result).toMatchObject({ ok: false, code: 'STORE_BUSY' });
    expect(waitedMs).toBeGreaterThanOrEqual(30);
    expect(waitedMs).toBeLessThan(500);

    expect(claimEntry(desk.db, { lease: desk.dayTrader, enter: anEnter(), now: NOW })).toMatchObject({ code: 'STORE_BUSY' });
    const command = {
      target: 'day-trader',
      kind: 'x',
      payload: {},
      tradeDate: MONDAY,
      expiresAt: later(1),
      createdBy: 'cli',
      now: NOW,
    } as const;
    expect(insertCommand(desk.db, command)).toMatchObject({ code: 'STORE_BUSY' });
    expect(loadView(desk.db, { worker: 'exit-manager', tradeDate: MONDAY, now: NOW }).executions).toEqual([]);

    stranger.exec('ROLLBACK');
    expect(desk.commit([booked()])).toEqual({ ok: true, refused: [] });
  });

  it('a read, another’s commit, then a write of ours: never SQLITE_BUSY_SNAPSHOT', () => {
    const desk = openDesk();
    const other = openTestStore(desk.path);
    for (let round = 1; round <= 50; round += 1) {
      const fill = (db: typeof other, execId: string) =>
        commitStep(db, { lease: desk.exitManager, writes: [booked({ execId })], now: NOW, tradeDate: MONDAY, durable: false });
      loadView(desk.db, { worker: 'exit-manager', tradeDate: MONDAY, now: NOW });
      expect(fill(other, `a.${round}.01`)).toMatchObject({ ok: true });
      expect(fill(desk.db, `b.${round}.01`)).toMatchObject({ ok: true });
    }
    expect(readExecutionsOfTrade(other, 'T-1')).toHaveLength(100);
  });

  it('dataVersion moves with others’ commits and not with our own', () => {
    const desk = openDesk();
    const other = openTestStore(desk.path);
    const before = other.dataVersion();
    expect(other.dataVersion()).toBe(before);
    desk.commit([booked()]);
    const after = other.dataVersion();
    expect(after).not.toBe(before);
    commitStep(other, { lease: desk.exitManager, writes: [booked({ execId: 'b.01' })], now: NOW, tradeDate: MONDAY, durable: false });
    expect(other.dataVersion()).toBe(after);
  });

  it('a crash in the middle of a transaction leaves nothing of it, and frees the lock', () => {
    const desk = openDesk();
    const doomed = openTestStore(desk.path);
    begin(doomed);
    doomed.run(q.insertInto('kill_switch').values({ is_on: 1, reason: 'half written', actor: 'test', at: '' }));
    doomed.close();
    expect(desk.commit([booked()])).toMatchObject({ ok: true });
    expect(loadView(desk.db, { worker: 'exit-manager', tradeDate: MONDAY, now: NOW }).killSwitch.on).toBe(false);
  });

  it('I10: two processes racing for one lease: one gets it', () => {
    const desk = openDesk();
    const other = openTestStore(desk.path);
    const ask = (db: typeof other, pid: number) =>
      acquireLease(db, { name: 'supervisor', pid, processStartedAt: '1', bootId: 'b', now: NOW }, () => false);
    expect([ask(desk.db, 1), ask(other, 2)].map(({ ok }) => ok)).toEqual([true, false]);
  });
});

describe('the connection', () => {
  afterEach(closeAll);

  it.each(['FULL', 'NORMAL'] as const)('commits at the level asked for and returns to its own, %s', level => {
    const { db } = openDesk({ synchronous: level });
    const levels = () => db.pragma('synchronous');
    const own = levels();
    db.withSynchronous('FULL', () => expect(levels()).toEqual([{ synchronous: 2 }]));
    db.withSynchronous('NORMAL', () => expect(levels()).toEqual([{ synchronous: 1 }]));
    expect(levels()).toEqual(own);
    expect(() =>
      db.withSynchronous(level === 'FULL' ? 'NORMAL' : 'FULL', () => {
        throw new Error('bug');
      }),
    ).toThrow('bug');
    expect(levels()).toEqual(own);
  });

  it('a simulated store stays OFF, also inside', () => {
    const { db } = openDesk({ synchronous: 'OFF' });
    db.withSynchronous('FULL', () => expect(db.pragma('synchronous')).toEqual([{ synchronous: 0 }]));
    expect(db.makeDurable()).toEqual({ ok: true });
  });

  it('makeDurable takes no lock: it succeeds beside a stranger’s open write', () => {
    const desk = openDesk({ synchronous: 'NORMAL' });
    desk.commit([booked()]);
    const stranger = openTestStore(desk.path);
    begin(stranger);
    expect(desk.db.makeDurable()).toEqual({ ok: true });
    stranger.exec('ROLLBACK');
    expect(desk.commit([booked({ execId: 'b.01' })])).toMatchObject({ ok: true });
    expect(desk.db.makeDurable()).toEqual({ ok: true });
  });

  it('a file that is missing or no database is a refusal, not a crash', () => {
    const missing = storePath();
    const options = { busyTimeoutMs: 0, synchronous: 'FULL', mustExist: true } as const;
    expect(attempt(() => openStore(missing, options))).toMatchObject({ ok: false, code: 'STORE_CANNOT_OPEN' });
    const here = new URL(import.meta.url).pathname;
    expect(readFileSync(here).length).toBeGreaterThan(0);
    expect(attempt(() => openStore(here, { ...options, readonly: true }))).toMatchObject({ ok: false, code: 'STORE_CORRUPT' });
  });

  it('a reader’s connection reads and cannot write', () => {
    const desk = openDesk();
    const reader = openTestStore(desk.path, { readonly: true });
    expect(requireMigrated(reader)).toEqual({ ok: true });
    expect(commitStep(reader, { lease: desk.exitManager, writes: [booked()], now: NOW, tradeDate: MONDAY, durable: false })).toMatchObject({
      ok: false,
      code: 'STORE_READONLY',
    });
  });

  it('a transaction that waits is a bug, and is rolled back', () => {
    const { db } = openDesk();
    const row = { is_on: 1, reason: 'async', actor: 'test', at: '' };
    expect(() => db.immediate(async () => db.run(q.insertInto('kill_switch').values(row)))).toThrow('promise');
    expect(db.inTransaction).toBe(false);
    expect(db.all(q.selectFrom('kill_switch').select('id').orderBy('id'))).toEqual([]);
  });

  it('a statement refuses a call whose values are missing', () => {
    const { db } = openDesk();
    const find = statement((p: { name: string; pid?: number }) =>
      q
        .selectFrom('worker_leases')
        .select('pid')
        .where('lease_id', '=', p.pid ?? 0)
        .orderBy('name'),
    );
    db.all(find, { name: 'a', pid: 1 });
    expect(() => db.all(find, { name: 'a' })).toThrow('no value for pid');
  });
});
