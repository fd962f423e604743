import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backupName } from '@holdfast/core/supervision/backups';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backupStore, integrityProblem } from './backup.js';
import { blockTraded, readBlocks } from './blocks.js';
import { insertCommand, readCommands } from './commands.js';
import { type Db, openStore } from './db.js';
import { readKillSwitch } from './kill-switch.js';
import { acquireLease } from './leases.js';
import { migrate } from './migrate.js';
import { readPositions } from './positions.js';
import { type RestoreRequest, restoreStore } from './restore.js';
import { createStoreSight, storeTrouble } from './store-file.js';
import { aPosition, booked, closeAll, later, MONDAY, NOW, openDesk, TUESDAY } from './testing/desk.js';
import { writePosition } from './trades.js';

let folder: string;
let path: string;
let open: Db[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast restore-'));
  path = join(folder, 'holdfast.db');
  open = [];
  mkdirSync(join(folder, 'backups'));
});
afterEach(() => {
  for (const db of open) db.close();
  closeAll();
  rmSync(folder, { recursive: true, force: true });
});

function store(at = path): Db {
  const db = openStore(at, { busyTimeoutMs: 0, synchronous: 'OFF' });
  open.push(db);
  migrate(db, NOW);
  return db;
}
const holding = (db: Db, symbol: string): void => {
  const position = aPosition();
  db.immediate(() =>
    writePosition(
      db,
      { ...position, tradeId: symbol, contract: { ...position.contract, symbol, conId: symbol.charCodeAt(0) } },
      { tradeDate: MONDAY, now: NOW, replay: false },
    ),
  );
};
const held = (db: Db): readonly string[] => readPositions(db).map(({ contract }) => contract.symbol);
const backup = (db: Db, hours: number): string => {
  const file = join(folder, 'backups', backupName('daily', later(hours * 3_600_000)));
  expect(backupStore(db, file)).toEqual({ ok: true });
  return file;
};
const restore = (request: Partial<RestoreRequest> = {}) =>
  restoreStore({ path, backups: join(folder, 'backups'), connection: null, isReplaced: false, why: 'a test', now: NOW, ...request });
const GARBAGE = 'no database at all '.repeat(4_000);

describe('the source: the first that passes its check', () => {
  it('a deleted file lives on in the connection to it, commits of the log included', () => {
    const connection = store();
    holding(connection, 'ACME');
    backup(connection, 0);
    holding(connection, 'BOLT');
    for (const side of ['', '-wal', '-shm']) rmSync(`${path}${side}`, { force: true });
    expect(restore({ connection })).toMatchObject({ ok: true, from: expect.stringContaining('connection'), setAside: [] });
    expect(held(store())).toEqual(['ACME', 'BOLT']);
  });

  it('else the newest backup that is sound', () => {
    const db = store();
    backup(db, 1);
    holding(db, 'ACME');
    backup(db, 2);
    holding(db, 'BOLT');
    writeFileSync(backup(db, 3), GARBAGE);
    writeFileSync(path, GARBAGE);
    expect(restore()).toMatchObject({
      ok: true,
      from: expect.stringContaining(backupName('daily', later(2 * 3_600_000))),
    });
    expect(held(store())).toEqual(['ACME']);
  });

  it('else an empty one, of this version', () => {
    writeFileSync(path, GARBAGE);
    expect(restore()).toMatchObject({ ok: true, from: expect.stringContaining('empty'), missing: expect.stringContaining('history') });
    const db = store();
    expect(held(db)).toEqual([]);
    expect(integrityProblem(db)).toBeNull();
  });

  it('a file that a person put there is meant', () => {
    const old = store();
    holding(old, 'ACME');
    const other = store(join(folder, 'other.db'));
    holding(other, 'BOLT');
    other.pragma('wal_checkpoint(TRUNCATE)');
    renameSync(join(folder, 'other.db'), path);
    expect(restore({ connection: old, isReplaced: true })).toMatchObject({ ok: true, from: expect.stringContaining('put in its place') });
    expect(held(store())).toEqual(['BOLT']);
  });
});

