import Sqlite from 'better-sqlite3';
import type { SqlValue } from './statement.js';

/** How a file is opened; see StoreOptions. */
interface HandleOptions {
  readonly busyTimeoutMs: number;
  readonly synchronous: string;
  readonly mustExist?: boolean;
  readonly readonly?: boolean;
}

/** SQLite's own connection with everything that was ever prepared on it. */
export class Handle {
  readonly sqlite: Sqlite.Database;
  readonly prepared: Map<string, Sqlite.Statement> = new Map();
  readonly ofStatement: WeakMap<object, Sqlite.Statement> = new WeakMap();
  /** A query never changes once it is built, and compiling it costs more than running it. */
  readonly compiled: WeakMap<object, { readonly prepared: Sqlite.Statement; readonly values: SqlValue[] }> = new WeakMap();
  readonly dataVersion: Sqlite.Statement;
  /** Wrapped once: wrapping anew at every call costs more than the transaction itself. */
  readonly transaction: Sqlite.Transaction<(work: () => unknown) => unknown>;

  constructor(path: string, options: HandleOptions) {
    this.sqlite = new Sqlite(path, {
      timeout: options.busyTimeoutMs,
      fileMustExist: options.mustExist === true || options.readonly === true,
      readonly: options.readonly === true,
    });
    try {
      if (!options.readonly) this.sqlite.pragma('journal_mode = WAL');
      this.sqlite.pragma(`synchronous = ${options.synchronous}`);
      this.sqlite.pragma('foreign_keys = ON');
      this.transaction = this.sqlite.transaction((work: () => unknown) => work());
      this.dataVersion = this.sqlite.prepare('PRAGMA data_version').pluck();
    } catch (error) {
      this.sqlite.close();
      throw error;
    }
  }
}

/**
 * The simulation only: what simulated processes leave behind when they end is opened again by the next ones, because opening a file and
 * preparing every query anew is what a simulated start mostly costs. All of them open it in the same way.
 */
export interface SpareHandles {
  /** One that was kept, or what `make` opens. */
  open(path: string, make: () => Handle): Handle;
  /** False: it is not wanted any more, close it. */
  keep(handle: Handle): boolean;
}
