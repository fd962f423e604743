import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** docs/reliability.md names the story of every fault and every invariant: the tables are held against the titles of the tests here. */
const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(path.join(root, 'docs/reliability.md'), 'utf8');
const section = /## Faults and invariants, and the story of each\n([\s\S]*?)(?=\n## |$)/.exec(page)?.[1] ?? '';

interface Story {
  readonly file: string;
  readonly title: string;
}

/** A row: what it is about, and its stories, `file` title each, one per line of the cell. */
const rows = new Map<string, readonly Story[]>(
  [...section.matchAll(/^\| ([^|]+) \| (`[^|]+) \|$/gm)].map(([, about = '', cell = '']) => [
    about,
    cell.split('<br>').map(part => {
      const [, file = '', title = ''] = /^`([^`]+)` (.+)$/.exec(part) ?? [];
      return { file, title };
    }),
  ]),
);
const stories = [...rows.values()].flat();

/** What the desk must survive (the design's list of faults, and the simulation's); the table may have more, and never fewer. */
const FAULTS = `
kill −9 of the exit manager, at any instant
kill −9 of the day trader, at any instant
kill −9 between any two effects
supervisor death and adoption
two supervisors
a hang that later resumes
a hang between lease check and send
a hung worker that wakes after its replacement started
gateway drop in the middle of anything
outage with fills during it
1100 and 1102, connectivity lost and data kept
1101, data lost
nightly restart with id rollback
last orders lost by the restart
delayed callbacks
repeated callbacks
reordered callbacks
missing callbacks
late fill after Cancelled
corrections
busts
rejected: 201
rejected: 110
rejected: 103
cancel answered with 10147
cancel answered with 10148
partly filled orders
cancelled-while-filling orders, slow cancels
gaps through the stop
halts and resumptions
stale marks
frozen marks
crazy marks
database locked by somebody else
SQLITE_BUSY
full disk
lost database file
corrupt database file
restored backup
manual trades in held symbols
manual trades in unheld symbols
manual trades while an exit works
orders of the operator's own in the book
clock steps
suspended machine
half days
daylight-saving changes
several days in a row with the daily reset between
splits overnight`
  .trim()
  .split('\n');
const INVARIANTS = Array.from({ length: 12 }, (_, index) => `I${index + 1}`);

/** Titles of a file: every text in quotes that a test may begin with. */
function hasTitle({ file, title }: Story): boolean {
  const source = path.join(root, 'test', `${file}.test.ts`);
  if (!existsSync(source)) return false;
  const text = readFileSync(source, 'utf8');
  return ["'", '`', '"'].some(quote => text.includes(`${quote}${title}${quote}`));
}

describe('docs/reliability.md: faults and invariants, and the story of each', () => {
  it('every fault has a story', () => {
    expect(FAULTS.filter(fault => !rows.has(fault))).toEqual([]);
  });

  it('every invariant has a story whose title names it', () => {
    const without = INVARIANTS.filter(
      invariant => !rows.get(invariant)?.some(({ title }) => new RegExp(`\\b${invariant}\\b|I1–I6`).test(title)),
    );
    expect(without).toEqual([]);
  });

  it('every story it names is there, under a title that begins with a requirement', () => {
    expect(stories.length).toBeGreaterThan(FAULTS.length);
    expect(stories.filter(story => !hasTitle(story))).toEqual([]);
    expect(stories.filter(({ title }) => !/^[ABCDI]\d+\b/.test(title))).toEqual([]);
  });

  it('every story of the whole desk is named', () => {
    const told = ['calendar', 'correction', 'disk', 'gateway', 'limit', 'market', 'order', 'people', 'process', 'refusal', 'store-loss'];
    const unnamed = told.flatMap(theme => {
      const file = `scenarios/${theme}-stories`;
      const text = readFileSync(path.join(root, 'test', `${file}.test.ts`), 'utf8');
      const titles = [...text.matchAll(/['"]([ABCDI]\d+[^'"\n]*: [^'"\n]+)['"]/g)].map(([, title = '']) => title);
      return titles.filter(title => !stories.some(story => story.file === file && story.title === title)).map(title => `${file}: ${title}`);
    });
    expect(unnamed).toEqual([]);
  });
});
