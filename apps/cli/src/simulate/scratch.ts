import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LeaseHolder } from '@holdfast/store/leases';
import type { Machine } from '../machine.js';

/** A store on tmpfs commits at memory's speed; what a simulated power cut loses is decided by the simulation, not by the disk. */
const shelf = (): string => (existsSync('/dev/shm') ? '/dev/shm' : tmpdir());

const NAME = /^holdfast-world-(\d+)-(\d+)$/;
const nameOf = ({ pid, processStartedAt }: LeaseHolder): string => `holdfast-world-${pid}-${processStartedAt}`;

export interface Scratch {
  /** The worlds of this process lie in it. */
  readonly folder: string;
  remove(): void;
}

/** Makes this process's folder for its worlds, and removes those of processes that are gone: `kill -9` gave them no chance to. */
export function openScratch(machine: Pick<Machine, 'thisProcess' | 'isGone' | 'bootId'>, at = shelf()): Scratch {
  for (const name of readdirSync(at)) {
    const [, pid, processStartedAt] = NAME.exec(name) ?? [];
    if (pid === undefined || processStartedAt === undefined) continue;
    if (machine.isGone({ pid: Number(pid), processStartedAt, bootId: machine.bootId })) removeIfOurs(join(at, name));
  }
  const folder = join(at, nameOf(machine.thisProcess()));
  mkdirSync(folder, { recursive: true });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Another user's, or one that a third process is removing now, is left alone: it is only litter. */
function removeIfOurs(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}
