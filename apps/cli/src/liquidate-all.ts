import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { EpochMs } from '@holdfast/core/units';
import { makeFolders } from '@holdfast/engine/desk-files';
import { HEARTBEAT_BYTES, writeHeartbeat } from '@holdfast/engine/heartbeat';
import { type Liquidation, type LiquidationParts, liquidateAll } from '@holdfast/engine/liquidate';
import { backupStore } from '@holdfast/store/backup';
import { readBinding } from '@holdfast/store/binding';
import { type Db, openStore } from '@holdfast/store/db';
import { acquireLease, type LeaseHolder, releaseLease, unusedLeaseId } from '@holdfast/store/leases';
import { migrate, requireMigrated } from '@holdfast/store/migrate';
import { readPositions } from '@holdfast/store/positions';
import { attempt } from '@holdfast/store/refusal';
import type { Place, Verb } from './command-line.js';
import { type Desk, openForReport, openWorkingDesk } from './desk.js';
import type * as worker from './liquidation-worker.js';
import type { Machine } from './machine.js';
import { complain, EXIT, isProblem } from './problem.js';
import { printJson, type Screen } from './screen.js';

interface Options {
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `holdfast liquidate-all`: the emergency (A14). */
export const addLiquidateCommand: Verb = (program, run) => {
  program
    .command('liquidate-all')
    .description('emergency: stop buying, sell everything in care once, and prove it; works with dead workers and without the database')
    .option('--yes', 'do not ask')
    .option('--json', 'one line of JSON on stdout')
    .addHelpText(
      'after',
      '\nWhat the account held before Holdfast first met it is never sold. The kill switch stays on afterwards, until `./holdfast resume`.\n\nExamples:\n  ./holdfast liquidate-all\n  ./holdfast liquidate-all --yes --json',
    )
    .action((options: Options) => run(place => liquidate(place, options)));
};

async function liquidate(place: Place, { yes = false, json = false }: Options): Promise<number> {
  const { machine, screen, config } = place;
  const desk = openWorkingDesk({ machine, screen, config });
  if (isProblem(desk)) return complain(screen, desk);
  if (!yes && !(await isMeant(place, desk))) {
    return complain(screen, {
      code: EXIT.usage,
      happened: 'Not confirmed.',
      did: 'Nothing was stopped or sold.',
      todo: 'Type yes at the question, or add --yes where nobody can answer.',
    });
  }
  // Whoever read the output may leave; the sale goes on.
  machine.outliveReaders();
  // Brains and broker are large: the other verbs start without them.
  const result = await liquidateAll(partsOf(place, desk, await import('./liquidation-worker.js')));
  if (json) printJson(screen, result);
  else show(screen, result);
  return result.flat ? EXIT.ok : EXIT.no;
}

async function isMeant({ machine, screen }: Place, desk: Desk): Promise<boolean> {
  if (!screen.err.isTerminal) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    screen.err.line(whatIsMeant(machine, desk));
    return (await lines.question('Sell everything in care at the market and stop buying? Type yes: ')).trim().toLowerCase() === 'yes';
  } finally {
    lines.close();
  }
}

/** Account and what is in care by the store, for the question. A store that cannot be read is no reason to wait. */
export function whatIsMeant(machine: Machine, { config, files }: Desk): string {
  const db = openForReport(machine, files);
  const seen = isProblem(db) ? null : attempt(() => ({ account: readBinding(db)?.account ?? null, care: heldIn(db) }));
  if (!isProblem(db)) db.close();
  const known = seen === null || 'code' in seen ? null : seen;
  const account = `Account ${known?.account ?? config.account ?? 'not known yet'} at ${config.gateway.host}:${config.gateway.port}`;
  if (known === null) return `${account}; the store cannot be read: the broker will be asked what is in care.`;
  return `${account}; in care by the store: ${known.care.join(', ') || 'nothing'}.`;
}

const heldIn = (db: Db): readonly string[] =>
  readPositions(db)
    .filter(({ quantity }) => quantity !== 0)
    .map(({ contract, quantity }) => `${quantity} ${contract.symbol}`);

