import { fromDollars } from '@holdfast/core/units';
import { describe, expect, test } from 'vitest';
import { ACME, at, quoteOf } from '../list-source.js';
import { MANAGER, RefereeStage } from './testing/referee-stage.js';

const limit = (dollars: number) => ({ type: 'LMT', limitPrice: fromDollars(dollars) }) as const;

describe('I1: never an unintended short, or long', () => {
  test('a short in care is bought back to flat in silence, one share more is an unintended long', () => {
    const stage = new RefereeStage();
    stage.byHand('SELL');
    stage.advance('10:01:00');
    stage.send(MANAGER, { quantity: 100 });
    expect(stage.broken()).toEqual([]);

    const over = new RefereeStage();
    over.byHand('SELL');
    over.advance('10:01:00');
    over.send(MANAGER, { quantity: 101 });
    expect(over.words()[0]).toMatch(/^I1 ACME: long 1 after client 10 bought 101/);
  });

  test('an exit that adds to the position instead of reducing it', () => {
    const stage = new RefereeStage();
    stage.buy();
    stage.send(MANAGER, { quantity: 10 });
    expect(stage.broken()).toEqual(['I1']);
  });

  test('the grace after the operator’s own trade passes only while somebody could react', () => {
    const story = (isAway: boolean) => {
      const stage = new RefereeStage();
      stage.buy();
      if (isAway) stage.tell({ fact: 'broker', reachable: false });
      stage.byHand('SELL');
      stage.advance('10:00:10');
      stage.sell();
      return stage.broken();
    };
    expect(story(true)).toEqual([]);
    expect(story(false)).toEqual(['I1']);
  });

  test('what is being bought back in a thin book, by an order for all of it, may take as long as the book does', () => {
    const story = (quantity: number) => {
      const thin = {
        ...quoteOf('10:00:05', 50, 50.02, 900),
        quote: { bid: fromDollars(50), ask: fromDollars(50.02), bidSize: 900, askSize: 0 },
      };
      const stage = new RefereeStage({ market: [thin] });
      stage.buy();
      stage.byHand('SELL');
      stage.sell();
      stage.advance('10:00:10');
      stage.send(MANAGER, { quantity });
      stage.advance('10:01:00');
      return stage.words();
    };
    expect(story(100)).toEqual([]);
    expect(story(60)).toEqual([expect.stringMatching(/^I1 ACME: -100 shares that an exit overshot into are still held/)]);
  });

  test('a purchase that the gateway swallows was made in time: the clock starts afresh, with no more patience; a swallowed target does not', () => {
    const story = (type: 'MKT' | 'LMT', until: string) => {
      const stage = new RefereeStage();
      stage.buy();
      stage.byHand('SELL');
      stage.sell();
      stage.advance('10:00:10');
      stage.tell({ fact: 'swallowed', clientId: MANAGER, conId: ACME.conId, type });
      stage.advance(until);
      return stage.words().length;
    };
    expect([story('MKT', '10:00:22'), story('LMT', '10:00:22')]).toEqual([0, 1]);
    expect(story('MKT', '10:00:30')).toBe(1);
  });

  test('a cancel that left in time and takes long is nobody’s fault; one that left late, or never, is (seed 10200037)', () => {
    const story = (cancelledAt: string | null) => {
      const stage = new RefereeStage();
      const orderRef = 'HFX-20260309-1-77';
      stage.buy();
      stage.byHand('SELL');
      for (const clock of ['10:00:01', '10:00:05']) {
        stage.advance(clock);
        if (clock === cancelledAt) stage.sent({ processId: 1, orderRef, what: 'cancel' });
      }
      stage.advance('10:00:06');
      stage.send(MANAGER, { side: 'SELL', orderRef });
      return stage.words().length;
    };
    expect([story('10:00:01'), story('10:00:05'), story(null)]).toEqual([0, 1, 1]);
  });

  test('a purchase that was refused is tried again within the minute of quarantine, and one that was not has its own bound (seed 8400067)', () => {
    const story = (isRefused: boolean, until: string) => {
      const stage = new RefereeStage();
      stage.buy();
      stage.byHand('SELL');
      stage.sell();
      stage.advance('10:00:10');
      if (isRefused) stage.tell({ fact: 'refused', clientId: MANAGER, conId: ACME.conId, type: 'MKT' });
      stage.advance(until);
      return stage.words().length;
    };
    expect([story(true, '10:01:15'), story(false, '10:01:15')]).toEqual([0, 1]);
    expect(story(true, '10:01:40')).toBe(1);
  });

  test('what overshot within the grace must be bought back within the bound', () => {
    const story = (isBoughtBack: boolean) => {
      const stage = new RefereeStage();
      stage.buy();
      stage.byHand('SELL');
      stage.sell();
      stage.advance('10:00:10');
      if (isBoughtBack) stage.send(MANAGER, { quantity: 100 });
      stage.advance('10:00:30');
      return stage.words();
    };
    expect(story(true)).toEqual([]);
    expect(story(false)).toEqual([expect.stringMatching(/^I1 ACME: -100 shares that an exit overshot into are still held/)]);
  });

  test('exits resting for more than is held: a while is allowed, one-cancels-all counts once', () => {
    const story = (group: object, until: string) => {
      const stage = new RefereeStage();
      stage.buy();
      stage.sell(100, { ...limit(51), ...group });
      stage.stop(49, 100, group);
      stage.advance(until);
      return stage.broken();
    };
    const group = { ocaGroup: 'g', ocaType: 2 } as const;
    expect(story(group, '10:05:00')).toEqual([]);
    expect(story({}, '10:00:20')).toEqual([]);
    expect(story({}, '10:05:00')).toEqual(['I1']);
  });

  test('a correction that leaves a short is nobody’s fault; a sale of the old quantity long after it is', () => {
    const stage = new RefereeStage();
    stage.buy();
    const [bought] = stage.exchange.executions();
    stage.exchange.correct(bought?.execId ?? '', { shares: 60 });
    stage.advance('10:00:01');
    stage.sell(100);
    expect(stage.broken()).toEqual([]);

    const late = new RefereeStage();
    late.buy();
    late.exchange.correct(late.exchange.executions()[0]?.execId ?? '', { shares: 60 });
    late.advance('10:00:10');
    late.sell(100);
    expect(late.words()).toEqual([expect.stringContaining('short 40 after')]);
  });

  test('a bust before the sale: selling what no longer exists', () => {
    const stage = new RefereeStage();
    stage.buy();
    stage.exchange.correct(stage.exchange.executions()[0]?.execId ?? '', { shares: 0 });
    stage.advance('10:00:10');
    stage.sell();
    expect(stage.broken()).toEqual(['I1']);
  });

  test('the baseline may be sold by --everything, and by nothing else', () => {
    const holdings = [{ conId: ACME.conId, quantity: 500, averageCost: fromDollars(40) }];
    const stage = new RefereeStage({ exchange: { holdings } });
    stage.isEverythingAllowed = true;
    stage.advance('10:00:01');
    stage.sell(500);
    expect(stage.broken()).toEqual([]);
    const other = new RefereeStage({ exchange: { holdings } });
    other.sell(1);
    expect(other.broken()).toEqual(['I12', 'I1']);
  });

  test('what the operator puts in care is sold like anything else', () => {
    const stage = new RefereeStage({ exchange: { holdings: [{ conId: ACME.conId, quantity: 500, averageCost: fromDollars(40) }] } });
    stage.tell({ fact: 'scope', conId: ACME.conId, inCare: true });
    stage.advance('10:01:00');
    stage.sell(500);
    expect(stage.broken()).toEqual([]);
    expect(stage.exchange.now).toBe(at('10:01:00'));
  });
});
