import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { epochMs, fromDollars, micros, shares } from '../units.js';
import {
  averagePrice,
  bookCommission,
  bookExecution,
  bookOf,
  EMPTY_BOOK,
  netShares,
  newestOf,
  splitExecId,
  summarize,
  unrealizedPnl,
} from './book.js';
import type { Execution } from './execution.js';

const T0 = Date.UTC(2026, 2, 9, 14);

/** 'BUY 100 50.00' as the n-th fill. */
function fill(n: number, text: string, more: Partial<Execution> = {}): Execution {
  const [side, quantity, dollars] = text.split(' ');
  return {
    execId: `0001.abcd.${String(n).padStart(4, '0')}.01`,
    at: epochMs(T0 + n * 1_000),
    conId: 1,
    symbol: 'ACME',
    side: side === 'BUY' ? 'BUY' : 'SELL',
    shares: shares(Number(quantity)),
    price: fromDollars(Number(dollars)),
    orderRef: `D-${n}`,
    permId: 9_000 + n,
    clientId: 2,
    orderId: n,
    ...more,
  };
}
const fills = (text: string): Execution[] => text.split(', ').map((one, i) => fill(i + 1, one));

describe('what executions add up to', () => {
  it.each<readonly [string, string, number, number | null, number]>([
    ['nothing', 'BUY 0 50', 0, null, 0],
    ['one buy', 'BUY 100 50', 100, 50, 0],
    ['two buys average', 'BUY 100 50, BUY 100 51', 200, 50.5, 0],
    ['a partial sale realizes its part', 'BUY 100 50, BUY 100 51, SELL 150 52', 50, 50.5, 225],
    ['a round trip', 'BUY 100 49.98, SELL 100 49.38', 0, null, -60],
    ['a sale in two fills', 'BUY 100 50, SELL 60 50.9, SELL 40 50.89', 0, null, 89.6],
    ['a short', 'SELL 100 50', -100, 50, 0],
    ['a short bought back lower gains', 'SELL 100 50, BUY 100 49', 0, null, 100],
    ['a short bought back higher loses', 'SELL 100 50, BUY 40 51', -60, 50, -40],
    ['an oversell opens a short at its own price', 'BUY 100 50, SELL 130 49', -30, 49, -100],
    ['and buying it back is a second trip', 'BUY 100 50, SELL 130 49, BUY 30 49.1', 0, null, -103],
    ['no rounding is left in a closed sum', 'BUY 1 0.01, BUY 2 0.02, SELL 3 0.02', 0, null, 0.01],
  ])('A5: %s: %s', (_title, text, quantity, entry, realized) => {
    const summary = summarize(bookOf(fills(text)));
    expect(summary).toMatchObject({
      quantity,
      averageEntryPrice: entry === null ? null : fromDollars(entry),
      realizedPnl: fromDollars(realized),
    });
    expect(netShares(bookOf(fills(text)))).toBe(quantity);
  });

  test("B12: the multiplier is the contract's", () => {
    const book = bookOf(fills('BUY 2 4000.25, SELL 2 4001.50'));
    expect(summarize(book, 5).realizedPnl).toBe(fromDollars(12.5));
  });

  test('unrealized P&L of a short', () => {
    const summary = summarize(bookOf(fills('SELL 100 50')));
    expect(unrealizedPnl(summary, fromDollars(49))).toBe(fromDollars(100));
    expect(unrealizedPnl(summarize(EMPTY_BOOK), fromDollars(49))).toBe(0);
  });

  test('entry and exit prices of a trade, each side by volume', () => {
    const book = bookOf(fills('BUY 100 50, BUY 300 51, SELL 400 52'));
    expect(averagePrice(book, 'BUY')).toBe(fromDollars(50.75));
    expect(averagePrice(book, 'SELL')).toBe(fromDollars(52));
    expect(averagePrice(EMPTY_BOOK, 'SELL')).toBeNull();
  });

  test('an entry and its exit in the same second are no short sale', () => {
    const at = epochMs(T0);
    const entry = fill(1, 'BUY 100 50', { at, permId: 10, execId: 'ffff.0.0.01' });
    const exit = fill(2, 'SELL 60 51', { at, permId: 11, execId: '0000.0.0.01' });
    expect(summarize(bookOf([exit, entry]))).toMatchObject({
      quantity: 40,
      averageEntryPrice: fromDollars(50),
      realizedPnl: fromDollars(60),
    });
  });
});

describe('the same fill told again', () => {
  const first = fill(1, 'BUY 100 50');
  const corrected = { ...first, execId: '0001.abcd.0001.02', shares: shares(90) };
  const bust = { ...first, execId: '0001.abcd.0001.03', shares: shares(0) };

  it.each([
    ['twice', [first, first], ['new', 'known'], 100],
    ['corrected', [first, corrected], ['new', 'correction'], 90],
    ['corrected, told backwards', [corrected, first], ['new', 'outdated'], 90],
    ['corrected, then busted', [first, corrected, bust], ['new', 'correction', 'correction'], 0],
    ['with its commission', [first, { ...first, commission: fromDollars(1) }], ['new', 'commission'], 100],
    ['without the commission we knew', [{ ...first, commission: fromDollars(1) }, first], ['new', 'known'], 100],
  ])('B6: %s', (_title, told, booked, quantity) => {
    let book = EMPTY_BOOK;
    const words = told.map(execution => {
      const step = bookExecution(book, execution);
      book = step.book;
      return step.booked;
    });
    expect(words).toEqual(booked);
    expect(netShares(book)).toBe(quantity);
    expect(bookOf(told)).toEqual(book);
  });

  it.each([
    ['0001f4e8.69b2c3d4.01.01', '0001f4e8.69b2c3d4.01', 1],
    ['0001f4e8.69b2c3d4.01.12', '0001f4e8.69b2c3d4.01', 12],
    ['manual', 'manual', 0],
    ['0001.abcd.x1', '0001.abcd.x1', 0],
  ])('B6: %s has the root %s and revision %i', (execId, root, revision) => expect(splitExecId(execId)).toEqual({ root, revision }));
});

