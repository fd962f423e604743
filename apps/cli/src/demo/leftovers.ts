import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deskFiles } from '@holdfast/engine/desk-files';
import { openStore } from '@holdfast/store/db';
import { type LeaseHolder, readLease } from '@holdfast/store/leases';
import { attempt } from '@holdfast/store/refusal';
import type { Machine } from '../machine.js';
import { killEverything, livingProcesses, type Workshop } from './workshop.js';

/**
 * A demo that was killed with -9 could not stop its supervisor and workers, which are made to outlive whoever started them: they would dial its
 * gateway for ever, or meet the next demo's under the same port. The next demo ends them.
 */

/** Says whose demo the folder is. */
const OWNER_FILE = 'demo.json';

export const signFolder = (folder: string, me: LeaseHolder): void => writeFileSync(join(folder, OWNER_FILE), JSON.stringify(me));

/** Null for a folder of an earlier version, or one that is being made or removed: nothing of it is touched. */
function ownerOf(folder: string): LeaseHolder | null {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(join(folder, OWNER_FILE), 'utf8'));
  } catch {
    return null; // not there, or half written
  }
  if (typeof value !== 'object' || value === null) return null;
  const { pid, processStartedAt, bootId } = value as Partial<LeaseHolder>;
  return typeof pid === 'number' && typeof processStartedAt === 'string' && typeof bootId === 'string'
    ? { pid, processStartedAt, bootId }
    : null;
}

/** Ends what demos below `demos` left at work whose own process is gone, and says so. Their folders stay. */
export async function endLeftovers(machine: Machine, demos: string, say: (line: string) => void): Promise<void> {
  if (!existsSync(demos)) return;
  for (const name of readdirSync(demos)) {
    const folder = join(demos, name);
    const owner = ownerOf(folder);
    if (owner !== null && machine.isGone(owner)) await endDesk(machine, folder, say);
  }
}

async function endDesk(machine: Machine, folder: string, say: (line: string) => void): Promise<void> {
  const files = deskFiles(join(folder, 'desk.yaml'), 'var');
  const db = attempt(() => openStore(files.store, { busyTimeoutMs: 2_000, synchronous: 'NORMAL', mustExist: true, readonly: true }));
  if ('code' in db) return;
  try {
    const workshop: Workshop = { folder, files, db, console: files.output('supervisor') };
    const lease = attempt(() => readLease(db, 'supervisor'));
    const holder = lease === null || 'ok' in lease ? null : lease.holder;
    const supervisor = { holder, ended: () => null };
    const alive = livingProcesses(machine, workshop, supervisor);
    if (alive.length === 0) return;
    await killEverything(machine, workshop, supervisor);
    const pids = alive.map(({ pid }) => pid).join(', ');
    say(`an earlier demo was killed and had left its processes at work (pid ${pids}): they were ended; its folder stays: ${folder}`);
  } finally {
    db.close();
  }
}
