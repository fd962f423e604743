import { existsSync } from 'node:fs';
import { deskFiles } from '@holdfast/engine/desk-files';
import type { Verb } from './command-line.js';
import { configFile, openDesk } from './desk.js';
import { runForeground } from './foreground.js';
import { complain, isProblem } from './problem.js';

/** `holdfast start`: the supervisor in the foreground, as pm2 would run it; at a terminal Ctrl+C stops everything gracefully. */
export const addStartCommand: Verb = (program, run) => {
  program
    .command('start')
    .description('start the supervisor in the foreground; it starts and watches both workers. Ctrl+C stops all')
    .addHelpText(
      'after',
      '\nExamples:\n  ./holdfast start\n  ./holdfast --config paper.yaml start\n\nFor a box that trades every day: pm2 start ecosystem.config.cjs',
    )
    .action(() =>
      run(({ machine, screen, config }) => {
        const desk = openDesk(machine, config);
        const file = configFile(machine, config);
        // A desk that has worked before starts even with a broken file, on the last one that worked: the supervisor says so.
        if (isProblem(desk) && !existsSync(deskFiles(file, 'var').lastGoodConfig)) return complain(screen, desk);
        return runForeground(machine, screen, ['apps/supervisor/dist/main.js', '--config', file]);
      }),
    );
};
