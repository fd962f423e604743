import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { loseStore } from '@holdfast/sim/world/store-acts';
import { backupStore } from '@holdfast/store/backup';
import type { DeskStage } from './desk-stage.js';

/** What can become of the store's file in a story of the whole desk. */

/** How long both clocks go together, until whoever is there has noticed. Machine time. */
const NOTICED_MS = 3_000;

/** These acts are made to happen seldom: asked until one does. */
export function befalls({ world }: DeskStage, act: typeof loseStore): void {
  for (let asked = 0; world.place.isWell; asked += 1) {
    if (asked === 100) throw new Error('it never happened');
    act(world, world.faults);
  }
}

/** The first page is garbage. */
export function headIsDamaged({ world }: DeskStage): void {
  const { place } = world;
  place.touch();
  const file = openSync(place.path, 'r+');
  writeSync(file, Buffer.alloc(4_096, 0xa5), 0, 4_096, 0);
  closeSync(file);
  place.touch();
  place.trouble = 'store corrupt';
  world.tell({ fact: 'store', lost: true });
  world.faults.lasts(NOTICED_MS, () => undefined);
}

/** A copy of the store as it is now; what it gives back puts that copy in the store's place. */
export function copyOfNow({ world }: DeskStage): () => void {
  const { place } = world;
  const draft = `${place.path}.by-hand`;
  const made = backupStore(place.operator, draft);
  if (!made.ok) throw new Error(made.detail);
  return () => {
    place.touch();
    for (const side of ['', '-wal', '-shm']) rmSync(`${place.path}${side}`, { force: true });
    renameSync(draft, place.path);
    place.touch();
    place.trouble = 'store replaced';
    world.tell({ fact: 'store', lost: true });
    world.faults.lasts(NOTICED_MS, () => undefined);
  };
}
