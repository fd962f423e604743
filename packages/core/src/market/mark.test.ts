import { describe, expect, it, test } from 'vitest';
import { type EpochMs, epochMs, fromDollars } from '../units.js';
import {
  type BreachWatch,
  bestMark,
  confirmBreach,
  EMPTY_MARK_BOOK,
  later,
  type MarkBook,
  type MarkSource,
  markAgeMs,
  priceFromQuote,
  priceFromValue,
  recordMark,
  type StopLevel,
} from './mark.js';

const T0 = 1_000_000;
const at = (ms: number): EpochMs => epochMs(T0 + ms);

type Row = readonly [ms: number, source: MarkSource, dollars: number, traded?: 'traded'];

/** Records the rows in order and remembers when the market last moved, as a worker does. */
function bookOf(rows: readonly Row[]): { book: MarkBook; marketMovedAt: EpochMs } {
  let book = EMPTY_MARK_BOOK;
  let marketMovedAt = at(0);
  for (const [ms, source, dollars, traded] of rows) {
    const step = recordMark(book, { source, price: fromDollars(dollars), receivedAt: at(ms), traded: traded === 'traded' });
    book = step.book;
    if (step.moved) marketMovedAt = later(marketMovedAt, at(ms));
  }
  return { book, marketMovedAt };
}

describe('the mark that wins', () => {
  it.each<[string, Row[], number, MarkSource, number, boolean]>([
    [
      'a tick beats an equally fresh P&L mark',
      [
        [0, 'tick', 50],
        [900, 'pnl', 49.9],
      ],
      1_000,
      'tick',
      50,
      true,
    ],
    [
      'a clearly fresher P&L mark beats a tick',
      [
        [0, 'tick', 50],
        [1_001, 'pnl', 49.9],
      ],
      1_100,
      'pnl',
      49.9,
      true,
    ],
    [
      'P&L beats an equally fresh portfolio',
      [
        [0, 'pnl', 50],
        [500, 'portfolio', 49],
      ],
      600,
      'pnl',
      50,
      true,
    ],
    [
      'the portfolio values when it alone moved',
      [
        [0, 'pnl', 50],
        [5_000, 'portfolio', 49],
      ],
      5_000,
      'portfolio',
      49,
      true,
    ],
    [
      'a repeated price does not make a source fresh',
      [
        [0, 'tick', 50],
        [2_000, 'pnl', 49.9],
        [9_000, 'tick', 50],
      ],
      9_000,
      'pnl',
      49.9,
      true,
    ],
    [
      'a new trade at the same price does',
      [
        [0, 'tick', 50],
        [2_000, 'pnl', 49.9],
        [9_000, 'tick', 50, 'traded'],
      ],
      9_000,
      'tick',
      50,
      true,
    ],
    [
      'delayed data loses to anything, and is never live',
      [
        [0, 'portfolio', 50],
        [9_000, 'delayed', 48],
      ],
      9_000,
      'portfolio',
      50,
      true,
    ],
    ['delayed data where there is nothing else', [[0, 'delayed', 48]], 100, 'delayed', 48, false],
    [
      'zero and negative prices are no price',
      [
        [0, 'tick', 50],
        [2_000, 'tick', 0],
        [3_000, 'pnl', -1],
      ],
      3_000,
      'tick',
      50,
      true,
    ],
  ])('A6: %s', (_title, rows, now, source, dollars, isLive) => {
    const { book, marketMovedAt } = bookOf(rows);
    const best = bestMark(book, { now: at(now), marketMovedAt });
    expect(best).toMatchObject({ isLive, mark: { source, price: fromDollars(dollars) } });
  });

  test('there is no mark before the first report', () =>
    expect(bestMark(EMPTY_MARK_BOOK, { now: at(0), marketMovedAt: at(0) })).toBeUndefined());

  test('a report that arrives out of order is dropped', () => {
    const { book } = bookOf([[5_000, 'tick', 50]]);
    expect(recordMark(book, { source: 'tick', price: fromDollars(40), receivedAt: at(4_000) })).toEqual({ book, moved: false });
  });
});

