import { fromDollars } from '@holdfast/core/units';
import { describe, expect, test } from 'vitest';
import type { MarketUpdate } from '../exchange-types.js';
import { ACME } from '../list-source.js';
import { MANAGER, priced, RefereeStage } from './testing/referee-stage.js';

const stageOf = (...market: readonly MarketUpdate[][]) =>
  new RefereeStage({ market: [...priced('10:00:00', 60, 50), ...market.flat()], referee: { disasterStopBps: 180 } });
/** ACME sunk to −1.04 % of 50.02. */
const sunk = (from: string, seconds: number) => priced(from, seconds, 49.5);
const fell = /^I3 ACME: stop 49\.5\d+ touched \(mark 49\.5000\), 100 shares held/;

describe('I3: a touched stop leads out', () => {
  test('a short has its stop above, and leaves by buying', () => {
    const story = (play: (stage: RefereeStage) => void) => {
      const stage = stageOf(priced('10:01:00', 60, 50.6));
      stage.byHand('SELL');
      stage.advance('10:01:10');
      play(stage);
      stage.advance('10:02:00');
      return stage.broken();
    };
    expect(story(stage => stage.send(MANAGER, { quantity: 100 }))).toEqual([]);
    expect(story(stage => stage.send(MANAGER, { type: 'LMT', limitPrice: fromDollars(50.62) }))).toEqual([]);
    expect(story(() => undefined)).toEqual(['I3']);
    expect(story(stage => stage.send(MANAGER, { type: 'LMT', limitPrice: fromDollars(50) }))).toEqual(['I3']);
    expect(stageOf(sunk('10:01:00', 60)).broken()).toEqual([]);
  });

  test('a short that falls is in profit', () => {
    const stage = stageOf(sunk('10:01:00', 60));
    stage.byHand('SELL');
    stage.advance('10:02:00');
    expect(stage.broken()).toEqual([]);
  });

  test('an adopted position counts from the mark at its adoption, which may be late: never from what was paid', () => {
    const sinking = [...priced('10:01:00', 5, 49.5), ...priced('10:01:05', 100, 49.5)];
    const stage = stageOf(sinking);
    stage.tell({ fact: 'phase', processId: 1, phase: 'RECONCILING' });
    stage.byHand('BUY');
    stage.stop(49.4);
    stage.advance('10:01:02');
    stage.tell({ fact: 'phase', processId: 1, phase: 'READY' });
    stage.advance('10:02:30');
    expect(stage.broken().filter(invariant => invariant === 'I3')).toEqual([]);

    const late = stageOf(sunk('10:01:00', 60));
    late.byHand('BUY');
    late.advance('10:02:00');
    expect(late.words()).toEqual([expect.stringMatching(fell)]);
  });

  test('a lost store may set the levels of what is held anew', () => {
    const stage = stageOf(sunk('10:01:00', 60));
    stage.buy();
    stage.advance('10:01:01');
    stage.tell({ fact: 'store', lost: true });
    stage.advance('10:02:00');
    expect(stage.broken()).toEqual([]);
  });

  test('only awake time counts, but no series of crashes excuses it for ever', () => {
    const story = (seconds: number) => {
      const stage = stageOf(sunk('10:01:00', seconds));
      stage.buy();
      stage.stop(49.2);
      for (let round = 0; round < 40; round += 1) {
        stage.end(1 + round * 10, 'exit-manager');
        stage.advanceTo(stage.exchange.now + 3_000);
        stage.start(11 + round * 10, 'exit-manager');
        stage.advanceTo(stage.exchange.now + 1_000);
      }
      return stage.words();
    };
    expect(story(50)).toEqual([]);
    expect(story(100)).toEqual([expect.stringMatching(/ms with symbol and broker there$/)]);
  });

  test('an unreachable broker, delayed messages and cut marks stop the clock', () => {
    for (const fact of [
      { fact: 'broker', reachable: false },
      { fact: 'line', clean: false },
      { fact: 'machine', awake: false },
    ] as const) {
      const stage = stageOf(sunk('10:01:00', 50));
      stage.buy();
      stage.tell(fact);
      stage.advance('10:01:50');
      expect(stage.broken()).toEqual([]);
    }
    const blind = stageOf(sunk('10:01:00', 60));
    blind.buy();
    blind.stop(49.4, 100);
    blind.tell({ fact: 'marks', conId: ACME.conId, flowing: false });
    blind.advance('10:02:00');
    expect(blind.broken().filter(invariant => invariant === 'I3')).toEqual([]);
  });

  test('a market order that finds too little starts the clock afresh; one that the exchange refuses gives more time, not for ever', () => {
    const thin = sunk('10:01:00', 100).map(update => ({
      ...update,
      quote: { bid: fromDollars(49.5), ask: fromDollars(49.52), bidSize: 1, askSize: 9 },
    }));
    const slow = stageOf(thin);
    slow.buy();
    slow.advance('10:01:15');
    slow.sell(100, { tif: 'IOC' });
    slow.advance('10:01:30');
    slow.sell(99, { tif: 'IOC' });
    slow.advance('10:01:45');
    expect(slow.broken()).toEqual([]);
    slow.advance('10:02:30');
    expect(slow.broken()).toEqual(['I3']);

    const refused = stageOf(sunk('10:01:00', 180));
    refused.buy();
    refused.exchange.deny = ({ side }) => (side === 'SELL' ? { code: 201, text: 'no' } : undefined);
    refused.advance('10:01:05');
    refused.sell();
    refused.advance('10:02:10');
    expect(refused.broken()).toEqual([]);
    refused.advance('10:04:00');
    expect(refused.broken()).toEqual(['I3']);
  });

  test('sales that the gateway refuses before the exchange hears of them give more time too, not for ever; a refused target gives none', () => {
    const story = (type: string) => {
      const stage = stageOf(sunk('10:01:00', 180));
      stage.buy();
      stage.advance('10:01:05');
      stage.tell({ fact: 'refused', clientId: MANAGER, conId: ACME.conId, type });
      return stage;
    };
    const refused = story('MKT');
    refused.advance('10:02:10');
    expect(refused.broken()).toEqual([]);
    refused.advance('10:04:00');
    expect(refused.broken()).toEqual(['I3']);
    const target = story('LMT');
    target.advance('10:02:10');
    expect(target.broken()).toEqual(['I3']);
  });

  test('a sale that the gateway swallows was made in time: the next one is owed within the bound, no later', () => {
    const stage = stageOf(sunk('10:01:00', 180));
    stage.buy();
    stage.advance('10:01:15');
    stage.tell({ fact: 'swallowed', clientId: MANAGER, conId: ACME.conId, type: 'MKT' });
    stage.advance('10:01:30');
    expect(stage.broken()).toEqual([]);
    stage.advance('10:01:45');
    expect(stage.broken()).toEqual(['I3']);
  });

  test('a sale that is busted after the end brings the holding back with the stop it had', () => {
    const stage = stageOf(sunk('10:01:00', 60));
    stage.buy();
    stage.advance('10:00:05');
    stage.sell();
    stage.advance('10:00:10');
    stage.exchange.correct(stage.exchange.executions().at(-1)?.execId ?? '', { shares: 0 });
    stage.advance('10:02:00');
    expect(stage.words()).toEqual([expect.stringMatching(fell)]);
  });

  test.each([
    ['has the stop that it had', 50.3, []],
    ['is judged by that one', 49.5, [expect.stringMatching(fell)]],
  ])('a holding that comes back after another one has come and gone %s (seed 17100386)', (_, dollars, words) => {
    const stage = stageOf(priced('10:01:00', 60, 51), priced('10:02:00', 60, dollars));
    stage.buy();
    stage.advance('10:00:05');
    stage.sell();
    const sale = stage.exchange.executions().at(-1)?.execId ?? '';
    stage.advance('10:01:10');
    stage.byHand('BUY');
    stage.advance('10:01:50');
    stage.byHand('SELL');
    stage.advance('10:02:05');
    stage.exchange.correct(sale, { shares: 0 });
    stage.advance('10:03:00');
    expect(stage.words()).toEqual(words);
  });

  test('an entry that is busted after the end leaves a short, whose stop is not at zero', () => {
    const stage = stageOf();
    stage.buy();
    stage.advance('10:00:05');
    stage.sell();
    stage.advance('10:00:10');
    stage.exchange.correct(stage.exchange.executions()[0]?.execId ?? '', { shares: 0 });
    stage.advance('10:00:40');
    expect(stage.broken()).toEqual([]);
  });

  test('in `resting` the stop at its real level is the exchange’s to trigger, in `guarded` the exit manager watches', () => {
    const quotesOnly = sunk('10:01:00', 60).map(({ trade: _trade, ...update }) => update);
    const story = (protection: 'resting' | 'guarded', dollars: number) => {
      const low = quotesOnly.map(update => ({
        ...update,
        quote: { bid: fromDollars(49.4), ask: fromDollars(49.5), bidSize: 9, askSize: 9 },
      }));
      const stage = new RefereeStage({ market: [...priced('10:00:00', 60, 50), ...low], referee: { protection, disasterStopBps: 180 } });
      stage.buy();
      stage.stop(dollars);
      stage.advance('10:02:00');
      return stage.broken();
    };
    expect(story('resting', 49.57)).toEqual([]);
    expect(story('resting', 49.2)).toEqual(['I2', 'I3']);
    expect(story('guarded', 49.2)).toEqual(['I3']);
  });

  test('what the operator sells himself need not be sold by us', () => {
    const stage = stageOf(sunk('10:01:00', 60));
    stage.buy();
    stage.send(0, { side: 'SELL', type: 'LMT', limitPrice: fromDollars(60), orderRef: '' });
    stage.advance('10:02:00');
    expect(stage.broken()).toEqual([]);
  });

  test('how long it took is measured, where nothing disturbed', () => {
    const stage = stageOf(sunk('10:01:00', 60));
    stage.buy();
    stage.advance('10:01:02');
    stage.sell();
    expect(stage.referee.measures().touchToExitMs).toEqual([2_000]);
  });
});
