import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { epochMs } from '@holdfast/core/units';
import { afterEach, describe, expect, it } from 'vitest';
import { HEARTBEAT_BYTES, writeHeartbeat } from './heartbeat.js';
import { isGone, mono, openRandomFile, processAt, readHeartbeat, thisProcess } from './live.js';

const folders: string[] = [];
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
const fileIn = (name: string): string => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-live-'));
  folders.push(folder);
  return join(folder, 'run', name);
};

describe('who is gone', () => {
  const sleeper = async () => {
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' });
    children.push(child);
    await new Promise(resolve => child.once('spawn', resolve));
    const holder = processAt(child.pid ?? 0);
    if (!holder) throw new Error('the child is not in the process table');
    return { child, holder };
  };

  it('not this process', () => expect(isGone(thisProcess())).toBe(false));
  it('one under the same pid that started at another time', () => expect(isGone({ ...thisProcess(), processStartedAt: '1' })).toBe(true));
  it('one of an earlier boot', () => expect(isGone({ ...thisProcess(), bootId: 'before the power cut' })).toBe(true));
  it('I10: not one that is merely stopped: it could go on and send', async () => {
    const { child, holder } = await sleeper();
    child.kill('SIGSTOP');
    expect(isGone(holder)).toBe(false);
  });
  it('one that was killed, reaped or not', async () => {
    const { child, holder } = await sleeper();
    const exited = new Promise(resolve => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
    expect(isGone(holder)).toBe(true);
  });
});

describe('files', () => {
  it('have their room from the start, and keep what was in them', () => {
    const path = fileIn('emergency');
    const first = openRandomFile(path, 4_096);
    expect(statSync(path).size).toBe(4_096);
    first.write(10, 'kept');
    first.close();
    expect(openRandomFile(path, 4_096).read().slice(10, 14)).toBe('kept');
  });

  it('refuse to grow', () => expect(openRandomFile(fileIn('x'), 16).write(10, 'too long')).toMatchObject({ ok: false }));

  it('a heartbeat is read as it was written, and null where there is none', () => {
    const path = fileIn('exit-manager.heartbeat');
    expect(readHeartbeat(path)).toBeNull();
    const beat = {
      counter: 1,
      phase: 'READY' as const,
      pid: 1,
      leaseId: 1,
      bootId: 'b',
      mono: mono(),
      exchange: epochMs(0),
      brokerAgeMs: 1,
      markAgeMs: null,
      commitAgeMs: null,
      backlog: 0,
    };
    writeHeartbeat(openRandomFile(path, HEARTBEAT_BYTES), beat);
    expect(readHeartbeat(path)).toEqual(beat);
  });
});