describe('age counts while the market moves', () => {
  it.each([
    ['just moved', 0, 0, 0],
    ['quiet stock, quiet market', 20_000, 0, 0],
    ['frozen for 8 s while others move', 8_000, 8_000, 8_000],
    ['others moved until second 8, then quiet', 20_000, 8_000, 8_000],
    ['nothing anywhere for a minute: still given the benefit of the doubt', 60_000, 0, 0],
    ['nothing anywhere for more than a minute', 60_001, 0, 60_001],
    ['the market moved before this mark did', 1_000, -5_000, 0],
  ])('%s', (_title, now, marketMovedAt, expected) => {
    const { book } = bookOf([[0, 'pnl', 50]]);
    const mark = book.pnl;
    expect(mark && markAgeMs(mark, { now: at(now), marketMovedAt: at(marketMovedAt) })).toBe(expected);
  });

  test('10 s is live, a millisecond more is not', () => {
    const { book } = bookOf([[0, 'pnl', 50]]);
    expect(bestMark(book, { now: at(10_000), marketMovedAt: at(10_000) })?.isLive).toBe(true);
    expect(bestMark(book, { now: at(10_001), marketMovedAt: at(10_001) })?.isLive).toBe(false);
  });
});

const LONG: StopLevel = { side: 'long', level: fromDollars(49.55) };

/** Plays marks (and `clock` rows, where only time passes or the market moves elsewhere) and returns the verdict after each. */
function play(rows: readonly (Row | readonly [ms: number, kind: 'clock' | 'elsewhere'])[], stop: StopLevel = LONG): string[] {
  let book = EMPTY_MARK_BOOK;
  let watch: BreachWatch | undefined;
  let marketMovedAt = at(0);
  return rows.map(row => {
    const [ms, source] = row;
    if (source === 'elsewhere') marketMovedAt = at(ms);
    else if (source !== 'clock') {
      const step = recordMark(book, { source, price: fromDollars(row[2]), receivedAt: at(ms), traded: row[3] === 'traded' });
      book = step.book;
      if (step.moved) marketMovedAt = at(ms);
    }
    const step = confirmBreach(watch, { book, stop, clock: { now: at(ms), marketMovedAt } });
    watch = step.watch;
    return step.verdict;
  });
}

