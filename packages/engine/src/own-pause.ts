import type { MonoMs } from '@holdfast/core/units';

/** A gap between two looks above this is a pause of this process: others' silences before it count for nothing. */
const PAUSE_MS = 1_000;

/**
 * Notices that this process itself stood still (stopped, suspended, starved). To be asked before anything that was seen after a pause is acted
 * on: an end or a signal may be heard before the first turn of the loop.
 */
export function createOwnPause(mono: () => MonoMs, tell: (ms: number) => void): () => void {
  let lookedAt = mono();
  return () => {
    const now = mono();
    const ms = now - lookedAt;
    lookedAt = now;
    if (ms > PAUSE_MS) tell(Math.round(ms));
  };
}
