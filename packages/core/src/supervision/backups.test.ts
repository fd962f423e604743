import { describe, expect, it } from 'vitest';
import { epochMs, fromIsoTime } from '../units.js';
import { backupName, backupsAmong, backupsToDrop, isDailyDue, parseBackup } from './backups.js';

const NOON = fromIsoTime('2026-03-09T12:00:00.123Z');
const daysAgo = (days: number) => epochMs(NOON - days * 86_400_000);
const hoursAgo = (hours: number) => epochMs(NOON - hours * 3_600_000);

describe('names', () => {
  it('say why and when, and are read back to the millisecond', () => {
    for (const reason of ['daily', 'before-migration', 'on-demand'] as const) {
      expect(parseBackup(backupName(reason, NOON))).toEqual({ name: backupName(reason, NOON), reason, at: NOON });
    }
    expect(backupName('daily', NOON)).toBe('daily-2026-03-09T12-00-00-123Z.db');
  });

  it.each(['holdfast.db', 'daily-2026-03-09T12-00-00-123Z.db.partial', 'my daily-2026-03-09T12-00-00-123Z.db', 'daily-yesterday.db'])(
    'not ours: %s',
    name => expect(parseBackup(name)).toBeNull(),
  );

  it('the newest first, whatever they are for', () => {
    const names = [backupName('daily', daysAgo(2)), 'x', backupName('on-demand', NOON), backupName('before-migration', daysAgo(1))];
    expect(backupsAmong(names).map(({ reason }) => reason)).toEqual(['on-demand', 'before-migration', 'daily']);
  });
});

it.each([
  ['none yet', [], true],
  ['one of this morning', [backupName('daily', hoursAgo(3))], false],
  ['one of yesterday', [backupName('daily', hoursAgo(20))], true],
  ['only others of this morning', [backupName('on-demand', hoursAgo(3)), backupName('before-migration', hoursAgo(3))], true],
  ['one from a clock that ran ahead a little', [backupName('daily', hoursAgo(-1))], false],
  ['one from a clock that ran ahead by years', [backupName('daily', hoursAgo(-99_999))], true],
])('a daily copy is due with %s: %s', (_title, names, due) => expect(isDailyDue(names, NOON)).toBe(due));

describe('what is dropped', () => {
  const of = (...days: number[]) => days.map(day => backupName('daily', daysAgo(day)));
  it.each([
    ['older than kept', of(0, 13, 14, 15, 40), of(15, 40)],
    ['never the newest', of(40), []],
    ['never the newest, the others yes', of(40, 50), of(50)],
    ['nothing that is not ours', ['notes.txt', ...of(0)], []],
  ])('%s', (_title, names, dropped) => expect(backupsToDrop(names, 14, NOON)).toEqual(dropped));
});
