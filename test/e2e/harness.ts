import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tradeDateOf } from '@holdfast/core/calendar';
import type { CommandPayload } from '@holdfast/core/effects';
import { epochMs } from '@holdfast/core/units';
import { type DeskFiles, deskFiles, type FileOwner } from '@holdfast/engine/desk-files';
import type { Heartbeat } from '@holdfast/engine/heartbeat';
import { isGone, processAt, readHeartbeat, sendSignal } from '@holdfast/engine/live';
import { openRoom, type Room, type RoomOptions } from '@holdfast/sim/gateway/testing/gateway-room';
import { insertCommand, type NewCommandRow, readAnswer } from '@holdfast/store/commands';
import { type Db, openStore } from '@holdfast/store/db';
import { readLease } from '@holdfast/store/leases';
import { waitFor } from './waiting.js';

/**
 * A whole desk for one test: a gateway before a scripted market inside the test's process (its truth and its faults are at hand), and
 * the real apps as processes of their own, from the built files, with a desk.yaml and a var folder nobody else uses. Whatever a test
 * did, `close` finds every process of its desk and kills it by pid.
 */

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export type App = 'supervisor' | 'exit-manager' | 'day-trader';
export type WorkerApp = Exclude<App, 'supervisor'>;

/** What is a desk's own, whatever gateway it trades at. */
export interface DeskSettings {
  /** Sections of desk.yaml over the test's own; the gateway's port is filled in. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Bounds of supervision shortened for this test (core's SupervisionPolicy). */
  readonly supervision?: Readonly<Record<string, number>>;
}

export interface DeskOptions extends RoomOptions, DeskSettings {}

/** A process started by the test, with what it printed. */
export interface TestProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  output(): string;
  /** Resolves with its exit code, or the signal's name, when it has ended. */
  readonly ended: Promise<number | string>;
}

/** The files and processes of a desk. */
export interface PlacedDesk {
  readonly folder: string;
  readonly files: DeskFiles;
  readonly environment: Readonly<Record<string, string>>;
  /** Starts an app as a child of the test (a worker usually is the supervisor's to start), with `more` in its environment. */
  start(app: App, args?: readonly string[], more?: Readonly<Record<string, string>>): TestProcess;
  /** The living process that holds the lease, or null. */
  pidOf(app: App): number | null;
  /** Every living process of this app and desk, whoever started it (Linux: read from /proc). */
  processesOf(app: App): readonly number[];
  /** Whether this pid is a living process of this app and desk. */
  owns(pid: number, app: App): boolean;
  heartbeat(owner: FileOwner): Heartbeat | null;
  /** Waits for a READY worker, other than `notPid` where given; returns its pid. */
  ready(worker: WorkerApp, options?: { readonly notPid?: number; readonly withinMs?: number }): Promise<number>;
  /** Looks into the store. The connection is opened for this one look. */
  look<T>(read: (db: Db) => T): T;
  /** Leaves a command row as the command line does (the supervisor's unless stated) and waits for its answer. */
  command(
    kind: string,
    payload: CommandPayload,
    target?: 'supervisor' | WorkerApp,
  ): Promise<{ readonly status: string; readonly answer: string | null }>;
  /** Everything the processes of this desk printed and logged, for a failing test's message. */
  story(): string;
  /** Kills every process of the desk and removes its folder. */
  close(): Promise<void>;
}

export interface TestDesk extends PlacedDesk {
  readonly room: Room;
}

/** Opens a desk: gateway running, files in place, no process started. */
export async function openDesk(options: DeskOptions = {}): Promise<TestDesk> {
  requireBuild();
  const room = await openRoom(options);
  const desk = placeDesk(options, room.gateway.port);
  return {
    ...desk,
    room,
    close: async () => {
      await desk.close();
      await room.close();
    },
  };
}