function partsOf({ machine, screen }: Place, desk: Desk, { connectTo, workerStarter }: typeof worker): LiquidationParts {
  const { files, config } = desk;
  return {
    files,
    brokerAt: `${config.gateway.host}:${config.gateway.port}`,
    me: machine.thisProcess(),
    openStore: () => open(files.store),
    temporaryStore: () =>
      temporaryStore(join(files.folder, 'run', `liquidation-${machine.thisProcess().pid}.db`), machine.wall(), machine.thisProcess()),
    copyOf: db => {
      const path = join(files.folder, 'run', `liquidation-${machine.thisProcess().pid}.db`);
      rmSync(path, { force: true });
      const copied = backupStore(db, path);
      return copied.ok ? temporaryStore(path, machine.wall(), machine.thisProcess()) : copied;
    },
    announce: () => announce(machine, files.heartbeat('liquidator')),
    halt: reason => {
      const made = makeFolders(files);
      if (made.ok) writeFileSync(files.halt, `${reason}\n`);
      else screen.err.line(`  the HALT file is not written: ${made.detail}`);
    },
    heartbeat: owner => machine.heartbeat(files.heartbeat(owner)),
    isGone: machine.isGone,
    identify: machine.identify,
    kill: pid => machine.signal(pid, 'SIGKILL'),
    mono: machine.mono,
    wall: machine.wall,
    sleep: machine.sleep,
    connect: connectTo(desk, machine),
    startWorker: workerStarter(desk, machine),
    say: line => screen.err.line(`  ${line}`),
  };
}

/** The store as it is, or why it cannot serve: missing, not a database, locked by somebody for good, of another version. */
function open(path: string): Db | { readonly ok: false; readonly detail: string } {
  return attempt(() => {
    const db = openStore(path, { busyTimeoutMs: 1_000, synchronous: 'NORMAL', mustExist: true });
    const migrated = requireMigrated(db);
    const check = migrated.ok ? attempt(() => ({ ok: true as const, rows: db.pragma('quick_check(1)') })) : migrated;
    if (check.ok && JSON.stringify('rows' in check ? check.rows : '').includes('"ok"')) return db;
    db.close();
    return { ok: false as const, code: 'STORE_CORRUPT' as const, detail: check.ok ? 'the file is damaged' : check.detail };
  });
}

/** A heartbeat that never moves: only who this is counts. A full disk costs the word, not the emergency. */
function announce(machine: Machine, path: string): void {
  const now = machine.wall();
  const facts = { phase: 'STARTING', leaseId: 0, brokerAgeMs: null, markAgeMs: null, commitAgeMs: null, backlog: 0 } as const;
  try {
    const file = machine.openRandomFile(path, HEARTBEAT_BYTES);
    writeHeartbeat(file, { ...facts, ...machine.thisProcess(), counter: 1, mono: machine.mono(), exchange: now });
    file.close();
  } catch {
    return; // the lease says the same where it can be written
  }
}

function temporaryStore(path: string, now: EpochMs, me: LeaseHolder): Db {
  const db = openStore(path, { busyTimeoutMs: 1_000, synchronous: 'NORMAL' });
  migrate(db, now);
  // Lease numbers are part of every orderRef: without the store that counted them, begin where none was used.
  const first = acquireLease(db, { name: 'liquidator', ...me, now, leaseIdMin: unusedLeaseId(db, now) }, () => true);
  if (first.ok) releaseLease(db, first.lease);
  return db;
}

function show(screen: Screen, result: Liquidation): void {
  const { out } = screen;
  const { paint } = out;
  out.line(result.flat ? paint.green('flat: nothing in care is held, nothing of ours works at the broker') : paint.red('NOT FLAT'));
  out.line(`  ${result.detail} (${result.path}, ${(result.wallMs / 1_000).toFixed(1)} s)`);
  for (const { symbol, quantity, reason } of result.left) out.line(`  still held: ${quantity} ${symbol}${reason ? ` (${reason})` : ''}`);
  if (result.workingOrders > 0) out.line(`  orders of ours still working: ${result.workingOrders}`);
  for (const { symbol, quantity } of result.handsOff) out.line(`  not touched (held before): ${quantity} ${symbol}`);
  if (result.proof === null) out.line('  Nothing is proved: the broker gave no two agreeing answers. What rests there goes on resting.');
  const isUncertain = result.left.some(({ reason }) => reason !== undefined);
  if (result.proof === null) out.line('  What to do: start TWS or IB Gateway at the host and port of desk.yaml, then run this again.');
  else if (!result.flat && !isUncertain) out.line('  What to do: look at these in TWS now; run this again once they trade.');
  if (isUncertain) out.line('  What to do: sell in TWS what should not be held; or put the store back (var/backups) and run this again.');
  out.line('  The kill switch stays on: entries wait for `./holdfast resume`.');
}
