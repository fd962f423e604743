import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromIsoTime } from '@holdfast/core/units';
import { openStore } from '@holdfast/store/db';
import { storeFailure } from '@holdfast/store/faults';
import { setKillSwitch } from '@holdfast/store/kill-switch';
import { migrate } from '@holdfast/store/migrate';
import { readPositions } from '@holdfast/store/positions';
import { createStoreSight } from '@holdfast/store/store-file';
import { aPosition, MONDAY } from '@holdfast/store/testing/desk';
import { writePosition } from '@holdfast/store/trades';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createStoreKeeper } from './store-keeper.js';

const NOW = fromIsoTime('2026-03-09T15:00:00.000Z');
const PLAIN = { busyTimeoutMs: 0, synchronous: 'OFF' } as const;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast keeper-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('DESIGN §5: a restored store that could not be opened at once is opened later, with what others have written into it meanwhile', () => {
  const path = join(folder, 'holdfast.db');
  const lost = openStore(path, PLAIN);
  migrate(lost, NOW);
  let isFull = false;
  const options = {
    ...PLAIN,
    faults: {
      before({ kind }: { readonly kind: string }) {
        if (isFull && kind === 'write') throw storeFailure('full');
      },
      afterCommit: () => undefined,
    },
  };
  const sight = createStoreSight(path);
  const keeper = createStoreKeeper({
    path,
    backups: join(folder, 'backups'),
    keepDays: 1,
    db: lost,
    options,
    holder: { pid: 1, processStartedAt: '', bootId: '' },
    wall: () => NOW,
    sight,
  });
  for (const side of ['', '-wal', '-shm']) rmSync(`${path}${side}`, { force: true });
  isFull = true;
  expect(keeper.restore('its file is gone')).toMatchObject({ ok: false, code: 'STORE_FULL' });

  // The exit manager begins on it and merges its testament; that is in the log, not in the file yet.
  const guard = openStore(path, PLAIN);
  guard.immediate(() => writePosition(guard, aPosition(), { now: NOW, tradeDate: MONDAY, replay: false }));
  isFull = false;
  const restored = keeper.restore('its file is gone');
  expect(restored).toMatchObject({ ok: true, from: expect.stringContaining('connection') });
  if (!restored.ok) return;
  expect(readPositions(restored.db)).toHaveLength(1);
  expect(keeper.trouble()).toBeNull();
  expect(setKillSwitch(guard, { on: false, reason: 'looked at', actor: 'operator', now: NOW })).toMatchObject({ ok: true });

  for (const db of [guard, restored.db, lost]) db.close();
  sight.close();
});
