import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Db } from './db.js';
import { migrate, requireMigrated } from './migrate.js';
import { q } from './statement.js';
import { closeAll, NOW, openDesk, openTestStore, storePath } from './testing/desk.js';

const REPOSITORY = new URL('../../../', import.meta.url);
const objects = (db: Db): string => {
  const master = q.selectFrom('sqlite_schema' as never).select(['type', 'name', 'sql'] as never);
  const rows = db.all(master.$castTo<{ type: string; name: string; sql: string | null }>());
  const rank = ['table', 'index', 'view', 'trigger'];
  return rows
    .filter(row => row.sql !== null && !row.name.startsWith('sqlite_'))
    .sort((a, b) => rank.indexOf(a.type) - rank.indexOf(b.type) || a.name.localeCompare(b.name, 'en'))
    .map(row => `${row.sql};\n`)
    .join('\n');
};

afterEach(closeAll);

describe('migrations', () => {
  it('A13: db/schema.sql is what they lead to (vitest -u writes it anew)', async () => {
    const { db } = openDesk();
    const text = `-- Written by packages/store/src/migrate.test.ts from db/migrations: do not edit. Update: vitest run --project unit migrate -u\n\n${objects(db)}`;
    await expect(text).toMatchFileSnapshot(new URL('db/schema.sql', REPOSITORY).pathname);
  });

  it('schema.ts knows exactly the tables and columns of the store', () => {
    const { db } = openDesk();
    const source = readFileSync(new URL('./schema.ts', import.meta.url), 'utf8');
    const tables = /export interface Database \{([^}]+)\}/.exec(source)?.[1]?.matchAll(/(\w+): (\w+);/g) ?? [];
    const inCode = [...tables].map(([, table, type]) => {
      const body = new RegExp(`export interface ${type} \\{([^}]+)\\}`).exec(source)?.[1] ?? '';
      return `${table}: ${[...body.matchAll(/^ {2}(\w+):/gm)].map(match => match[1]).join(' ')}`;
    });
    const master = q
      .selectFrom('sqlite_schema' as never)
      .select('name' as never)
      .where('type' as never, '=', 'table' as never);
    const inStore = db
      .all(master.$castTo<{ name: string }>())
      .filter(({ name }) => !name.startsWith('sqlite_'))
      .map(({ name }) => `${name}: ${db.pragma(`table_info(${name})`).map(nameOf).join(' ')}`);
    expect(inCode.sort()).toEqual(inStore.sort());
  });

  it('A13: every table is STRICT', () => {
    const { db } = openDesk();
    const loose = db.pragma('table_list').filter(row => isOurTable(row) && row.strict !== 1);
    expect(loose).toEqual([]);
  });

  it('are applied once', () => {
    const db = openTestStore(storePath());
    const names = readdirSync(new URL('db/migrations', REPOSITORY)).sort();
    expect(migrate(db, NOW)).toEqual({ ok: true, applied: names });
    expect(migrate(db, NOW)).toEqual({ ok: true, applied: [] });
    expect(requireMigrated(db)).toEqual({ ok: true });
  });

  it('a store nobody migrated is refused, and the command is named', () => {
    const refusal = requireMigrated(openTestStore(storePath()));
    expect(refusal).toMatchObject({ ok: false, code: 'STORE_NOT_MIGRATED' });
    expect(refusal).toHaveProperty('detail', expect.stringContaining('./holdfast db migrate'));
  });

  it('a store written by a newer version, or migrated by other files, is refused by both', () => {
    const { db } = openDesk();
    db.run(q.insertInto('schema_migrations').values({ name: '9999-from-the-future.sql', checksum: 'x', applied_at: '' }));
    expect(requireMigrated(db)).toMatchObject({ ok: false, code: 'STORE_NEWER' });
    expect(migrate(db, NOW)).toMatchObject({ ok: false, code: 'STORE_NEWER' });

    db.run(q.deleteFrom('schema_migrations').where('name', '=', '9999-from-the-future.sql'));
    db.run(q.updateTable('schema_migrations').set({ checksum: 'x' }).where('name', '=', '0001-first-store.sql'));
    expect(requireMigrated(db)).toMatchObject({ ok: false, code: 'MIGRATION_CHANGED' });
  });
});

const nameOf = (row: unknown): string => (typeof row === 'object' && row !== null && 'name' in row ? String(row.name) : '');
const isOurTable = (row: unknown): row is { name: string; strict: number } =>
  typeof row === 'object' &&
  row !== null &&
  'type' in row &&
  row.type === 'table' &&
  'schema' in row &&
  row.schema === 'main' &&
  !nameOf(row).startsWith('sqlite_');
