import { closeSync, copyFileSync, ftruncateSync, openSync, readdirSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { backupsAmong } from '@holdfast/core/supervision/backups';
import { RESTORED_REASON } from '@holdfast/core/supervision/store-loss';
import { readKillSwitch, setKillSwitch } from '@holdfast/store/kill-switch';
import { attempt } from '@holdfast/store/refusal';
import type { Random } from '../random.js';
import type { Act } from './fault-acts.js';
import type { World } from './world.js';

/** What becomes of the store's file, and what a person does once the supervisor has put another one there. */

const SIDES = ['', '-wal', '-shm'] as const;
const PAGE_BYTES = 4_096;
/** Both clocks together, until whoever is there has noticed. */
const NOTICED_MS = 3_000;

/** Of so many that are planned one happens: all three together once in four days of a storm. */
const SELDOM = [1, 4] as const;

/** One at a time: the next only when the supervisor is content with what stands there. */
function trouble(kind: string, work: (world: World, random: Random) => boolean): Act {
  return (world, faults) => {
    const { place } = world;
    if (!place.isWell || !faults.random.chance(...SELDOM)) return;
    place.touch();
    if (!work(world, faults.random)) {
      place.settle();
      return;
    }
    place.touch();
    place.trouble = kind;
    world.say('fault', `${kind}, unnoticed yet`);
    world.tell({ fact: 'store', lost: true });
    faults.lasts(NOTICED_MS, () => undefined);
  };
}

/** Somebody cleans up. */
export const loseStore = trouble('store lost', ({ place }) => {
  for (const side of SIDES) rmSync(`${place.path}${side}`, { force: true });
  return true;
});

/** Its head, its tail or much in its middle is no good any more. */
export const corruptStore = trouble('store corrupt', ({ place }, random) => {
  const pages = Math.floor(statSync(place.path).size / PAGE_BYTES);
  const file = openSync(place.path, 'r+');
  const garbage = Buffer.alloc(PAGE_BYTES, 0xa5);
  const how = random.below(3);
  if (how === 0) writeSync(file, garbage, 0, PAGE_BYTES, 0);
  else if (how === 1) ftruncateSync(file, PAGE_BYTES * random.below(Math.max(1, pages)));
  else for (let page = 1; page < pages; page += 1) if (random.chance(3, 4)) writeSync(file, garbage, 0, PAGE_BYTES, page * PAGE_BYTES);
  closeSync(file);
  return true;
});

/** A person means well: an older copy takes the place of the store, while everybody is at work. */
export const replaceStore = trouble('store replaced', ({ place }, random) => {
  const copies = backupsAmong(namesIn(place.backups));
  const chosen = copies[random.below(Math.max(1, copies.length))];
  if (!chosen) return false;
  const draft = `${place.path}.by-hand`;
  copyFileSync(join(place.backups, chosen.name), draft);
  for (const side of SIDES) rmSync(`${place.path}${side}`, { force: true });
  renameSync(draft, place.path);
  return true;
});

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // no copy was made yet
  }
}

/**
 * A supervisor is content with the store: it has started on it, or restored it. If that is another one, the trouble has bitten; a
 * person looks at it and resumes.
 */
export function storeStands(world: World): void {
  const { place } = world;
  if (place.isWell) return;
  const kind = place.trouble;
  const isOther = place.settle();
  if (kind !== null && (isOther || kind === 'store replaced')) world.bit(kind);
  place.trouble = null;
  if (isOther || kind === 'store replaced') place.stoodAt = world.time.exchange();
  world.tell({ fact: 'store', lost: true });
  const word = attempt(() => ({ ok: true as const, ...readKillSwitch(place.operator) }));
  if (!word.ok || !word.on || !word.reason?.startsWith(RESTORED_REASON)) return;
  world.tell({ fact: 'kill-switch', on: true });
  world.faults.lingers(world.faults.random.between(60_000, 600_000), () => world.later(1_000, () => resume(world)));
}

/** Damage that nobody has read yet when the quiet begins: a person finds it, and starts the supervisor anew, which reads all of the store. */
export function noticeStore({ place, machine }: World): void {
  if (place.trouble !== null) machine.supervisor?.kill('restarted by a person who found the store damaged');
}

function resume(world: World): boolean {
  const now = world.time.exchange();
  if (!attempt(() => setKillSwitch(world.operator, { on: false, reason: 'looked at', actor: 'operator', now })).ok) return false;
  world.say('person', 'resumes on the restored store');
  world.tell({ fact: 'kill-switch', on: false });
  return true;
}
