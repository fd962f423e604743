import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import { insertCommand } from './commands.js';
import type { StoreFaults } from './faults.js';
import { q } from './statement.js';
import { closeAll, type Desk, later, MONDAY, NOW, openDesk, openTestStore, usd } from './testing/desk.js';
import { loadView, readSharedChanges } from './view.js';

const triggers = sql<{ name: string }>`select name from sqlite_master where type = 'trigger' and name like '%_shared_%' order by name`;
const request = { worker: 'day-trader', tradeDate: MONDAY, now: NOW } as const;

/** The tables that these statements name. */
const tablesOf = (texts: readonly string[]): readonly string[] =>
  [...new Set(texts.flatMap(text => [...text.matchAll(/\b(?:from|join) "(\w+)"/g)].map(([, table]) => table ?? '')))].sort();

describe('what is shared is counted', () => {
  afterEach(closeAll);

  it('of every table a view is read from, every kind of change', () => {
    const { path } = openDesk();
    const texts: string[] = [];
    const listening: StoreFaults = { before: ({ sql }) => texts.push(sql), afterCommit: () => undefined };
    const db = openTestStore(path, { faults: listening });
    loadView(db, request);
    const tables = tablesOf(texts);
    expect(tables).toHaveLength(8);
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
    expect(readSharedChanges(desk.db) !== before).toBe(isShared);
  });
});

const held = { symbol: 'ACME', strategy: 'standard', verdict: 'hold', code: 'RULE_FAILED', detail: '', numbers: {} } as const;
const stop = { target: 'day-trader', kind: 'halt', payload: {}, tradeDate: MONDAY, createdBy: 'cli', now: NOW } as const;
