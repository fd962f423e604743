import type { MonoMs } from '@holdfast/core/units';

/** A lock of somebody's is over before this; what lasts longer is a full or broken disk, or a transaction somebody forgot. */
const TOLD_AFTER_MS = 5_000;

/**
 * Tells the person at the console that the store takes no write, once each time: the exit manager's own alert about it would have to be written
 * into that store. Asked with every heartbeat of the exit manager.
 */
export function createBacklogWatch(say: (line: string) => void): (backlog: number, now: MonoMs) => void {
  let since: MonoMs | null = null;
  let isTold = false;
  return (backlog, now) => {
    if (backlog === 0) {
      if (isTold) say('the store takes writes again; what the exit manager had kept aside is in it');
      since = null;
      isTold = false;
      return;
    }
    since ??= now;
    if (isTold || now - since < TOLD_AFTER_MS) return;
    isTold = true;
    const seconds = Math.round((now - since) / 1_000);
    say(
      `CRITICAL STORE_NOT_ANSWERING: The store has taken no write of the exit manager for ${seconds} s (a full disk? a forgotten transaction?). ` +
        'Protection goes on; what would have been written is kept in the emergency file, and nothing is entered. ' +
        'Free disk space (`df -h`), or close whatever holds the database.',
    );
  };
}