describe('commissions', () => {
  test('B6: come later, are summed apart and never counted twice', () => {
    let book = bookOf(fills('BUY 100 50, SELL 100 51'));
    expect(summarize(book)).toMatchObject({ commission: 0, commissionsMissing: 2 });
    for (let told = 0; told < 2; told += 1) book = bookCommission(book, '0001.abcd.0001.01', fromDollars(0.35)).book;
    expect(summarize(book)).toMatchObject({ commission: fromDollars(0.35), commissionsMissing: 1, realizedPnl: fromDollars(100) });
  });

  test('B6: for an execution nobody told us of are refused', () => {
    expect(bookCommission(EMPTY_BOOK, '0001.abcd.0001.01', fromDollars(1))).toEqual({ book: EMPTY_BOOK, booked: false });
    const corrected = bookOf([fill(1, 'BUY 90 50', { execId: '0001.abcd.0001.02' })]);
    expect(bookCommission(corrected, '0001.abcd.0001.01', fromDollars(1)).booked).toBe(false);
  });
});

// ---- whatever comes, in whatever order ----

const anyFill = fc.record({
  slot: fc.nat(12),
  revision: fc.integer({ min: 1, max: 3 }),
  side: fc.constantFrom('BUY' as const, 'SELL' as const),
  quantity: fc.nat(2_000),
  price: fc.integer({ min: 100, max: 900_000_000 }),
});
/** Content follows from the id, as at the broker: the same id always tells the same. */
const anyTape = fc.array(anyFill, { maxLength: 25 }).map(rows => {
  const byId = new Map<string, Execution>();
  for (const { slot, revision, side, quantity, price } of rows) {
    const execId = `0001.abcd.${slot}.0${revision}`;
    if (!byId.has(execId)) byId.set(execId, { ...fill(slot, `${side} 1 1`), execId, shares: shares(quantity), price: micros(price) });
  }
  return [...byId.values()];
});
const shuffled = anyTape.chain(tape =>
  fc.tuple(fc.constant(tape), fc.shuffledSubarray([...tape, ...tape], { minLength: tape.length * 2, maxLength: tape.length * 2 })),
);

describe('properties', () => {
  test('B6: neither order nor repetition changes any sum', () => {
    fc.assert(
      fc.property(shuffled, ([tape, again]) => {
        expect(summarize(bookOf(again))).toEqual(summarize(bookOf(tape)));
      }),
    );
  });

  test('A5: shares are what the newest word about each fill says', () => {
    fc.assert(
      fc.property(anyTape, tape => {
        const newest = tape.filter(
          one => !tape.some(other => other.execId > one.execId && splitExecId(other.execId).root === splitExecId(one.execId).root),
        );
        const net = newest.reduce((sum, { side, shares: quantity }) => sum + (side === 'BUY' ? quantity : -quantity), 0);
        expect(netShares(bookOf(tape))).toBe(net);
        expect(summarize(bookOf(tape)).quantity).toBe(net);
      }),
    );
  });

  test('I6: once flat, realized P&L is proceeds less cost to the micro-dollar', () => {
    fc.assert(
      fc.property(anyTape, fc.integer({ min: 100, max: 900_000_000 }), (tape, price) => {
        const net = netShares(bookOf(tape));
        const closing = { ...fill(99, `${net > 0 ? 'SELL' : 'BUY'} ${Math.abs(net)} 1`), price: micros(price) };
        const book = bookOf([...tape, closing]);
        let cash = 0;
        for (const { side, shares: quantity, price: paid } of book.byRoot.values()) cash += (side === 'SELL' ? 1 : -1) * paid * quantity;
        const summary = summarize(book);
        expect(summary.quantity).toBe(0);
        expect(summary.averageEntryPrice).toBeNull();
        expect(summary.realizedPnl + 0).toBe(cash + 0);
      }),
    );
  });

  test('C4: a short is a long in the mirror', () => {
    fc.assert(
      fc.property(anyTape, tape => {
        const mirror = tape.map(one => ({ ...one, side: one.side === 'BUY' ? ('SELL' as const) : ('BUY' as const) }));
        const [long, short] = [summarize(bookOf(tape)), summarize(bookOf(mirror))];
        expect(short.quantity + 0).toBe(-long.quantity + 0);
        expect(short.averageEntryPrice).toBe(long.averageEntryPrice);
        // A partial close rounds half a micro-dollar the other way in the mirror.
        expect(Math.abs(short.realizedPnl + long.realizedPnl)).toBeLessThanOrEqual(tape.length);
      }),
    );
  });
});

describe('the newest word about each fill', () => {
  const told = (execId: string, count: number) => ({ execId, count });
  it.each([
    ['in order', ['a.b.01.01', 'a.b.01.02', 'a.b.02.01'], ['a.b.01.02', 'a.b.02.01']],
    ['the correction first', ['a.b.01.02', 'a.b.01.01'], ['a.b.01.02']],
    ['told twice', ['a.b.01.01', 'a.b.01.01'], ['a.b.01.01']],
  ])('%s', (_, list, newest) => {
    expect([...newestOf(list.map(execId => told(execId, 1))).values()].map(({ execId }) => execId)).toEqual(newest);
  });
});
