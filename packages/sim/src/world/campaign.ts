import type { Profile } from './profile.js';
import type { SeedResult } from './run-seed.js';

/** What a campaign amounts to. Reports of shards add up to the report of the whole. */
export interface CampaignReport {
  readonly profile: Profile;
  readonly seeds: number;
  readonly days: number;
  readonly faults: Readonly<Record<string, number>>;
  /** fault kind → state of an order that was alive when it bit → how often. */
  readonly cells: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly entries: number;
  readonly stops: number;
  readonly orders: number;
  readonly executions: number;
  readonly crashes: number;
  readonly violations: readonly CampaignViolation[];
  /** `guarded own-only` → days simulated so. */
  readonly worlds: Readonly<Record<string, number>>;
  /** Longest time without protection met, by protection mode, machine milliseconds. */
  readonly unprotectedMsMax: Readonly<Record<string, number>>;
  /** Of all seeds' stories, in the order of the seeds: equal for two runs of the same seeds and version. */
  readonly hashes: Readonly<Record<string, string>>;
  readonly daysPerSecond: number;
  readonly seconds: number;
}

export interface CampaignViolation {
  readonly invariant: string;
  readonly seed: number;
  readonly at: string;
  readonly symbol: string;
  readonly detail: string;
}

export const emptyReport = (profile: Profile): CampaignReport => ({
  profile,
  seeds: 0,
  days: 0,
  faults: {},
  cells: {},
  entries: 0,
  stops: 0,
  orders: 0,
  executions: 0,
  crashes: 0,
  violations: [],
  worlds: {},
  unprotectedMsMax: {},
  hashes: {},
  daysPerSecond: 0,
  seconds: 0,
});

export function reportOf(profile: Profile, result: SeedResult): CampaignReport {
  const { seed, days, protection, ownership, faults, cells, entries, stops, orders, executions, crashes, hash, measures } = result;
  return {
    ...emptyReport(profile),
    ...{ seeds: 1, days, faults, cells, entries, stops, orders, executions, crashes },
    worlds: { [`${protection} ${ownership}`]: days },
    unprotectedMsMax: { [protection]: measures.longestUnprotected?.ms ?? 0 },
    hashes: { [seed]: hash },
    violations: result.violations.map(({ invariant, at, symbol, detail }) => ({
      invariant,
      seed,
      at: new Date(at).toISOString(),
      symbol,
      detail,
    })),
  };
}

/** A seed that ended in an exception: no day of it counts, and it stands among the violations, so that merged shards fail as well. */
export const bugReport = (profile: Profile, seed: number, words: string): CampaignReport => ({
  ...emptyReport(profile),
  seeds: 1,
  violations: [{ invariant: 'bug', seed, at: '', symbol: '', detail: words.split('\n', 1)[0] ?? '' }],
  hashes: { [seed]: 'bug' },
});

type Numbers = Readonly<Record<string, number>>;

const merged = (left: Numbers, right: Numbers, join: (a: number, b: number) => number): Numbers => {
  const all: Record<string, number> = { ...left };
  for (const [key, value] of Object.entries(right)) all[key] = join(all[key] ?? 0, value);
  return all;
};
const sum = (left: number, right: number): number => left + right;

/** Two reports as one. Seconds are those of all shards together, so the speed is that of one such machine, however many ran at a time. */
export function join(left: CampaignReport, right: CampaignReport): CampaignReport {
  const [days, seconds] = [left.days + right.days, left.seconds + right.seconds];
  const cells: Record<string, Numbers> = { ...left.cells };
  for (const [kind, row] of Object.entries(right.cells)) cells[kind] = merged(cells[kind] ?? {}, row, sum);
  return {
    profile: left.profile,
    seeds: left.seeds + right.seeds,
    days,
    faults: merged(left.faults, right.faults, sum),
    cells,
    entries: left.entries + right.entries,
    stops: left.stops + right.stops,
    orders: left.orders + right.orders,
    executions: left.executions + right.executions,
    crashes: left.crashes + right.crashes,
    violations: [...left.violations, ...right.violations],
    worlds: merged(left.worlds, right.worlds, sum),
    unprotectedMsMax: merged(left.unprotectedMsMax, right.unprotectedMsMax, Math.max),
    hashes: { ...left.hashes, ...right.hashes },
    daysPerSecond: seconds > 0 ? days / seconds : 0,
    seconds,
  };
}

/** From so many days on a fault kind that never bit is no bad luck but a hole in the simulation. */
export const DAYS_FOR_EVERY_FAULT: Readonly<Record<Profile, number>> = { calm: 10_000, rough: 1_500, storm: 500 };

/** The fault kinds that must have bitten and have not; none while the campaign is too short to tell. */
export function missingFaults(report: CampaignReport, kinds: readonly string[]): readonly string[] {
  if (report.days < DAYS_FOR_EVERY_FAULT[report.profile]) return [];
  return kinds.filter(kind => (report.faults[kind] ?? 0) === 0);
}
