import { ACME, at, quoteOf, tradeOf } from '@holdfast/sim/list-source';
import { afterEach, describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

/** The three protection modes, long and short: what rests, how it follows the position, and that it never covers more than is held. */

type Mode = 'monitored' | 'resting' | 'guarded';
const CASES = (['monitored', 'resting', 'guarded'] as const).flatMap(mode => (['long', 'short'] as const).map(side => ({ mode, side })));

/** Steps of one dollar figure: bid and ask `away` dollars in the position's favour from 50.00, this many shares on each side. */
interface Step {
  readonly clock: string;
  readonly gain: number;
  readonly size: number;
}

const stages: Stage[] = [];
afterEach(() => {
  for (const made of stages.splice(0)) made.close();
});

interface Desk {
  readonly s: Stage;
  /** Runs on, looking at every tenth of a second that resting exits cover no more than is held; `grace`: after a trade by hand. */
  readonly to: (clock: string, options?: { graceMs?: number }) => void;
  /** Resting exits as size and kind. */
  readonly rests: () => string[];
  readonly held: () => number;
  readonly trade: (shares: number) => void;
}

function desk({ mode, side, steps }: { mode: Mode; side: 'long' | 'short'; steps: readonly Step[] }): Desk {
  const sign = side === 'long' ? 1 : -1;
  // Resting stops are triggered by prints (reference/ibkr-behaviour.md §3); what is quoted fills them.
  const market = steps.flatMap(({ clock, gain, size }) => [
    quoteOf(clock, 50 + sign * gain - 0.01, 50 + sign * gain + 0.01, size),
    ...(gain < 0 ? [tradeOf(clock, 50 + sign * gain, 1)] : []),
  ]);
  const s = new Stage({ market: [quoteOf('09:45:00', 49.99, 50.01, 5_000), ...market], rules: { protection: mode } });
  stages.push(s);
  s.run(1_000);
  const held = (): number => Math.abs(s.position());
  const covered = (): number => {
    const groups = new Map<string, number>();
    for (const { request, remaining } of s.exchange.openOrders()) {
      if (request.clientId !== 10) continue;
      const group = request.ocaGroup ?? request.orderRef ?? '';
      groups.set(group, Math.max(groups.get(group) ?? 0, remaining));
    }
    return [...groups.values()].reduce((sum, shares) => sum + shares, 0);
  };
  return {
    s,
    held,
    to: (clock, { graceMs = 0 } = {}) => {
      const strictFrom = s.exchangeTime + graceMs;
      while (s.exchangeTime < at(clock)) {
        s.run(100);
        expect(Math.sign(s.position()) * sign, s.story.join('\n')).toBeGreaterThanOrEqual(0);
        if (s.exchangeTime >= strictFrom) expect(covered(), s.story.join('\n')).toBeLessThanOrEqual(held());
      }
    },
    rests: () =>
      s.exchange
        .openOrders()
        .filter(({ request }) => request.clientId === 10)
        .map(({ request, remaining }) => `${remaining} ${request.type}`),
    trade: shares => {
      const isBuy = shares > 0 === (side === 'long');
      s.exchange.manualTrade(ACME.conId, isBuy ? 'BUY' : 'SELL', Math.abs(shares));
      s.settle();
    },
  };
}

const flat = (clock: string, size: number): Step[] =>
  Array.from({ length: 600 }, (_, second) => ({ second, stamp: at(clock) + second * 1_000 })).map(({ second, stamp }) => ({
    clock: new Date(stamp - 4 * 3_600_000).toISOString().slice(11, 19),
    gain: (second % 2) * 0.01,
    size,
  }));
const both = (mode: Mode, size: number): string[] => (mode === 'monitored' ? [`${size} LMT`] : [`${size} LMT`, `${size} STP`]);

describe.each(CASES)('A5: $mode, $side', ({ mode, side }) => {
  it('rests what the mode says', () => {
    const d = desk({ mode, side, steps: flat('09:45:02', 5_000) });
    d.trade(100);
    d.to('09:45:10');
    expect(d.rests(), d.s.story.join('\n')).toEqual(both(mode, 100));
    expect(d.s.referee.report()).toEqual([]);
  });

  it('follows a position that grows and shrinks by hand, in one group', () => {
    const d = desk({ mode, side, steps: flat('09:45:02', 5_000) });
    d.trade(100);
    d.to('09:45:10');
    d.trade(50);
    d.to('09:45:15');
    expect(d.rests(), d.s.story.join('\n')).toEqual(both(mode, 150));
    d.trade(-90);
    d.to('09:45:25', { graceMs: 2_000 });
    expect(d.rests(), d.s.story.join('\n')).toEqual(both(mode, 60));
    d.trade(-60);
    d.to('09:45:40', { graceMs: 2_000 });
    expect(d.rests(), d.s.story.join('\n')).toEqual([]);
    expect(d.s.closedToday().length).toBe(1);
    expect(d.s.referee.report()).toEqual([]);
  });

  it('the target fills in part and the stop takes the rest', () => {
    const d = desk({
      mode,
      side,
      steps: [
        ...flat('09:45:02', 5_000).slice(0, 20),
        { clock: '09:45:30', gain: 0.95, size: 40 },
        { clock: '09:45:31', gain: 0.3, size: 5_000 },
        { clock: '09:45:50', gain: -0.6, size: 5_000 },
        { clock: '09:45:52', gain: -0.61, size: 5_000 },
      ],
    });
    d.trade(100);
    d.to('09:45:40');
    expect(d.held(), d.s.story.join('\n')).toBe(60);
    expect(d.rests(), d.s.story.join('\n')).toEqual(both(mode, 60));
    d.to('09:46:10');
    expect(d.held(), d.s.story.join('\n')).toBe(0);
    expect(d.rests()).toEqual([]);
    expect(d.s.closedToday().length, d.s.story.join('\n')).toBe(1);
    expect(d.s.referee.report(), d.s.story.join('\n')).toEqual([]);
  });

  it('the stop fills in parts, and the rest is out all the same', () => {
    const d = desk({
      mode,
      side,
      steps: [
        ...flat('09:45:02', 5_000).slice(0, 20),
        { clock: '09:45:50', gain: -0.6, size: 30 },
        { clock: '09:45:52', gain: -0.61, size: 30 },
        { clock: '09:45:54', gain: -0.62, size: 30 },
        { clock: '09:45:57', gain: -0.63, size: 30 },
        { clock: '09:46:00', gain: -0.64, size: 30 },
        { clock: '09:46:05', gain: -0.65, size: 300 },
      ],
    });
    d.trade(100);
    d.to('09:46:20');
    expect(d.held(), d.s.story.join('\n')).toBe(0);
    expect(d.rests()).toEqual([]);
    expect(d.s.closedToday().length, d.s.story.join('\n')).toBe(1);
    expect(d.s.referee.report(), d.s.story.join('\n')).toEqual([]);
  });

  it('a group name is never used again', () => {
    const d = desk({ mode, side, steps: flat('09:45:02', 5_000) });
    for (const clock of ['09:45:30', '09:46:30', '09:47:30']) {
      d.trade(10);
      d.to(clock.replace(':30', ':20'));
      d.trade(-10);
      d.to(clock.replace(':30', ':55'), { graceMs: 2_000 });
    }
    const names = [...d.s.exchange.completedOrders()]
      .filter(({ request }) => request.clientId === 10)
      .map(({ request }) => request.ocaGroup);
    expect(new Set(names).size, d.s.story.join('\n')).toBe(3);
  });
});
