import { epochMs, monoMs } from '@holdfast/core/units';
import { describe, expect, it } from 'vitest';
import { createPulse, formatHeartbeat, HEARTBEAT_BYTES, type Heartbeat, isBeating, parseHeartbeat } from './heartbeat.js';
import { silentLog } from './log.js';
import { createMemoryFile } from './random-file.js';
import { standingClock } from './testing/stand.js';

const beat: Heartbeat = {
  counter: 41,
  phase: 'READY',
  pid: 4_194_304,
  processStartedAt: '99999999999',
  leaseId: 999_999,
  bootId: '836eeb76-34d5-4823-a9b0-2b7cba4ecf6a',
  mono: monoMs(9_007_199_254.740993),
  exchange: epochMs(1_773_063_316_010),
  brokerAgeMs: 86_400_000,
  markAgeMs: null,
  commitAgeMs: 86_400_000,
  backlog: 99_999,
  phaseSince: monoMs(9_007_199_254.740993),
  isHalted: true,
};

it('is one line of a fixed length, whatever its numbers', () => {
  const line = formatHeartbeat(beat);
  expect(line).toHaveLength(HEARTBEAT_BYTES);
  expect(line.endsWith('\n')).toBe(true);
  expect(parseHeartbeat(line)).toEqual(beat);
});

describe('what is not a whole heartbeat is none', () => {
  const [older, newer] = [formatHeartbeat(beat), formatHeartbeat({ ...beat, counter: 42 })];
  it.each([
    ['an empty file', ''],
    ['a fresh file', '\0'.repeat(HEARTBEAT_BYTES)],
    ['half a line', older.slice(0, 100)],
    ['two beats in one', newer.slice(0, 60) + older.slice(60)],
    ['something else', 'hello'],
    ['another JSON', '{"counter":1}'],
  ])('%s', (_title, text) => expect(parseHeartbeat(text)).toBeNull());
});

it('A2: written a few times a second however often the loop turns, and the counter moves', () => {
  const file = createMemoryFile(HEARTBEAT_BYTES);
  const clock = standingClock();
  const pulse = createPulse(file, { holder: { pid: 7, bootId: 'b', processStartedAt: '1' }, leaseId: 3, clock, log: silentLog });
  const counters: (number | undefined)[] = [];
  for (let ms = 0; ms < 1_000; ms += 20) {
    pulse.beat(beat);
    counters.push(parseHeartbeat(file.read())?.counter);
    clock.pass(20);
  }
  expect(counters.at(0)).toBe(1);
  expect(counters.at(-1)).toBe(5);
});

it('tells since when it is in its phase', () => {
  const file = createMemoryFile(HEARTBEAT_BYTES);
  const clock = standingClock();
  const pulse = createPulse(file, { holder: { pid: 7, bootId: 'b', processStartedAt: '1' }, leaseId: 3, clock, log: silentLog });
  const since: (number | undefined)[] = [];
  for (const phase of ['CONNECTING', 'CONNECTING', 'READY', 'READY'] as const) {
    pulse.beat({ ...beat, phase });
    since.push(parseHeartbeat(file.read())?.phaseSince);
    clock.pass(1_000);
  }
  expect(since).toEqual([10_000, 10_000, 12_000, 12_000]);
});

it('a disk that takes no heartbeat costs a log line, not the loop', () => {
  const lines: string[] = [];
  const file = { ...createMemoryFile(HEARTBEAT_BYTES), write: () => ({ ok: false as const, detail: 'no space' }) };
  const pulse = createPulse(file, {
    holder: { pid: 7, bootId: 'b', processStartedAt: '1' },
    leaseId: 3,
    clock: standingClock(),
    log: (_, event) => lines.push(event),
  });
  pulse.write(beat);
  pulse.write(beat);
  expect(lines).toEqual(['heartbeat-not-written']);
});

it.each([
  ['fresh', { mono: 1_000, bootId: beat.bootId }, true],
  ['too old', { mono: 1_001, bootId: beat.bootId }, false],
  ['from before a power cut', { mono: 10, bootId: 'another' }, false],
])('alive for its peers: %s', (_title, { mono, bootId }, expected) => {
  expect(isBeating({ ...beat, mono: monoMs(0) }, { mono: monoMs(mono), bootId, stillMs: 1_000 })).toBe(expected);
});
