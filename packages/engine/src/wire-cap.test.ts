import type { EventBody } from '@holdfast/core/events';
import type { Order } from '@holdfast/core/orders/order';
import { epochMs, monoMs, shares } from '@holdfast/core/units';
import { ACME, aFill, anEntry, aPosition, MONDAY, metadata, NOW, usd } from '@holdfast/store/testing/desk';
import { describe, expect, it } from 'vitest';
import {
  answer,
  at,
  bought,
  capHolding,
  echo,
  exit,
  filled,
  fillOf,
  hear,
  LIMITS,
  position,
  send,
  status,
  view,
} from './testing/wire-words.js';
import { createWireCap } from './wire-cap.js';

describe('I1: exits never exceed what was bought or adopted', () => {
  it('what is out counts until it is proven dead', () => {
    const cap = capHolding(100);
    const target = exit(100);
    expect(send(cap, target)).toBe('ok');
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
    hear(cap, status(target, 'PendingCancel'));
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
    hear(cap, status(target, 'Cancelled'));
    expect(send(cap, exit(100))).toBe('ok');
  });

  it('what the cancelled order had sold is gone', () => {
    const cap = capHolding(100);
    const target = exit(100);
    send(cap, target);
    hear(cap, status(target, 'Cancelled', 40));
    expect(send(cap, exit(61))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(60))).toBe('ok');
  });

  it('a fill that arrives after Cancelled counts', () => {
    const cap = capHolding(100);
    const target = exit(100);
    send(cap, target);
    hear(cap, status(target, 'Cancelled'));
    hear(cap, filled(target, 30));
    expect(send(cap, exit(71))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(70))).toBe('ok');
  });

  it('a change that is refused leaves the order alive, heard of or not', () => {
    const cap = capHolding(100);
    const target = exit(60);
    send(cap, target);
    send(cap, { ...target, quantity: shares(100) });
    hear(cap, { kind: 'order-notice', orderId: target.orderId, code: 2102, meaning: 'modify-refused', text: 'still being processed' });
    expect(send(cap, exit(100))).toBe('WIRE_CAP_QUANTITY');
  });

  it('a sale that the broker takes back counts for nothing any more, whatever status once told: the shares can be sold again', () => {
    const cap = capHolding(100);
    const sale = exit(100);
    send(cap, sale);
    const fill = fillOf(sale, 100);
    hear(cap, { kind: 'execution', execution: fill });
    hear(cap, status(sale, 'Filled', 100));
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
    hear(cap, { kind: 'execution', execution: { ...fill, execId: fill.execId.replace(/\d+$/, '99'), shares: shares(0) } });
    expect(send(cap, exit(101))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(100))).toBe('ok');
  });

  it('an OCA group counts once, also while one member fills', () => {
    const cap = capHolding(100);
    const [target, stop] = [exit(100, { ocaGroup: 'g1' }), exit(100, { ocaGroup: 'g1' })];
    expect([send(cap, target), send(cap, stop)]).toEqual(['ok', 'ok']);
    hear(cap, filled(target, 40));
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
    hear(cap, status(stop, 'Cancelled'));
    hear(cap, status(target, 'Cancelled', 40));
    expect(send(cap, exit(60))).toBe('ok');
  });

  it('a group whose member was changed after a fill is bounded by both', () => {
    const cap = capHolding(100);
    const [target, stop] = [exit(100, { ocaGroup: 'g1' }), exit(100, { ocaGroup: 'g1' })];
    send(cap, target);
    send(cap, stop);
    hear(cap, filled(target, 40));
    const changed = { ...stop, quantity: shares(60) };
    expect(send(cap, changed)).toBe('ok');
    hear(cap, { kind: 'open-order', order: echo(changed) });
    hear(cap, status(target, 'Cancelled', 40));
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
  });

  it('a modification counts by its change, and a smaller one only once the broker has it', () => {
    const cap = capHolding(100);
    const stop = exit(60);
    send(cap, stop);
    expect(send(cap, { ...stop, quantity: shares(101) })).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, { ...stop, quantity: shares(100) })).toBe('ok');
    const smaller = { ...stop, quantity: shares(50) };
    expect(send(cap, smaller)).toBe('ok');
    expect(send(cap, exit(50))).toBe('WIRE_CAP_QUANTITY');
    hear(cap, { kind: 'open-order', order: echo(smaller) });
    expect(send(cap, exit(50))).toBe('ok');
  });

  it('the successor of a lost order under the same id is no second order', () => {
    const cap = capHolding(100);
    const lost = exit(100);
    send(cap, lost);
    expect(send(cap, exit(100))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, { ...lost, orderRef: 'HFX-20260309-1-999' })).toBe('ok');
  });

  it('an acknowledged order that a later snapshot does not list is over; one never acknowledged is not', () => {
    const cap = capHolding(100);
    const [heard, silent] = [exit(50), exit(50)];
    send(cap, heard);
    send(cap, silent);
    hear(cap, status(heard, 'Submitted'));
    cap.snapshotRequested(1);
    hear(cap, { kind: 'snapshot', id: 1, session: 2, openOrders: [], executions: [], positions: [] });
    expect(send(cap, exit(51))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(50))).toBe('ok');
  });

  it('an order acknowledged only after the snapshot was asked for is not judged by it', () => {
    const cap = capHolding(100);
    const order = exit(100);
    send(cap, order);
    cap.snapshotRequested(1);
    hear(cap, status(order, 'Submitted'));
    hear(cap, { kind: 'snapshot', id: 1, session: 1, openOrders: [], executions: [], positions: [] });
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
  });

  it('A8: a market sale that filled in part while the line dropped is over, so that the rest can be sold', () => {
    const cap = capHolding(100);
    const sale = exit(100);
    send(cap, sale); // its echo is lost with the line
    hear(cap, { kind: 'connected', nextOrderId: 1, accounts: ['DU1'], session: 2 });
    cap.snapshotRequested(1);
    hear(cap, answer(1, { session: 2, executions: [fillOf(sale, 40)] }));
    expect(send(cap, exit(61))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(60))).toBe('ok');
  });

  it('a fill proves that the broker had the order: heard before the snapshot was asked for, silence ends it', () => {
    const cap = capHolding(100);
    const sale = exit(100);
    send(cap, sale);
    hear(cap, filled(sale, 40));
    cap.snapshotRequested(1);
    hear(cap, answer(1, { session: 0 }));
    expect(send(cap, exit(60))).toBe('ok');
  });

  it('a fill first heard of in the answer itself ends no order of the same connection: it may have come in between its parts', () => {
    const cap = capHolding(100);
    const sale = exit(100);
    send(cap, sale);
    cap.snapshotRequested(1);
    hear(cap, answer(1, { session: 0, executions: [fillOf(sale, 40)] }));
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
    cap.snapshotRequested(2);
    hear(cap, answer(2, { session: 0, executions: [fillOf(sale, 40)] }));
    expect(send(cap, exit(60))).toBe('ok');
  });

  it('never heard of and not filled, an order counts on, also over a new connection: only its own id may be used again', () => {
    const cap = capHolding(100);
    const lost = exit(100);
    send(cap, lost);
    hear(cap, { kind: 'connected', nextOrderId: 1, accounts: ['DU1'], session: 2 });
    cap.snapshotRequested(1);
    hear(cap, answer(1, { session: 2 }));
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, { ...lost, orderRef: 'HFX-20260309-1-998' })).toBe('ok');
  });

  it.each<readonly [string, (order: Order) => EventBody]>([
    ['a status', order => status(order, 'Submitted')],
    ['an open order', order => ({ kind: 'open-order', order: echo(order) })],
    ['a listing asked for afterwards', order => answer(2, { openOrders: [echo(order)] })],
  ])('an order believed over counts again when %s shows it working', (_title, word) => {
    const cap = capHolding(100);
    const order = exit(100);
    send(cap, order);
    hear(cap, status(order, 'Submitted'));
    cap.snapshotRequested(1);
    hear(cap, answer(1, {}));
    expect(cap.check(exit(100), at).ok).toBe(true);
    cap.snapshotRequested(2);
    hear(cap, word(order));
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
  });

  it('but not after Filled, not by Inactive after a rejection, and not by a listing older than its end', () => {
    const [done, refused, ended] = [exit(40), exit(30), exit(30)];
    const cap = capHolding(100);
    for (const order of [done, refused, ended]) expect(send(cap, order)).toBe('ok');
    hear(cap, status(done, 'Filled', 40));
    hear(cap, status(done, 'Submitted', 40));
    hear(cap, { kind: 'order-notice', orderId: refused.orderId, code: 201, meaning: 'rejected', text: '' });
    hear(cap, status(refused, 'Inactive'));
    cap.snapshotRequested(1);
    hear(cap, status(ended, 'Cancelled'));
    hear(cap, answer(1, { openOrders: [echo(ended)] }));
    expect(send(cap, exit(60))).toBe('ok');
  });

  it('the id used again belongs to the successor: a late word about the old order under it revives nothing of that', () => {
    const cap = capHolding(100);
    const old = exit(100);
    send(cap, old);
    hear(cap, status(old, 'Cancelled'));
    const next = { ...old, orderRef: 'HFX-20260309-1-997' };
    expect(send(cap, next)).toBe('ok');
    hear(cap, status(next, 'Filled', 50));
    hear(cap, status(next, 'Submitted'));
    expect(send(cap, exit(50))).toBe('ok');
  });

  it('an order the broker calls unknown or final is over when the executions are in', () => {
    const cap = capHolding(100);
    const order = exit(100);
    send(cap, order);
    cap.executionsRequested(1);
    hear(cap, { kind: 'order-notice', orderId: order.orderId, code: 10147, meaning: 'unknown-order', text: '' });
    cap.executionsRequested(2);
    // What was asked before that word may leave out its last fills.
    hear(cap, { kind: 'executions-end', id: 1 });
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
    hear(cap, { kind: 'executions-end', id: 2 });
    expect(send(cap, exit(100))).toBe('ok');
  });

  it('a position push is evidence enough, less the baseline', () => {
    const cap = createWireCap(LIMITS);
    cap.written({ do: 'write-baseline', account: 'DU1', holdings: [{ contract: ACME, quantity: 40 }] });
    hear(cap, position(140));
    expect(send(cap, exit(101, { tradeId: 'T-9' }))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(100, { tradeId: 'T-9' }))).toBe('ok');
  });

  const byHand = (execId: string, quantity: number, later: number) =>
    aFill({ execId, shares: shares(quantity), orderRef: '', at: epochMs(NOW + later) });

  it.each([
    ['the first trade in it', () => createWireCap(LIMITS)],
    [
      'traded before on that day',
      () => {
        const cap = capHolding(100);
        const sale = exit(100);
        send(cap, sale);
        hear(cap, filled(sale, 100));
        hear(cap, status(sale, 'Filled', 100));
        return cap;
      },
    ],
  ])(
    "bought by hand before its position was adopted (%s): by the store's word it is this trade's; sold in part and added to, all may be sold (seed 6000360)",
    (_, before) => {
      const cap = before();
      hear(cap, position(51));
      const first = byHand('h.1.1.01', 51, -1);
      hear(cap, { kind: 'execution', execution: first });
      cap.written({ do: 'write-execution', execution: first, tradeId: 'T-9', tradeDate: MONDAY });
      const target = exit(51, { tradeId: 'T-9' });
      expect(send(cap, target)).toBe('ok');
      hear(cap, filled(target, 12));
      hear(cap, position(56));
      hear(cap, { kind: 'execution', execution: byHand('h.2.1.01', 17, 1) });
      expect(send(cap, { ...target, quantity: shares(69) })).toBe('WIRE_CAP_QUANTITY');
      expect(send(cap, { ...target, quantity: shares(68) })).toBe('ok');
    },
  );

  it.each([
    [20, 'ok', 'WIRE_CAP_QUANTITY'],
    [-20, 'WIRE_CAP_QUANTITY', 'WIRE_CAP_QUANTITY'],
  ])('a corrected quantity counts as its row is written (%i shares that no execution explains)', (base, upTo, beyond) => {
    const cap = capHolding(100);
    cap.written({ do: 'write-position', position: aPosition({ metadata: metadata({ base }) }) });
    expect(send(cap, exit(121))).toBe(beyond);
    expect(send(cap, exit(120))).toBe(upTo);
    if (base < 0) expect(send(cap, exit(80))).toBe('ok');
  });

  it('shares that came back into a short are what may be sold of it, less what was sold short by hand (seed 6100953)', () => {
    const cap = createWireCap(LIMITS);
    const short = { ...byHand('h.3.1.01', 59, 1), side: 'SELL' as const };
    cap.written({ do: 'write-execution', execution: short, tradeId: 'T-1', tradeDate: MONDAY });
    cap.written({ do: 'write-position', position: aPosition({ metadata: metadata({ side: -1, base: 75 }) }) });
    expect(send(cap, exit(17))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(16))).toBe('ok');
  });

  it('nothing known, nothing sold', () => expect(send(createWireCap(LIMITS), exit(1))).toBe('WIRE_CAP_QUANTITY'));

  it('a correction replaces its fill', () => {
    const cap = capHolding(100);
    hear(cap, { kind: 'execution', execution: aFill({ execId: '0001.0002.0003.02', shares: shares(60) }) });
    expect(send(cap, exit(61))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(60))).toBe('ok');
  });

  it('shares the operator buys on top may be sold too, once their execution is known', () => {
    const cap = capHolding(100);
    hear(cap, { kind: 'execution', execution: aFill({ execId: 'm.1.1.01', shares: shares(50), orderRef: '', at: epochMs(NOW + 1) }) });
    expect(send(cap, exit(150))).toBe('ok');
  });

  it('an overshot sale is bought back, and no more than that', () => {
    const cap = capHolding(100);
    const sale = exit(100);
    send(cap, sale);
    hear(cap, filled(sale, 150)); // an overfill: it happens
    expect(send(cap, exit(51, { side: 'BUY' }))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(50, { side: 'BUY' }))).toBe('ok');
  });

  it('a restart knows what was sold and what is out', () => {
    const sold = exit(30, { status: 'FILLED', filled: shares(30) });
    const out = exit(50, { status: 'SUBMITTED' });
    const cap = createWireCap(LIMITS);
    const { positions, executions } = bought(100);
    const sale = { ...aFill({ execId: 's.1.1.01', side: 'SELL', shares: shares(30), orderRef: sold.orderRef }), tradeId: 'T-1' };
    cap.seed(view({ positions, executions: [...executions, sale], orders: [sold, out] }));
    expect(send(cap, exit(21))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(20))).toBe('ok');
  });

  it.each([0, 10])(
    'a restart knows that %i of 30 shares sold were left when the fill was corrected, whatever its order’s row says',
    left => {
      const sold = exit(30, { status: 'CANCELLED', filled: shares(30) });
      const cap = createWireCap(LIMITS);
      const { positions, executions } = bought(100);
      const sale = { ...aFill({ execId: 's.1.1.02', side: 'SELL', shares: shares(left), orderRef: sold.orderRef }), tradeId: 'T-1' };
      cap.seed(view({ positions, executions: [...executions, sale], orders: [sold] }));
      expect(send(cap, exit(101 - left))).toBe('WIRE_CAP_QUANTITY');
      expect(send(cap, exit(100 - left))).toBe('ok');
    },
  );

  it('an adopted position keeps its base over a restart', () => {
    const cap = createWireCap(LIMITS);
    cap.seed(view({ positions: [aPosition({ metadata: metadata({ origin: 'adopted', base: 70 }) })] }));
    expect(send(cap, exit(71))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(70))).toBe('ok');
  });

  it('an exit of ours found at the broker without a record counts', () => {
    const cap = capHolding(100);
    hear(cap, { kind: 'open-order', order: echo(exit(80)) });
    expect(send(cap, exit(21))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(20))).toBe('ok');
  });
});

