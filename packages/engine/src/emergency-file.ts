import type { Write } from '@holdfast/core/effects';
import type { EpochMs, TradeDate } from '@holdfast/core/units';
import type { RandomFile } from './random-file.js';

/**
 * Where the exit manager keeps its promises while the store does not answer ("Protection outranks bookkeeping"): one line per step, in order,
 * in a file whose space was reserved when the lease was taken. Merged into the store as soon as it answers, and first at every start;
 * every write may be applied twice, so a crash between the merge and the wipe does no harm.
 */

/** One step's writes, as decided. */
export interface PendingStep {
  readonly at: EpochMs;
  readonly tradeDate: TradeDate;
  readonly writes: readonly Write[];
}

export type AppendResult = { readonly ok: true } | { readonly ok: false; readonly detail: string };

export interface EmergencyFile {
  /** Appends one step and makes it durable. A failure leaves what was there before readable. */
  append(step: PendingStep): AppendResult;
  /** What it holds, in order. `torn` counts lines that could not be read: the last one after a power cut, or damage. */
  read(): { readonly steps: readonly PendingStep[]; readonly torn: number };
  /** Everything in it is in the store. */
  wipe(): AppendResult;
}

/** Room for about two thousand steps; a day of a busy desk is some seven thousand commits, an outage of the store is minutes. */
export const EMERGENCY_FILE_BYTES = 1024 * 1024;

export function createEmergencyFile(file: RandomFile): EmergencyFile {
  let end = Buffer.byteLength(contentOf(file));
  return {
    append(step) {
      const line = `${JSON.stringify(step)}\n`;
      const written = file.write(end, line);
      if (!written.ok) return written;
      const synced = file.sync();
      if (synced.ok) end += Buffer.byteLength(line);
      return synced;
    },
    read: () => parseSteps(contentOf(file)),
    wipe() {
      if (end === 0) return { ok: true };
      const wiped = file.write(0, '\0'.repeat(end));
      if (!wiped.ok) return wiped;
      end = 0;
      return file.sync();
    },
  };
}

function contentOf(file: RandomFile): string {
  const content = file.read();
  const end = content.indexOf('\0');
  return end === -1 ? content : content.slice(0, end);
}

function parseSteps(content: string): { steps: PendingStep[]; torn: number } {
  const steps: PendingStep[] = [];
  let torn = 0;
  for (const line of content.split('\n')) {
    if (line === '') continue;
    const step = parseStep(line);
    if (step) steps.push(step);
    else torn += 1;
  }
  return { steps, torn };
}

function parseStep(line: string): PendingStep | null {
  try {
    const value: unknown = JSON.parse(line);
    const isStep = typeof value === 'object' && value !== null && 'writes' in value && Array.isArray(value.writes);
    return isStep ? (value as PendingStep) : null;
  } catch {
    return null; // counted as torn by the caller
  }
}
