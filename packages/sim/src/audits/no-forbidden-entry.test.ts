import { sessionOf, tradeDate } from '@holdfast/core/calendar';
import { epochMs, fromDollars } from '@holdfast/core/units';
import { describe, expect, test } from 'vitest';
import type { MarketSource } from '../exchange-types.js';
import { at, listSource, quoteOf } from '../list-source.js';
import { MANAGER, RefereeStage, TRADER } from './testing/referee-stage.js';

const TUESDAY = tradeDate('2026-03-10');
const DAY_MS = 86_400_000;

/** The next day, with ACME quoted from 9:45. */
const tuesday = (): MarketSource => ({
  ...listSource([{ ...quoteOf('09:45:00', 50, 50.02, 900), at: epochMs(at('09:45:00') + DAY_MS) }]),
  date: TUESDAY,
});

function nextMorning(stage: RefereeStage): void {
  stage.exchange.beginDay({ source: tuesday(), session: sessionOf(TUESDAY) });
  stage.exchange.advanceTo(epochMs(at('10:00:00') + DAY_MS));
}

describe('I4: no forbidden entry', () => {
  test('a block lasts for its trading date and no longer', () => {
    const stage = new RefereeStage();
    stage.buy();
    stage.sell();
    nextMorning(stage);
    stage.buy();
    expect(stage.broken()).toEqual([]);

    const sameDay = new RefereeStage();
    sameDay.buy();
    sameDay.sell();
    sameDay.advance('15:30:00');
    sameDay.buy();
    expect(sameDay.broken()).toContain('I4');
  });

  test('what is carried over the night may not be entered again', () => {
    const stage = new RefereeStage();
    stage.buy();
    nextMorning(stage);
    stage.buy();
    expect(stage.words()).toEqual([expect.stringContaining('accepted although 100 shares of it are held')]);
  });

  test('closing: an exit of ours still works', () => {
    const stage = new RefereeStage();
    stage.send(MANAGER, { side: 'SELL', type: 'LMT', limitPrice: fromDollars(60) });
    stage.buy(10);
    expect(stage.words()).toEqual([expect.stringContaining('accepted although it is closing: HFX-20260309-1-1 is still working')]);
  });

  test('opened and closed by hand before anybody could see it blocks nothing; seen, it does', () => {
    const story = (clock: string) => {
      const stage = new RefereeStage();
      stage.byHand('BUY');
      stage.advance(clock);
      stage.byHand('SELL');
      stage.advance('10:05:00');
      stage.buy();
      return stage.words();
    };
    expect(story('10:00:01')).toEqual([]);
    expect(story('10:01:00')).toEqual([expect.stringContaining('although it was closed today')]);
  });

  test('judged by what could be known when it left its process, however late it arrives', () => {
    const story = (isSentBefore: boolean) => {
      const stage = new RefereeStage();
      const orderRef = 'HFD-20260309-1-9';
      if (isSentBefore) stage.sent({ clientId: TRADER, processId: 2, orderRef });
      stage.byHand('BUY');
      stage.advance('10:00:30');
      if (!isSentBefore) stage.sent({ clientId: TRADER, processId: 2, orderRef });
      stage.send(TRADER, { orderRef });
      return stage.broken();
    };
    expect(story(true)).toEqual([]);
    expect(story(false)).toEqual(['I4']);
  });
});

describe('I5: one claim, one entry’s worth', () => {
  const some = (quantity: number, words: object = {}) =>
    ({ quantity, type: 'LMT', limitPrice: fromDollars(50.02), tif: 'IOC', ...words }) as const;
  const five = (stage: RefereeStage, words: object) => stage.send(TRADER, words);

  test('filled in part and sent again for the rest is a second claim’s worth', () => {
    const stage = new RefereeStage({ market: [{ ...quoteOf('10:00:05', 50, 50.02, 900), at: at('10:00:05') }] });
    five(stage, some(1_000));
    stage.advance('10:00:06');
    five(stage, some(100));
    expect(stage.words().filter(words => words.startsWith('I5'))).toEqual([
      expect.stringMatching(/entries bought 1000 shares: 900 by HFD-.*-1, then 100 by HFD-.*-2/),
    ]);
  });

  test('the same ref under a second id is found though nothing fills; an unfilled first try is not', () => {
    const resting = { type: 'LMT', limitPrice: fromDollars(49), tif: 'IOC' } as const;
    const twin = new RefereeStage();
    const orderRef = twin.send(TRADER, resting);
    twin.send(TRADER, { ...resting, orderRef });
    expect(twin.words()).toEqual([expect.stringContaining('I5 ACME: entry HFD-20260309-1-1 was accepted twice')]);

    const again = new RefereeStage();
    again.send(TRADER, resting);
    again.buy();
    expect(again.broken()).toEqual([]);
  });

  test('each day has its own; what the exchange adds by a correction is not ours', () => {
    const stage = new RefereeStage();
    stage.buy();
    stage.exchange.correct(stage.exchange.executions()[0]?.execId ?? '', { shares: 120 });
    stage.sell(120);
    nextMorning(stage);
    stage.buy();
    expect(stage.broken()).toEqual([]);
  });
});

describe('I12: hands off', () => {
  test('our cancel or change of his order is found by its sending, our own orders are ours', () => {
    const stage = new RefereeStage();
    stage.sent({ processId: 1, what: 'cancel', orderRef: 'x', target: { clientId: MANAGER, orderId: 4 } });
    expect(stage.broken()).toEqual([]);
    stage.sent({ processId: 1, what: 'cancel', orderRef: '', target: { clientId: 0, orderId: 4 } });
    stage.sent({ processId: 1, what: 'modify', orderRef: '', target: { clientId: 0, orderId: 4 } });
    expect(stage.words()).toEqual([
      expect.stringContaining("process 1 (client 10) sent a cancel for the operator's order 4"),
      expect.stringContaining('a modify for'),
    ]);
  });

  test('a global cancel spares nobody’s order but under --everything', () => {
    const story = (isAllowed: boolean) => {
      const stage = new RefereeStage();
      stage.send(0, { type: 'LMT', limitPrice: fromDollars(40) });
      stage.isEverythingAllowed = isAllowed;
      stage.advance('10:00:01');
      stage.exchange.globalCancel();
      return stage.broken();
    };
    expect(story(true)).toEqual([]);
    expect(story(false)).toEqual(['I12']);
  });
});
