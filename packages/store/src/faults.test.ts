import type { Write } from '@holdfast/core/effects';
import { afterEach, describe, expect, it } from 'vitest';
import { commitStep } from './commit.js';
import { openStore } from './db.js';
import { fileFailure, type StoreFaults, storeFailure } from './faults.js';
import { readOrder } from './orders.js';
import { attempt } from './refusal.js';
import { anOrder, booked, closeAll, MONDAY, NOW, openDesk, openTestStore } from './testing/desk.js';

const FILLED: readonly Write[] = [booked()];
const STEP = { now: NOW, tradeDate: MONDAY, durable: true } as const;
const INTENT: readonly Write[] = [{ do: 'write-intent', order: anOrder() }];
afterEach(closeAll);

/** A second connection to a desk's store, under `faults` from then on. */
function under(faults: Partial<StoreFaults>) {
  const desk = openDesk();
  expect(desk.commit(FILLED)).toMatchObject({ ok: true });
  let isArmed = false;
  const armed: StoreFaults = {
    before: call => isArmed && faults.before?.(call),
    afterCommit: () => isArmed && faults.afterCommit?.(),
  };
  const db = openTestStore(desk.path, { synchronous: 'NORMAL', faults: armed });
  isArmed = true;
  const commit = (writes: readonly Write[]) => commitStep(db, { ...STEP, lease: desk.exitManager, writes });
  const heal = () => {
    isArmed = false;
  };
  return { desk, db, commit, heal };
}

describe('a store whose calls fail', () => {
  it.each([
    ['begin', 'busy', 'STORE_BUSY', false],
    ['read', 'io-read', 'STORE_IO', false],
    ['write', 'full', 'STORE_FULL', true],
    ['write', 'full', 'STORE_FULL', false],
    ['commit', 'io-write', 'STORE_IO', true],
    ['commit', 'busy', 'STORE_BUSY', false],
    ['pragma', 'io-read', 'STORE_IO', false],
  ] as const)(
    'A13: a failing %s (%s) is a refusal, nothing is written, and the same step may be done again',
    (kind, failure, code, rollsBack) => {
      const { desk, db, commit, heal } = under({
        before: call => {
          if (call.kind !== kind) return;
          if (rollsBack) call.rollBack();
          throw storeFailure(failure);
        },
      });
      expect(commit(INTENT)).toMatchObject({ ok: false, code });
      expect(db.inTransaction).toBe(false);
      expect(readOrder(desk.db, anOrder().orderRef)).toBeNull();
      heal();
      expect(commit(INTENT)).toEqual({ ok: true, refused: [] });
    },
  );

  it('A13: a commit that is done and reported as failed has been done', () => {
    const { desk, commit } = under({
      afterCommit: () => {
        throw storeFailure('io-sync');
      },
    });
    expect(commit(INTENT)).toMatchObject({ ok: false, code: 'STORE_IO' });
    expect(readOrder(desk.db, anOrder().orderRef)).toMatchObject({ status: 'INTENT' });
  });

  it('A13: a commit is no failure because the level cannot be lowered after it', () => {
    const { desk, commit } = under({
      before: ({ sql }) => {
        if (sql === 'synchronous = NORMAL') throw storeFailure('io-read');
      },
    });
    expect(commit(INTENT)).toEqual({ ok: true, refused: [] });
    expect(readOrder(desk.db, anOrder().orderRef)).toMatchObject({ status: 'INTENT' });
  });

  it('A13: a full disk under the sync is a refusal', () => {
    const { db } = under({
      before: ({ kind }) => {
        if (kind === 'sync') throw fileFailure('full');
      },
    });
    expect(db.makeDurable()).toMatchObject({ ok: false, code: 'STORE_FULL' });
  });

  it('A13: a file that cannot be opened is a refusal too', () => {
    const desk = openDesk();
    const faults: StoreFaults = {
      before: () => {
        throw storeFailure('cannot-open');
      },
      afterCommit: () => undefined,
    };
    expect(attempt(() => openStore(desk.path, { busyTimeoutMs: 0, synchronous: 'OFF', faults }))).toMatchObject({
      ok: false,
      code: 'STORE_CANNOT_OPEN',
    });
  });
});
