import Sqlite from 'better-sqlite3';

/** What a connection is about to do. `sync` is the fsync of `makeDurable`; a write outside a transaction commits by itself. */
export type StoreCallKind = 'open' | 'begin' | 'read' | 'write' | 'commit' | 'pragma' | 'data-version' | 'exec' | 'sync';

export interface StoreCall {
  readonly kind: StoreCallKind;
  readonly sql: string;
  readonly inTransaction: boolean;
  /** Ends the open transaction, as SQLite itself does after some failures (SQLITE_FULL, SQLITE_IOERR) before it reports them. */
  rollBack(): void;
}

/**
 * A seam for tests and the simulation alone: lets one call of a connection fail as the world would make it fail. A live process never
 * passes one.
 */
export interface StoreFaults {
  /** May throw what `storeFailure` makes; then the call is not made. */
  before(call: StoreCall): void;
  /** May throw: the commit has been done, and is reported as failed. */
  afterCommit(): void;
}

/** The ways a store fails that are the world's doing, by SQLite's own code. */
export const STORE_FAILURES = {
  busy: ['SQLITE_BUSY', 'database is locked'],
  full: ['SQLITE_FULL', 'database or disk is full'],
  'io-read': ['SQLITE_IOERR_READ', 'disk I/O error'],
  'io-write': ['SQLITE_IOERR_WRITE', 'disk I/O error'],
  'io-sync': ['SQLITE_IOERR_FSYNC', 'disk I/O error'],
  corrupt: ['SQLITE_CORRUPT', 'database disk image is malformed'],
  readonly: ['SQLITE_READONLY', 'attempt to write a readonly database'],
  'cannot-open': ['SQLITE_CANTOPEN', 'unable to open database file'],
} as const satisfies Record<string, readonly [code: string, text: string]>;

export type StoreFailureKind = keyof typeof STORE_FAILURES;

/** The error better-sqlite3 throws when that happens. */
export function storeFailure(kind: StoreFailureKind): Error {
  const [code, text] = STORE_FAILURES[kind];
  return new Sqlite.SqliteError(`${text} (injected)`, code);
}

/** What Node throws when a file cannot be made durable: the disk is full, or broken. */
export function fileFailure(kind: 'full' | 'io'): Error {
  const code = kind === 'full' ? 'ENOSPC' : 'EIO';
  return Object.assign(new Error(`${code}: ${kind === 'full' ? 'no space left on device' : 'i/o error'}, fdatasync (injected)`), { code });
}
