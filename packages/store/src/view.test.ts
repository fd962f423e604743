import { nextTradingDate } from '@holdfast/core/calendar';
import { shares } from '@holdfast/core/units';
import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import { insertCommand } from './commands.js';
import type { StoreFaults } from './faults.js';
import { setKillSwitch } from './kill-switch.js';
import { q } from './statement.js';
import {
  ACME,
  aClose,
  anOrder,
  aPosition,
  booked,
  closeAll,
  type Desk,
  later,
  MONDAY,
  NOW,
  openDesk,
  openTestStore,
  TUESDAY,
  usd,
} from './testing/desk.js';
import { areUnchanged, loadStartView, loadView, readSharedChanges, reloadView, SHARED_TABLES } from './view.js';

const triggers = sql<{ name: string }>`select name from sqlite_master where type = 'trigger' and name like '%_shared_%' order by name`;
const request = { worker: 'day-trader', tradeDate: MONDAY, now: NOW } as const;

/** The tables that these statements name. */
const tablesOf = (texts: readonly string[]): readonly string[] =>
  [...new Set(texts.flatMap(text => [...text.matchAll(/\b(?:from|join) "(\w+)"/g)].map(([, table]) => table ?? '')))].sort();

afterEach(closeAll);

describe('what is shared is counted', () => {
  it('of every table a view is read from, every kind of change', () => {
    const { path } = openDesk();
    const texts: string[] = [];
    const listening: StoreFaults = { before: ({ sql }) => texts.push(sql), afterCommit: () => undefined };
    const db = openTestStore(path, { faults: listening });
    loadView(db, request);
    const tables = tablesOf(texts);
    expect(tables).toEqual(SHARED_TABLES);
    expect(db.all({ compile: () => triggers.compile(q) }).map(({ name }) => name)).toEqual(
      tables.flatMap(table => ['delete', 'insert', 'update'].map(change => `${table}_shared_${change}`)),
    );
  });

  it.each<readonly [string, (desk: Desk) => unknown, boolean]>([
    ['a decision', desk => desk.commit([{ do: 'write-decision', decision: held }]), false],
    ['equity', desk => desk.commit([{ do: 'write-equity', account: 'DU1', netLiquidation: usd(9), cash: null, tradeDate: MONDAY }]), false],
    ['a phase', desk => desk.commit([{ do: 'write-phase', phase: 'RECONCILING', detail: '' }]), true],
    ['a command', desk => insertCommand(desk.db, { ...stop, expiresAt: later(1) }), true],
  ])('%s', (_title, change, isShared) => {
    const desk = openDesk();
    const before = readSharedChanges(desk.db);
    change(desk);
    expect(areUnchanged(SHARED_TABLES, before, readSharedChanges(desk.db))).toBe(!isShared);
  });

  it('a view of which only what changed is read anew is the one read whole', () => {
    const desk = openDesk();
    const lives: readonly ((desk: Desk) => unknown)[] = [
      () => undefined,
      () => desk.commit([{ do: 'write-baseline', account: 'DU1', holdings: [{ contract: ACME, quantity: 7 }] }]),
      () => desk.commit([{ do: 'write-position', position: aPosition() }]),
      () => desk.commit([booked()]),
      () => desk.commit([{ do: 'write-intent', order: anOrder() }]),
      () => desk.commit([{ do: 'write-order', order: anOrder({ status: 'SUBMITTED', updatedAt: later(1) }) }]),
      () => insertCommand(desk.db, { ...stop, expiresAt: later(60_000) }),
      () => desk.commit([{ do: 'write-phase', phase: 'RECONCILING', detail: '' }]),
      () => setKillSwitch(desk.db, { on: true, reason: 'test', actor: 'cli', now: NOW }),
      () => desk.commit([{ do: 'close-position', trade: aClose() }]),
    ];
    let known = { view: loadView(desk.db, request), changes: readSharedChanges(desk.db), tradeDate: MONDAY };
    for (const [index, live] of lives.entries()) {
      live(desk);
      const changes = readSharedChanges(desk.db);
      const view = reloadView(desk.db, request, { known, changes });
      const whole = loadView(desk.db, request);
      expect(view).toEqual(whole);
      if (index > 0) expect(view).not.toEqual(known.view);
      known = { view, changes, tradeDate: MONDAY };
    }
    const tuesday = { ...request, tradeDate: TUESDAY };
    expect(reloadView(desk.db, tuesday, { known, changes: known.changes })).toEqual(loadView(desk.db, tuesday));
  });
});

it('a worker starts with the highest order id under its client id, of whatever date', () => {
  const desk = openDesk();
  expect(loadStartView(desk.db, request).lastOrderId).toBe(0);
  desk.commit([{ do: 'write-order', order: anOrder({ orderId: 44, status: 'FILLED' }) }]);
  const wednesday = { tradeDate: nextTradingDate(TUESDAY), now: later(2 * 86_400_000) };
  expect(loadStartView(desk.db, { worker: 'exit-manager', ...wednesday })).toMatchObject({ lastOrderId: 44, orders: [], endedTrades: [] });
  expect(loadStartView(desk.db, { worker: 'day-trader', ...wednesday }).lastOrderId).toBe(0);
});

it('B6: the exit manager starts with the trades of the date before, and all they are made of: an exchange may break a trade until the next day', () => {
  const desk = openDesk();
  desk.commit([
    { do: 'write-position', position: aPosition() },
    { do: 'write-order', order: anOrder({ status: 'FILLED' }) },
    booked(),
    booked({ execId: '0001.0002.0007.01', side: 'SELL' }),
    { do: 'close-position', trade: aClose() },
  ]);
  const startOn = (tradeDate: typeof MONDAY, worker: 'exit-manager' | 'day-trader' = 'exit-manager') => {
    const { orders, executions, endedTrades } = loadStartView(desk.db, { worker, tradeDate, now: NOW });
    return [orders.length, executions.length, endedTrades?.length];
  };
  expect([startOn(MONDAY), startOn(TUESDAY), startOn(nextTradingDate(TUESDAY))]).toEqual([
    [1, 2, 1],
    [1, 2, 1],
    [0, 0, 0],
  ]);
  expect(startOn(TUESDAY, 'day-trader')).toEqual([0, 0, 1]);
});

it.each([
  ['a purchase that was taken back since was explained all the same', 0, 60],
  ['shares that no execution explained stay so', 50, 100],
])('an ended trade, read at a start: %s', (_title, base, left) => {
  const desk = openDesk();
  desk.commit([{ do: 'write-position', position: aPosition() }, booked(), { do: 'close-position', trade: aClose({ base }) }]);
  desk.commit([booked({ execId: '0001.0002.0003.02', shares: shares(left) })]);
  expect(loadStartView(desk.db, request).endedTrades?.map(({ metadata }) => metadata.base)).toEqual([base]);
});

it('an ended trade of which only its end was told: what was adopted stays so', () => {
  const desk = openDesk();
  const adopted = { tradeId: 'T-2', origin: 'adopted' } as const;
  desk.commit([
    { do: 'close-position', trade: aClose() },
    { do: 'close-position', trade: aClose(adopted) },
  ]);
  expect(loadStartView(desk.db, request).endedTrades?.map(({ metadata }) => metadata.origin)).toEqual(['entry', 'adopted']);
});

const held = { symbol: 'ACME', strategy: 'standard', verdict: 'hold', code: 'RULE_FAILED', detail: '', numbers: {} } as const;
const stop = { target: 'day-trader', kind: 'halt', payload: {}, tradeDate: MONDAY, createdBy: 'cli', now: NOW } as const;
