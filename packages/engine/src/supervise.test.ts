import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkerPhase } from '@holdfast/core/shared-view';
import { backupName } from '@holdfast/core/supervision/backups';
import { DEFAULT_SUPERVISION } from '@holdfast/core/supervision/policy';
import type { StartMode, SupervisedWorker, WorkerExit } from '@holdfast/core/supervision/watch';
import { type EpochMs, epochMs, fromIsoTime, monoMs, type TradeDate } from '@holdfast/core/units';
import { readAlerts } from '@holdfast/store/alerts';
import { bindStore } from '@holdfast/store/binding';
import { readBlocks } from '@holdfast/store/blocks';
import { insertCommand, readAnswer } from '@holdfast/store/commands';
import { type Db, openStore } from '@holdfast/store/db';
import { bookExecution } from '@holdfast/store/executions';
import { readKillSwitch } from '@holdfast/store/kill-switch';
import { acquireLease, type LeaseHolder, readLease } from '@holdfast/store/leases';
import { migrate } from '@holdfast/store/migrate';
import { upsertOrder } from '@holdfast/store/orders';
import { aFill, anEntry } from '@holdfast/store/testing/desk';
import { readWorkerEvents, writeWorkerEvent } from '@holdfast/store/worker-events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Heartbeat } from './heartbeat.js';
import { silentLog } from './log.js';
import { createStoreKeeper } from './store-keeper.js';
import { createSupervision, type ProcessPort, type Supervision, type SupervisionParts } from './supervise.js';

/** The supervisor's loop over a real store and a machine that is a table: processes, their heartbeats, and time moved by hand. */

const WALL = fromIsoTime('2026-11-20T15:00:00.000Z');
const TODAY = '2026-11-20' as TradeDate;
const BOOT = 'this-boot';
const ME: LeaseHolder = { pid: 1, processStartedAt: 'x', bootId: BOOT };

interface FakeProcess {
  readonly worker: SupervisedWorker;
  readonly startedAt: string;
  readonly onEnd: ((exit: WorkerExit) => void) | null;
}

class Machine implements ProcessPort {
  readonly bootId = BOOT;
  readonly table = new Map<number, FakeProcess>();
  readonly beats = new Map<SupervisedWorker, Heartbeat>();
  readonly starts: string[] = [];
  now = 10_000;
  private lastPid = 500;

  start(worker: SupervisedWorker, mode: StartMode, onEnd: (exit: WorkerExit) => void) {
    this.lastPid += 1;
    this.table.set(this.lastPid, { worker, startedAt: `t${this.now}`, onEnd });
    this.starts.push(mode === 'normal' ? worker : `${worker} --${mode}`);
    return { ok: true as const, pid: this.lastPid };
  }

  /** A process of an earlier supervisor, or anybody's. */
  stranger(pid: number, worker: SupervisedWorker, startedAt = 'earlier'): LeaseHolder {
    this.table.set(pid, { worker, startedAt, onEnd: null });
    return { pid, processStartedAt: startedAt, bootId: BOOT };
  }

  signal(pid: number): void {
    this.dies(pid);
  }

  dies(pid: number, code: number | null = null): void {
    const found = this.table.get(pid);
    this.table.delete(pid);
    found?.onEnd?.({ pid, code, signal: code === null ? 'SIGKILL' : null });
  }

  isGone = (holder: LeaseHolder): boolean => this.table.get(holder.pid)?.startedAt !== holder.processStartedAt;

  identify(pid: number): LeaseHolder | null {
    const found = this.table.get(pid);
    return found ? { pid, processStartedAt: found.startedAt, bootId: BOOT } : null;
  }

  heartbeat = (worker: SupervisedWorker): Heartbeat | null => this.beats.get(worker) ?? null;
  tool: LeaseHolder | null = null;
  announcedTool = (): LeaseHolder | null => this.tool;

  beat(worker: SupervisedWorker, pid: number, phase: WorkerPhase = 'READY', exchange: EpochMs = epochMs(WALL + this.now)): void {
    const counter = (this.beats.get(worker)?.counter ?? 0) + 1;
    const ages = { brokerAgeMs: 0, markAgeMs: 0, commitAgeMs: 0, backlog: 0 };
    this.beats.set(worker, { counter, phase, pid, leaseId: 1, bootId: BOOT, mono: monoMs(this.now), exchange, ...ages });
  }
}

let folder: string;
let db: Db;
let machine: Machine;
let supervision: Supervision;
let ended: boolean;
let said: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-supervise-'));
  db = openStore(join(folder, 'holdfast.db'), { busyTimeoutMs: 0, synchronous: 'OFF' });
  migrate(db, WALL);
  machine = new Machine();
  ended = false;
  said = [];
  supervision = supervise();
});

