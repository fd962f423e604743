import type { MachineTime } from '@holdfast/engine/clock';
import type { Heartbeat } from '@holdfast/engine/heartbeat';
import type { RandomFile } from '@holdfast/engine/random-file';
import type { LeaseHolder } from '@holdfast/store/leases';

/** What the command line needs of the machine. Built in main.ts, the only file that may touch the real one. */
export interface Machine extends MachineTime {
  /** The checkout this program belongs to. */
  readonly root: string;
  /** The folder that paths given by a person are relative to. */
  readonly cwd: string;
  /** The very Node this runs on: another may not load the store's native module. */
  readonly node: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly bootId: string;
  sleep(ms: number): Promise<void>;
  /** Calls `work` every `ms` of machine time; returns the way to end it. */
  every(ms: number, work: () => void): () => void;
  after(ms: number, work: () => void): () => void;
  thisProcess(): LeaseHolder;
  openRandomFile(path: string, size: number): RandomFile;
  isGone(holder: LeaseHolder): boolean;
  /** The process under a pid as it is now, or null when there is none. */
  identify(pid: number): LeaseHolder | null;
  heartbeat(file: string): Heartbeat | null;
  /** By pid, never by name. A process that is gone already is no error. */
  signal(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void;
  /** Calls `stop` on Ctrl+C, SIGTERM, SIGHUP and a closed pipe (SIGPIPE) instead of ending; returns the way to end that. */
  onInterrupt(stop: (signal: string) => void): () => void;
  /** From here on a closed pipe ends nothing: for work that must be finished though nobody reads. */
  outliveReaders(): void;
}
