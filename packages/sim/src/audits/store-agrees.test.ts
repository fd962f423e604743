import { fromDollars } from '@holdfast/core/units';
import { expect, test } from 'vitest';
import { at } from '../list-source.js';
import { type BooksView, compareWithStore } from './store-agrees.js';

const fill = {
  execId: 'a.b.01.01',
  symbol: 'ACME',
  side: 'BUY',
  shares: 100,
  price: fromDollars(50),
  orderRef: 'HFD-20260309-1-1',
} as const;
const corrected = { ...fill, execId: 'a.b.01.02', price: fromDollars(50.01) };
const bust = { ...fill, execId: 'a.b.01.02', shares: 0 };
const stop = { orderRef: 'HFX-20260309-1-2', symbol: 'ACME' };
const books = (more: Partial<BooksView>): BooksView => ({ positions: [], executions: [], realizedPnl: fromDollars(0), ...more });

test.each<readonly [string, Partial<BooksView>, Partial<BooksView>, readonly string[]]>([
  ['a correction that replaced the fill', { executions: [fill, corrected] }, { executions: [corrected] }, []],
  ['a correction kept beside it', { executions: [fill, corrected] }, { executions: [fill, corrected] }, []],
  ['a correction missed', { executions: [fill, corrected] }, { executions: [fill] }, ['the store says a.b.01.01']],
  ['a correction invented', { executions: [fill] }, { executions: [fill, corrected] }, ['the store says a.b.01.02']],
  ['a bust, known', { executions: [fill, bust] }, { executions: [bust] }, []],
  ['a bust, missed', { executions: [fill, bust] }, { executions: [fill] }, ['is BUY 0 ACME']],
  ['an order on both sides', { orders: [stop] }, { orders: [stop] }, []],
  ['an order the store has forgotten', { orders: [stop] }, { orders: [] }, ['HFX-20260309-1-2 works at the broker']],
  ['an order that works nowhere', { orders: [] }, { orders: [stop] }, ['is not final in the store']],
  ['orders told by one side alone are not compared', { orders: [stop] }, {}, []],
  ['a claim with its entry working', { orders: [stop] }, { orders: [stop], claims: [{ symbol: 'ACME', status: 'CLAIMED' }] }, []],
  ['a dangling claim', { orders: [] }, { claims: [{ symbol: 'ACME', status: 'CLAIMED' }] }, ['is CLAIMED in the store with nothing held']],
  ['no claim at all', { orders: [] }, { claims: [] }, []],
])('I6: %s', (_title, truth, store, expected) => {
  const found = compareWithStore(books(truth), books(store), { at: at('16:30:00') });
  expect(found.map(({ detail }) => detail)).toEqual(expected.map(words => expect.stringContaining(words)));
});