function supervise(more: Partial<SupervisionParts> = {}): Supervision {
  const taken = acquireLease(db, { name: 'supervisor', ...ME, now: WALL }, () => true);
  if (!taken.ok) throw new Error(taken.detail);
  return createSupervision({
    policy: DEFAULT_SUPERVISION,
    db,
    lease: taken.lease,
    machine: { mono: () => monoMs(machine.now), wall: () => WALL },
    processes: machine,
    log: silentLog,
    say: line => said.push(line),
    showStatus: () => undefined,
    onEnd: () => {
      ended = true;
    },
    onReplaced: why => said.push(`replaced: ${why}`),
    ...more,
  });
}

afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

function pass(ms: number): void {
  for (const end = machine.now + ms; machine.now < end; ) {
    machine.now += 50;
    supervision.turn();
  }
}

const hold = (name: SupervisedWorker | 'liquidator', holder: LeaseHolder): void => {
  acquireLease(db, { name, ...holder, now: WALL }, () => true);
};

it('A4: adopts the holder of a lease by pid and start time; a pid that now belongs to somebody else is not it', () => {
  hold('exit-manager', machine.stranger(70, 'exit-manager'));
  hold('day-trader', { ...machine.stranger(71, 'day-trader', 'later'), processStartedAt: 'earlier' });
  supervision.start();
  expect(machine.starts).toEqual([]); // the day trader waits for the guard's first READY
  machine.beat('exit-manager', 70);
  pass(50);
  expect(machine.starts).toEqual(['day-trader']);

  machine.table.delete(70); // died unseen: no exit event for a process that is not our child
  pass(50);
  expect(machine.starts).toEqual(['day-trader', 'exit-manager']);
});

it('a living worker that a lost store knows nothing of is found by its heartbeat', () => {
  machine.stranger(80, 'exit-manager');
  machine.beat('exit-manager', 80);
  supervision.start();
  pass(100);
  expect(machine.starts).toEqual(['day-trader']);
});

it('DESIGN §1: what a parked day trader left working, or is asked to withdraw, is looked for in the store, and withdrawn', () => {
  writeWorkerEvent(db, { worker: 'day-trader', event: 'parked', detail: '', at: WALL }, TODAY);
  supervision.start();
  const guardBeats = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 500) {
      machine.beat('exit-manager', 501);
      pass(500);
    }
  };
  guardBeats(3_000);
  expect(machine.starts).toEqual(['exit-manager']);

  const entry = anEntry();
  upsertOrder(db, { ...entry, status: 'SUBMITTED' }, { tradeDate: TODAY, replay: false });
  guardBeats(1_500);
  expect(machine.starts).toEqual(['exit-manager', 'day-trader --cancel-only']);
  upsertOrder(db, { ...entry, status: 'CANCELLED' }, { tradeDate: TODAY, replay: false });
  machine.dies(502, 0);
  guardBeats(15_000);
  expect(machine.starts).toHaveLength(2);

  const now = supervision.exchange();
  const row = { kind: 'withdraw-entry', payload: { tradeId: 'T-1' }, tradeDate: TODAY, expiresAt: epochMs(now + 60_000), now };
  insertCommand(db, { ...row, target: 'day-trader', createdBy: 'exit-manager' });
  guardBeats(1_500);
  expect(machine.starts).toEqual(['exit-manager', 'day-trader --cancel-only', 'day-trader --cancel-only']);
});

it('A2: a store locked by somebody costs the records of a restart, not the restart', () => {
  supervision.start();
  const stranger = openStore(db.path, { busyTimeoutMs: 0, synchronous: 'OFF' });
  stranger.exec('BEGIN IMMEDIATE');
  machine.now += 500;
  machine.dies(501);
  stranger.exec('ROLLBACK');
  stranger.close();
  expect(machine.starts).toEqual(['exit-manager', 'exit-manager']);
  expect(readWorkerEvents(db, TODAY).map(({ event }) => event)).toEqual(['started']); // of the first start
});

it('while the emergency tool holds its lease a killed exit manager is not started; when it is gone, it is', () => {
  supervision.start();
  hold('liquidator', machine.stranger(90, 'exit-manager'));
  machine.now += 500;
  machine.dies(501);
  pass(10_000);
  expect(machine.starts).toEqual(['exit-manager']);
  machine.table.delete(90);
  pass(50);
  expect(machine.starts).toEqual(['exit-manager', 'exit-manager']);
});

