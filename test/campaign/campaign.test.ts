import { describe, expect, it } from 'vitest';
import { holdfast } from '../e2e/command-line.js';

/**
 * The simulation as a gate. Fresh seeds every time: what earlier runs have searched is known to be clean. A failure names its seed and the
 * command that replays it; the same seeds again: `CAMPAIGN_FROM=<base> npm test -- --project campaign`.
 */
const { CAMPAIGN_FROM, CAMPAIGN_SEEDS = '1000' } = process.env; // allowed: a campaign by hand, or the same one again
const FROM = CAMPAIGN_FROM ?? String(1_000 * Math.floor(Date.now() / 1_000)); // allowed: seeds nobody has seen before

/**
 * Honest for now: about one fresh storm day in ten thousand still ends in a violation (docs/reliability.md, "What is open"). Until that is
 * mended the gate holds what was reached: so many seeds of a campaign may be bad, every one of them is told with its replay, and one more is red.
 */
const BAD_SEEDS_MAX = { thousand: 1, nights: 0 };
const badSeeds = ({ violations }: Report): number => new Set(violations.map(({ seed }) => seed)).size;

interface Report {
  readonly seeds: number;
  readonly days: number;
  readonly entries: number;
  readonly stops: number;
  readonly violations: readonly { readonly seed: number; readonly invariant: string }[];
  readonly faults: Readonly<Record<string, number>>;
  readonly hashes: Readonly<Record<string, string>>;
  readonly worlds: Readonly<Record<string, number>>;
}

async function simulate(...words: readonly string[]): Promise<{ report: Report; told: string; code: number | string }> {
  const { code, out, err } = await holdfast(['simulate', '--json', ...words]);
  const told = `simulate ${words.join(' ')}: exit code ${code}\n${err.slice(-8_000)}`;
  expect(out.trim().split('\n'), told).toHaveLength(1);
  return { report: JSON.parse(out) as Report, told, code };
}

describe('the whole desk in one process', () => {
  it(`I1-I12: ${CAMPAIGN_SEEDS} fresh trading days under storm from seed ${FROM}: no more violations than are known, and every kind of fault bit`, {
    timeout: 2_400_000,
  }, async () => {
    const { report, told, code } = await simulate('--seeds', CAMPAIGN_SEEDS, '--from', FROM, '--profile', 'storm');
    // Found seeds must be seen though the gate holds.
    process.stdout.write(`${told}\n${JSON.stringify(report.violations)}\n`); // allowed: the test's own report
    expect(badSeeds(report), told).toBeLessThanOrEqual(BAD_SEEDS_MAX.thousand);
    expect(
      report.violations.filter(({ invariant }) => invariant === 'bug'),
      told,
    ).toEqual([]);
    expect(report.seeds, told).toBe(Number(CAMPAIGN_SEEDS));
    expect(report.entries / report.days, told).toBeGreaterThanOrEqual(5);
    expect(report.stops / report.days, told).toBeGreaterThanOrEqual(2);
    expect(told).not.toContain('never bit');
    expect(code, told).toBe(report.violations.length === 0 ? 0 : 1);
  });

  it('several days in a row, with the daily reset between: no more violations than are known', { timeout: 1_200_000 }, async () => {
    const { report, told, code } = await simulate('--seeds', '30', '--days', '4', '--from', FROM);
    expect(report.days, told).toBe(120);
    expect(badSeeds(report), told).toBeLessThanOrEqual(BAD_SEEDS_MAX.nights);
    expect(report.faults['day turns'], told).toBe(90);
    expect(code, told).toBe(report.violations.length === 0 ? 0 : 1);
  });

  it('a seed replays bit for bit: in another process, another order, another thread', { timeout: 600_000 }, async () => {
    const seeds = ['--seeds', '6', '--from', '4711', '--days', '2'];
    const [alone, spread] = [await simulate(...seeds, '--workers', '1'), await simulate(...seeds, '--workers', '2')];
    expect(Object.keys(alone.report.hashes), alone.told).toHaveLength(6);
    expect(spread.report.hashes, spread.told).toEqual(alone.report.hashes);
    expect(new Set(Object.values(alone.report.hashes)).size).toBe(6);
    const story = await holdfast(['simulate', '--seed', '4713', '--days', '2', '--trace']);
    expect(story.err).toContain(alone.report.hashes[4713]);
  });

  it('the largest seed there is works, and one beyond it is refused', { timeout: 120_000 }, async () => {
    const { report, told } = await simulate('--seed', '9007199254740992', '--profile', 'calm');
    expect(report.violations, told).toEqual([]);
    const refused = await holdfast(['simulate', '--seed', '9007199254740993']);
    expect(refused.code, refused.err).toBe(64);
    expect(refused.err).toContain('2^53');
  });
});
