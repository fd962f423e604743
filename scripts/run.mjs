/**
 * The root commands: sets up what is missing, then runs the thing with the right Node first on PATH.
 *
 *   node scripts/run.mjs <setup|build|check|test|bench|soak|bounds|demo> [arguments for the thing]
 *
 * Standard output belongs to the thing; the set-up speaks on stderr. The exit code is the thing's.
 */
import { check } from './commands/check.mjs';
import { runForeground } from './commands/foreground.mjs';
import { test } from './commands/test.mjs';
import { report, setup, setupOptions } from './setup.mjs';

const COMMANDS = {
  setup: async args => {
    await setup(setupOptions(args));
    process.stderr.write(
      'setup: ready. `npm run demo` shows a trading day, `npm test` runs the tests, `./holdfast --help` lists the rest.\n',
    );
    return 0;
  },
  build: async args => {
    await setup(setupOptions(args));
    return 0;
  },
  check: async () => check(await setup({ build: false })),
  test: async args => test(await setup(), args),
  bench: async args => runForeground(await setup(), ['test/bench/main.mjs', ...args]),
  soak: async args => runForeground(await setup(), ['test/soak/main.mjs', ...args]),
  bounds: async args => runForeground(await setup(), ['test/bounds/main.mjs', ...args]),
  demo: async args => runForeground(await setup(), ['apps/cli/dist/main.js', 'demo', ...args]),
};

async function main([name, ...args]) {
  const command = COMMANDS[name];
  if (command === undefined) {
    process.stderr.write(`usage: node scripts/run.mjs <${Object.keys(COMMANDS).join('|')}> [arguments]\n`);
    return 64;
  }
  return command(args);
}

main(process.argv.slice(2)).then(
  code => {
    process.exitCode = code;
  },
  error => {
    process.exitCode = report(error);
  },
);
