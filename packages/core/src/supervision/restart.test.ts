import { expect, it } from 'vitest';
import { monoMs } from '../units.js';
import { park } from './parking.js';
import { DEFAULT_SUPERVISION as POLICY } from './policy.js';
import { afterExit, type LeaseHolder } from './restart.js';
import { freshPulse, newWatch, type SupervisedWorker, type Watch, type WatchStatus, type WorkerExit } from './watch.js';

const NOW = monoMs(100_000);
const PID = 41;

const ALIVE: WatchStatus = { is: 'alive', pid: PID, adopted: false, mode: 'normal', pulse: freshPulse(NOW) };
const HUNG: WatchStatus = { is: 'killed', pid: PID, askedAt: NOW, why: 'its heartbeat stood still for 5.0 s' };

/** A living worker that has crashed before, once a second until just now. */
const aliveAfter = (worker: SupervisedWorker, crashes: number, status: WatchStatus = ALIVE): Watch => ({
  ...newWatch(worker, status),
  startedAt: monoMs(NOW - 1_000),
  crashes: Array.from({ length: crashes }, (_, n) => monoMs(NOW - 1_000 * (crashes - n))),
});

const code = (exitCode: number): WorkerExit => ({ pid: PID, code: exitCode, signal: null });
const KILLED: WorkerExit = { pid: PID, code: null, signal: 'SIGKILL' };
const TOOL: LeaseHolder = { pid: 77, isWorker: false };
const TWIN: LeaseHolder = { pid: 78, isWorker: true };

const next = ({ status }: Watch): string => {
  if (status.is === 'due') return `due in ${status.at - NOW} ms, ${status.mode}`;
  return status.is === 'held' ? `held by ${status.by}` : status.is === 'alive' ? `adopted ${status.pid}` : status.is;
};

it.each<[SupervisedWorker, string, { before: number; exit: WorkerExit; status?: WatchStatus; holder?: LeaseHolder }, string, string]>([
  // worker, ended by, what happened, what follows, alert
  ['exit-manager', 'first crash', { before: 0, exit: code(1) }, 'due in 0 ms, normal', 'EXIT_MANAGER_CRASHED'],
  ['exit-manager', 'kill -9', { before: 0, exit: KILLED }, 'due in 0 ms, normal', 'EXIT_MANAGER_CRASHED'],
  ['exit-manager', 'second in 60 s', { before: 1, exit: KILLED }, 'due in 0 ms, normal', 'EXIT_MANAGER_CRASHED'],
  ['exit-manager', 'third in 60 s', { before: 2, exit: KILLED }, 'due in 0 ms, minimal', 'EXIT_MANAGER_CRASHING'],
  ['exit-manager', 'hundredth', { before: 99, exit: code(70) }, 'due in 0 ms, minimal', 'EXIT_MANAGER_CRASHING'],
  ['exit-manager', 'hang', { before: 0, exit: KILLED, status: HUNG }, 'due in 0 ms, normal', 'EXIT_MANAGER_CRASHED'],
  ['exit-manager', 'clean end', { before: 9, exit: code(0) }, 'due in 0 ms, normal', '-'],
  ['exit-manager', 'lease lost, holder gone', { before: 0, exit: code(3) }, 'due in 0 ms, normal', '-'],
  ['exit-manager', 'lease lost to a twin', { before: 0, exit: code(3), holder: TWIN }, 'adopted 78', '-'],
  ['exit-manager', 'killed by the emergency tool', { before: 0, exit: KILLED, holder: TOOL }, 'held by 77', '-'],
  ['exit-manager', 'bad configuration', { before: 0, exit: code(78) }, 'due in 250 ms, normal', 'BAD_CONFIGURATION'],
  ['day-trader', 'first crash', { before: 0, exit: KILLED }, 'due in 500 ms, normal', 'DAY_TRADER_CRASHED'],
  ['day-trader', 'second crash', { before: 1, exit: code(70) }, 'due in 1000 ms, normal', 'DAY_TRADER_CRASHED'],
  ['day-trader', 'fourth crash', { before: 3, exit: code(70) }, 'due in 4000 ms, normal', 'DAY_TRADER_CRASHED'],
  ['day-trader', 'fifth crash', { before: 4, exit: code(70) }, 'parked', 'DAY_TRADER_PARKED'],
  ['day-trader', 'hang', { before: 0, exit: KILLED, status: HUNG }, 'due in 500 ms, normal', 'DAY_TRADER_CRASHED'],
  ['day-trader', 'clean end', { before: 4, exit: code(0) }, 'due in 500 ms, normal', '-'],
  ['day-trader', 'store unusable, again and again', { before: 4, exit: code(5) }, 'due in 2000 ms, normal', '-'],
  ['exit-manager', 'store unusable', { before: 0, exit: code(5) }, 'due in 0 ms, normal', 'EXIT_MANAGER_CRASHED'],
  ['day-trader', 'bad configuration', { before: 0, exit: code(78) }, 'parked', 'BAD_CONFIGURATION'],
  ['day-trader', 'lease lost to a twin', { before: 0, exit: code(3), holder: TWIN }, 'adopted 78', '-'],
])('A2: %s, %s', (worker, _, { before, exit, status, holder }, follows, alert) => {
  const after = afterExit(aliveAfter(worker, before, status), exit, NOW, { policy: POLICY, holder: holder ?? null });
  expect(next(after.watch)).toBe(follows);
  expect(after.alert?.code ?? '-').toBe(alert);
});

