import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Refusal, refuse } from '@holdfast/store/refusal';

/** How to start one worker. */
export interface WorkerProgram {
  /** The very Node this process runs on: another one may not load the store's native module. */
  readonly node: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gets what it prints: a pipe would die with the supervisor, and the worker with its first line into it. */
  readonly outputFile: string;
}

export type Ended = (exit: { readonly pid: number; readonly code: number | null; readonly signal: string | null }) => void;

/**
 * Starts a worker that outlives its starter: a process group of its own, no shared pipe and no IPC channel (pm2 gives the supervisor one), and
 * nothing that keeps the supervisor from ending. `onEnd` is called when it ends while this process still lives.
 */
export function spawnDetached(program: WorkerProgram, onEnd: Ended): { readonly ok: true; readonly pid: number } | Refusal {
  const { node, script, args, cwd, env, outputFile } = program;
  let output: number;
  try {
    mkdirSync(dirname(outputFile), { recursive: true });
    output = openSync(outputFile, 'a');
  } catch (error) {
    return refuse('SPAWN_FAILED', `its output file cannot be opened: ${wordsOf(error)}`);
  }
  try {
    const child = spawn(node, [script, ...args], { cwd, env, detached: true, stdio: ['ignore', output, output] });
    const { pid } = child;
    let failed = pid === undefined;
    // Without a listener the failure of a start would be thrown at the whole supervisor. The refusal below has told it already.
    child.on('error', () => {
      failed = true;
    });
    if (pid === undefined) return refuse('SPAWN_FAILED', `${node} could not be started in ${cwd}`);
    child.on('exit', (code, signal) => {
      if (!failed) onEnd({ pid, code, signal });
    });
    child.unref();
    return { ok: true, pid };
  } catch (error) {
    return refuse('SPAWN_FAILED', wordsOf(error));
  } finally {
    closeSync(output);
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
