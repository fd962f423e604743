import { afterEach, describe, expect, it } from 'vitest';
import { acquireLease, holdsLease, type LeaseHolder, readLease, readLeases, releaseLease, setPhase } from './leases.js';
import { migrate } from './migrate.js';
import { closeAll, NOW, openDesk, openTestStore, storePath } from './testing/desk.js';

const first: LeaseHolder = { pid: 11, processStartedAt: '100', bootId: 'boot-1' };
const second: LeaseHolder = { pid: 12, processStartedAt: '200', bootId: 'boot-1' };
const alive = () => false;
const gone = () => true;

function emptyStore() {
  const db = openTestStore(storePath());
  migrate(db, NOW);
  return db;
}

describe('leases', () => {
  afterEach(closeAll);

  it('I10: one that is held by a living process is refused, and the holder named', () => {
    const db = emptyStore();
    acquireLease(db, { name: 'supervisor', ...first, now: NOW }, alive);
    expect(acquireLease(db, { name: 'supervisor', ...second, now: NOW }, alive)).toEqual({
      ok: false,
      code: 'LEASE_HELD',
      detail: 'supervisor is held by process 11 (lease 1, STARTING)',
    });
    expect(readLease(db, 'supervisor')?.holder).toEqual(first);
  });

  it('passes on once its holder is gone, under a higher number, and the old one is void', () => {
    const db = emptyStore();
    const before = acquireLease(db, { name: 'exit-manager', ...first, now: NOW }, alive);
    const asked: LeaseHolder[] = [];
    const after = acquireLease(db, { name: 'exit-manager', ...second, now: NOW }, holder => asked.push(holder) > 0);
    if (!before.ok || !after.ok) throw new Error('refused');

    expect(asked).toEqual([first]);
    expect(after.previous?.holder).toEqual(first);
    expect(after.lease.leaseId).toBeGreaterThan(before.lease.leaseId);
    expect(holdsLease(db, before.lease)).toBe(false);
    expect(holdsLease(db, after.lease)).toBe(true);
  });

  it('numbers rise over all names, through releases, and from a given least', () => {
    const db = emptyStore();
    const numbers = (['exit-manager', 'day-trader', 'exit-manager', 'day-trader'] as const).map(name => {
      const taken = acquireLease(db, { name, ...first, now: NOW }, gone);
      if (!taken.ok) throw new Error(taken.detail);
      releaseLease(db, taken.lease);
      return taken.lease.leaseId;
    });
    expect(numbers).toEqual([1, 2, 3, 4]);
    expect(acquireLease(db, { name: 'supervisor', ...first, now: NOW, leaseIdMin: 41 }, alive)).toMatchObject({ lease: { leaseId: 41 } });
    expect(acquireLease(db, { name: 'liquidator', ...first, now: NOW }, alive)).toMatchObject({ lease: { leaseId: 42 } });
  });

  it.each<[string, LeaseHolder, boolean]>([
    ['the same process may ask again', first, true],
    ['a later process under the same pid is another', { ...first, processStartedAt: '101' }, false],
    ['so is one of another boot', { ...first, bootId: 'boot-2' }, false],
  ])('%s', (_, holder, ok) => {
    const db = emptyStore();
    acquireLease(db, { name: 'day-trader', ...first, now: NOW }, alive);
    expect(acquireLease(db, { name: 'day-trader', ...holder, now: NOW }, alive).ok).toBe(ok);
  });

  it('a released one is free for anybody, and a late release of an old number frees nothing', () => {
    const { db, exitManager } = openDesk();
    releaseLease(db, exitManager);
    expect(holdsLease(db, exitManager)).toBe(false);
    const taken = acquireLease(db, { name: 'exit-manager', ...second, now: NOW }, alive);
    if (!taken.ok) throw new Error(taken.detail);
    releaseLease(db, exitManager);
    expect(holdsLease(db, taken.lease)).toBe(true);
    expect(readLeases(db).map(({ name, holder }) => [name, holder?.pid])).toEqual([
      ['day-trader', expect.any(Number)],
      ['exit-manager', second.pid],
    ]);
  });

  it('a phase is told by its holder alone', () => {
    const { db, exitManager } = openDesk();
    expect(readLease(db, 'exit-manager')).toMatchObject({ phase: 'READY' });
    acquireLease(db, { name: 'exit-manager', ...second, now: NOW }, gone);
    expect(readLease(db, 'exit-manager')).toMatchObject({ phase: 'STARTING' });
    expect(setPhase(db, exitManager, { phase: 'READY', detail: '' })).toMatchObject({ ok: false, code: 'LEASE_LOST' });
    expect(readLease(db, 'exit-manager')).toMatchObject({ phase: 'STARTING' });
  });
});
