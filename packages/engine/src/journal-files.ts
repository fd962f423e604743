import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { TradeDate } from '@holdfast/core/units';
import type { JournalSink, SinkResult } from './journal.js';

const NAME = /^\d{4}-\d{2}-\d{2}\.jsonl$/;

/** The journal of one worker and trading date. */
export const journalFile = (folder: string, date: TradeDate): string => join(folder, `${date}.jsonl`);

/**
 * Journals as files, one per trading date, appended to. Not synced: a power cut may cost the last seconds, and the orders are in the store.
 * The newest `keepDays` dates stay; older files are removed when a new one is begun.
 */
export function createJournalFiles({ folder, keepDays }: { readonly folder: string; readonly keepDays: number }): JournalSink {
  let file: number | null = null;
  let bytes = 0;

  const tried = (work: () => void): SinkResult => {
    try {
      work();
      return { ok: true, bytes };
    } catch (error) {
      return { ok: false, detail: error instanceof Error ? error.message : String(error) };
    }
  };

  return {
    open: date =>
      tried(() => {
        if (file !== null) closeSync(file);
        file = null;
        mkdirSync(folder, { recursive: true });
        file = openSync(journalFile(folder, date), 'a');
        bytes = fstatSync(file).size;
        if (bytes === 0) removeOld(folder, { keepDays, begun: date });
      }),
    append: text =>
      tried(() => {
        if (file === null) throw new Error(`no journal is open in ${folder}`);
        const content = Buffer.from(text);
        const written = writeSync(file, content);
        bytes += written;
        // A disk that fills up may take a part: that line is torn.
        if (written < content.length) throw new Error(`${folder}: ${written} of ${content.length} bytes written`);
      }),
  };
}

/** By number of dates, not by age: a demo's exchange may live in another year. The one just begun stays, whatever its date. */
function removeOld(folder: string, { keepDays, begun }: { readonly keepDays: number; readonly begun: TradeDate }): void {
  const others = readdirSync(folder).filter(name => NAME.test(name) && name !== `${begun}.jsonl`);
  const kept = keepDays - 1;
  for (const name of others.sort().slice(0, Math.max(0, others.length - kept))) rmSync(join(folder, name), { force: true });
}
