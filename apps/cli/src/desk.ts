import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { backupsAmong } from '@holdfast/core/supervision/backups';
import type { EpochMs } from '@holdfast/core/units';
import { epochMs } from '@holdfast/core/units';
import { type Config, describeProblem, parseConfig } from '@holdfast/engine/config';
import { loadConfig } from '@holdfast/engine/config-file';
import { type DeskFiles, deskFiles } from '@holdfast/engine/desk-files';
import { hasRun } from '@holdfast/engine/desk-store';
import { isBeating } from '@holdfast/engine/heartbeat';
import { type Db, openStore } from '@holdfast/store/db';
import { requireMigrated } from '@holdfast/store/migrate';
import { attempt } from '@holdfast/store/refusal';
import type { Place } from './command-line.js';
import type { Machine } from './machine.js';
import { EXIT, isProblem, type Problem, wordsOf } from './problem.js';

/** One desk as the commands see it: its configuration and where its files lie. */
export interface Desk {
  readonly config: Config;
  readonly files: DeskFiles;
}

/** A worker whose heartbeat is older than this tells no time. */
const STILL_MS = 5_000;
const REPORT_BUSY_MS = 2_000;

/** desk.yaml: the one named with --config (relative to the caller), else the checkout's own. */
export const configFile = (machine: Machine, given: string | undefined): string =>
  given === undefined ? join(machine.root, 'desk.yaml') : resolve(machine.cwd, given);

/** Shorter where it lies below the caller's folder. */
export function shownPath(machine: Machine, path: string): string {
  const short = relative(machine.cwd, path);
  return short === '' || short.startsWith('..') ? path : short;
}

/** Reads and checks desk.yaml. Every mistake in it is told at once. */
export function openDesk(machine: Machine, given: string | undefined): Desk | Problem {
  const file = configFile(machine, given);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return {
      code: EXIT.configuration,
      happened: `The configuration cannot be read: ${wordsOf(error)}.`,
      did: 'Nothing was started or changed.',
      todo: 'Name the right file with --config FILE, or copy the desk.yaml of the checkout.',
    };
  }
  const parsed = parseConfig(text, { HOLDFAST_ACCOUNT: machine.environment.HOLDFAST_ACCOUNT });
  if (!parsed.ok) {
    const count = parsed.problems.length;
    return {
      code: EXIT.configuration,
      happened: [
        `${shownPath(machine, file)} has ${count === 1 ? 'a mistake' : `${count} mistakes`}:`,
        ...parsed.problems.map(describeProblem),
      ].join('\n    '),
      did: 'Nothing was started or changed; an exit manager that runs goes on with the last configuration that worked.',
      todo: 'Correct the lines above. What each key allows is in docs/configuration.md.',
    };
  }
  return { config: parsed.config, files: deskFiles(file, parsed.config.paths.var) };
}

/**
 * The desk for a command that looks or acts on what runs: a broken desk.yaml must not stand in the way of an emergency, so the last one
 * that worked serves, and the screen says so.
 */
export function openWorkingDesk({ machine, screen, config }: Pick<Place, 'machine' | 'screen' | 'config'>): Desk | Problem {
  const desk = openDesk(machine, config);
  if (!isProblem(desk)) return desk;
  const environment = { HOLDFAST_ACCOUNT: machine.environment.HOLDFAST_ACCOUNT };
  const earlier = loadConfig({ path: configFile(machine, config), environment, mayFallBack: true });
  if (!earlier.ok) return desk;
  screen.err.line(`holdfast: ${desk.happened}`);
  screen.err.line(`  Going on with the last configuration that worked (${shownPath(machine, earlier.files.lastGoodConfig)}).`);
  return { config: earlier.config, files: earlier.files };
}

/** Opens the store for a report: it is looked at, never written, and never created. */
export function openForReport(machine: Machine, files: DeskFiles): Db | Problem {
  return openExisting(machine, files, true);
}

/** Opens the store to leave a command in it. */
export function openForCommand(machine: Machine, files: DeskFiles): Db | Problem {
  return openExisting(machine, files, false);
}

function openExisting(machine: Machine, files: DeskFiles, readonly: boolean): Db | Problem {
  const shown = shownPath(machine, files.store);
  const missing = missingStore(machine, files);
  if (missing) return missing;
  const db = attempt(() => openStore(files.store, { busyTimeoutMs: REPORT_BUSY_MS, synchronous: 'NORMAL', mustExist: true, readonly }));
  if ('code' in db) return storeProblem(shown, db.detail);
  const migrated = requireMigrated(db);
  if (migrated.ok) return db;
  db.close();
  if (migrated.code === 'STORE_NOT_MIGRATED') {
    return {
      code: EXIT.unavailable,
      happened: `The store at ${shown} is older than this program (${migrated.detail.replace(/: run .*$/, '')}).`,
      did: 'Nothing was read or changed.',
      todo: 'Run `./holdfast db migrate`; a running exit manager survives it.',
    };
  }
  return storeProblem(shown, migrated.detail);
}

const noStore = (shown: string): Problem => ({
  code: EXIT.unavailable,
  happened: `There is no store at ${shown}: Holdfast has never run with this desk.yaml.`,
  did: 'Nothing was read or created.',
  todo: 'Start the desk with `./holdfast start`, or name another configuration with --config FILE.',
});

/** Null when the file is there. Where the desk has run before, an absent store is a lost one. */
export function missingStore(machine: Machine, files: DeskFiles): Problem | null {
  if (existsSync(files.store)) return null;
  return hasRun(files) ? lostStore(machine, files) : noStore(shownPath(machine, files.store));
}

/** Whoever starts the supervisor gets it back (DESIGN §5). */
function lostStore(machine: Machine, files: DeskFiles): Problem {
  const copies = existsSync(files.backups) ? backupsAmong(readdirSync(files.backups)) : [];
  const newest = copies[0];
  const count = `${copies.length} ${copies.length === 1 ? 'copy' : 'copies'}`;
  const rests = [
    newest ? `${count} in ${shownPath(machine, files.backups)}, the newest ${newest.name}` : '',
    existsSync(files.emergency('exit-manager')) ? "the exit manager's emergency file" : '',
  ].filter(words => words !== '');
  return {
    code: EXIT.unavailable,
    happened:
      `The store ${shownPath(machine, files.store)} is gone, and this desk has run before. ` +
      `Left: ${rests.join('; ') || 'an empty folder for copies'}.`,
    did: 'Nothing was read or created.',
    todo:
      'If somebody moved it, put it back with its -wal. Else `./holdfast start` (a supervisor that runs does it by itself): it restores the ' +
      'newest sound copy, asks the broker for the rest, and leaves the kill switch on until you look and `./holdfast resume`.',
  };
}

export const storeProblem = (shown: string, detail: string): Problem => ({
  code: EXIT.unavailable,
  happened: `The store at ${shown} cannot be used: ${detail}.`,
  did: 'Nothing was changed. Protection does not depend on this command: the workers go on by the broker.',
  todo: 'Look at `./holdfast status` again in a moment; if it stays so, check disk space and the rights of that folder.',
});

/** Exchange time as a running worker tells it, else the machine's clock: a demo's exchange lives in another year. */
export function exchangeNow(machine: Machine, files: DeskFiles): EpochMs {
  const now = { mono: machine.mono(), bootId: machine.bootId, stillMs: STILL_MS };
  for (const worker of ['exit-manager', 'day-trader'] as const) {
    const beat = machine.heartbeat(files.heartbeat(worker));
    if (beat && isBeating(beat, now)) return epochMs(Math.floor(beat.exchange + (now.mono - beat.mono)));
  }
  return machine.wall();
}
