import type { Clock } from '@holdfast/core/ports';
import type { WorkerPhase } from '@holdfast/core/shared-view';
import type { EpochMs, MonoMs } from '@holdfast/core/units';
import type { Log } from './log.js';
import type { RandomFile } from './random-file.js';

/**
 * Liveness is progress, not existence: a counter in a small file that only the worker's own main loop can move, with what a watcher needs
 * to tell "alive" from "alive but deaf". Never through SQLite, whose write lock anyone can hold.
 */
export interface Heartbeat {
  /** Moves with every beat of the loop that wrote it. */
  readonly counter: number;
  readonly phase: WorkerPhase;
  readonly pid: number;
  /** With pid and boot it tells this process from a later one under the same number. Workers only. */
  readonly processStartedAt?: string;
  readonly leaseId: number;
  readonly bootId: string;
  /** Machine time of the write: the same clock in every process of this boot. */
  readonly mono: MonoMs;
  readonly exchange: EpochMs;
  /** Machine milliseconds since the last message of any kind from the broker, mark, and commit; null = none yet. */
  readonly brokerAgeMs: number | null;
  readonly markAgeMs: number | null;
  readonly commitAgeMs: number | null;
  /** Steps whose writes wait in the emergency file for the store to answer. */
  readonly backlog: number;
  /** Machine time since when it is in this phase. Workers only. */
  readonly phaseSince?: MonoMs;
  /** It enters nothing until a person resumes. */
  readonly isHalted?: boolean;
}

/** Bytes of the one line, newline included. One write of a fixed length over itself: there is no instant at which the file is empty. */
export const HEARTBEAT_BYTES = 512;

const rounded = (ms: number | null): number | null => (ms === null ? null : Math.round(ms));
const roundedAges = ({ brokerAgeMs, markAgeMs, commitAgeMs }: Heartbeat) => ({
  brokerAgeMs: rounded(brokerAgeMs),
  markAgeMs: rounded(markAgeMs),
  commitAgeMs: rounded(commitAgeMs),
});

/** The counter stands at both ends, so that a reader who catches the write in the middle knows. */
export function formatHeartbeat(beat: Heartbeat): string {
  const { counter, ...rest } = { ...beat, ...roundedAges(beat) };
  const line = JSON.stringify({ counter, ...rest, again: counter });
  if (line.length >= HEARTBEAT_BYTES) throw new Error(`a heartbeat has ${HEARTBEAT_BYTES} bytes, got ${line.length}`);
  return `${line.padEnd(HEARTBEAT_BYTES - 1)}\n`;
}

/** Returns null for what is no whole heartbeat: torn, empty, or of another version. The caller reads again, or counts it as still. */
export function parseHeartbeat(text: string): Heartbeat | null {
  let value: unknown;
  try {
    value = JSON.parse(text.slice(0, HEARTBEAT_BYTES));
  } catch {
    return null; // torn or not written yet
  }
  if (typeof value !== 'object' || value === null || !('counter' in value) || !('again' in value)) return null;
  if (typeof value.counter !== 'number' || value.again !== value.counter) return null;
  const { again: _, ...beat } = value;
  return beat as Heartbeat;
}

/** How often the loop writes. Two of these may be missed before a watcher at 1 s would even notice. */
export const HEARTBEAT_EVERY_MS = 200;

/** Overwrites the file's one line. A failing write is returned, not thrown: a full disk must not stop the loop. */
export function writeHeartbeat(file: RandomFile, beat: Heartbeat): { ok: true } | { ok: false; detail: string } {
  return file.write(0, formatHeartbeat(beat));
}

/** What a worker tells of itself with every beat. */
export type HeartbeatFacts = Pick<Heartbeat, 'phase' | 'brokerAgeMs' | 'markAgeMs' | 'commitAgeMs' | 'backlog' | 'isHalted'>;

export interface PulseParts {
  readonly holder: { readonly pid: number; readonly bootId: string; readonly processStartedAt: string };
  readonly leaseId: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** The writer of one process's heartbeat: `beat` as often as you like, it writes a few times a second; `write` at once. */
export function createPulse(file: RandomFile, { holder, leaseId, clock, log }: PulseParts) {
  const { pid, bootId, processStartedAt } = holder;
  let counter = 0;
  let writtenAt: MonoMs | null = null;
  let phase: WorkerPhase | null = null;
  let phaseSince = clock.mono();
  let isFailing = false;

  function write(facts: HeartbeatFacts): void {
    const mono = clock.mono();
    writtenAt = mono;
    if (facts.phase !== phase) phaseSince = mono;
    phase = facts.phase;
    counter += 1;
    const exchange = clock.exchange();
    const written = writeHeartbeat(file, { ...facts, counter, pid, processStartedAt, leaseId, bootId, mono, exchange, phaseSince });
    if (!written.ok && !isFailing) log('error', 'heartbeat-not-written', { detail: written.detail });
    isFailing = !written.ok;
  }

  return {
    write,
    beat(facts: HeartbeatFacts): void {
      // A new phase at once: others wait for READY, and must not take a broker-less guard for one.
      if (writtenAt === null || facts.phase !== phase || clock.mono() - writtenAt >= HEARTBEAT_EVERY_MS) write(facts);
    },
  };
}

/** Whose heartbeat it is; null for one that does not say when its process started. */
export const holderOf = (beat: Heartbeat | null): { pid: number; processStartedAt: string; bootId: string } | null =>
  beat?.processStartedAt === undefined ? null : { pid: beat.pid, processStartedAt: beat.processStartedAt, bootId: beat.bootId };

/** A worker counts as alive for its peers while its last beat is of this boot and at most `stillMs` old on the shared machine clock. */
export const isBeating = (beat: Heartbeat | null, now: { mono: MonoMs; bootId: string; stillMs: number }): boolean =>
  beat !== null && beat.bootId === now.bootId && now.mono - beat.mono <= now.stillMs;