it('A2: every crash is on record with an alert', () => {
  supervision.start();
  for (const pid of [501, 502, 503]) {
    machine.now += 500;
    machine.dies(pid);
  }
  expect(machine.starts.at(-1)).toBe('exit-manager --minimal');
  expect(readWorkerEvents(db, TODAY).filter(({ event }) => event === 'crashed')).toHaveLength(3);
  expect(readAlerts(db, TODAY).map(({ code, times }) => [code, times])).toEqual([
    ['EXIT_MANAGER_CRASHED', 2],
    ['EXIT_MANAGER_CRASHING', 1],
  ]);
});

it('a pause of its own above a second blames nobody for what was not heard meanwhile', () => {
  supervision.start();
  machine.beat('exit-manager', 501);
  pass(100);
  machine.now += 30_000;
  supervision.turn();
  expect(machine.starts).toEqual(['exit-manager', 'day-trader']);
  expect(machine.table.has(501)).toBe(true);
});

it('A2: an end is the first thing it hears after a pause of its own: the other worker is not taken for hung', () => {
  supervision.start();
  machine.beat('exit-manager', 501);
  pass(100);
  machine.beat('day-trader', 502);
  pass(100);
  machine.now += 30_000;
  machine.dies(502, 70);
  expect(machine.table.has(501)).toBe(true);
  expect(machine.starts).toEqual(['exit-manager', 'day-trader']);
});

it('A13: the day is the one a READY worker tells; the machine, which may live in another year, lifts no block', () => {
  const addBlock = (symbol: string, date: string): void =>
    db.exec(`INSERT INTO closed_positions_today (symbol, close_date, exit_reason, agent_name, timestamp, account, con_id)
      VALUES ('${symbol}', '${date}', 'stop', 'standard', '${date}T18:00:00.000Z', 'DU1', 1)`);
  const symbols = (): string[] =>
    ['2026-03-06', '2026-03-09'].flatMap(date => readBlocks(db, date as TradeDate).map(({ symbol }) => symbol)).sort();
  addBlock('ACME', '2026-03-09');
  addBlock('OLDX', '2026-03-06');
  supervision.start();
  machine.beat('exit-manager', 501, 'CONNECTING', WALL); // no gateway yet: it only knows the machine's clock
  pass(100);
  expect(symbols()).toEqual(['ACME', 'OLDX']);
  machine.beat('exit-manager', 501, 'READY', fromIsoTime('2026-03-09T14:00:00.000Z'));
  pass(100);
  expect(symbols()).toEqual(['ACME']);
});

it('A4: an entry that still rests in the store is withdrawn by a cancel-only process before the exit manager is asked to end', () => {
  supervision.start();
  machine.beat('exit-manager', 501);
  pass(50);
  machine.beat('day-trader', 502);
  const entry = anEntry();
  upsertOrder(db, { ...entry, status: 'SUBMITTED' }, { tradeDate: TODAY, replay: false });
  supervision.ask({ kind: 'stop', id: null, force: false, keepGuard: false });
  expect(machine.starts).toEqual(['exit-manager', 'day-trader', 'day-trader --cancel-only']);
  pass(500);
  expect([...machine.table.keys()]).toEqual([501, 503]);

  upsertOrder(db, { ...entry, status: 'CANCELLED' }, { tradeDate: TODAY, replay: false });
  machine.dies(503, 0);
  expect(ended).toBe(true);
  expect(machine.table.size).toBe(0);
});

it('A4: what could not be withdrawn refuses the stop by name', () => {
  supervision.start();
  upsertOrder(db, { ...anEntry(), status: 'SUBMITTED' }, { tradeDate: TODAY, replay: false });
  supervision.ask({ kind: 'stop', id: null, force: false, keepGuard: false });
  machine.dies(502, 0);
  expect(said.at(-1)).toMatch(/^Not stopped: an entry of ACME may still fill/);
  expect([...machine.table.keys()]).toEqual([501]);
});

it('A4: the stop command with nothing open ends both and then itself; an unknown command is refused by name', () => {
  supervision.start();
  machine.beat('exit-manager', 501);
  pass(50);
  machine.beat('day-trader', 502);
  pass(50);
  const now = supervision.exchange();
  const ask = (kind: string): number => {
    const row = {
      target: 'supervisor',
      kind,
      payload: {},
      tradeDate: TODAY,
      expiresAt: epochMs(now + 60_000),
      createdBy: 'test',
      now,
    } as const;
    // Another process's commit, as the command line's is: one's own is no news.
    const other = openStore(join(folder, 'holdfast.db'), { busyTimeoutMs: 0, synchronous: 'OFF' });
    const asked = insertCommand(other, row);
    other.close();
    return asked.ok ? asked.id : 0;
  };
  const odd = ask('dance');
  const stop = ask('stop');
  pass(50);
  expect(readAnswer(db, odd)).toMatchObject({ status: 'refused', answer: expect.stringContaining('"dance"') });
  expect(readAnswer(db, stop)?.status).toBe('done');
  expect(ended).toBe(true);
  expect(machine.table.size).toBe(0);
});

