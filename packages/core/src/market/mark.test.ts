import { describe, expect, it, test } from 'vitest';
import { type EpochMs, epochMs, fromDollars, type MonoMs, monoMs } from '../units.js';
import {
  type BreachWatch,
  bestMark,
  confirmBreach,
  EMPTY_MARK_BOOK,
  type Hearing,
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
/** Machine time began elsewhere; in these rows both pass together. */
const mono = (ms: number): MonoMs => monoMs(77_000 + ms);

interface Row {
  readonly ms: number;
  /** `clock`: only time passes. `elsewhere`: another symbol moved. */
  readonly what: MarkSource | 'clock' | 'elsewhere';
  readonly dollars: number;
  readonly traded: boolean;
}

/** '0 tick 50, 900 pnl 49.9, 9000 tick 50 traded' */
function rowsOf(text: string): Row[] {
  return text.split(', ').map(part => {
    const [ms, what, dollars, traded] = part.split(' ');
    return { ms: Number(ms), what: what as Row['what'], dollars: Number(dollars), traded: traded === 'traded' };
  });
}

/** Takes the row as a worker does: into the book if it is a mark, and remembering when the market last moved. */
function take(state: { book: MarkBook; marketMovedAt: EpochMs }, { ms, what, dollars, traded }: Row): void {
  if (what === 'clock') return;
  if (what === 'elsewhere') {
    state.marketMovedAt = at(ms);
    return;
  }
  const step = recordMark(state.book, { source: what, price: fromDollars(dollars), receivedAt: at(ms), traded });
  state.book = step.book;
  if (step.moved) state.marketMovedAt = at(ms);
}

function bookOf(text: string): { book: MarkBook; marketMovedAt: EpochMs } {
  const state = { book: EMPTY_MARK_BOOK, marketMovedAt: at(0) };
  for (const row of rowsOf(text)) take(state, row);
  return state;
}

describe('the mark that wins', () => {
  it.each([
    ['a tick beats an equally fresh P&L mark', '0 tick 50, 900 pnl 49.9', 1_000, 'tick', 50, true],
    ['a clearly fresher P&L mark beats a tick', '0 tick 50, 1001 pnl 49.9', 1_100, 'pnl', 49.9, true],
    ['P&L beats an equally fresh portfolio', '0 pnl 50, 500 portfolio 49', 600, 'pnl', 50, true],
    ['the portfolio values when it alone moved', '0 pnl 50, 5000 portfolio 49', 5_000, 'portfolio', 49, true],
    ['a repeated price does not make a source fresh', '0 tick 50, 2000 pnl 49.9, 9000 tick 50', 9_000, 'pnl', 49.9, true],
    ['a new trade at the same price does', '0 tick 50, 2000 pnl 49.9, 9000 tick 50 traded', 9_000, 'tick', 50, true],
    ['delayed data loses to anything', '0 portfolio 50, 9000 delayed 48', 9_000, 'portfolio', 50, true],
    ['delayed data serves where there is nothing else, never as live', '0 delayed 48', 100, 'delayed', 48, false],
    ['zero and negative prices are no price', '0 tick 50, 2000 tick 0, 3000 pnl -1', 3_000, 'tick', 50, true],
    ['a report that comes out of order is dropped', '5000 tick 50, 4000 tick 40', 5_000, 'tick', 50, true],
  ])('A6: %s', (_title, rows, now, source, dollars, isLive) => {
    const { book, marketMovedAt } = bookOf(rows);
    const best = bestMark(book, { now: at(now), marketMovedAt });
    expect(best).toMatchObject({ isLive, mark: { source, price: fromDollars(dollars) } });
  });

  test('there is no mark before the first report', () =>
    expect(bestMark(EMPTY_MARK_BOOK, { now: at(0), marketMovedAt: at(0) })).toBeUndefined());

  test('only live sources are evidence that the market moves', () => {
    const price = fromDollars(50);
    expect(recordMark(EMPTY_MARK_BOOK, { source: 'delayed', price, receivedAt: at(0) }).moved).toBe(false);
    expect(recordMark(EMPTY_MARK_BOOK, { source: 'pnl', price, receivedAt: at(0) }).moved).toBe(true);
    expect(recordMark(bookOf('0 pnl 50').book, { source: 'pnl', price, receivedAt: at(1) }).moved).toBe(false);
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
    const mark = bookOf('0 pnl 50').book.pnl;
    expect(mark && markAgeMs(mark, { now: at(now), marketMovedAt: at(marketMovedAt) })).toBe(expected);
  });

  test('10 s is live, a millisecond more is not', () => {
    const { book } = bookOf('0 pnl 50');
    expect(bestMark(book, { now: at(10_000), marketMovedAt: at(10_000) })?.isLive).toBe(true);
    expect(bestMark(book, { now: at(10_001), marketMovedAt: at(10_001) })?.isLive).toBe(false);
  });
});

const heardUntil = (until: number, since = 0): Hearing => ({ since: mono(since), until: mono(until) });

/** Plays the rows against a stop and returns the verdict after each. */
function play(text: string, stop: StopLevel): string {
  const state = { book: EMPTY_MARK_BOOK, marketMovedAt: at(0) };
  let watch: BreachWatch | undefined;
  const verdicts = rowsOf(text).map(row => {
    take(state, row);
    const step = confirmBreach(watch, {
      book: state.book,
      stop,
      clock: { now: at(row.ms), marketMovedAt: state.marketMovedAt },
      mono: mono(row.ms),
      heard: heardUntil(row.ms),
    });
    watch = step.watch;
    return step.verdict;
  });
  return verdicts.join(' ');
}

describe('believing a breach of a long stop at 49.55', () => {
  const stop: StopLevel = { side: 'long', level: fromDollars(49.55) };
  it.each([
    ['a single crazy mark is not believed', '0 pnl 50, 1000 pnl 5, 2000 pnl 50', 'clear suspected clear'],
    ['the touch itself is a breach', '0 pnl 49.55, 1000 pnl 49.55', 'suspected confirmed'],
    ['a hair above is none', '0 pnl 49.550001, 1000 pnl 49.550001', 'clear clear'],
    ['two successive marks', '0 pnl 50, 1000 pnl 49.5, 2000 pnl 49.4', 'clear suspected confirmed'],
    ['a market that collapses in steps of 10 %', '0 pnl 50, 1000 pnl 45, 2000 pnl 40.5', 'clear suspected confirmed'],
    ['a halt with a gap of a half at its end', '0 pnl 50, 400000 pnl 25, 401000 pnl 23', 'clear suspected confirmed'],
    ['a fifth lower still agrees', '0 pnl 45, 1000 pnl 36', 'suspected confirmed'],
    ['more than a fifth does not', '0 pnl 45, 1000 pnl 35.99', 'suspected suspected'],
    ['nor upwards', '0 pnl 35.99, 1000 pnl 45', 'suspected suspected'],
    ['two crazy marks that contradict each other', '0 pnl 50, 1000 pnl 25, 2000 pnl 0.05, 3000 pnl 50', 'clear suspected suspected clear'],
    ['a true one after a crazy one waits for its own second', '0 pnl 0.05, 1000 pnl 49.5, 2000 pnl 49.4', 'suspected suspected confirmed'],
    [
      'or for the three seconds, from the first one on',
      '0 pnl 25, 1000 pnl 0.05, 2999 clock, 3000 clock',
      'suspected suspected suspected confirmed',
    ],
    ['crazy sources that contradict each other', '0 pnl 25, 0 tick 0.05, 900 tick 50', 'suspected suspected clear'],
    ['two ticks, milliseconds apart', '0 tick 49.5, 3 tick 49.5', 'suspected confirmed'],
    ['a second source in the same millisecond', '0 pnl 49.5, 0 tick 49.5', 'suspected confirmed'],
    ['a portfolio update as the second source', '0 pnl 49.5, 10 portfolio 49.5', 'suspected confirmed'],
    ['P&L is silent because the price stands', '0 pnl 49.5, 2999 clock, 3000 clock', 'suspected suspected confirmed'],
    ['a recovery within the three seconds', '0 pnl 49.5, 2000 pnl 49.6, 5000 clock', 'suspected clear clear'],
    ['the better source contradicts', '0 tick 50, 500 pnl 49.5, 900 tick 50 traded, 4000 clock', 'clear suspected clear clear'],
    ['the better source never answers', '0 tick 50, 500 pnl 49.5, 3499 clock, 3500 clock', 'clear suspected suspected confirmed'],
    ['until the better source is old news', '0 tick 50, 1500 pnl 49.5, 2500 pnl 49.4', 'clear suspected confirmed'],
    ['the portfolio never decides alone', '0 portfolio 49, 5000 portfolio 48, 9000 clock', 'blind blind blind'],
    ['nor does it acquit', '0 pnl 49.5, 2000 portfolio 51, 3000 clock', 'suspected suspected confirmed'],
    ['it confirms together with an older mark', '0 elsewhere, 1 pnl 49.5, 20000 portfolio 49.4', 'blind suspected confirmed'],
    ['delayed data says nothing', '0 delayed 40, 1000 delayed 39, 5000 clock', 'blind blind blind'],
    ['delayed data is no second source', '0 pnl 49.5, 10 delayed 49', 'suspected suspected'],
    ['a price frozen while others move is blind', '0 pnl 50, 10000 elsewhere, 10001 elsewhere', 'clear clear blind'],
    ['a believed breach survives silence', '0 pnl 49.5, 1000 pnl 49.4, 30000 elsewhere', 'suspected confirmed confirmed'],
    ['and ends with a live mark on the good side', '0 pnl 49.5, 1000 pnl 49.4, 2000 pnl 49.6', 'suspected confirmed clear'],
  ])('A5: %s', (_title, rows, verdicts) => expect(play(rows, stop)).toBe(verdicts));

  test('I3: a leap of exchange time is no silence: three seconds are counted by the machine', () => {
    const { book } = bookOf('0 pnl 50, 1000 pnl 25');
    const look = (leapMs: number, ms: number, watch?: BreachWatch) =>
      confirmBreach(watch, {
        book,
        stop,
        clock: { now: at(ms + leapMs), marketMovedAt: at(1_000) },
        mono: mono(ms),
        heard: heardUntil(ms),
      });
    const { watch } = look(0, 1_000);
    expect(look(20_000, 1_100, watch).verdict).toBe('suspected');
    expect(look(20_000, 3_999, watch).verdict).toBe('suspected');
    expect(look(20_000, 4_000, watch).verdict).toBe('confirmed');
  });

  test.each<readonly [string, number, Hearing, string]>([
    ['to the end', 4_000, heardUntil(4_000), 'confirmed'],
    ['to shortly before it, as one who was asked then', 4_000, heardUntil(3_500), 'confirmed'],
    ['to shortly before it, and too early', 3_999, heardUntil(3_999), 'suspected'],
    ['up to a moment too early', 4_000, heardUntil(3_499), 'suspected'],
    ['long enough, and then no more', 30_000, heardUntil(3_500), 'confirmed'],
    ['no more after the mark', 30_000, heardUntil(1_000), 'suspected'],
    ['no more before it', 30_000, heardUntil(500), 'suspected'],
    ['only of late', 30_000, heardUntil(30_000, 27_001), 'suspected'],
    ['again for long enough', 30_000, heardUntil(30_000, 27_000), 'confirmed'],
  ])('I3: silence counts while the broker is heard: %s', (_title, ms, heard, verdict) => {
    const { book } = bookOf('0 pnl 50, 1000 pnl 25');
    const clock = { now: at(ms), marketMovedAt: at(1_000) };
    const { watch } = confirmBreach(undefined, { book, stop, clock, mono: mono(1_000), heard: heardUntil(1_000) });
    expect(confirmBreach(watch, { book, stop, clock, mono: mono(ms), heard }).verdict).toBe(verdict);
  });

  test('A5: a short is breached from below', () =>
    expect(play('0 pnl 50.4, 1000 pnl 50.45, 2000 pnl 50.5', { side: 'short', level: fromDollars(50.45) })).toBe(
      'clear suspected confirmed',
    ));

  test('A5: an old breach nobody watched is confirmed by the portfolio agreeing with it', () => {
    const { book } = bookOf('0 pnl 49.5, 20000 portfolio 49.4');
    const clock = { now: at(20_000), marketMovedAt: at(20_000) };
    const step = confirmBreach(undefined, { book, stop, clock, mono: mono(20_000), heard: heardUntil(20_000) });
    expect(step).toMatchObject({ verdict: 'confirmed', because: 'portfolio and an older pnl mark agree' });
  });
});

describe('prices behind answers', () => {
  it.each<readonly [number, number, number, number | null]>([
    [5_043, 100, 1, 50.43],
    [-5_043, -100, 1, 50.43],
    [20_012.5, 1, 5, 4_002.5],
    [5_000, 0, 1, null],
    [-5_000, 100, 1, null],
  ])('value %s of %s (× %s) is a price of %s', (value, quantity, multiplier, expected) =>
    expect(priceFromValue(fromDollars(value), quantity, multiplier) ?? null).toBe(expected === null ? null : fromDollars(expected)),
  );

  it.each<readonly [string, number, number, number, number | null]>([
    ['last inside the quote', 50, 50.04, 50.02, 50.02],
    ['last above the ask', 50, 50.04, 50.1, 50.04],
    ['last below the bid', 50, 50.04, 49.9, 50],
    ['no last', 50, 50.04, 0, 50.02],
    ['crossed', 50.1, 50, 50.02, 50.02],
    ['no bid', 0, 50, 49.9, 49.9],
    ['no ask', 50, 0, 50.1, 50.1],
    ['nothing', 0, 0, 0, null],
  ])('%s', (_title, bid, ask, last, expected) => {
    const price = priceFromQuote({ bid: fromDollars(bid), ask: fromDollars(ask), last: fromDollars(last) });
    expect(price ?? null).toBe(expected === null ? null : fromDollars(expected));
  });
});