describe('the restored store', () => {
  it('keeps the damaged one, log included, under a dated name', () => {
    const db = store();
    holding(db, 'ACME');
    writeFileSync(path, GARBAGE);
    expect(restore()).toMatchObject({ ok: true, setAside: [join(folder, 'holdfast.set-aside-2026-03-09T14-30-00-000Z.db')] });
    const aside = readdirSync(folder).filter(name => name.includes('set-aside'));
    expect(aside.map(name => name.slice(name.indexOf('.db'))).sort()).toEqual(['.db', '.db-shm', '.db-wal']);
    expect(readFileSync(join(folder, aside.find(name => name.endsWith('.db')) ?? ''), 'utf8')).toBe(GARBAGE);
  });

  it('lets nobody enter until a person resumes, nobody execute an old command, and repeats no lease number', () => {
    const db = store();
    insertCommand(db, {
      target: 'exit-manager',
      kind: 'liquidate-all',
      payload: {},
      tradeDate: MONDAY,
      expiresAt: later(1e12),
      createdBy: 'test',
      now: NOW,
    });
    backup(db, 1);
    writeFileSync(path, GARBAGE);
    restore();
    const next = store();
    expect(readKillSwitch(next)).toEqual({ on: true, reason: 'the store was restored (a test)' });
    expect(readCommands(next, 'exit-manager', NOW)).toEqual([]);
    const taken = acquireLease(next, { name: 'exit-manager', pid: 1, processStartedAt: '', bootId: '', now: NOW }, () => true);
    expect(taken.ok && taken.lease.leaseId).toBeGreaterThan(NOW / 100);
  });

  it('is another file for whoever had the old one open, in one instant, with nothing left beside it', () => {
    store();
    const sight = createStoreSight(path);
    const opened = sight.look();
    if (opened === null || opened === 'unknown') throw new Error('no store');
    expect(storeTrouble(opened, sight.look())).toBeNull();
    writeFileSync(path, GARBAGE);
    expect(storeTrouble(opened, sight.look())).toMatchObject({ kind: 'lost' });
    restore();
    expect(storeTrouble(opened, sight.look())).toMatchObject({ kind: 'replaced' });
    expect(readdirSync(folder).filter(name => name.includes('restoring'))).toEqual([]);
    sight.close();
  });

  it('also where the whole folder was deleted', () => {
    const at = join(folder, 'absent', 'holdfast.db');
    expect(restore({ path: at })).toMatchObject({ ok: true, setAside: [] });
    expect(readKillSwitch(store(at)).on).toBe(true);
  });

  it('a folder that cannot be had refuses in words', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(restore({ path: join(folder, 'file', 'holdfast.db') })).toMatchObject({ ok: false, detail: expect.stringContaining('file') });
  });
});

it.each<[string, string | null, string | null]>([
  ['gone', null, 'lost'],
  ['empty', '', 'lost'],
  ['shorter than a header', 'SQLite', 'lost'],
])('a file that is %s', (_title, content, kind) => {
  store();
  const sight = createStoreSight(path);
  const opened = sight.look();
  if (content === null) rmSync(path);
  else writeFileSync(path, content);
  if (opened === null || opened === 'unknown') throw new Error('no store');
  expect(storeTrouble(opened, sight.look())?.kind).toBe(kind);
  expect(storeTrouble(opened, 'unknown')).toBeNull();
  sight.close();
});

it('a look at the file leaves the locks of this process on it: without them a stranger who closes it deletes its log', () => {
  store();
  const locks = (): number => {
    const { ino } = statSync(path);
    const ours = new RegExp(`POSIX\\s+ADVISORY\\s+READ\\s+${process.pid}\\s+\\S+:${ino}\\s`);
    return readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .filter(line => ours.test(line)).length;
  };
  expect(locks()).toBe(1);
  const sight = createStoreSight(path);
  expect(sight.look()).toMatchObject({ isStore: true });
  expect(sight.look()).toMatchObject({ isStore: true });
  expect(locks()).toBe(1);
  closeSync(openSync(path, 'r'));
  expect(locks(), 'the trap itself').toBe(0);
  sight.close();
});

it('A10: what orders of ours traded today and nobody holds is blocked, once', () => {
  const desk = openDesk();
  const fill = (execId: string, symbol: string, orderRef: string) => booked({ execId, symbol, conId: symbol.length, orderRef }, null);
  desk.commit([{ do: 'write-position', position: aPosition() }, booked()]);
  desk.commit([fill('7.1.01', 'SOLD', 'HFD-20260309-1-1'), fill('7.2.01', 'SOLD', 'HFX-20260309-1-2'), fill('7.3.01', 'HANDMADE', '')]);
  expect(blockTraded(desk.db, { account: 'DU1', tradeDate: MONDAY })).toEqual(['SOLD']);
  expect(blockTraded(desk.db, { account: 'DU1', tradeDate: MONDAY })).toEqual([]);
  expect(blockTraded(desk.db, { account: 'DU1', tradeDate: TUESDAY })).toEqual([]);
  expect(readBlocks(desk.db, MONDAY)).toMatchObject([{ symbol: 'SOLD', exitReason: 'restored' }]);
});
