import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/**
 * Runs a program of this checkout in the foreground with its standard streams and returns its exit code (128 + signal
 * number where a signal ended it). SIGTERM and SIGHUP are passed on. Ctrl+C at a terminal reaches the whole group by
 * itself, and a second SIGINT means "now" to the product, so it is passed on only where no terminal is attached.
 */
export function runForeground({ root, node, env }, [program, ...args]) {
  const file = path.join(root, program);
  if (!fs.existsSync(file)) {
    process.stderr.write(
      `${program} is not there, so there is nothing to run. Nothing was started. Check the checkout with \`git status\`.\n`,
    );
    return Promise.resolve(69);
  }
  return new Promise((resolve, reject) => {
    const child = spawn(node, [file, ...args], { cwd: root, env, stdio: 'inherit' });
    const atTerminal = Boolean(process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY);
    const passOn = signal => {
      if (signal !== 'SIGINT' || !atTerminal) child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, passOn);
    const end = () => {
      for (const signal of signals) process.removeListener(signal, passOn);
    };
    child.on('error', error => {
      end();
      reject(error);
    });
    child.on('close', (code, signal) => {
      end();
      resolve(signal === null ? code : 128 + os.constants.signals[signal]);
    });
  });
}
