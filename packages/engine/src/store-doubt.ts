import type { MonoMs } from '@holdfast/core/units';
import type { StoreKeeper } from './store-keeper.js';

/** The supervisor's eye on the store: its file at every look, all of it only while somebody has reason to doubt it. */
export interface StoreDoubt {
  /** Somebody met damage, or keeps what the store would not take. `now`: whoever says so has ended because of it. */
  raise(urgency?: 'now'): void;
  /** Why the store is lost; null while it is well, as far as anybody knows. Cheap to ask at every turn. */
  look(now: MonoMs): string | null;
}

/** Machine time between two looks at the file, and between two readings of all of it, which takes a while in a large one. */
const LOOK_EVERY_MS = 500;
const READ_EVERY_MS = 5_000;

export function createStoreDoubt(keeper: StoreKeeper): StoreDoubt {
  let isDoubted = false;
  let lookedAt: MonoMs | null = null;
  let readAt: MonoMs | null = null;

  return {
    raise(urgency) {
      isDoubted = true;
      if (urgency !== 'now') return;
      lookedAt = null;
      readAt = null;
    },
    look(now) {
      if (lookedAt !== null && now - lookedAt < LOOK_EVERY_MS) return null;
      lookedAt = now;
      const trouble = keeper.trouble();
      if (trouble) return trouble.why;
      if (!isDoubted || (readAt !== null && now - readAt < READ_EVERY_MS)) return null;
      readAt = now;
      isDoubted = false;
      const damage = keeper.damage();
      return damage === null ? null : `it is damaged (${damage})`;
    },
  };
}
