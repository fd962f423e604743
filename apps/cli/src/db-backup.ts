import { join } from 'node:path';
import { backUp } from '@holdfast/engine/store-keeper';
import { openStore } from '@holdfast/store/db';
import { attempt } from '@holdfast/store/refusal';
import type { Place } from './command-line.js';
import { missingStore, openDesk, shownPath, storeProblem } from './desk.js';
import { complain, isProblem } from './problem.js';
import { printJson } from './screen.js';

/** `holdfast db backup`: one checked copy of the store under var/backups. Reads one snapshot; nobody has to stop for it. */
export function backUpStore({ machine, screen, config }: Place, json: boolean): number {
  const desk = openDesk(machine, config);
  if (isProblem(desk)) return complain(screen, desk);
  const { store, backups } = desk.files;
  const shown = shownPath(machine, store);
  const missing = missingStore(machine, desk.files);
  if (missing) return complain(screen, missing);
  const db = attempt(() => openStore(store, { busyTimeoutMs: 5_000, synchronous: 'FULL', mustExist: true }));
  if ('code' in db) return complain(screen, storeProblem(shown, db.detail));
  try {
    const made = backUp(db, { backups, keepDays: desk.config.backups.keepDays, reason: 'on-demand', now: machine.wall() });
    if (!made.ok) return complain(screen, storeProblem(shown, made.detail));
    const path = join(backups, made.name);
    if (json) printJson(screen, { store, backup: path, dropped: made.dropped });
    else screen.out.line(`${shown}: copied to ${shownPath(machine, path)} and checked${droppedWords(made.dropped.length)}.`);
    return 0;
  } finally {
    db.close();
  }
}

const droppedWords = (count: number): string => (count === 0 ? '' : `; ${count} older ${count === 1 ? 'copy' : 'copies'} deleted`);