it('I10: while the emergency tool lives that could write no lease, no exit manager is started', () => {
  const tool = machine.stranger(90, 'exit-manager');
  machine.tool = tool;
  supervision.start();
  pass(2_000);
  expect(machine.starts).toEqual([]);
  machine.table.delete(90);
  pass(100);
  expect(machine.starts).toEqual(['exit-manager']);
});

describe('DESIGN §5: the store of a desk at work', () => {
  const path = (): string => join(folder, 'holdfast.db');
  const backups = (): readonly string[] => readdirSync(join(folder, 'backups')).sort();

  /** Both workers READY, today's copy made. */
  function atWork(): void {
    const keeper = createStoreKeeper({
      path: path(),
      backups: join(folder, 'backups'),
      keepDays: 14,
      db,
      options: { busyTimeoutMs: 0, synchronous: 'OFF' },
      holder: ME,
      wall: () => WALL,
    });
    supervision = supervise({ keeper });
    supervision.start();
    live(200);
  }
  /** Workers beat with so many steps that the store would not take. */
  function live(ms: number, backlog = 0): void {
    for (const end = machine.now + ms; machine.now < end; pass(100)) {
      for (const [pid, { worker }] of machine.table) {
        machine.beat(worker, pid);
        const beat = machine.beats.get(worker);
        if (beat) machine.beats.set(worker, { ...beat, backlog });
      }
    }
  }
  afterEach(() => {
    if (supervision.db !== db) supervision.db.close();
  });

  it('is copied when the first trading date is told, and old copies go', () => {
    mkdirSync(join(folder, 'backups'));
    const old = backupName('daily', epochMs(WALL - 30 * 86_400_000));
    writeFileSync(join(folder, 'backups', old), 'x');
    atWork();
    expect(backups()).toEqual([backupName('daily', WALL)]);
  });

  it('deleted: another one is there within a second, entries off, told, and known to the supervisor', () => {
    atWork();
    for (const side of ['', '-wal', '-shm']) rmSync(`${path()}${side}`, { force: true });
    live(1_000);
    expect(supervision.state.store).toEqual({ is: 'well' });
    expect(supervision.db).not.toBe(db);
    const look = openStore(path(), { busyTimeoutMs: 0, synchronous: 'OFF', readonly: true });
    expect(readKillSwitch(look).on).toBe(true);
    expect(readAlerts(look, TODAY).map(({ code }) => code)).toEqual(['STORE_RESTORED']);
    expect(readLease(look, 'supervisor')?.holder).toEqual(ME);
    look.close();
    machine.dies(501, 6);
    live(500);
    expect(machine.starts).toEqual(['exit-manager', 'day-trader', 'exit-manager']);
  });

  it('damaged where only a worker reads: its backlog gives it away', () => {
    atWork();
    db.pragma('wal_checkpoint(TRUNCATE)');
    const file = openSync(path(), 'r+');
    writeSync(file, Buffer.alloc(statSync(path()).size - 4_096, 0x5a), 0, statSync(path()).size - 4_096, 4_096);
    closeSync(file);
    live(2_000);
    expect(supervision.db).toBe(db);
    live(1_000, 3);
    expect(supervision.db).not.toBe(db);
    expect(supervision.state.store).toEqual({ is: 'well' });
    expect(said.some(line => line.includes('STORE_RESTORED') && line.includes('damaged'))).toBe(true);
  });

  it('merely locked by a stranger: whoever waits for it, it is left as it is', () => {
    atWork();
    const stranger = openStore(path(), { busyTimeoutMs: 0, synchronous: 'OFF' });
    stranger.exec('BEGIN IMMEDIATE');
    live(12_000, 5);
    expect(said.filter(line => line.includes('STORE_NOT_ANSWERING'))).toHaveLength(1);
    expect(supervision.db).toBe(db);
    stranger.close();
    expect(machine.starts).toEqual(['exit-manager', 'day-trader']);
  });

  it('A10: what a restored store does not know of the day is blocked once the exit manager is READY on it', () => {
    bindStore(db, { mode: 'paper', account: 'DU1', now: WALL });
    atWork();
    for (const side of ['', '-wal', '-shm']) rmSync(`${path()}${side}`, { force: true });
    live(1_000);
    supervision.db.immediate(() =>
      bookExecution(supervision.db, {
        execution: aFill({ orderRef: 'HFX-20261120-2-1', symbol: 'SOLD' }),
        tradeId: null,
        tradeDate: TODAY,
      }),
    );
    machine.dies(501, 6);
    live(1_000);
    expect(readBlocks(supervision.db, TODAY).map(({ symbol }) => symbol)).toEqual(['SOLD']);
  });
});
