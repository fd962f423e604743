import { epochMs, monoMs } from '@holdfast/core/units';
import { reviewDay } from '@holdfast/store/reports';
import { closeAll, MONDAY, NOW, openDesk } from '@holdfast/store/testing/desk';
import { afterEach, describe, expect, it } from 'vitest';
import { createStream } from '../screen.js';
import type { Kill } from './chaos.js';
import { type DemoReport, tellDay } from './report.js';

afterEach(closeAll);

const kill = (worker: Kill['worker'], readyMs: number | null = 300): Kill => ({
  worker,
  pid: 1,
  symbol: 'ACME',
  at: epochMs(NOW),
  mono: monoMs(1),
  situation: 'in flight',
  readyMs,
  protectedMs: 0,
  filledMs: null,
});
const GOOD: DemoReport['outcome'] = {
  violations: [],
  kills: [kill('exit-manager'), kill('day-trader')],
  isFlat: true,
  isWholeDay: true,
  isBaselineUntouched: true,
  baseline: { symbol: 'KOLA', quantity: 50 },
  pace: {
    speed: 600,
    effectiveSpeed: 300,
    exchangeMs: 600,
    machineMs: 2,
    brakedMs: { 'not connected': 0, behind: 0, 'in flight': 0 },
    followers: [],
  },
  wallSeconds: 80,
};
const broken = { invariant: 'I1', at: epochMs(NOW), symbol: 'ACME', detail: 'short 100' } as const;

function tell(outcome: Partial<DemoReport['outcome']>) {
  const lines = { out: '', err: '' };
  const stream = (to: 'out' | 'err') =>
    createStream(
      {
        isTTY: false,
        columns: 80,
        write: text => {
          lines[to] += text;
        },
      },
      {},
    );
  const report: DemoReport = {
    outcome: { ...GOOD, ...outcome },
    review: reviewDay(openDesk().db, MONDAY),
    source: 'synthetic seed 7',
    killsPlanned: 2,
  };
  const code = tellDay({ out: stream('out'), err: stream('err') }, report, { json: true });
  return {
    code,
    json: JSON.parse(lines.out) as { violations: readonly unknown[]; flat: boolean },
    words: lines.err,
    lines: lines.out.trim().split('\n').length,
  };
}

describe('B13: the verdict of a demo day', () => {
  it('a good day ends with 0 and one line of JSON', () => {
    const told = tell({});
    expect([told.code, told.lines, told.json.violations, told.json.flat]).toEqual([0, 1, [], true]);
    expect(told.words).toContain('The day is good.');
  });

  it.each<[string, Partial<DemoReport['outcome']>, string]>([
    ['an invariant broken at the exchange', { violations: [broken] }, '1 invariant was broken'],
    ['not flat', { isFlat: false }, 'positions are still open'],
    ['the baseline touched', { isBaselineUntouched: false }, 'the baseline (KOLA) was touched'],
    ['a kill that was announced and not given', { kills: [kill('exit-manager')] }, 'only 1 of 2 kills'],
    [
      'a killed worker that never came back',
      { kills: [kill('exit-manager', null), kill('day-trader')] },
      'the exit-manager was not READY again',
    ],
  ])('%s ends with 1, and is said', (_what, outcome, words) => {
    const told = tell(outcome);
    expect(told.code).toBe(1);
    expect(told.words).toContain(words);
  });

  it('what was broken stands in the JSON', () => {
    expect(tell({ violations: [broken] }).json.violations).toHaveLength(1);
  });
});
