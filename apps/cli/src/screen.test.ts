import { describe, expect, it } from 'vitest';
import { createStream, formatTable, paintGain, signedDollars, wrapForTerminal } from './screen.js';

const streamOf = (isTTY: boolean, columns: number, environment = {}) =>
  createStream({ isTTY, columns, write: () => undefined }, environment);

describe('lines at a terminal', () => {
  it.each([
    ['short enough', 'one two', 'one two'],
    ['broken at the last space that fits', 'one two three four five', 'one two three four\n  five'],
    ['a word wider than the screen stays whole', `a ${'x'.repeat(40)}`, `a\n  ${'x'.repeat(40)}`],
    ['indented lines too', '  alpha beta gamma delta', '  alpha beta gamma\n  delta'],
  ])('%s', (_title, text, expected) => expect(wrapForTerminal(streamOf(true, 20), text, '  ')).toBe(expected));

  it('colours take no room', () => {
    const stream = streamOf(true, 20);
    const text = `${stream.paint.red('seven')} and ${stream.paint.green('eight')}`;
    expect(wrapForTerminal(stream, text, '  ')).toBe(text);
  });

  it('stay whole where no terminal is, for grep', () =>
    expect(wrapForTerminal(streamOf(false, 20), 'one two three four five', '  ')).toBe('one two three four five'));
});

describe('colours', () => {
  it.each<readonly [boolean, Record<string, string>, boolean]>([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { TERM: 'dumb' }, false],
  ])('terminal %s, %o: %s', (isTTY, environment, isColored) =>
    expect(streamOf(isTTY, 80, environment).paint.red('x') !== 'x').toBe(isColored),
  );

  it('a gain is green, a loss red, nothing is plain', () => {
    const { paint } = streamOf(true, 80);
    expect([5, -5, 0, null].map(amount => paintGain(paint, 'x', amount))).toEqual([paint.green('x'), paint.red('x'), 'x', 'x']);
  });
});

it('a table aligns, pads before it paints, and ends no line with spaces', () => {
  const { paint } = streamOf(false, 80);
  const rows = [
    { name: 'GAPR', amount: 5 },
    { name: 'X', amount: -1_234.5 },
  ];
  const table = formatTable(
    [
      { title: 'symbol', cell: (row: (typeof rows)[number]) => row.name },
      { title: 'P&L', align: 'right', cell: row => signedDollars(row.amount) },
      { title: 'note', cell: () => '' },
    ],
    rows,
    paint,
  );
  expect(table).toBe(['symbol        P&L  note', 'GAPR       +$5.00', 'X       −$1234.50'].join('\n'));
});
