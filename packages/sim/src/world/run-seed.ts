import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Measures } from '../audits/measures.js';
import type { Violation } from '../audits/violation.js';
import { runDay } from './day.js';
import type { Profile } from './profile.js';
import type { Wanted } from './setup.js';
import { World } from './world.js';

export interface SeedOptions extends Wanted {
  readonly seed: number;
  readonly days: number;
  readonly profile: Profile;
  /** Where the store's folder is made, and removed again; on tmpfs a day is twice as fast. */
  readonly scratch: string;
  /** Lines of the story to keep: all, the last so many, or none. */
  readonly keep: 'all' | number;
  /** Goes at one cell of the table of faults and order states, which the seed's number chooses: again and again, all day. */
  readonly focused?: boolean;
  /** Every event a worker took besides. */
  readonly verbose?: boolean;
}

/** What became of one seed. Two runs of the same seed and version have the same hash. */
export interface SeedResult {
  readonly seed: number;
  readonly days: number;
  readonly protection: string;
  readonly ownership: string;
  readonly hash: string;
  readonly faults: Readonly<Record<string, number>>;
  readonly cells: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly entries: number;
  readonly stops: number;
  readonly orders: number;
  readonly executions: number;
  readonly crashes: number;
  readonly violations: readonly Violation[];
  readonly measures: Measures;
  readonly story: readonly string[];
}

/** Runs one seed from its first morning to its last evening. A bug of ours inside is a violation too: it ends the seed and is told. */
export function runSeed(options: SeedOptions): SeedResult {
  const folder = mkdtempSync(join(options.scratch, 'holdfast-world-'));
  const world = new World({ ...options, folder });
  try {
    world.dates.forEach((date, index) => {
      runDay(world, date, index === 0);
    });
    world.violate(world.referee.report());
    const { counts } = world;
    return {
      seed: options.seed,
      days: world.dates.length,
      protection: world.setup.protection,
      ownership: world.setup.ownership,
      hash: world.trace.hash(),
      faults: counts.faults,
      cells: counts.cells,
      entries: counts.entries,
      stops: counts.stops,
      orders: world.orders,
      executions: world.executions,
      crashes: counts.crashes,
      violations: world.violations,
      measures: world.referee.measures(),
      story: world.trace.lines,
    };
  } finally {
    world.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
