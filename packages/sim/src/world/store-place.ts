import { join } from 'node:path';
import type { EpochMs } from '@holdfast/core/units';
import type { CommitCount } from '@holdfast/store/commit-count';
import { Db, openStore, type StoreOptions } from '@holdfast/store/db';
import type { StoreFaults } from '@holdfast/store/faults';
import { migrate } from '@holdfast/store/migrate';
import { attempt } from '@holdfast/store/refusal';
import { createStoreSight, type StoreFileLook, type StoreSight } from '@holdfast/store/store-file';
import { SpareConnections } from './spare-connections.js';

type Look = StoreFileLook | null | 'unknown';

/**
 * The place of the store on the simulated box: its path, its backups, a person's connection to whatever file stands there.
 *
 * All processes of the box are one process here, and SQLite has the last connection to a file delete `<path>-wal` by its name, which is another
 * store's log when the file was deleted or replaced. Real processes end without closing. So every file that ever stood here keeps one
 * connection until the end of the run, the person's, and no other close is the last.
 */
export class StorePlace {
  readonly path: string;
  readonly backups: string;
  readonly commits: CommitCount = { tried: 0 };
  /** Everybody's eye on the path. While nothing was done to the file nobody need really look. */
  readonly sight: StoreSight;
  /** What was done to the file, while nobody has put it right. */
  trouble: string | null = null;
  /** Exchange time at which another store took the place of the one before. */
  stoodAt: EpochMs | null = null;
  readonly #spares: SpareConnections;
  readonly #eye: StoreSight;
  readonly #opened: Db[];
  #operator: Db;
  #identity: string | null;
  #known: Look | null;

  constructor(folder: string, start: EpochMs) {
    this.path = join(folder, 'desk.db');
    this.backups = join(folder, 'backups');
    this.#eye = createStoreSight(this.path);
    this.#spares = new SpareConnections(this.path, () => this.isWell);
    this.#operator = new Db(this.path, this.options());
    const migrated = migrate(this.#operator, start);
    if (!migrated.ok) throw new Error(migrated.detail);
    this.#opened = [this.#operator];
    this.#known = this.#eye.look();
    this.#identity = identityOf(this.#known);
    this.sight = { look: () => this.#known ?? this.#eye.look(), close: () => undefined };
  }

  /** What a process of this box opens its connection with. */
  forProcess(faults: StoreFaults): StoreOptions {
    return { ...this.options(faults), spare: this.#spares };
  }

  /** What every connection of this box is opened with. */
  options(faults?: StoreFaults): StoreOptions {
    return { busyTimeoutMs: 0, synchronous: 'OFF', commits: this.commits, ...(faults ? { faults } : {}) };
  }

  /** The file is as the supervisor left it: nothing was done to it since. */
  get isWell(): boolean {
    return this.#known !== null;
  }

  get operator(): Db {
    if (!this.isWell) this.#reopen();
    return this.#operator;
  }

  /** Something is about to be done to the file, or was. */
  touch(): void {
    this.#reopen();
    this.#known = null;
    this.#spares.drop();
  }

  /** The supervisor is content with what stands here. Tells whether that is another file than before. */
  settle(): boolean {
    const before = this.#opened.length;
    this.#reopen();
    this.#known = this.#eye.look();
    this.#spares.drop();
    return this.#opened.length > before;
  }

  close(): void {
    this.#spares.drop();
    for (const db of this.#opened) db.close();
    this.#eye.close();
  }

  #reopen(): void {
    const look = this.#eye.look();
    const identity = identityOf(look);
    if (identity === null || identity === this.#identity) return;
    const opened = attempt(() => openStore(this.path, { ...this.options(), mustExist: true }));
    if ('ok' in opened) return;
    this.#opened.push(opened);
    this.#operator = opened;
    this.#identity = identity;
  }
}

const identityOf = (look: Look): string | null => (look === null || look === 'unknown' || !look.isStore ? null : look.identity);
