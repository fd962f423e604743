import { readAlerts } from '@holdfast/store/alerts';
import { closeAll, MONDAY, openDesk, openTestStore } from '@holdfast/store/testing/desk';
import { afterEach, expect, it } from 'vitest';
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
