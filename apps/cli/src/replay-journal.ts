import { closeSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import * as dayTrader from '@holdfast/core/day-trader';
import type { Event } from '@holdfast/core/events';
import * as exitManager from '@holdfast/core/exit-manager';
import { readJournal, UnreadableJournal } from '@holdfast/engine/journal-reader';
import { type Replay, replay, replayed } from '@holdfast/engine/replay';
import { rulesFingerprint } from '@holdfast/engine/rules-build';
import { clockTime } from './clock-time.js';
import type { Place } from './command-line.js';
import { complain, EXIT, type Problem, wordsOf } from './problem.js';
import type { ReplayOptions } from './replay.js';
import { formatReplay, otherLine, replayJson, stepLines } from './replay-report.js';
import { createNarrator } from './replay-words.js';
import { countOf, printJson } from './screen.js';

/** The work of `holdfast replay`. */
export async function replayJournal({ machine, screen }: Place, options: ReplayOptions): Promise<number> {
  const { journal, from, until, symbol, trace = false, json = false } = options;
  if (!trace && (from !== undefined || symbol !== undefined)) {
    return complain(screen, {
      code: EXIT.usage,
      happened: '--from and --symbol choose what --trace tells, and --trace is missing.',
      did: 'Nothing was compared.',
      todo: 'Add --trace; to replay less, there is --until.',
    });
  }
  const narrator = createNarrator();
  const told = json ? screen.err : screen.out;
  const isTold = ({ at }: Event): boolean => from === undefined || clockTime(at) >= from;
  let seen: Replay;
  let steps = 0;
  let isCut = false;
  try {
    seen = replay(readJournal(linesOf(resolve(machine.cwd, journal))), {
      brains: { 'exit-manager': () => replayed(exitManager), 'day-trader': () => replayed(dayTrader) },
      isOver({ at }) {
        isCut = until !== undefined && clockTime(at) >= until;
        return isCut;
      },
      onOther(entry) {
        if (entry.kind === 'head') narrator.learn(entry.head.given);
        const line = trace ? otherLine(entry) : null;
        if (line !== null) told.line(told.paint.bold(line));
      },
      onStep({ event, effects, isSame }) {
        steps += 1;
        narrator.learn(event);
        if (effects.length > 0) narrator.learn(effects);
        if (!trace || (effects.length === 0 && isSame) || !isTold(event)) return;
        if (symbol !== undefined && !narrator.symbolsOf(event, effects).has(symbol)) return;
        for (const line of stepLines({ event, effects, isSame }, narrator)) told.line(line);
      },
    });
  } catch (error) {
    if (error instanceof UnreadableJournal || (error instanceof Error && 'code' in error))
      return complain(screen, badFile(journal, error, steps));
    throw error;
  }
  if (seen.segments.length === 0) return complain(screen, badFile(journal, 'it holds nothing', steps));
  const fingerprint = await rulesFingerprint();
  if (json) printJson(screen, replayJson(seen, { file: journal, fingerprint }));
  else screen.out.line(formatReplay(seen, { paint: screen.out.paint, file: journal, fingerprint, narrator, isCut }));
  return seen.differenceCount === 0 ? EXIT.ok : EXIT.no;
}

const FILE_WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder; one file of it is meant',
  EACCES: 'this user may not read it',
};

function wordsOfFile(error: unknown): string {
  const known = error instanceof Error && 'code' in error && typeof error.code === 'string' ? FILE_WORDS[error.code] : undefined;
  return known ?? (typeof error === 'string' ? error : wordsOf(error));
}

const badFile = (file: string, why: unknown, steps: number): Problem => ({
  code: EXIT.badFile,
  happened: `${file} cannot be replayed: ${wordsOfFile(why)}.`,
  did:
    steps === 0
      ? 'Nothing was compared.'
      : `Only the ${countOf(steps, 'event')} before that line ${steps === 1 ? 'was' : 'were'} compared.`,
  todo: 'Name a journal as a worker writes it, var/journal/<worker>/<date>.jsonl, with the version that wrote it.',
});

const CHUNK_BYTES = 1 << 20;

/** The lines of a file that may be larger than memory likes. */
function* linesOf(path: string): Generator<string> {
  const file = openSync(path, 'r');
  try {
    const decoder = new StringDecoder('utf8');
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let rest = '';
    for (let count = readSync(file, chunk); count > 0; count = readSync(file, chunk)) {
      const lines = (rest + decoder.write(chunk.subarray(0, count))).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
    yield rest + decoder.end();
  } finally {
    closeSync(file);
  }
}