describe('believing a breach', () => {
  it.each<[string, Parameters<typeof play>[0], string[]]>([
    [
      'a single crazy mark is not believed',
      [
        [0, 'pnl', 50],
        [1_000, 'pnl', 5],
        [2_000, 'pnl', 50],
      ],
      ['clear', 'suspected', 'clear'],
    ],
    [
      'the touch itself is a breach',
      [
        [0, 'pnl', 49.55],
        [1_000, 'pnl', 49.55],
      ],
      ['suspected', 'confirmed'],
    ],
    [
      'two successive marks',
      [
        [0, 'pnl', 50],
        [1_000, 'pnl', 49.5],
        [2_000, 'pnl', 49.4],
      ],
      ['clear', 'suspected', 'confirmed'],
    ],
    [
      'two ticks, milliseconds apart',
      [
        [0, 'tick', 49.5],
        [3, 'tick', 49.5],
      ],
      ['suspected', 'confirmed'],
    ],
    [
      'a second source at once',
      [
        [0, 'pnl', 49.5],
        [0, 'tick', 49.5],
      ],
      ['suspected', 'confirmed'],
    ],
    [
      'a portfolio update as the second source',
      [
        [0, 'pnl', 49.5],
        [10, 'portfolio', 49.5],
      ],
      ['suspected', 'confirmed'],
    ],
    [
      'P&L falls silent because the price stands: three seconds',
      [
        [0, 'pnl', 49.5],
        [2_999, 'clock'],
        [3_000, 'clock'],
      ],
      ['suspected', 'suspected', 'confirmed'],
    ],
    [
      'a recovery within the three seconds',
      [
        [0, 'pnl', 49.5],
        [2_000, 'pnl', 49.6],
        [5_000, 'clock'],
      ],
      ['suspected', 'clear', 'clear'],
    ],
    [
      'the better source contradicts',
      [
        [0, 'tick', 50],
        [500, 'pnl', 49.5],
        [4_000, 'clock'],
      ],
      ['clear', 'clear', 'clear'],
    ],
    [
      'until the better source is old news',
      [
        [0, 'tick', 50],
        [1_500, 'pnl', 49.5],
        [2_500, 'pnl', 49.4],
      ],
      ['clear', 'suspected', 'confirmed'],
    ],
    [
      'the portfolio never decides alone',
      [
        [0, 'portfolio', 49],
        [5_000, 'portfolio', 48],
        [9_000, 'clock'],
      ],
      ['blind', 'blind', 'blind'],
    ],
    [
      'nor does it acquit',
      [
        [0, 'pnl', 49.5],
        [2_000, 'portfolio', 51],
        [3_000, 'clock'],
      ],
      ['suspected', 'suspected', 'confirmed'],
    ],
    [
      'delayed data says nothing',
      [
        [0, 'delayed', 40],
        [1_000, 'delayed', 39],
        [5_000, 'clock'],
      ],
      ['blind', 'blind', 'blind'],
    ],
    [
      'delayed data is no second source',
      [
        [0, 'pnl', 49.5],
        [10, 'delayed', 49],
      ],
      ['suspected', 'suspected'],
    ],
    [
      'a frozen mark goes blind while others move',
      [
        [0, 'pnl', 50],
        [10_000, 'elsewhere'],
        [10_001, 'elsewhere'],
      ],
      ['clear', 'clear', 'blind'],
    ],
    [
      'a believed breach survives the silence after it',
      [
        [0, 'pnl', 49.5],
        [1_000, 'pnl', 49.4],
        [30_000, 'elsewhere'],
      ],
      ['suspected', 'confirmed', 'confirmed'],
    ],
    [
      'and ends with a live mark on the good side',
      [
        [0, 'pnl', 49.5],
        [1_000, 'pnl', 49.4],
        [2_000, 'pnl', 49.6],
      ],
      ['suspected', 'confirmed', 'clear'],
    ],
    [
      'an old breach of P&L and a new one of the portfolio',
      [
        [0, 'pnl', 49.5],
        [20_000, 'portfolio', 49.4],
      ],
      ['suspected', 'confirmed'],
    ],
  ])('A5: %s', (_title, rows, verdicts) => expect(play(rows)).toEqual(verdicts));

  test('A5: a short is breached from below', () =>
    expect(
      play(
        [
          [0, 'pnl', 50.4],
          [1_000, 'pnl', 50.45],
          [2_000, 'pnl', 50.5],
        ],
        { side: 'short', level: fromDollars(50.45) },
      ),
    ).toEqual(['clear', 'suspected', 'confirmed']));
});

describe('prices behind answers', () => {
  it.each<[number, number, number, number | undefined]>([
    [5_043, 100, 1, 50.43],
    [-5_043, -100, 1, 50.43],
    [20_012.5, 1, 5, 4_002.5],
    [5_000, 0, 1, undefined],
    [-5_000, 100, 1, undefined],
  ])('value %s of %s (× %s) is a price of %s', (value, quantity, multiplier, expected) =>
    expect(priceFromValue(fromDollars(value), quantity, multiplier)).toBe(expected === undefined ? undefined : fromDollars(expected)),
  );

  it.each<[string, number | undefined, number | undefined, number | undefined, number | undefined]>([
    ['last inside the quote', 50, 50.04, 50.02, 50.02],
    ['last above the ask', 50, 50.04, 50.1, 50.04],
    ['last below the bid', 50, 50.04, 49.9, 50],
    ['no last', 50, 50.04, undefined, 50.02],
    ['crossed', 50.1, 50, 50.02, 50.02],
    ['no bid (the broker says −1)', -1, 50, 49.9, 49.9],
    ['nothing', undefined, undefined, undefined, undefined],
    ['a last of zero', undefined, undefined, 0, undefined],
  ])('%s', (_title, bid, ask, last, expected) => {
    const quote = {
      ...(bid !== undefined && { bid: fromDollars(bid) }),
      ...(ask !== undefined && { ask: fromDollars(ask) }),
      ...(last !== undefined && { last: fromDollars(last) }),
    };
    expect(priceFromQuote(quote)).toBe(expected === undefined ? undefined : fromDollars(expected));
  });
});
