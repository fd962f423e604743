import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Machine } from './machine.js';
import type { Screen } from './screen.js';

/** The command line: `holdfast <verb>`. Everything real is handed in from here. */
enableCompileCache();
const [live, { runCommandLine }, { EXIT }, { createStream }] = await Promise.all([
  import('@holdfast/engine/live'),
  import('./command-line.js'),
  import('./problem.js'),
  import('./screen.js'),
]);

const { env } = process;
// npm changes into the package's folder; what a person types is relative to where they stand.
const cwd = env.npm_lifecycle_event === 'demo' && env.INIT_CWD ? env.INIT_CWD : process.cwd();

const interruptible = new Set<(signal: string) => void>();
let outlivesReaders = false;

const machine: Machine = {
  ...live.machineTime,
  root: fileURLToPath(new URL('../../../', import.meta.url)),
  cwd,
  node: process.execPath,
  environment: env,
  bootId: live.bootId(),
  sleep: live.sleep,
  every: live.every,
  after: live.after,
  thisProcess: live.thisProcess,
  openRandomFile: live.openRandomFile,
  isGone: live.isGone,
  identify: live.processAt,
  heartbeat: live.readHeartbeat,
  signal: live.sendSignal,
  onInterrupt(stop) {
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    interruptible.add(stop);
    for (const signal of signals) process.on(signal, stop);
    return () => {
      interruptible.delete(stop);
      for (const signal of signals) process.off(signal, stop);
    };
  },
  outliveReaders() {
    outlivesReaders = true;
  },
};

const stream = (to: NodeJS.WriteStream) =>
  createStream({ isTTY: to.isTTY === true, columns: to.columns, write: text => to.write(text) }, env);
const screen: Screen = { out: stream(process.stdout), err: stream(process.stderr) };

// `holdfast … | head` ends the reader first: that is no bug of anybody's. Whoever has processes to stop is told, as at Ctrl+C.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (outlivesReaders) return;
    if (error.code !== 'EPIPE') process.exit(EXIT.bug);
    if (interruptible.size === 0) process.exit(EXIT.ok);
    for (const stop of interruptible) stop('SIGPIPE');
  });
}

try {
  process.exitCode = await runCommandLine(process.argv.slice(2), { machine, screen });
} catch (error) {
  screen.err.line(`holdfast: a bug of ours: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  screen.err.line('  The command ended here; workers that run go on.\n  Please report it with the line you typed.');
  process.exitCode = EXIT.bug;
}
