import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Machine } from './machine.js';
import { complain, EXIT } from './problem.js';
import type { Screen } from './screen.js';

/**
 * Runs another program of the checkout in the foreground, with this one's streams, and gives its exit code. SIGTERM and SIGHUP are
 * passed on. Ctrl+C at a terminal reaches the whole group by itself, and a second one means "now" there: only elsewhere it is passed on.
 */
export async function runForeground(machine: Machine, screen: Screen, [program, ...args]: readonly [string, ...string[]]): Promise<number> {
  const script = join(machine.root, program);
  if (!existsSync(script)) {
    return complain(screen, {
      code: EXIT.unavailable,
      happened: `${program} is not there: this checkout is not built.`,
      did: 'Nothing was started.',
      todo: 'Run `npm run setup` in the checkout, then try again.',
    });
  }
  const child = spawn(machine.node, [script, ...args], { cwd: machine.cwd, env: machine.environment, stdio: 'inherit' });
  const atTerminal = screen.out.isTerminal || screen.err.isTerminal;
  const forget = machine.onInterrupt(signal => {
    if (signal !== 'SIGINT' || !atTerminal) child.kill(signal as NodeJS.Signals);
  });
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(signal === null ? (code ?? EXIT.ok) : 128 + constants.signals[signal]));
    });
  } finally {
    forget();
  }
}
