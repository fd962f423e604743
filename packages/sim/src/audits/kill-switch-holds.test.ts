import { epochMs, fromDollars } from '@holdfast/core/units';
import { describe, expect, test } from 'vitest';
import type { OrderRequest } from '../exchange-types.js';
import { at } from '../list-source.js';
import { RefereeStage, TRADER } from './testing/referee-stage.js';

const resting = { type: 'LMT', limitPrice: fromDollars(49) } as const;
const on = { fact: 'kill-switch', on: true } as const;

describe('I8: no entry after the kill switch', () => {
  test.each([
    ['in flight while it was switched', '10:00:02', []],
    ['long after it', '10:00:03', ['I8']],
  ] as const)('an entry whose sending nobody told arrives %s', (_title, clock, expected) => {
    const stage = new RefereeStage();
    stage.tell(on);
    stage.advance(clock);
    stage.buy();
    expect(stage.broken()).toEqual(expected);
  });

  test.each([
    ['before the switch, however late it arrives', '10:00:00', []],
    ['within what an intent may wait', '10:00:02', []],
    ['after it', '10:00:04', ['I8']],
  ] as const)('an entry that left its process %s', (_title, clock, expected) => {
    const stage = new RefereeStage();
    stage.advance('10:00:01');
    const orderRef = 'HFD-20260309-1-7';
    if (clock === '10:00:00') stage.sent({ clientId: TRADER, processId: 2, orderRef });
    stage.tell(on);
    if (clock !== '10:00:00') {
      stage.advance(clock);
      stage.sent({ clientId: TRADER, processId: 2, orderRef });
    }
    stage.advance('10:00:09');
    stage.buy(100, { orderRef });
    expect(stage.broken()).toEqual(expected);
  });

  test.each([
    ['before the switch and stood still in that call', '10:00:00', []],
    ['after the switch and stood still in that call', '10:00:04', ['I8']],
  ] as const)('an entry whose process came to send it %s', (_title, clock, expected) => {
    const stage = new RefereeStage();
    const orderRef = 'HFD-20260309-1-7';
    const came = () => stage.tell({ fact: 'sending', processId: 2, orderRef });
    stage.advance('10:00:00');
    if (clock === '10:00:00') came();
    stage.tell(on);
    stage.advance('10:00:04');
    if (clock === '10:00:04') came();
    stage.advance('10:00:09');
    stage.sent({ clientId: TRADER, processId: 2, orderRef });
    stage.buy(100, { orderRef });
    expect(stage.broken()).toEqual(expected);
  });

  test('entries are free again when a person has resumed', () => {
    const stage = new RefereeStage();
    stage.tell(on);
    stage.advance('10:05:00');
    stage.tell({ fact: 'kill-switch', on: false });
    stage.buy();
    expect(stage.broken()).toEqual([]);
  });

  test('one that works dies at its good-till time; one without lives a while and no longer', () => {
    const timed = new RefereeStage();
    timed.buy(100, { ...resting, tif: 'GTD', goodTill: epochMs(at('10:01:30')) });
    timed.tell(on);
    timed.advance('10:10:00');
    expect(timed.broken()).toEqual([]);

    const endless = new RefereeStage();
    endless.buy(100, resting);
    endless.tell(on);
    endless.advance('10:02:30');
    expect(endless.broken()).toEqual([]);
    endless.advance('10:03:00');
    expect(endless.words()).toEqual([expect.stringMatching(/^I8 ACME: entry HFD-20260309-1-1 still works/)]);
  });

  test('one that works is not made larger', () => {
    const stage = new RefereeStage();
    const orderRef = stage.buy(100, { ...resting, orderId: 5 });
    stage.tell(on);
    stage.advance('10:00:05');
    stage.buy(200, { ...resting, orderId: 5, orderRef });
    expect(stage.words()).toEqual([expect.stringContaining('was raised from 100 to 200')]);
  });

  test('exits are not its concern', () => {
    const stage = new RefereeStage();
    stage.buy();
    stage.tell(on);
    stage.advance('10:05:00');
    stage.sell();
    expect(stage.broken()).toEqual([]);
  });
});

describe('I8: an entry that rests carries its end', () => {
  const limits = { maxPositions: 4, allocation: 1, ordersPerMinute: 60, netLiquidation: () => fromDollars(1_000_000) };
  test.each<readonly [string, Partial<OrderRequest>, readonly string[]]>([
    ['good till cancelled by somebody', { tif: 'DAY' }, ['I8']],
    ['good till much later', { tif: 'GTD', goodTill: at('10:10:00') }, ['I8']],
    ['good for 90 s', { tif: 'GTD', goodTill: at('10:01:30') }, []],
    ['immediate', { tif: 'IOC' }, []],
  ])('%s', (_title, words, broken) => {
    const stage = new RefereeStage({ referee: { limits } });
    stage.buy(10, { type: 'LMT', limitPrice: fromDollars(49), ...words });
    expect(stage.broken()).toEqual(broken);
  });
});
