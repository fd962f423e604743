import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

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

/** One process's eye on a store's path. */
export interface StoreSight {
  /**
   * Null: there is no such file. `unknown`: this process cannot look now (no file handle left, an I/O error): that proves nothing about the
   * file. Some microseconds.
   */
  look(): StoreFileLook | null | 'unknown';
  /** Only where no connection to the file is open any more. A process that ends needs no call. */
  close(): void;
}

/**
 * A descriptor is opened once per file and kept. Closing any descriptor of a file frees every POSIX lock that this process holds on it
 * (fcntl(2)), SQLite's own included: then another program's connection, the last one as far as it can tell, deletes the write-ahead log
 * under everybody's hands when it is closed (sqlite.org/howtocorrupt.html §2.2). Kept open, a file's inode cannot come back as another file.
 */
export function createStoreSight(path: string): StoreSight {
  const descriptors = new Map<string, number>();
  const spare: number[] = [];

  function descriptorOf(identity: string): number {
    const known = descriptors.get(identity);
    if (known !== undefined) return known;
    const fd = openSync(path, 'r');
    const opened = identityOf(fstatSync(fd));
    // Replaced in between, back to one that is open already: whatever happens, none is closed.
    if (descriptors.has(opened)) spare.push(fd);
    else descriptors.set(opened, fd);
    return fd;
  }

  return {
    look() {
      try {
        const identity = identityOf(statSync(path));
        const head = Buffer.alloc(MAGIC.length);
        const read = readSync(descriptorOf(identity), head, 0, head.length, 0);
        return { identity, isStore: read === head.length && head.toString('latin1') === MAGIC };
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : null;
        return code === 'ENOENT' || code === 'ENOTDIR' ? null : 'unknown';
      }
    },
    close() {
      for (const fd of [...descriptors.values(), ...spare.splice(0)]) closeSync(fd);
      descriptors.clear();
    },
  };
}

const identityOf = ({ dev, ino }: { readonly dev: number; readonly ino: number }): string => `${dev}:${ino}`;

/** What has become of the file that was opened as `opened`; null while it is where it was. */
export function storeTrouble(opened: StoreFileLook, present: StoreFileLook | null | 'unknown'): StoreTrouble | null {
  if (present === 'unknown') return null;
  if (present === null) return { kind: 'lost', why: 'its file is gone' };
  if (!present.isStore) return { kind: 'lost', why: 'its file is no database any more' };
  return present.identity === opened.identity ? null : { kind: 'replaced', why: 'another file has taken its place' };
}
