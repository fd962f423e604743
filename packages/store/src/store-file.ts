import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** What stands at a store's path, without SQLite's help: an open connection goes on with its own file and notices nothing. */
export interface StoreFileLook {
  /** Device and inode: another file has another one, also under the same name. */
  readonly identity: string;
  /** Begins as every SQLite database does. */
  readonly isStore: boolean;
}

/**
 * `lost`: nothing that could be a store is there, or what is there is damaged. `replaced`: another store is there: the supervisor restored one, or
 * a person put one in its place.
 */
export interface StoreTrouble {
  readonly kind: 'lost' | 'replaced';
  readonly why: string;
}

const MAGIC = 'SQLite format 3\0';

/**
 * Null: there is no such file. `unknown`: this process cannot look now (no file handle left, an I/O error): that proves nothing about the
 * file. Some 10 µs.
 */
export function lookAtStoreFile(path: string): StoreFileLook | null | 'unknown' {
  let fd: number | null = null;
  try {
    fd = openSync(path, 'r');
    const { dev, ino } = statSync(path);
    const head = Buffer.alloc(MAGIC.length);
    return {
      identity: `${dev}:${ino}`,
      isStore: readSync(fd, head, 0, head.length, 0) === head.length && head.toString('latin1') === MAGIC,
    };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    return code === 'ENOENT' || code === 'ENOTDIR' ? null : 'unknown';
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

/** What has become of the file that was opened as `opened`; null while it is where it was. */
export function storeTrouble(opened: StoreFileLook, present: StoreFileLook | null | 'unknown'): StoreTrouble | null {
  if (present === 'unknown') return null;
  if (present === null) return { kind: 'lost', why: 'its file is gone' };
  if (!present.isStore) return { kind: 'lost', why: 'its file is no database any more' };
  return present.identity === opened.identity ? null : { kind: 'replaced', why: 'another file has taken its place' };
}
