import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './harness.js';

/** A `holdfast …` of its own, without a terminal and without anything of the test runner's environment. */
export interface Holdfast {
  readonly child: ChildProcess;
  out(): string;
  err(): string;
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
}

export function startHoldfast(
  words: readonly string[],
  { cwd = tmpdir(), environment = {} }: { readonly cwd?: string; readonly environment?: Readonly<Record<string, string>> } = {},
): Holdfast {
  const { PATH = '', HOME = '' } = process.env; // allowed: the tests' own door to the environment
  const child = spawn(process.execPath, [join(ROOT, 'apps', 'cli', 'dist', 'main.js'), ...words], {
    cwd,
    env: { PATH, HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    texts.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    texts.err += text;
  });
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  return { child, out: () => texts.out, err: () => texts.err, ended };
}

export interface Said {
  readonly code: number | string;
  readonly out: string;
  readonly err: string;
}

export async function holdfast(words: readonly string[], options: Parameters<typeof startHoldfast>[1] = {}): Promise<Said> {
  const started = startHoldfast(words, options);
  const code = await started.ended;
  return { code, out: started.out(), err: started.err() };
}
