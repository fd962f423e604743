import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { epochMs, monoMs } from '@holdfast/core/units';
import { type Db, openStore } from '@holdfast/store/db';
import { acquireLease } from '@holdfast/store/leases';
import { migrate } from '@holdfast/store/migrate';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { takeSupervisorLease } from './supervisor-lease.js';

const NOW = epochMs(1_773_060_000_000);
let folder: string;
let db: Db;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-lease-'));
  db = openStore(join(folder, 'holdfast.db'), { busyTimeoutMs: 0, synchronous: 'OFF' });
  migrate(db, NOW);
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

const QUIET = { brokerAgeMs: null, markAgeMs: null, commitAgeMs: null, backlog: 0 } as const;

function machineWith(gone: readonly number[]) {
  let now = 0;
  const killed: number[] = [];
  const machine = {
    me: { pid: 9, processStartedAt: '9', bootId: 'b' },
    mono: () => monoMs(now),
    wall: () => NOW,
    async sleep(ms: number) {
      now += ms;
    },
    isGone: ({ pid }: { readonly pid: number }) => gone.includes(pid) || killed.includes(pid),
    kill: (pid: number) => void killed.push(pid),
    heartbeat: () => null,
  };
  return { machine, killed };
}
const holds = (pid: number): void => {
  acquireLease(db, { name: 'supervisor', pid, processStartedAt: String(pid), bootId: 'b', now: NOW }, () => true);
};

it('A4: one that is hung is killed, and its place taken', async () => {
  holds(5);
  const { machine, killed } = machineWith([]);
  expect(await takeSupervisorLease(db, machine, 5_000)).toMatchObject({ ok: true });
  expect(killed).toEqual([5]);
});

it('A4, A13: a store that takes no write: begins without a record, and the pid of a dead predecessor is not killed: it may be somebody else by now', async () => {
  holds(5);
  db.pragma('query_only = 1');
  const { machine, killed } = machineWith([5]);
  expect(await takeSupervisorLease(db, machine, 5_000)).toMatchObject({ ok: true, isOnRecord: false });
  expect(killed).toEqual([]);
});

it('A4, A13: not where another one that could not write either is at work, for its heartbeat moves', async () => {
  holds(5);
  db.pragma('query_only = 1');
  const { machine } = machineWith([5]);
  let counter = 0;
  const heartbeat = () => {
    counter += 1;
    return { pid: 7, counter, phase: 'READY', leaseId: 1, bootId: 'b', mono: monoMs(0), exchange: NOW, processStartedAt: '7' } as const;
  };
  const taken = await takeSupervisorLease(db, { ...machine, heartbeat: () => ({ ...QUIET, ...heartbeat() }) }, 5_000);
  expect(taken).toMatchObject({ ok: false, code: 'ALREADY_SUPERVISED' });
});
