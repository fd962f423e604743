import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DeskFiles, deskFiles, type FileOwner } from '@holdfast/engine/desk-files';
import { type Db, openStore } from '@holdfast/store/db';
import type { LeaseHolder } from '@holdfast/store/leases';
import { readLease, readLeases } from '@holdfast/store/leases';
import { migrate } from '@holdfast/store/migrate';
import { attempt } from '@holdfast/store/refusal';
import type { Machine } from '../machine.js';

export const ACCOUNT = 'DU1234567';

/** A fresh desk in a folder of its own, with its processes: nothing of it is shared with a desk that works elsewhere. */
export interface Workshop {
  readonly folder: string;
  readonly files: DeskFiles;
  /** Our own connection, for looking at the store and leaving commands. */
  readonly db: Db;
  /** What the supervisor prints. */
  readonly console: string;
}

/** Every demo has its folder in here. */
export const demosOf = ({ root }: Machine): string => join(root, 'var', 'demo');

/** Makes the folder `var/demo/…` with a desk.yaml that knows the gateway's port, and a migrated store. Throws when the disk does not allow it. */
export function openWorkshop(
  machine: Machine,
  { port, watchlist }: { readonly port: number; readonly watchlist: readonly string[] },
): Workshop {
  const demos = demosOf(machine);
  mkdirSync(demos, { recursive: true });
  const folder = mkdtempSync(join(demos, 'day-'));
  const config = join(folder, 'desk.yaml');
  writeFileSync(config, deskYaml(port, watchlist));
  const files = deskFiles(config, 'var');
  mkdirSync(join(files.folder, 'log'), { recursive: true });
  const db = openStore(files.store, { busyTimeoutMs: 2_000, synchronous: 'NORMAL' });
  const migrated = migrate(db, machine.wall());
  if (!migrated.ok) throw new Error(`the demo's store cannot be made: ${migrated.detail}`);
  return { folder, files, db, console: files.output('supervisor') };
}

const deskYaml = (port: number, watchlist: readonly string[]): string => `# Written by \`holdfast demo\`.
mode: demo
account: ${ACCOUNT}
gateway:
  host: 127.0.0.1
  port: ${port}
entries:
  watchlist: [${watchlist.map(symbol => JSON.stringify(symbol)).join(', ')}]
paths:
  var: var
`;

export interface SupervisorProcess {
  readonly holder: LeaseHolder | null;
  /** Null while it runs. */
  ended(): string | null;
}

/**
 * Starts the supervisor as a terminal or pm2 would, in a process group of its own: Ctrl+C at the demo must reach the demo alone, which
 * then stops everything in order.
 */
export function startSupervisor(machine: Machine, { files, console }: Workshop): SupervisorProcess {
  const output = openSync(console, 'a');
  const script = join(machine.root, 'apps', 'supervisor', 'dist', 'main.js');
  // An account or a test bound of the caller's environment is not the demo's.
  const env = Object.fromEntries(Object.entries(machine.environment).filter(([name]) => !name.startsWith('HOLDFAST_')));
  const child = spawn(machine.node, [script, '--config', files.config], {
    cwd: machine.root,
    env,
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  let ended: string | null = null;
  child.on('error', error => {
    ended = error.message;
  });
  child.on('exit', (code, signal) => {
    ended = signal === null ? `exit code ${code}` : signal;
  });
  return { holder: child.pid === undefined ? null : machine.identify(child.pid), ended: () => ended };
}

export interface WorkerState {
  readonly pid: number;
  readonly isReady: boolean;
}

/** The living holder of a worker's lease; READY by its own word, in the store or (a little later) in its heartbeat. */
export function workerState(
  machine: Machine,
  { db, files }: Pick<Workshop, 'db' | 'files'>,
  name: 'exit-manager' | 'day-trader',
): WorkerState | null {
  const lease = attempt(() => readLease(db, name));
  if (lease === null || 'ok' in lease || lease.holder === null) return null;
  const { pid } = lease.holder;
  const beat = machine.heartbeat(files.heartbeat(name));
  const beats = beat !== null && beat.pid === pid && beat.bootId === machine.bootId && beat.phase === 'READY';
  return { pid, isReady: lease.phase === 'READY' || beats };
}

/** Who is alive of this desk, by lease and by heartbeat: pids with start time and boot, so that nobody else can be hit. */
export function livingProcesses(machine: Machine, { db, files }: Workshop, supervisor: SupervisorProcess | null): readonly LeaseHolder[] {
  const found = new Map<number, LeaseHolder>();
  const add = (holder: LeaseHolder | null): void => {
    if (holder && !machine.isGone(holder)) found.set(holder.pid, holder);
  };
  add(supervisor?.holder ?? null);
  const leases = attempt(() => readLeases(db));
  if (!('ok' in leases)) for (const { holder } of leases) add(holder);
  for (const owner of ['exit-manager', 'day-trader'] as const satisfies readonly FileOwner[]) {
    const beat = machine.heartbeat(files.heartbeat(owner));
    // A worker that died before it took its lease has no row; its heartbeat names it, if it ever had one.
    if (beat && beat.bootId === machine.bootId && machine.mono() - beat.mono < 2_000) add(machine.identify(beat.pid));
  }
  return [...found.values()];
}

/** SIGKILL by pid until nobody is left: the supervisor first, or it would start the others again. */
export async function killEverything(machine: Machine, workshop: Workshop, supervisor: SupervisorProcess | null): Promise<void> {
  for (let round = 0; round < 100; round++) {
    const alive = livingProcesses(machine, workshop, supervisor);
    if (alive.length === 0) return;
    for (const { pid } of alive) machine.signal(pid, 'SIGKILL');
    await machine.sleep(30);
  }
}

export function closeWorkshop({ db, folder }: Workshop, { keep }: { readonly keep: boolean }): void {
  db.close();
  if (!keep) rmSync(folder, { recursive: true, force: true });
}

/** The last lines of what a process printed, for a failure's story. */
export function tailOf(file: string, lines: number): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return ''; // it never printed
  }
}
