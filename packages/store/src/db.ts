import { closeSync, fdatasyncSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type Sqlite from 'better-sqlite3';
import type { Compilable } from 'kysely';
import type { CommitCount } from './commit-count.js';
import type { StoreCall, StoreCallKind, StoreFaults } from './faults.js';
import { Handle, type SpareHandles } from './handle.js';
import { attempt, type Refusal } from './refusal.js';
import { asSqlValue, type SqlValue, Statement } from './statement.js';

/** What a commit survives. FULL: a power cut. NORMAL: any crash of the process. OFF: nothing is promised (simulated stores). */
export type Synchronous = 'FULL' | 'NORMAL' | 'OFF';

export interface StoreOptions {
  /** How long a write waits for another process's transaction, machine time. 50 in the exit manager (DESIGN §3), 0 in the simulation. */
  readonly busyTimeoutMs: number;
  /** What every commit gets that does not ask for another. */
  readonly synchronous: Synchronous;
  /** Refuse to create the file. */
  readonly mustExist?: boolean;
  /** For reports: may look at the store and write nothing. */
  readonly readonly?: boolean;
  /** Tests and the simulation only: makes calls fail. */
  readonly faults?: StoreFaults;
  /** The simulation only: shared by every connection of this process to the file, and nobody else writes to it. */
  readonly commits?: CommitCount;
  /** See SpareHandles. */
  readonly spare?: SpareHandles;
}

const NO_PARAMETERS: Readonly<Record<string, never>> = {};

/**
 * One connection to the store. Everything is synchronous, so that a decision and its write are never interleaved.
 * Failures of the world (lock, disk, file) are thrown as SQLite's errors by the readers here; `attempt` turns them into refusals,
 * and the public commit functions have done so already.
 */
export class Db {
  /** Null once closed. */
  #handle: Handle | null;
  readonly #spare: SpareHandles | undefined;
  readonly #base: Synchronous;
  readonly #faults: StoreFaults | undefined;
  readonly #commits: CommitCount | undefined;
  /** The last answer of the file, and how often others had tried to commit when it was given. */
  #version: { readonly is: number; readonly foreign: number } | null = null;
  /** Commits of this connection among those counted. */
  #own = 0;
  #level: Synchronous;
  /** How long a call waits for somebody's lock, unless it says otherwise. */
  readonly busyTimeoutMs: number;
  #wal: number | null = null;

  constructor(
    readonly path: string,
    options: StoreOptions,
  ) {
    this.#faults = options.faults;
    this.#commits = options.commits;
    this.#faults?.before({ kind: 'open', sql: path, inTransaction: false, rollBack: () => undefined });
    this.#spare = options.spare;
    const make = () => new Handle(path, options);
    this.#handle = options.spare ? options.spare.open(path, make) : make();
    this.busyTimeoutMs = options.busyTimeoutMs;
    this.#base = options.synchronous;
    this.#level = options.synchronous;
  }

  /** The first row, or undefined. */
  first<R>(query: Compilable<R>): R | undefined;
  first<P extends object, R>(query: Statement<P, R>, params: P): R | undefined;
  first<P extends object, R>(query: Compilable<R> | Statement<P, R>, params?: P): R | undefined {
    const { prepared, values } = this.#ready(query, params);
    if (this.#faults) this.#about(prepared.readonly ? 'read' : 'write', prepared.source);
    return prepared.get(...values) as R | undefined;
  }

  /** Every row; the query says in which order. */
  all<R>(query: Compilable<R>): R[];
  all<P extends object, R>(query: Statement<P, R>, params: P): R[];
  all<P extends object, R>(query: Compilable<R> | Statement<P, R>, params?: P): R[] {
    const { prepared, values } = this.#ready(query, params);
    if (this.#faults) this.#about(prepared.readonly ? 'read' : 'write', prepared.source);
    return prepared.all(...values) as R[];
  }

  /** Runs a write; tells how many rows it changed, and the id of a row it inserted. */
  run<R>(query: Compilable<R>): { changes: number; id: number };
  run<P extends object, R>(query: Statement<P, R>, params: P): { changes: number; id: number };
  run<P extends object, R>(query: Compilable<R> | Statement<P, R>, params?: P): { changes: number; id: number } {
    const { prepared, values } = this.#ready(query, params);
    if (this.#faults) this.#about('write', prepared.source);
    this.#count();
    const { changes, lastInsertRowid } = prepared.run(...values);
    if (this.#faults && !this.inTransaction) this.#faults.afterCommit();
    return { changes, id: Number(lastInsertRowid) };
  }

  /**
   * One immediate transaction: the write lock is taken before the first read, so that check-then-insert never interleaves with another
   * worker's and SQLITE_BUSY_SNAPSHOT cannot occur. Whatever is thrown inside rolls everything back. Inside another one, a savepoint.
   */
  immediate<T>(work: () => T): T {
    const faults = this.#faults;
    if (!faults || this.inTransaction) return this.#commit(work);
    this.#about('begin', 'BEGIN IMMEDIATE');
    const result = this.#commit(() => {
      const done = work();
      // Thrown here, the transaction is rolled back: what a failed COMMIT comes to.
      this.#about('commit', 'COMMIT');
      return done;
    });
    faults.afterCommit();
    return result;
  }

  /**
   * Runs work, a commit of its own, at another level than the connection's. A store opened OFF stays OFF. Done stays done: when the level
   * cannot be lowered again afterwards, it stays high until the next work wants it lower.
   */
  withSynchronous<T>(level: Synchronous, work: () => T): T {
    if (this.#base === 'OFF' || this.#level === level || this.inTransaction) return work();
    const before = this.#level;
    this.#setSynchronous(level);
    try {
      return work();
    } finally {
      const refusal = attempt(() => this.#setSynchronous(before));
      if (refusal && level !== 'FULL') this.#setSynchronous(before);
    }
  }

  /**
   * Makes everything committed so far at NORMAL survive a power cut, by syncing the write-ahead log itself. It takes no lock, so nobody
   * can hold it up and it holds nobody up; a checkpoint needs no such care, because it syncs the log before it copies from it.
   */
  makeDurable(): { readonly ok: true } | Refusal {
    if (this.#base === 'OFF') return { ok: true };
    return attempt(() => {
      this.#about('sync', `${this.path}-wal`);
      if (this.#wal === null) {
        this.#wal = openSync(`${this.path}-wal`, 'r+');
        this.#syncFolder();
      }
      fdatasyncSync(this.#wal);
      return { ok: true as const };
    });
  }

  /** Changes when another connection has committed since it was last asked; never by our own commits. */
  dataVersion(): number {
    this.#about('data-version', 'PRAGMA data_version');
    const foreign = this.#commits ? this.#commits.tried - this.#own : null;
    if (this.#version !== null && this.#version.foreign === foreign) return this.#version.is;
    const is = Number(this.#open.dataVersion.get());
    if (foreign !== null) this.#version = { is, foreign };
    return is;
  }

  get inTransaction(): boolean {
    return this.#handle?.sqlite.inTransaction ?? false;
  }

  /** Plain SQL text: migrations, VACUUM, checks. Never with values in it. */
  exec(sql: string): void {
    this.#about('exec', sql);
    this.#count();
    this.#open.sqlite.exec(sql);
  }

  /** Reads a pragma's rows. */
  pragma(text: string): readonly unknown[] {
    this.#about('pragma', text);
    const rows: unknown = this.#open.sqlite.pragma(text);
    return Array.isArray(rows) ? rows : [];
  }

  /** Closes at once; an open transaction is rolled back and its lock freed, as a crash would. */
  close(): void {
    if (this.#wal !== null) closeSync(this.#wal);
    this.#wal = null;
    const handle = this.#handle;
    this.#handle = null;
    if (!handle) return;
    // One that is in a transaction has somebody's call under way on it: nobody else may begin there.
    if (handle.sqlite.inTransaction || !this.#spare?.keep(handle)) handle.sqlite.close();
  }

  get #open(): Handle {
    if (this.#handle === null) throw new TypeError('The database connection is not open');
    return this.#handle;
  }

  #commit<T>(work: () => T): T {
    const done = this.#open.transaction.immediate(work) as T;
    // Counted when it is done, whatever was asked of the file meanwhile; a transaction that threw has changed nothing.
    this.#count();
    return done;
  }

  #count(): void {
    if (!this.#commits) return;
    this.#commits.tried += 1;
    this.#own += 1;
  }

  #about(kind: StoreCallKind, sql: string): void {
    if (this.#faults) this.#faults.before(new Call(kind, sql, this.#open.sqlite));
  }

  #ready<P extends object, R>(query: Compilable<R> | Statement<P, R>, params: P | undefined) {
    const handle = this.#open;
    if (query instanceof Statement) {
      const values: SqlValue[] = query.bind(params ?? (NO_PARAMETERS as P));
      let prepared = handle.ofStatement.get(query);
      if (!prepared) {
        prepared = prepareOn(handle, query.sql);
        handle.ofStatement.set(query, prepared);
      }
      return { prepared, values };
    }
    let compiled = handle.compiled.get(query);
    if (!compiled) {
      const { sql, parameters } = query.compile();
      compiled = { prepared: prepareOn(handle, sql), values: parameters.map(asSqlValue) };
      handle.compiled.set(query, compiled);
    }
    return compiled;
  }

  #setSynchronous(level: Synchronous): void {
    this.#about('pragma', `synchronous = ${level}`);
    this.#open.sqlite.pragma(`synchronous = ${level}`);
    this.#level = level;
  }

  /** A log file's name must be on disk too. SQLite does this at its own first sync; ours may come before it. */
  #syncFolder(): void {
    const folder = openSync(dirname(this.path), 'r');
    fsyncSync(folder);
    closeSync(folder);
  }
}

/** With its questions on the class: made anew at every call, they cost more than most calls. */
class Call implements StoreCall {
  constructor(
    readonly kind: StoreCallKind,
    readonly sql: string,
    readonly sqlite: Sqlite.Database,
  ) {}

  get inTransaction(): boolean {
    return this.sqlite.inTransaction;
  }

  rollBack(): void {
    if (this.sqlite.inTransaction) this.sqlite.exec('ROLLBACK');
  }
}

function prepareOn({ sqlite, prepared }: Handle, sql: string): Sqlite.Statement {
  const known = prepared.get(sql);
  if (known) return known;
  const made = sqlite.prepare(sql);
  prepared.set(sql, made);
  return made;
}

/**
 * Opens (or creates) the store. Throws SQLite's error when the file cannot be opened: `attempt(() => openStore(…))` gives a refusal instead.
 * The schema is not touched: see `migrate` and `requireMigrated`.
 */
export const openStore = (path: string, options: StoreOptions): Db => new Db(path, options);
