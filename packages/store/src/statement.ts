import { type Compilable, DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector } from 'kysely';
import { SamePlanCompiler, Slot } from './query-compiler.js';
import type { Database } from './schema.js';

/**
 * The query builder, and nothing but a builder: Kysely never runs a query here. Its own transactions open with a plain `begin`, where a
 * read, a commit by the other worker and then a write fail at once (SQLITE_BUSY_SNAPSHOT), and everything it does is async.
 */
export const q = new Kysely<Database>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: db => new SqliteIntrospector(db),
    createQueryCompiler: () => new SamePlanCompiler(),
  },
});

/** A value SQLite can hold. Booleans are not among them: tables say 0 and 1. */
export type SqlValue = string | number | null;

interface Compiled {
  readonly sql: string;
  readonly slots: readonly (Slot | SqlValue)[];
}

/**
 * A typed query that is built and compiled once and then run with new values: building one costs more than running it.
 * Every call must give the same keys as the first: an insert's columns come from them.
 */
export class Statement<P extends object, R> {
  #compiled: Compiled | null = null;
  /** Types the rows; never set. */
  declare readonly row: R;

  constructor(private readonly build: (params: P) => Compilable<R>) {}

  get sql(): string {
    if (!this.#compiled) throw new Error('a statement has no text before its first use');
    return this.#compiled.sql;
  }

  /** The values in the order of the statement's placeholders. */
  bind(params: P): SqlValue[] {
    this.#compiled ??= this.#compile(params);
    return this.#compiled.slots.map(slot => {
      if (!(slot instanceof Slot)) return slot;
      const value: unknown = Reflect.get(params, slot.key);
      if (value === undefined) throw new Error(`no value for ${slot.key} in ${this.sql}`);
      return asSqlValue(value);
    });
  }

  #compile(params: P): Compiled {
    const slots = Object.create(null);
    for (const key of Object.keys(params)) slots[key] = new Slot(key);
    const { sql, parameters } = this.build(slots).compile();
    return { sql, slots: parameters.map(asSlot) };
  }
}

/** Wraps a builder: `statement((p: { ref: string }) => q.selectFrom('orders').selectAll().where('order_ref', '=', p.ref))`. */
export const statement = <P extends object, R>(build: (params: P) => Compilable<R>): Statement<P, R> => new Statement(build);

/** A fixed value inside a query, checked to be one SQLite can hold. */
export function asSqlValue(value: unknown): SqlValue {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  throw new Error(`SQLite cannot hold a ${typeof value}`);
}

const asSlot = (value: unknown): Slot | SqlValue => (value instanceof Slot ? value : asSqlValue(value));
