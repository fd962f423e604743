import { spawn } from 'node:child_process';

const live = new Set();

/** Prints a progress line. Standard output belongs to the command that follows the set-up. */
export function say(line) {
  process.stderr.write(`setup: ${line}\n`);
}

/**
 * Runs a tool to its end and returns its exit code and everything it printed. What it prints is also shown, line by
 * line, where `show` says so; a step that stays quiet says every 10 seconds that it is still alive.
 */
export function runTool(file, args, { cwd, env, doing, show = () => false }) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    live.add(child);
    const startedAt = Date.now();
    const pulse = setInterval(() => say(`still ${doing} (${Math.round((Date.now() - startedAt) / 1000)} s)`), 10000);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream.setEncoding('utf8');
      stream.on('data', text => {
        output += text;
        const lines = (rest + text).split('\n');
        rest = lines.pop() || '';
        for (const line of lines) if (show(line)) process.stderr.write(`  ${line}\n`);
      });
    }
    const end = () => {
      clearInterval(pulse);
      live.delete(child);
    };
    child.on('error', error => {
      end();
      reject(error);
    });
    child.on('close', (code, signal) => {
      end();
      resolve({ code: code === null ? 128 : code, signal, output });
    });
  });
}

/** Ends what is still running when the set-up itself is told to end. */
export function stopTools(signal) {
  for (const child of live) child.kill(signal);
}
