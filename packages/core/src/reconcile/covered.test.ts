import { expect, it } from 'vitest';
import type { BrokerOrder } from '../orders/order.js';
import type { Execution } from '../positions/execution.js';
import { epochMs, micros, shares } from '../units.js';
import { oursOf } from './covered.js';

const ENTRY = 'HFD-20260309-1-1';
const TARGET = 'HFX-20260309-2-1';
const STOP = 'HFX-20260309-2-2';
const BY_HAND = '';
const contract = {
  conId: 7,
  symbol: 'ACME',
  secType: 'STK',
  exchange: 'SMART',
  primaryExchange: 'NYSE',
  currency: 'USD',
  tick: micros(10_000),
  multiplier: 1,
} as const;

const fill = (orderRef: string, quantity: number): Execution => ({
  execId: `${orderRef}.${quantity}.01`,
  permId: 1,
  orderId: 1,
  clientId: 10,
  conId: 7,
  symbol: 'ACME',
  side: quantity > 0 ? 'BUY' : 'SELL',
  shares: shares(Math.abs(quantity)),
  price: micros(50_000_000),
  at: epochMs(1),
  orderRef,
});
const rests = (orderRef: string, quantity: number, change: Partial<BrokerOrder> = {}): BrokerOrder => ({
  clientId: 10,
  orderId: 1,
  permId: 1,
  orderRef,
  conId: 7,
  symbol: 'ACME',
  side: 'SELL',
  quantity,
  type: 'LMT',
  limitPrice: null,
  stopPrice: null,
  tif: 'DAY',
  ocaGroup: 'g',
  status: 'Submitted',
  ...change,
});

it.each<readonly [string, number, readonly Execution[], readonly BrokerOrder[], number]>([
  ['bought by us', 100, [fill(ENTRY, 100)], [rests(TARGET, 100), rests(STOP, 100)], 100],
  ['held since before: nothing of ours explains it', 100, [], [], 0],
  ['held since before, bought on top by hand', 150, [fill(BY_HAND, 50)], [], 0],
  ['adopted: exits rest for it', 100, [fill(BY_HAND, 100)], [rests(TARGET, 100), rests(STOP, 100)], 100],
  ['adopted, its target filled in part', 60, [fill(BY_HAND, 100), fill(TARGET, -40)], [rests(TARGET, 100), rests(STOP, 60)], 60],
  ['adopted, sold in part, nothing rests: not known to be ours, and no short either', 60, [fill(TARGET, -40)], [], 0],
  ['bought by us, half sold by hand: never more than is held', 50, [fill(ENTRY, 100), fill(BY_HAND, -50)], [rests(TARGET, 100)], 50],
  ['bought by us, more adopted', 140, [fill(ENTRY, 100), fill(BY_HAND, 40)], [rests(TARGET, 140), rests(STOP, 140)], 140],
  ['exits rest for less than is held', 100, [], [rests(TARGET, 40)], 40],
  ['two groups add up', 100, [], [rests(TARGET, 40), rests(STOP, 30, { ocaGroup: null })], 70],
  ['an entry of ours that works covers nothing', 100, [], [rests(ENTRY, 100)], 0],
  ['somebody else’s sell order covers nothing', 100, [], [rests('', 100)], 0],
  ['another instrument’s', 100, [], [rests(TARGET, 100, { conId: 8 })], 0],
  ['a buy order does not cover a long', 100, [], [rests(TARGET, 100, { side: 'BUY' })], 0],
  ['overshot by us', -50, [fill(ENTRY, 100), fill(TARGET, -150)], [], -50],
  ['bought back: a buy exit covers a short', -50, [], [rests(TARGET, 50, { side: 'BUY' })], -50],
])('without the store, what is ours of a holding: %s', (_title, quantity, executions, openOrders, expected) => {
  expect(oursOf({ kind: 'snapshot', id: 1, session: 1, openOrders, executions, positions: [] }, { contract, quantity }) + 0).toBe(expected);
});
