import { describe, expect, test } from 'vitest';
import { RefereeStage, TRADER } from './testing/referee-stage.js';

const ref = (n: number) => `HFX-20260309-1-${n}`;

describe('I10: at most one live exit authority', () => {
  test('one after the other is silent, also with the emergency tool between them', () => {
    const stage = new RefereeStage();
    for (const [processId, clientId] of [
      [1, 10],
      [1, 10],
      [5, 99],
      [5, 99],
      [6, 10],
    ] as const)
      stage.sent({ processId, clientId, orderRef: ref(processId) });
    expect(stage.broken()).toEqual([]);
  });

  test.each([
    ['the exit manager that woke up', 10, 10],
    ['the exit manager beside the emergency tool', 10, 99],
    ['a day trader that woke up', TRADER, TRADER],
  ] as const)('%s sends after its successor', (_title, first, second) => {
    const stage = new RefereeStage();
    stage.sent({ processId: 11, clientId: first, orderRef: ref(1) });
    stage.sent({ processId: 12, clientId: second, orderRef: ref(2) });
    stage.sent({ processId: 11, clientId: first, what: 'cancel', orderRef: ref(1) });
    expect(stage.words()).toEqual([
      expect.stringMatching(/^I10 ACME: process 11 \(client \d+\) sent cancel .* after its successor had sent$/),
    ]);
  });

  test('exits and entries are two authorities', () => {
    const stage = new RefereeStage();
    stage.sent({ processId: 1, orderRef: ref(1) });
    stage.sent({ processId: 2, clientId: TRADER, orderRef: 'HFD-20260309-1-1' });
    stage.sent({ processId: 1, orderRef: ref(2) });
    expect(stage.broken()).toEqual([]);
  });

  test('an order sent before the successor and taken after it', () => {
    const story = (isLate: boolean) => {
      const stage = new RefereeStage();
      stage.buy();
      stage.sent({ processId: 1, orderRef: ref(1) });
      if (!isLate) stage.stop(49, 100, { orderRef: ref(1), orderId: 51, ocaGroup: 'g' });
      stage.sent({ processId: 4, orderRef: ref(2) });
      if (isLate) stage.stop(49, 100, { orderRef: ref(1), orderId: 51, ocaGroup: 'g' });
      return stage.words();
    };
    expect(story(false)).toEqual([]);
    expect(story(true)).toEqual([expect.stringContaining('order HFX-20260309-1-1 of process 1 arrived after its successor had sent')]);
  });

  test('an order that the gateway lost is placed again by the successor, under the same reference', () => {
    const story = (again: number) => {
      const stage = new RefereeStage();
      stage.buy();
      stage.sent({ processId: 1, orderRef: ref(1) });
      stage.stop(49, 100, { orderRef: ref(1), orderId: 51, ocaGroup: 'g' });
      stage.sent({ processId: 4, orderRef: ref(2) });
      stage.exchange.lose(10, 51);
      stage.sent({ processId: again, orderRef: ref(1) });
      stage.stop(49, 100, { orderRef: ref(1), orderId: 52, ocaGroup: 'g' });
      return stage.words();
    };
    expect(story(4)).toEqual([]);
    expect(story(1)).toEqual(
      expect.arrayContaining([expect.stringContaining('order HFX-20260309-1-1 of process 1 arrived after its successor had sent')]),
    );
  });

  test('a cancel that arrives late', () => {
    const stage = new RefereeStage();
    stage.sent({ processId: 1, what: 'cancel', orderRef: ref(1) });
    stage.sent({ processId: 4, what: 'cancel', orderRef: ref(1) });
    stage.tell({ fact: 'arrived', processId: 1, what: 'cancel', orderRef: ref(1) });
    expect(stage.broken()).toEqual(['I10']);
  });

  test('under a lease that has passed on nothing is sent, though the successor has not sent yet', () => {
    const story = (leaseId: number | null) => {
      const stage = new RefereeStage();
      stage.tell({ fact: 'lease', worker: 'exit-manager', leaseId: 7, processId: 1 });
      stage.sent({ processId: 1, leaseId: 7, orderRef: ref(1) });
      stage.tell({ fact: 'lease', worker: 'liquidator', leaseId: 8, processId: 5 });
      stage.sent({ processId: 1, leaseId, orderRef: ref(2) });
      return stage.broken();
    };
    expect(story(7)).toEqual(['I10']);
    expect(story(null)).toEqual([]);
  });
});