describe('the other bounds', () => {
  const quote = (last: number): EventBody => ({ kind: 'pnl-mark', conId: ACME.conId, quantity: 0, price: usd(last) });

  it.each<readonly [string, number | null, Partial<Order>, string]>([
    ['an entry at the mark', 50, { limitPrice: usd(50), quantity: shares(100) }, 'ok'],
    ['ten per cent above', 50, { limitPrice: usd(55), quantity: shares(100) }, 'ok'],
    ['more than that', 50, { limitPrice: usd(55.01), quantity: shares(100) }, 'WIRE_CAP_PRICE'],
    ['a crazy low limit', 50, { limitPrice: usd(44.99), quantity: shares(100) }, 'WIRE_CAP_PRICE'],
    ['exactly the notional', 50, { limitPrice: usd(50), quantity: shares(2_000) }, 'ok'],
    ['a share too many', 50, { limitPrice: usd(50), quantity: shares(2_001) }, 'WIRE_CAP_NOTIONAL'],
    ['a price never heard', null, { limitPrice: usd(50), quantity: shares(1) }, 'WIRE_CAP_NO_MARK'],
  ])('entries: %s', (_title, last, order, expected) => {
    const cap = createWireCap(LIMITS);
    if (last !== null) hear(cap, quote(last));
    expect(send(cap, anEntry(order))).toBe(expected);
  });

  it.each<readonly [string, Partial<Order>, string]>([
    ['a limit at 90 % of the mark', { type: 'LMT', limitPrice: usd(45) }, 'ok'],
    ['below it', { type: 'LMT', limitPrice: usd(44.99) }, 'WIRE_CAP_PRICE'],
    ['far above: it only rests', { type: 'LMT', limitPrice: usd(80) }, 'ok'],
    ['at market', { type: 'MKT' }, 'ok'],
    ['a stop, wherever', { type: 'STP', stopPrice: usd(30) }, 'ok'],
  ])('exits: %s', (_title, order, expected) => {
    const cap = capHolding(100);
    hear(cap, quote(50));
    expect(send(cap, exit(100, order))).toBe(expected);
  });

  it('an exit has no notional cap', () => {
    const cap = capHolding(100_000);
    hear(cap, quote(50));
    expect(send(cap, exit(100_000))).toBe('ok');
  });

  it('thirty orders a minute for one symbol, others unharmed', () => {
    const cap = capHolding(100);
    const stop = exit(1);
    for (let sent = 0; sent < 30; sent++) expect(send(cap, stop)).toBe('ok');
    expect(send(cap, stop)).toBe('WIRE_CAP_RATE');
    expect(cap.check(stop, { at: NOW, mono: monoMs(61_001) })).toEqual({ ok: true });
  });

  it('I2: targets that are changed all the time leave room for stops, and both for sales (seed 7038)', () => {
    const cap = capHolding(100);
    const target = exit(1, { role: 'target', type: 'LMT', limitPrice: usd(60), ocaGroup: 'g' });
    const stop = exit(1, { role: 'disaster-stop', type: 'STP', stopPrice: usd(40), ocaGroup: 'g' });
    const sendsOf = (order: Order): number => {
      for (let sent = 0; ; sent += 1) if (send(cap, order) !== 'ok') return sent;
    };
    expect([sendsOf(target), sendsOf(stop), sendsOf(target), sendsOf(exit(1))]).toEqual([10, 14, 0, 6]);
  });

  it('I2: a resting order made marketable is a sale', () => {
    const cap = capHolding(100);
    const target = exit(1, { role: 'target', type: 'LMT', limitPrice: usd(60) });
    for (let sent = 0; sent < 11; sent += 1) send(cap, target);
    expect(send(cap, target)).toBe('WIRE_CAP_RATE');
    expect(send(cap, { ...target, type: 'MKT', limitPrice: null })).toBe('ok');
  });
});

it('and the cap is no wall: with all news in, everything left can be sold', () => {
  const cap = createWireCap(LIMITS);
  cap.seed(view(bought(100)));
  let left = 100;
  while (left > 0) {
    const order = exit(left);
    expect(send(cap, order)).toBe('ok');
    const part = Math.ceil(left / 2);
    hear(cap, filled(order, part));
    hear(cap, status(order, 'Cancelled', part));
    left -= part;
  }
  expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
});