it.each<[string, { before: number; exit: WorkerExit; status?: WatchStatus; holder?: LeaseHolder }, number | null, string]>([
  // ended by, what happened, next try in ms, alert
  ['clean end', { before: 0, exit: code(0) }, 9_000, '-'],
  ['first crash', { before: 0, exit: KILLED }, 9_000, 'CANCEL_ONLY_CRASHED'],
  ['sixth crash in the window', { before: 5, exit: code(70) }, 16_000, 'CANCEL_ONLY_CRASHED'],
  ['hang', { before: 0, exit: KILLED, status: HUNG }, 9_000, 'CANCEL_ONLY_CRASHED'],
  ['lease lost to a twin', { before: 0, exit: code(3), holder: TWIN }, 9_000, '-'],
  ['bad configuration', { before: 0, exit: code(78) }, null, 'BAD_CONFIGURATION'],
])(
  'DESIGN §1: the cancel-only day trader, started a second ago, %s: parked as before',
  (_, { before, exit, status, holder }, tryIn, alert) => {
    const watch = { ...park(aliveAfter('day-trader', before), 'a person asked for it', NOW), status: status ?? ALIVE };
    const after = afterExit(watch, exit, NOW, { policy: POLICY, holder: holder ?? null });
    const parked = { is: 'parked', why: 'a person asked for it' };
    expect(after.watch).toMatchObject({ status: parked, parking: { nextTryAt: tryIn === null ? null : NOW + tryIn } });
    expect(after.alert?.code ?? '-').toBe(alert);
  },
);

it('A2: back-off stops growing at 30 s', () => {
  const patient = { ...POLICY, parkAfterCrashes: 100 };
  const after = afterExit(aliveAfter('day-trader', 20), KILLED, NOW, { policy: patient, holder: null });
  expect(next(after.watch)).toBe('due in 30000 ms, normal');
});

it('A2: crashes older than the window are forgotten', () => {
  const old = { ...aliveAfter('day-trader', 0), crashes: Array.from({ length: 9 }, () => monoMs(NOW - POLICY.parkWindowMs - 1)) };
  expect(next(afterExit(old, KILLED, NOW, { policy: POLICY, holder: null }).watch)).toBe('due in 500 ms, normal');
});

it('an exit manager without any configuration is tried ever more slowly, at least every 5 s, and told once', () => {
  let watch = aliveAfter('exit-manager', 0);
  const seen: string[] = [];
  for (let turn = 0; turn < 7; turn++) {
    const after = afterExit({ ...watch, status: ALIVE }, code(78), NOW, { policy: POLICY, holder: null });
    seen.push(`${next(after.watch)}${after.alert ? ' alert' : ''}`);
    watch = after.watch;
  }
  expect(seen).toEqual([
    'due in 250 ms, normal alert',
    'due in 500 ms, normal',
    'due in 1000 ms, normal',
    'due in 2000 ms, normal',
    'due in 4000 ms, normal',
    'due in 5000 ms, normal',
    'due in 5000 ms, normal',
  ]);
});

it('an adopted worker that had said it was stopping did not crash; one that vanished did', () => {
  const gone: WorkerExit = { pid: PID, code: null, signal: null };
  const context = { policy: POLICY, holder: null };
  const stopping: WatchStatus = { is: 'alive', pid: PID, adopted: true, mode: 'normal', pulse: { ...freshPulse(NOW), phase: 'STOPPING' } };
  expect(afterExit(aliveAfter('day-trader', 0, stopping), gone, NOW, context).ending).toBe('clean');
  expect(afterExit(aliveAfter('day-trader', 0), gone, NOW, context).ending).toBe('crash');
});

it.each<[SupervisedWorker, RegExp, RegExp]>([
  ['exit-manager', /its next start takes that up by itself/, /unpark|parked/],
  ['day-trader', /release it with `holdfast unpark`/, /tried again/],
])('a refused configuration, %s: the reason in its own words, and only what is true of this worker', (worker, todo, never) => {
  const exit = { ...code(78), lastWords: 'mode: got "papr"' };
  const { alert } = afterExit(aliveAfter(worker, 0), exit, NOW, { policy: POLICY, holder: null });
  expect(alert?.happened).toContain('mode: got "papr"');
  expect(alert?.todo).toMatch(todo);
  expect(`${alert?.did} ${alert?.todo}`).not.toMatch(never);
});
