import { Worker } from 'node:worker_threads';
import { type CampaignReport, emptyReport, join } from '@holdfast/sim/world/campaign';
import type { ThreadTask, ThreadWord } from './thread.js';

export interface CampaignOptions extends Omit<ThreadTask, 'next'> {
  readonly workers: number;
  readonly mono: () => number;
  readonly onProgress: (soFar: CampaignReport) => void;
  /** A seed that ended in an exception: a bug of ours, which fails the campaign. */
  readonly onBug: (seed: number, words: string) => void;
}

export interface Campaign {
  /** The whole, once every thread is through or `stop` was called. */
  readonly done: Promise<CampaignReport>;
  stop(): void;
}

/** Spreads seeds over threads. Which thread runs a seed changes nothing about it; reports arrive in any order and add up to the same. */
export function runCampaign({ workers, mono, onProgress, onBug, ...task }: CampaignOptions): Campaign {
  const next = new SharedArrayBuffer(4);
  const startedAt = mono();
  let report = emptyReport(task.profile);
  const timed = (): CampaignReport => {
    const seconds = (mono() - startedAt) / 1_000;
    return { ...report, seconds, daysPerSecond: seconds > 0 ? report.days / seconds : 0 };
  };
  const threads = Array.from(
    { length: Math.max(1, Math.min(workers, task.seeds.length)) },
    () => new Worker(new URL('./thread.js', import.meta.url), { workerData: { ...task, next } satisfies ThreadTask }),
  );
  const ends = threads.map(
    thread =>
      new Promise<void>((resolve, reject) => {
        thread.on('message', (word: ThreadWord) => {
          if (word.kind === 'bug') return onBug(word.seed, word.words);
          report = join(report, word.report);
          onProgress(timed());
        });
        thread.on('error', reject);
        thread.on('exit', () => resolve());
      }),
  );
  return {
    done: Promise.all(ends).then(() => inSeedOrder(timed())),
    stop() {
      Atomics.store(new Int32Array(next), 0, task.seeds.length);
    },
  };
}

const inSeedOrder = (report: CampaignReport): CampaignReport => ({
  ...report,
  violations: [...report.violations].sort((left, right) => left.seed - right.seed || (left.at < right.at ? -1 : 1)),
});
