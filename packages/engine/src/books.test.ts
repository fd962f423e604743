import { readAlerts } from '@holdfast/store/alerts';
import { timeColumn } from '@holdfast/store/columns';
import { q } from '@holdfast/store/statement';
import { closeAll, MONDAY, openDesk, openTestStore } from '@holdfast/store/testing/desk';
import { afterEach, describe, expect, it } from 'vitest';
import { createBooks } from './books.js';
import { createEmergencyFile, EMERGENCY_FILE_BYTES } from './emergency-file.js';
import { silentLog } from './log.js';
import { createMemoryFile } from './random-file.js';
import { standingClock } from './testing/stand.js';

afterEach(closeAll);

const told = { level: 'warning', code: 'SOMETHING', symbol: null, happened: 'it happened', did: 'nothing', todo: 'nothing' } as const;

it.each([
  ['exit manager, which keeps them', true],
  ['day trader, which holds them', false],
])('DESIGN §3: a store that does not take the alerts themselves is told of too (%s)', (_who, hasFile) => {
  const desk = openDesk();
  const clock = standingClock();
  const emergency = hasFile ? createEmergencyFile(createMemoryFile(EMERGENCY_FILE_BYTES)) : null;
  const books = createBooks({ db: desk.db, lease: hasFile ? desk.exitManager : desk.dayTrader, clock, emergency, log: silentLog });
  const stranger = openTestStore(desk.path);
  stranger.exec('BEGIN IMMEDIATE');
  books.alert(told);
  books.settle();
  stranger.exec('ROLLBACK');
  for (let beats = 0; beats < 3; beats += 1) {
    clock.pass(150);
    books.settle();
  }
  const codes = readAlerts(desk.db, MONDAY).map(({ code }) => code);
  expect(codes.toSorted()).toEqual(hasFile ? ['SOMETHING', 'STORE_NOT_ANSWERING'] : ['SOMETHING']);
});

describe('records that nobody acts on', () => {
  const hold = (code: string) =>
    ({
      do: 'write-decision',
      decision: { symbol: 'ACME', strategy: 'day-trader', verdict: 'hold', code, detail: code, numbers: {} },
    }) as const;

  function begin() {
    const desk = openDesk();
    const clock = standingClock();
    const books = createBooks({ db: desk.db, lease: desk.dayTrader, clock, emergency: null, log: silentLog });
    const written = () => desk.db.all(q.selectFrom('decisions').select(['code', 'at']).orderBy('id'));
    return { desk, clock, books, written };
  }

  it('wait five seconds for a commit that is made anyway, and are told with their own time', () => {
    const { clock, books, written } = begin();
    const first = timeColumn(clock.exchange());
    books.commit([hold('FIRST')], false);
    clock.pass(2_000);
    books.commit([hold('SECOND')], false);
    books.settle();
    expect(written()).toEqual([]);
    clock.pass(3_000);
    books.settle();
    expect(written().map(({ code }) => code)).toEqual(['FIRST', 'SECOND']);
    expect(written()[0]?.at).toBe(first);
  });

  it('go with the next commit, before it', () => {
    const { clock, books, written } = begin();
    books.commit([hold('FIRST')], false);
    clock.pass(100);
    const entered = { ...hold('SECOND'), decision: { ...hold('SECOND').decision, verdict: 'enter' } } as const;
    books.commit([entered], false);
    expect(written().map(({ code }) => code)).toEqual(['FIRST', 'SECOND']);
  });

  it('are written before a clean end, and outlast a store that is locked when their time comes', () => {
    const { desk, clock, books, written } = begin();
    books.commit([hold('FIRST')], false);
    const stranger = openTestStore(desk.path);
    stranger.exec('BEGIN IMMEDIATE');
    clock.pass(5_000);
    books.settle();
    stranger.exec('ROLLBACK');
    books.settle();
    expect(written()).toEqual([]);
    books.settle({ isLast: true });
    expect(written()).toHaveLength(1);
  });
});
