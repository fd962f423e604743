import { existsSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { backupStore, integrityProblem } from './backup.js';
import { bindStore, readBinding } from './binding.js';
import { readKillSwitch, readKillSwitchHistory, setKillSwitch } from './kill-switch.js';
import { readPositions } from './positions.js';
import { aPosition, closeAll, later, NOW, openDesk, openTestStore } from './testing/desk.js';

describe('kill switch', () => {
  afterEach(closeAll);

  it('is off at first, the newest word counts, and every word is kept', () => {
    const { db } = openDesk();
    expect(readKillSwitch(db)).toEqual({ on: false, reason: null });
    setKillSwitch(db, { on: true, reason: 'liquidate-all', actor: 'cli', now: NOW });
    expect(readKillSwitch(db)).toEqual({ on: true, reason: 'liquidate-all' });
    setKillSwitch(db, { on: false, reason: 'resumed', actor: 'owner', now: later(1) });
    expect(readKillSwitch(db)).toEqual({ on: false, reason: 'resumed' });
    expect(readKillSwitchHistory(db).map(({ on, actor }) => [on, actor])).toEqual([
      [true, 'cli'],
      [false, 'owner'],
    ]);
  });
});

describe('binding', () => {
  afterEach(closeAll);

  it('A18: a store belongs to the first mode and account, and says what to do when another comes', () => {
    const { db } = openDesk();
    expect(readBinding(db)).toBeNull();
    expect(bindStore(db, { mode: 'paper', account: 'DU1', now: NOW })).toEqual({ ok: true });
    expect(bindStore(db, { mode: 'paper', account: 'DU1', now: later(1) })).toEqual({ ok: true });
    for (const other of [{ mode: 'live', account: 'DU1' } as const, { mode: 'paper', account: 'DU2' } as const]) {
      expect(bindStore(db, { ...other, now: NOW })).toMatchObject({
        ok: false,
        code: 'STORE_BOUND_ELSEWHERE',
        detail: expect.stringMatching(/belongs to paper account DU1.*name another store file/),
      });
    }
    expect(readBinding(db)).toEqual({ mode: 'paper', account: 'DU1', createdAt: NOW });
  });
});

describe('backup', () => {
  afterEach(closeAll);

  it('A13: is a sound copy of one moment, also beside a writer, and never replaces a file half-way', () => {
    const desk = openDesk();
    desk.commit([{ do: 'write-position', position: aPosition() }]);
    const writer = openTestStore(desk.path);
    writer.exec('BEGIN IMMEDIATE');
    const target = `${desk.path}.it's a backup`;
    expect(backupStore(desk.db, target)).toEqual({ ok: true });
    writer.exec('ROLLBACK');

    const copy = openTestStore(target);
    expect(integrityProblem(copy)).toBeNull();
    expect(readPositions(copy)).toEqual([aPosition()]);
    expect(existsSync(`${target}.partial`)).toBe(false);
  });

  it('to a folder that is not there is refused', () => {
    const { db } = openDesk();
    expect(backupStore(db, '/nowhere/at/all/copy.sqlite')).toMatchObject({ ok: false, code: 'STORE_CANNOT_OPEN' });
  });

  it('over what an earlier one left half-way works', () => {
    const desk = openDesk();
    writeFileSync(`${desk.path}.copy.partial`, 'rubbish');
    expect(backupStore(desk.db, `${desk.path}.copy`)).toEqual({ ok: true });
  });
});
