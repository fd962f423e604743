import { fromDollars } from '@holdfast/core/units';
import { describe, expect, test } from 'vitest';
import type { MarketUpdate } from '../exchange-types.js';
import { ACME } from '../list-source.js';
import { priced, RefereeStage } from './testing/referee-stage.js';

const guarded = (protection: 'monitored' | 'guarded' | 'resting' = 'guarded', market: readonly MarketUpdate[] = []) =>
  new RefereeStage({ market, referee: { protection, disasterStopBps: 180 } });

describe('I2: a position in care is protected', () => {
  test.each<readonly [string, (stage: RefereeStage) => void, boolean]>([
    ['READY, connected and awake', () => undefined, false],
    ['MINIMAL is able too', stage => stage.tell({ fact: 'phase', processId: 1, phase: 'MINIMAL' }), false],
    ['connected, but reconciling for ever', stage => stage.tell({ fact: 'phase', processId: 1, phase: 'RECONCILING' }), true],
    ['alive without a connection', stage => stage.tell({ fact: 'link', processId: 1, clientId: 10, up: false }), true],
    [
      'hanging, with nothing resting',
      stage => stage.tell({ fact: 'process', processId: 1, worker: 'exit-manager', state: 'stopped' }),
      true,
    ],
    ['gone, with nothing resting', stage => stage.end(1, 'exit-manager'), true],
    ['the day trader alone guards nothing', stage => [stage.end(1, 'exit-manager'), stage.start(3, 'day-trader')], true],
    ['nobody can reach the broker', stage => [stage.tell({ fact: 'broker', reachable: false }), stage.end(1, 'exit-manager')], false],
  ])('the exit manager: %s', (_title, happens, isBroken) => {
    const stage = guarded();
    stage.buy();
    happens(stage);
    stage.advance('10:00:30');
    expect(stage.broken()).toEqual(isBroken ? ['I2'] : []);
  });

  test.each<readonly [string, (stage: RefereeStage) => void, readonly string[]]>([
    ['the disaster stop guards while it is dead', stage => [stage.stop(49.2), stage.end(1, 'exit-manager')], []],
    ['not for a part of the shares', stage => [stage.stop(49.2, 99), stage.end(1, 'exit-manager')], ['I2']],
    ['not from far away', stage => [stage.stop(48), stage.end(1, 'exit-manager')], ['I2']],
    ['not on the wrong side', stage => [stage.stop(51, 100, { side: 'BUY' }), stage.end(1, 'exit-manager')], ['I1', 'I2']],
    ['nor while it lives and is not READY', stage => [stage.stop(49.2), stage.tell({ fact: 'phase', processId: 1, phase: 'X' })], ['I2']],
    ['a stop at the real level always does', stage => [stage.stop(49.58), stage.tell({ fact: 'phase', processId: 1, phase: 'X' })], []],
    ['two stops add up', stage => [stage.stop(49.2, 50), stage.stop(49.2, 50), stage.end(1, 'exit-manager')], []],
    [
      'two of one group do not',
      stage => [stage.stop(49.2, 50, { ocaGroup: 'g' }), stage.stop(49.2, 50, { ocaGroup: 'g' }), stage.end(1, 'exit-manager')],
      ['I2'],
    ],
  ])('%s', (_title, happens, expected) => {
    const stage = guarded();
    stage.buy();
    happens(stage);
    stage.advance('10:00:15');
    if (expected.includes('I1')) stage.advance('10:00:30');
    expect(stage.broken().filter(invariant => invariant === 'I2')).toEqual(expected.filter(invariant => invariant === 'I2'));
  });

  test('a short is guarded by a buy stop, not by a sell stop', () => {
    const story = (dollars: number, side: 'BUY' | 'SELL') => {
      const stage = guarded();
      stage.byHand('SELL');
      stage.advance('10:01:00');
      stage.stop(dollars, 100, { side });
      stage.end(1, 'exit-manager');
      stage.advance('10:01:10');
      return stage.broken();
    };
    expect(story(50.8, 'BUY')).toEqual([]);
    expect(story(49.2, 'SELL')).toEqual(['I2']);
  });

  test('blindness is forgiven for the bound, then the stop must rest at its real level', () => {
    const story = (dollars: number | null, conId: number | null = ACME.conId) => {
      const stage = guarded();
      stage.buy();
      stage.tell({ fact: 'marks', conId, flowing: false });
      stage.advance('10:00:30');
      if (dollars !== null) stage.stop(dollars);
      stage.advance(conId === null ? '10:01:30' : '10:01:00');
      if (conId === null && dollars === null) expect(stage.broken()).toEqual([]);
      if (conId === null) stage.advance('10:02:00');
      return stage.broken();
    };
    expect(story(49.58, null)).toEqual([]);
    expect(story(null, null)).toEqual(['I2']);
    expect(story(49.58)).toEqual([]);
    expect(story(49.1)).toEqual(['I2']);
    expect(story(null)).toEqual(['I2']);
  });

  test('in `resting` a living exit manager is not enough: its stop must rest, for everything', () => {
    const story = (quantity: number) => {
      const stage = guarded('resting');
      stage.buy();
      stage.advance('10:00:02');
      if (quantity > 0) stage.stop(49.57, quantity);
      stage.advance('10:00:30');
      return stage.broken();
    };
    expect(story(100)).toEqual([]);
    expect(story(60)).toEqual(['I2']);
    expect(story(0)).toEqual(['I2']);
  });

  test('what was paid is corrected after the end, then the sale is busted: the holding that comes back has the corrected reference', () => {
    const story = (dollars: number) => {
      const stage = guarded('resting');
      stage.buy();
      stage.advance('10:00:01');
      stage.sell();
      stage.advance('10:00:30');
      const [bought, sold] = stage.exchange.executions();
      stage.exchange.correct(bought?.execId ?? '', { price: fromDollars(49) });
      stage.exchange.correct(sold?.execId ?? '', { shares: 0 });
      stage.stop(dollars);
      stage.advance('10:01:00');
      return stage.broken();
    };
    expect(story(48.56)).toEqual([]);
    expect(story(48.4)).toEqual(['I2']);
  });

  test('restarts within the bound are silent and measured', () => {
    const stage = guarded('monitored');
    stage.buy();
    stage.end(1, 'exit-manager');
    stage.advance('10:00:04');
    stage.start(3, 'exit-manager');
    stage.advance('10:01:00');
    expect(stage.broken()).toEqual([]);
    expect(stage.referee.measures()).toMatchObject({ longestUnprotected: { ms: 4_000, symbol: 'ACME' }, unprotectedMs: [4_000] });
  });

  test.each([
    ['in its start, before it has said how far it is: seen after ten seconds instead of five', '10:00:10', []],
    ['for longer than that', '10:00:12', ['I2']],
  ])('the successor of a hung one hangs %s (seed 6100406)', (_title, resumed, expected) => {
    const stage = guarded('monitored');
    stage.buy();
    stage.end(1, 'exit-manager');
    const changes = (state: 'started' | 'stopped' | 'resumed') =>
      stage.tell({ fact: 'process', processId: 3, worker: 'exit-manager', state });
    changes('started');
    changes('stopped');
    stage.advance(resumed);
    changes('resumed');
    stage.tell({ fact: 'link', processId: 3, clientId: 10, up: true });
    stage.tell({ fact: 'phase', processId: 3, phase: 'READY' });
    stage.advance('10:01:00');
    expect(stage.broken()).toEqual(expected);
  });

  test('a hang of one that has said how far it is gets no such patience', () => {
    const stage = guarded('monitored');
    stage.buy();
    stage.tell({ fact: 'process', processId: 1, worker: 'exit-manager', state: 'stopped' });
    stage.advance('10:00:08');
    stage.tell({ fact: 'process', processId: 1, worker: 'exit-manager', state: 'resumed' });
    expect(stage.broken()).toEqual(['I2']);
  });

  test('how long an entry’s shares wait for their exits is measured', () => {
    const stage = guarded();
    stage.buy();
    stage.advance('10:00:01');
    stage.sell(100, { type: 'LMT', limitPrice: fromDollars(51), ocaGroup: 'g' });
    stage.advance('10:00:02');
    stage.stop(49.2, 100, { ocaGroup: 'g' });
    stage.advance('10:00:09');
    expect(stage.referee.measures().fillToArmedMs).toEqual([2_000]);
  });

  test('in `resting` a stop that the gateway refuses may take as long as a retry, and no longer', () => {
    const stage = guarded('resting');
    stage.buy();
    stage.advance('10:00:02');
    stage.tell({ fact: 'refused', clientId: 10, conId: ACME.conId, type: 'STP' });
    stage.advance('10:01:10');
    expect(stage.broken()).toEqual([]);
    stage.advance('10:01:30');
    expect(stage.broken()).toEqual(['I2']);
  });

  test('a stop that the gateway swallows was made in time: the clock starts afresh, with no more patience; a swallowed target changes nothing', () => {
    for (const [type, blamed] of [
      ['STP', []],
      ['LMT', ['I2']],
    ] as const) {
      const stage = guarded('resting');
      stage.buy();
      stage.advance('10:00:05');
      stage.tell({ fact: 'swallowed', clientId: 10, conId: ACME.conId, type });
      stage.advance('10:00:10');
      expect(stage.broken(), type).toEqual(blamed);
      stage.advance('10:00:12');
      expect(stage.broken(), type).toEqual(['I2']);
    }
  });

  test('shares that the exchange takes back from a working sale follow when it has ended, and not without it (seed 5200032)', () => {
    const thin = priced('10:00:01', 120, 50).map(update => ({
      ...update,
      ...(update.quote && { quote: { ...update.quote, bidSize: 1 } }),
    }));
    for (const isOver of [false, true]) {
      const stage = guarded('resting', thin);
      stage.buy();
      stage.advance('10:00:02');
      stage.sell();
      stage.advance('10:00:05');
      if (isOver) stage.cancelAll();
      const sale = stage.exchange.executions().at(-1);
      expect(sale).toMatchObject({ side: 'SELL', shares: 1 });
      stage.exchange.correct(sale?.execId ?? '', { shares: 0 });
      stage.advance('10:00:20');
      expect(stage.broken()).toEqual(isOver ? ['I2'] : []);
      stage.cancelAll();
      stage.advance('10:00:30');
      expect(stage.broken()).toEqual(['I2']);
    }
  });

  test('the liquidator guards while it is connected', () => {
    const stage = guarded();
    stage.buy();
    stage.end(1, 'exit-manager');
    stage.tell({ fact: 'process', processId: 9, worker: 'liquidator', state: 'started' });
    stage.tell({ fact: 'link', processId: 9, clientId: 10, up: true });
    stage.advance('10:00:30');
    expect(stage.broken()).toEqual([]);
  });
});
