import { parentPort, workerData } from 'node:worker_threads';
import { bugReport, type CampaignReport, emptyReport, join, reportOf } from '@holdfast/sim/world/campaign';
import { runSeed, type SeedOptions } from '@holdfast/sim/world/run-seed';

/** One thread of a campaign: takes seeds one by one, tells what became of each. A bug inside a seed is told with its seed, not swallowed. */
export interface ThreadTask extends Omit<SeedOptions, 'seed' | 'keep'> {
  /** Shared by all threads: index of the next seed. */
  readonly next: SharedArrayBuffer;
  readonly seeds: readonly number[];
  /** So many seeds are told together. */
  readonly tellEvery: number;
}

export type ThreadWord =
  | { readonly kind: 'report'; readonly report: CampaignReport }
  | { readonly kind: 'bug'; readonly seed: number; readonly words: string };

const task = workerData as ThreadTask;
const next = new Int32Array(task.next);
let report = emptyReport(task.profile);
const tell = (word: ThreadWord): void => parentPort?.postMessage(word);

for (;;) {
  const seed = task.seeds[Atomics.add(next, 0, 1)];
  if (seed === undefined) break;
  try {
    report = join(report, reportOf(task.profile, runSeed({ ...task, seed, keep: 0 })));
  } catch (error) {
    const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
    report = join(report, bugReport(task.profile, seed, words));
    tell({ kind: 'bug', seed, words });
  }
  if (report.seeds < task.tellEvery) continue;
  tell({ kind: 'report', report });
  report = emptyReport(task.profile);
}
tell({ kind: 'report', report });
