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
    for (const signal of signals) process.on(signal, stop);
    return () => {
      for (const signal of signals) process.off(signal, stop);
    };
  },
};

const stream = (to: NodeJS.WriteStream) =>
  createStream({ isTTY: to.isTTY === true, columns: to.columns, write: text => to.write(text) }, env);
const screen: Screen = { out: stream(process.stdout), err: stream(process.stderr) };

// `holdfast … | head` ends the reader first: that is no bug of anybody's.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.bug));

try {
  process.exitCode = await runCommandLine(process.argv.slice(2), { machine, screen });
} catch (error) {
  screen.err.line(`holdfast: a bug of ours: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  screen.err.line('  The command ended here; workers that run go on.\n  Please report it with the line you typed.');
  process.exitCode = EXIT.bug;
}
