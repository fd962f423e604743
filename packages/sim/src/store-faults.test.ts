import { monoMs } from '@holdfast/core/units';
import { createMemoryFile } from '@holdfast/engine/random-file';
import { commitStep } from '@holdfast/store/commit';
import { readOrder } from '@holdfast/store/orders';
import { anOrder, booked, closeAll, MONDAY, NOW, openDesk, openTestStore } from '@holdfast/store/testing/desk';
import { afterEach, describe, expect, it } from 'vitest';
import { createRandom } from './random.js';
import { createStoreFaults, STORE_SPELLS, type StoreSpell } from './store-faults.js';

afterEach(closeAll);

/** A desk whose exit manager's store can fail, and a machine clock that stands at `now`. */
function failing(seed = 1) {
  const machine = { now: 1_000 };
  const bitten: StoreSpell[] = [];
  const random = createRandom(seed);
  const faults = createStoreFaults({ random, mono: () => monoMs(machine.now), onFault: spell => bitten.push(spell) });
  const desk = openDesk();
  desk.commit([booked()]);
  const db = openTestStore(desk.path, { synchronous: 'NORMAL', faults });
  let counter = 0;
  const commit = (): string => {
    counter += 1;
    const order = anOrder({ orderRef: `HFX-20260309-1-${counter}`, orderId: counter, status: 'CANCELLED' });
    const step = { lease: desk.exitManager, now: NOW, tradeDate: MONDAY, durable: true };
    const result = commitStep(db, { ...step, writes: [{ do: 'write-order', order }] });
    const isThere = readOrder(desk.db, order.orderRef) !== null;
    return `${result.ok ? 'ok' : result.code}${result.ok === isThere ? '' : ' but done'}`;
  };
  return { faults, machine, bitten, db, random, commits: (times: number) => Array.from({ length: times }, commit) };
}

const WORDS: Readonly<Record<StoreSpell, readonly string[]>> = {
  busy: ['STORE_BUSY'],
  full: ['STORE_FULL'],
  io: ['STORE_IO', 'ok'],
  unsure: ['STORE_IO but done', 'ok'],
};

describe('store faults in spells', () => {
  it.each(STORE_SPELLS)('A13: %s: refusals while it lasts, each counted, and none after it', spell => {
    const { faults, machine, bitten, commits } = failing();
    expect(new Set(commits(3))).toEqual(new Set(['ok']));
    faults.begin(spell, monoMs(2_000));
    expect(faults.isFailing(spell)).toBe(true);
    expect(new Set(commits(40))).toEqual(new Set(WORDS[spell]));
    expect(bitten.length).toBeGreaterThan(0);
    expect(new Set(bitten)).toEqual(new Set([spell]));
    machine.now = 2_000;
    expect(new Set(commits(20))).toEqual(new Set(['ok']));
  });

  it('one seed fails the same calls again, and without a spell nothing is drawn', () => {
    const run = (seed: number) => {
      const { faults, commits } = failing(seed);
      faults.begin('io', monoMs(9_000));
      return commits(30);
    };
    expect(run(7)).toEqual(run(7));
    expect(run(7)).not.toEqual(run(8));
    const idle = failing(7);
    idle.commits(5);
    expect(idle.random.next()).toBe(createRandom(7).next());
  });

  it('the emergency file fails with the disk, not with a full one: its room is reserved', () => {
    const { faults, db } = failing();
    const file = faults.file(createMemoryFile(100));
    faults.begin('full', monoMs(9_000));
    expect(file.write(0, 'kept').ok).toBe(true);
    expect(db.makeDurable()).toMatchObject({ ok: false, code: 'STORE_FULL' });
    faults.begin('io', monoMs(9_000));
    expect(file.sync().ok).toBe(false);
    faults.heal();
    expect(file.sync().ok).toBe(true);
    expect(file.read().startsWith('kept')).toBe(true);
  });
});