/** A desk that trades at a gateway on this port: files in place, no process started. */
export function placeDesk(options: DeskSettings, port: number): PlacedDesk {
  requireBuild();
  // A space in the path: it must work there too.
  const folder = mkdtempSync(join(tmpdir(), 'holdfast e2e-'));
  const configFile = join(folder, 'desk.yaml');
  const config = { mode: 'paper', ...options.config, gateway: { host: '127.0.0.1', port } };
  writeFileSync(configFile, JSON.stringify(config)); // JSON is YAML
  const files = deskFiles(configFile, 'var');
  const environment = { ...environmentOf(options), HOLDFAST_DESK: configFile };
  const started: TestProcess[] = [];

  const look = <T>(read: (db: Db) => T): T => {
    const db = openStore(files.store, { busyTimeoutMs: 2_000, synchronous: 'NORMAL', mustExist: true, readonly: true });
    try {
      return read(db);
    } finally {
      db.close();
    }
  };
  const pidOf = (app: App): number | null => {
    if (!existsSync(files.store)) return null;
    const holder = look(db => readLease(db, app)?.holder ?? null);
    return holder && !isGone(holder) ? holder.pid : null;
  };
  const heartbeat = (owner: FileOwner): Heartbeat | null => readHeartbeat(files.heartbeat(owner));
  const story = (): string => storyOf(files, started);

  return {
    folder,
    files,
    environment,
    start: (app, args = [], more = {}) => {
      const process = startProcess(app, { args: ['--config', configFile, ...args], environment: { ...environment, ...more } });
      started.push(process);
      return process;
    },
    pidOf,
    processesOf: app => processesOf(app, files),
    owns: (pid, app) => isOf(pid, app, files),
    heartbeat,
    ready: (worker, { notPid, withinMs } = {}) =>
      waitFor(
        `${worker} READY${notPid === undefined ? '' : ` as another process than ${notPid}`}`,
        () => {
          const pid = pidOf(worker);
          const beat = heartbeat(worker);
          return pid !== null && pid !== notPid && beat?.pid === pid && beat.phase === 'READY' && pid;
        },
        { ...(withinMs === undefined ? {} : { withinMs }), lastSeen: story },
      ),
    look,
    command: (kind, payload, target = 'supervisor') => {
      const beats = [heartbeat('exit-manager'), heartbeat('day-trader')];
      const now = beats.find(beat => beat?.phase === 'READY')?.exchange ?? epochMs(Date.now());
      return askAndWait(files, {
        target,
        kind,
        payload,
        now,
        tradeDate: tradeDateOf(now),
        expiresAt: epochMs(now + 60_000),
        createdBy: 'test',
      });
    },
    story,
    close: async () => {
      // The supervisor first, or it would start again what is killed after it.
      for (const app of ['supervisor', 'exit-manager', 'day-trader'] as const) await killAll(files, app);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function askAndWait(files: DeskFiles, row: NewCommandRow) {
  const db = openStore(files.store, { busyTimeoutMs: 2_000, synchronous: 'NORMAL', mustExist: true });
  try {
    const asked = insertCommand(db, row);
    if (!asked.ok) throw new Error(asked.detail);
    return await waitFor(`an answer to ${row.kind}`, () => {
      const word = readAnswer(db, asked.id);
      return word !== null && word.status !== 'pending' && word.status !== 'taken' && word;
    });
  } finally {
    db.close();
  }
}

function startProcess(
  app: App,
  { args, environment }: { args: readonly string[]; environment: Readonly<Record<string, string>> },
): TestProcess {
  const child = spawn(process.execPath, [join(ROOT, 'apps', app, 'dist', 'main.js'), ...args], {
    cwd: tmpdir(),
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${app} could not be started`);
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  }
  const ended = new Promise<number | string>(resolve => child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown')));
  return { pid, child, output: () => printed, ended };
}

/** Only what a process needs: nothing of the test runner's own environment. */
function environmentOf({ supervision }: DeskSettings): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR } = process.env; // allowed: the tests' own door to the environment
  const override = supervision ? { HOLDFAST_TEST_SUPERVISION: JSON.stringify(supervision) } : {};
  return { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...override };
}

/** Again until none is left: one that is just starting shows up late. */
async function killAll(files: DeskFiles, app: App): Promise<void> {
  await waitFor(`every ${app} of this desk to be gone`, () => {
    const alive = processesOf(app, files);
    for (const pid of alive) sendSignal(pid, 'SIGKILL');
    return alive.length === 0;
  });
}

/**
 * Recognised by the app on the command line and the desk in the environment it was started with (pm2 gives a process a title without its
 * arguments); zombies are gone.
 */
function processesOf(app: App, files: DeskFiles): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => isOf(pid, app, files));
}

const isOf = (pid: number, app: App, files: DeskFiles): boolean =>
  factsOf(pid, 'cmdline').some(words => words.includes(`apps/${app}/dist/main.js`)) &&
  factsOf(pid, 'environ').includes(`HOLDFAST_DESK=${files.config}`) &&
  processAt(pid) !== null;

function factsOf(pid: number, what: 'cmdline' | 'environ'): string[] {
  try {
    return readFileSync(`/proc/${pid}/${what}`, 'utf8').split('\0');
  } catch {
    return []; // gone meanwhile, or somebody else's
  }
}

function storyOf(files: DeskFiles, started: readonly TestProcess[]): string {
  const printed = started.map(process => `--- printed by ${process.pid}\n${process.output().slice(-4_000)}`);
  const logs = join(files.folder, 'log');
  const written = existsSync(logs)
    ? readdirSync(logs).map(name => `--- ${name}\n${readFileSync(join(logs, name), 'utf8').slice(-3_000)}`)
    : [];
  return [...printed, ...written].join('\n');
}

function requireBuild(): void {
  for (const app of ['supervisor', 'exit-manager', 'day-trader']) {
    if (!existsSync(join(ROOT, 'apps', app, 'dist', 'main.js'))) throw new Error(`apps/${app} is not built: run \`npm run build\` first`);
  }
}
