import { describe, expect, test } from 'vitest';
import { isKnownOnOrders, NOTICES, orderMeaning, requestMeaning, systemMeaning } from './notices.js';

const onNew = (code: number, text = '') => orderMeaning(code, { live: false, text });
const onLive = (code: number, text = '') => orderMeaning(code, { live: true, text });

describe('a message on an order’s id', () => {
  test.each([
    // code, what it means for a new order, what it means when the order already works
    [201, 'rejected', 'rejected'],
    [202, 'cancelled', 'cancelled'],
    [103, 'rejected', 'modify-refused'],
    [110, 'rejected', 'modify-refused'],
    [200, 'rejected', 'modify-refused'],
    [321, 'rejected', 'modify-refused'],
    [460, 'rejected', 'modify-refused'],
    [104, 'modify-refused', 'modify-refused'],
    [105, 'modify-refused', 'modify-refused'],
    [2102, 'modify-refused', 'modify-refused'],
    [10326, 'modify-refused', 'modify-refused'],
    [135, 'unknown-order', 'unknown-order'],
    [10147, 'unknown-order', 'unknown-order'],
    [161, 'not-cancellable', 'not-cancellable'],
    [399, 'advisory', 'advisory'],
    [404, 'advisory', 'advisory'],
    [2109, 'advisory', 'advisory'],
    [10349, 'advisory', 'advisory'],
  ])('%i: new %s, live %s', (code, forNew, forLive) => {
    expect([onNew(code), onLive(code)]).toEqual([forNew, forLive]);
  });

  test.each([
    ['OrderId 7 that needs to be cancelled cannot be cancelled, state: Filled.', 'already-final'],
    ['OrderId 7 that needs to be cancelled cannot be cancelled, state: Cancelled.', 'already-final'],
    ['OrderId 7 that needs to be cancelled cannot be cancelled, state: PendingCancel.', 'advisory'],
  ])('10148 settles an order only when the state it names is final: %s', (text, meaning) => {
    expect(onLive(10148, text)).toBe(meaning);
  });

  test('an unknown code ends no order, and is known to be unknown', () => {
    expect(onNew(98_765)).toBe('advisory');
    expect(isKnownOnOrders(98_765)).toBe(false);
  });

  test('a text with "Warning:" ends no order, whatever its number', () => {
    expect(onNew(201, 'Order Message:\nBUY 1 SPY\nWarning: your order will not be placed until 09:30')).toBe('advisory');
  });
});

describe('a message on a data request’s id', () => {
  test.each([
    [200, 'failed'],
    [354, 'failed'],
    [162, 'failed'],
    [10167, 'advisory'],
    [10197, 'advisory'],
    [300, 'advisory'],
    [2119, 'advisory'],
    [98_765, 'failed'],
  ])('%i: %s', (code, meaning) => {
    expect(requestMeaning(code, '')).toBe(meaning);
  });
});

describe('a message that concerns no request', () => {
  test.each([
    [1100, { connectivity: 'lost' }],
    [2110, { connectivity: 'lost' }],
    [1101, { connectivity: 'restored-data-lost' }],
    [1102, { connectivity: 'restored' }],
    [2104, { severity: 'info' }],
    [2103, { severity: 'warning' }],
    [505, { severity: 'error' }],
    [98_765, { severity: 'warning' }],
  ])('%i', (code, meaning) => {
    expect(systemMeaning(code)).toEqual(meaning);
  });
});

test('every row of the table says something', () => {
  const empty = Object.entries(NOTICES).filter(([, row]) => Object.keys(row).length === 0);
  expect(empty).toEqual([]);
});
