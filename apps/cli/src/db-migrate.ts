import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { backupName } from '@holdfast/core/supervision/backups';
import { hasRun } from '@holdfast/engine/desk-store';
import { backupStore } from '@holdfast/store/backup';
import { openStore } from '@holdfast/store/db';
import { migrate, requireMigrated } from '@holdfast/store/migrate';
import { attempt } from '@holdfast/store/refusal';
import type { Place, Verb } from './command-line.js';
import { backUpStore } from './db-backup.js';
import { missingStore, openDesk, shownPath, storeProblem } from './desk.js';
import { complain, isProblem } from './problem.js';
import { printJson } from './screen.js';

/** `holdfast db migrate`: brings the store to this version, after a copy; `start` does the same. `holdfast db backup`: a copy now. */
export const addDbCommand: Verb = (program, run) => {
  const db = program.command('db').description('look after the store');
  db.command('backup')
    .description('copy the store to var/backups and check the copy; nothing has to stop for it')
    .option('--json', 'one line of JSON on stdout')
    .addHelpText('after', '\nExample:\n  ./holdfast db backup')
    .action((options: { readonly json?: boolean }) => run(place => backUpStore(place, options.json === true)));
  db.command('migrate')
    .description('bring the store to this version; an existing one is copied first')
    .option('--json', 'one line of JSON on stdout')
    .addHelpText('after', '\nExample:\n  ./holdfast db migrate')
    .action((options: { readonly json?: boolean }) => run(place => migrateStore(place, options.json === true)));
};

function migrateStore({ machine, screen, config }: Place, json: boolean): number {
  const desk = openDesk(machine, config);
  if (isProblem(desk)) return complain(screen, desk);
  const { store, backups } = desk.files;
  const shown = shownPath(machine, store);
  const existed = existsSync(store);
  // An empty one in its place would hide the loss from the supervisor, which restores it.
  const lost = hasRun(desk.files) ? missingStore(machine, desk.files) : null;
  if (lost) return complain(screen, lost);
  mkdirSync(dirname(store), { recursive: true });
  const db = attempt(() => openStore(store, { busyTimeoutMs: 5_000, synchronous: 'FULL' }));
  if ('code' in db) return complain(screen, storeProblem(shown, db.detail));
  try {
    const ready = requireMigrated(db);
    let backup: string | null = null;
    if (!ready.ok && existed) {
      if (ready.code !== 'STORE_NOT_MIGRATED') return complain(screen, storeProblem(shown, ready.detail));
      mkdirSync(backups, { recursive: true });
      backup = join(backups, backupName('before-migration', machine.wall()));
      const copied = backupStore(db, backup);
      if (!copied.ok) return complain(screen, storeProblem(shown, copied.detail));
    }
    const migrated = migrate(db, machine.wall());
    if (!migrated.ok) return complain(screen, storeProblem(shown, migrated.detail));
    const { applied } = migrated;
    if (json) printJson(screen, { store, applied, backup });
    else if (applied.length === 0) screen.out.line(`${shown} is at this version already.`);
    else
      screen.out.line(
        `${shown}: applied ${applied.join(', ')}${backup === null ? '' : `; the copy from before is ${shownPath(machine, backup)}`}.`,
      );
    return 0;
  } finally {
    db.close();
  }
}
