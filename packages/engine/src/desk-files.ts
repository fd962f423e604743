import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Who writes files under var/. */
export type FileOwner = 'supervisor' | 'exit-manager' | 'day-trader' | 'liquidator';

/** Where everything of one desk lies: one folder beside its desk.yaml. The one place that knows these names. */
export interface DeskFiles {
  readonly config: string;
  /** The configuration that last worked, for an exit manager that meets a broken one. */
  readonly lastGoodConfig: string;
  readonly folder: string;
  readonly store: string;
  readonly backups: string;
  /** While it exists, workers enter nothing: obeyed without a database. */
  readonly halt: string;
  heartbeat(owner: FileOwner): string;
  emergency(owner: FileOwner): string;
  /** JSON lines of the run log. */
  log(owner: FileOwner): string;
  /** What the process printed: start-up errors and stack traces. */
  output(owner: FileOwner): string;
  /** Folder of the owner's journals, one file per trading date. */
  journals(owner: FileOwner): string;
}

/** `varFolder` is desk.yaml's `paths.var`, relative to the file's own folder. */
export function deskFiles(configFile: string, varFolder: string): DeskFiles {
  const config = resolve(configFile);
  const folder = resolve(dirname(config), varFolder);
  return {
    config,
    lastGoodConfig: join(folder, 'desk.last-good.yaml'),
    folder,
    store: join(folder, 'holdfast.db'),
    backups: join(folder, 'backups'),
    halt: join(folder, 'run', 'HALT'),
    heartbeat: owner => join(folder, 'run', `${owner}.heartbeat`),
    emergency: owner => join(folder, 'run', `${owner}.emergency`),
    log: owner => join(folder, 'log', `${owner}.log`),
    output: owner => join(folder, 'log', `${owner}.out`),
    journals: owner => join(folder, 'journal', owner),
  };
}

/**
 * Makes the folders every process of a desk writes to, or says in words why `paths.var` cannot be used. Parents are made one by one: Node's
 * own recursive mkdir never returns where the file system answers ENOENT for a new name (/proc).
 */
export function makeFolders(files: DeskFiles): { readonly ok: true } | { readonly ok: false; readonly detail: string } {
  try {
    for (const folder of [files.folder, dirname(files.halt), dirname(files.log('supervisor'))]) {
      makeFolder(folder);
      accessSync(folder, constants.W_OK);
    }
    return { ok: true };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const happened = `${files.folder} (\`paths.var\` of ${files.config}) cannot be used: ${why}.`;
    return {
      ok: false,
      detail: `${happened}\nNothing was started.\nName a folder this user may write to as \`paths.var\`, or free that one.`,
    };
  }
}

function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process of the desk, starting at the same moment, may have been faster.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}
