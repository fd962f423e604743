import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, readSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { type EpochMs, epochMs, type MonoMs, monoMs } from '@holdfast/core/units';
import type { LeaseHolder } from '@holdfast/store/leases';
import type { MachineTime } from './clock.js';
import { HEARTBEAT_BYTES, type Heartbeat, parseHeartbeat } from './heartbeat.js';
import type { RandomFile } from './random-file.js';

/**
 * The live body: the only file with real time, timers, randomness and the process table. Only apps/<name>/main.ts may import it; everything
 * else is given what it needs, so that a simulation can stand in its place.
 */

// ---- time ----

/** CLOCK_MONOTONIC: the same clock in every process of the machine, unlike performance.now(), which starts with the process. */
export const mono = (): MonoMs => monoMs(Number(process.hrtime.bigint()) / 1e6);
export const wall = (): EpochMs => epochMs(Date.now());
export const machineTime: MachineTime = { mono, wall };

/** Calls `work` every `ms` of machine time. Returns the way to end it. */
export function every(ms: number, work: () => void): () => void {
  const timer = setInterval(work, ms);
  return () => clearInterval(timer);
}

/** Calls `run` once after `ms`. Returns what cancels it. */
export function after(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

export const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

/** A whole number from 0 to below `limit`, for jitter. */
export const randomBelow = (limit: number): number => randomInt(limit);

// ---- processes ----

/** Changes with every boot of the machine, so that a pid from before a power cut is nobody's. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // No /proc (macOS, Windows): the boot's wall time to the minute, the best that is the same for every process.
    const bootedAt = Date.now() - Number(process.hrtime.bigint()) / 1e6;
    return `boot-${Math.round(bootedAt / 60_000)}`;
  }
}

interface ProcessFacts {
  readonly state: string;
  readonly startedAt: string;
}

/** State and start time of a process, or null when there is none. Field 2 of /proc/PID/stat is a name that may hold spaces and brackets. */
function processFacts(pid: number): ProcessFacts | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '?', startedAt: fields[19] ?? '' };
  } catch {
    return existsSync('/proc/self/stat') ? null : processFactsFromPs(pid);
  }
}

/** Where there is no /proc: `ps` on macOS. On Windows neither exists, and only the pid's existence is known. */
function processFactsFromPs(pid: number): ProcessFacts | null {
  try {
    const [state = '?', ...started] = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/);
    return { state, startedAt: started.join(' ') };
  } catch {
    return pidExists(pid) ? { state: '?', startedAt: '' } : null;
  }
}

function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** This process as a lease's holder: pid, start time and boot tell it from every later one. */
export const thisProcess = (): LeaseHolder => ({
  pid: process.pid,
  processStartedAt: processFacts(process.pid)?.startedAt ?? '',
  bootId: bootId(),
});

/** The process under a pid as it is now, or null when there is none (or only a zombie). */
export function processAt(pid: number): LeaseHolder | null {
  const facts = processFacts(pid);
  return facts === null || facts.state.startsWith('Z') ? null : { pid, processStartedAt: facts.startedAt, bootId: bootId() };
}

/** Sends a signal. A process that is gone already is no error. */
export function sendSignal(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Gone for good: no such pid, a zombie (dead, not yet reaped), another process under the same number, or another boot. A stopped one lives. */
export function isGone(holder: LeaseHolder): boolean {
  if (holder.bootId !== bootId()) return true;
  const facts = processFacts(holder.pid);
  return facts === null || facts.state.startsWith('Z') || facts.state.startsWith('X') || facts.startedAt !== holder.processStartedAt;
}

// ---- files ----

const failure = (error: unknown): { ok: false; detail: string } => ({
  ok: false,
  detail: error instanceof Error ? error.message : String(error),
});

/**
 * Opens (or makes) a file of `size` bytes and reserves them by writing them, so that a full disk cannot refuse what is written later.
 * An existing file keeps its content. Throws when that much cannot be had.
 */
export function openRandomFile(path: string, size: number): RandomFile {
  mkdirSync(dirname(path), { recursive: true });
  const fd = openSync(path, existsSync(path) ? 'r+' : 'w+');
  const present = statSync(path).size;
  if (present < size) writeSync(fd, Buffer.alloc(size - present), 0, size - present, present);
  if (present > size) ftruncateSync(fd, size);
  fsyncSync(fd);
  return {
    size,
    write(offset, text) {
      const bytes = Buffer.from(text);
      if (offset + bytes.length > size) return { ok: false, detail: `no room in ${path}: ${offset + bytes.length} of ${size} bytes` };
      try {
        writeSync(fd, bytes, 0, bytes.length, offset);
        return { ok: true };
      } catch (error) {
        return failure(error);
      }
    },
    sync() {
      try {
        fsyncSync(fd);
        return { ok: true };
      } catch (error) {
        return failure(error);
      }
    },
    read() {
      const bytes = Buffer.alloc(size);
      const count = readSync(fd, bytes, 0, size, 0);
      return bytes.toString('utf8', 0, count);
    },
    close: () => closeSync(fd),
  };
}

/** The heartbeat in a file, or null: absent, torn twice in a row, or not one. */
export function readHeartbeat(path: string): Heartbeat | null {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const beat = parseHeartbeat(readFileSync(path, 'utf8').slice(0, HEARTBEAT_BYTES));
      if (beat) return beat;
    } catch {
      return null; // no such file: that worker never ran
    }
  }
  return null;
}

export const fileExists = (path: string): boolean => existsSync(path);
