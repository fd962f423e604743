import type { Verb } from './command-line.js';
import { runForeground } from './foreground.js';

/** `holdfast gateway`: the simulated gateway alone, for trying things by hand. Its own options are passed on as they are. */
export const addGatewayCommand: Verb = (program, run) => {
  program
    .command('gateway')
    .description('run the simulated IB Gateway alone; options after it are its own (see `gateway --help`)')
    .argument('[options...]', 'options of the gateway')
    .helpOption(false)
    .allowUnknownOption()
    .action((options: readonly string[]) =>
      run(({ machine, screen }) => runForeground(machine, screen, ['apps/gateway-sim/dist/main.js', ...options])),
    );
};
