import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochMs, fromDollars, micros, toDollars } from '../units.js';
import { careFromRow } from './care.js';
import { DEFAULT_EXIT_RULES, type ExitRules } from './rules.js';
import { CON_ID, ExitBench } from './testing/exit-bench.js';
import { keepTrail, trailingStop } from './trail.js';

const RULES: ExitRules = { ...DEFAULT_EXIT_RULES, trailArmBps: 100, trailGiveBackBps: 60 };
const contract = {
  conId: 1,
  symbol: 'ACME',
  secType: 'STK' as const,
  exchange: '',
  primaryExchange: '',
  currency: 'USD',
  tick: micros(10_000),
  multiplier: 1,
};
const ELEVEN = epochMs(Date.UTC(2026, 2, 9, 15, 0));

describe('C4: the trailing stop', () => {
  it.each<[1 | -1, number, number | null]>([
    [1, 50.49, null],
    [1, 50.5, 50.2],
    [1, 50.6, 50.3],
    [1, 50.605, 50.31],
    [-1, 49.51, null],
    [-1, 49.5, 49.8],
    [-1, 49.395, 49.69],
  ])('entry 50.00, side %i, peak %d: stop %s', (side, peak, stop) => {
    const level = trailingStop({ reference: fromDollars(50), peak: fromDollars(peak) }, { side, contract }, RULES);
    expect(level === null ? null : toDollars(level)).toBe(stop);
  });

  it('is off unless configured', () => {
    expect(trailingStop({ reference: fromDollars(50), peak: fromDollars(60) }, { side: 1, contract }, DEFAULT_EXIT_RULES)).toBeNull();
  });

  it('new levels never loosen what the trail has reached', () => {
    const levels = { reference: fromDollars(50), target: fromDollars(50.9), stop: fromDollars(50.3), disaster: fromDollars(49.1) };
    const next = { ...levels, stop: fromDollars(49.6) };
    expect(keepTrail(next, { side: 1, levels, peak: fromDollars(50.6) }).stop).toBe(fromDollars(50.3));
    expect(keepTrail(next, { side: 1, levels, peak: null }).stop).toBe(fromDollars(49.6));
  });
});

function held(side: 1 | -1, rules: Partial<ExitRules> = {}): ExitBench {
  const bench = new ExitBench({ at: ELEVEN, rules: { ...RULES, targetBps: 2_000, ...rules } });
  bench.deliver();
  bench.byHand(side * 100, 50);
  bench.run(1_000);
  bench.mark(50);
  bench.run(1_000);
  return bench;
}
const stopOf = (bench: ExitBench): number => toDollars(bench.state.care.get(CON_ID)?.levels?.stop ?? micros(0));
const marks = (bench: ExitBench, prices: readonly number[]): void => {
  for (const price of prices) {
    bench.mark(price);
    bench.run(1_000);
  }
};

describe('C4: the trailing stop on the bench', () => {
  it('follows two marks that agree, not a crazy one; a restart keeps it; the sale is called by its name', () => {
    const bench = held(1);
    expect(stopOf(bench)).toBe(49.55);
    marks(bench, [50.2, 58, 50.21]);
    expect(stopOf(bench)).toBe(49.55);
    marks(bench, [50.8, 50.82]);
    expect(stopOf(bench)).toBe(50.5);
    bench.restart();
    bench.run(2_000);
    expect(stopOf(bench)).toBe(50.5);
    marks(bench, [50.6, 50.61]);
    expect(stopOf(bench)).toBe(50.5);
    marks(bench, [50.4, 50.39]);
    expect(bench.position).toBe(0);
    const closed = bench.effects.flatMap(effect => (effect.do === 'close-position' ? [effect.trade.exitReason] : []));
    expect(closed).toEqual(['trailing-stop']);
  });

  it('a resting stop follows too, at most every five seconds', () => {
    const bench = held(1, { protection: 'resting' });
    const before = bench.effects.filter(effect => effect.do === 'place').length;
    marks(
      bench,
      Array.from({ length: 30 }, (_, index) => 50.5 + index * 0.05),
    );
    const changes = bench.effects.filter(effect => effect.do === 'place').length - before;
    expect(changes).toBeGreaterThanOrEqual(4);
    expect(changes).toBeLessThanOrEqual(7);
    marks(bench, [51.95, 51.96, 51.95, 51.96, 51.95, 51.96]);
    expect(bench.working().find(({ order }) => order.type === 'STP')?.order.stopPrice).toBe(fromDollars(stopOf(bench)));
  });

  it('whatever the marks do, long or short, through restarts: the stop never loosens', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<1 | -1>(1, -1),
        fc.array(fc.oneof(fc.integer({ min: -40, max: 400 }), fc.constant('restart' as const)), { maxLength: 25 }),
        (side, steps) => {
          const bench = held(side);
          let last = stopOf(bench);
          for (const step of steps) {
            if (step === 'restart') {
              bench.restart();
              bench.run(1_000);
            } else marks(bench, [50 + (side * step) / 100]);
            if (!bench.state.care.has(CON_ID)) return;
            expect((stopOf(bench) - last) * side).toBeGreaterThanOrEqual(0);
            last = stopOf(bench);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('a row from before this rule has no peak', () => {
    const row = [...held(1).effects].flatMap(effect => (effect.do === 'write-position' ? [effect.position] : [])).at(-1);
    if (!row) throw new Error('no row was written');
    const { peak: _none, ...metadata } = row.metadata;
    expect(careFromRow({ ...row, metadata }, ELEVEN).peak).toBeNull();
  });
});
