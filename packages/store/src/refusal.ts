import Sqlite from 'better-sqlite3';

/** A no with its reason: a value, never an exception. */
export interface Refusal {
  readonly ok: false;
  readonly code: string;
  /** For a person: what stands in the way, with the names and numbers. */
  readonly detail: string;
}

export const refuse = (code: string, detail: string): Refusal => ({ ok: false, code, detail });

/** What SQLite says when the world fails, and our word for it. Longest match first; extended codes (`SQLITE_IOERR_FSYNC`) share their prefix. */
const WORLD_FAILURES: readonly (readonly [prefix: string, code: string])[] = [
  ['SQLITE_BUSY', 'STORE_BUSY'],
  ['SQLITE_LOCKED', 'STORE_BUSY'],
  ['SQLITE_PROTOCOL', 'STORE_BUSY'],
  ['SQLITE_FULL', 'STORE_FULL'],
  ['SQLITE_IOERR', 'STORE_IO'],
  ['SQLITE_CORRUPT', 'STORE_CORRUPT'],
  ['SQLITE_NOTADB', 'STORE_CORRUPT'],
  ['SQLITE_READONLY', 'STORE_READONLY'],
  ['SQLITE_PERM', 'STORE_READONLY'],
  ['SQLITE_CANTOPEN', 'STORE_CANNOT_OPEN'],
];

/** What the file system says when a file is made durable or copied. */
const FILE_FAILURES: Readonly<Record<string, string>> = {
  EIO: 'STORE_IO',
  ENOSPC: 'STORE_FULL',
  EDQUOT: 'STORE_FULL',
  EROFS: 'STORE_READONLY',
  EACCES: 'STORE_READONLY',
  ENOENT: 'STORE_CANNOT_OPEN',
};

/** The refusal for a failure of the world (disk, lock, file), or null when the error is anything else: a bug, or a row that cannot be stored. */
export function worldFailure(error: unknown): Refusal | null {
  if (error instanceof Sqlite.SqliteError) {
    const known = WORLD_FAILURES.find(([prefix]) => error.code.startsWith(prefix));
    return known ? refuse(known[1], `${error.code}: ${error.message}`) : null;
  }
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    const code = FILE_FAILURES[error.code];
    return code ? refuse(code, error.message) : null;
  }
  return null;
}

/** Runs work on the store. A failure of the world comes back as a refusal; a bug is thrown on. */
export function attempt<T>(work: () => T): T | Refusal {
  try {
    return work();
  } catch (error) {
    const failure = worldFailure(error);
    if (failure) return failure;
    throw error;
  }
}
