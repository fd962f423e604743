/**
 * pm2 keeps the supervisor up, nothing else: the supervisor keeps the workers (docs/operations.md).
 *   npx pm2 start ecosystem.config.cjs
 */
const fs = require('node:fs');
const path = require('node:path');

const root = __dirname;
/** The Node that the set-up chose, so that the store's native module fits; without a set-up, the one pm2 runs on. */
const chosen = path.join(root, '.runtime', 'bin', 'node');
/** Another desk than the repository's own: HOLDFAST_DESK=/path/to/desk.yaml npx pm2 start … */
const desk = path.resolve(process.env.HOLDFAST_DESK || path.join(root, 'desk.yaml'));
const logs = path.join(path.dirname(desk), 'var', 'log');

module.exports = {
  apps: [
    {
      name: 'holdfast',
      cwd: root,
      // Relative to cwd: pm2 takes a script with a space in its path for a shell command.
      script: path.join('apps', 'supervisor', 'dist', 'main.js'),
      args: ['--config', desk],
      interpreter: fs.existsSync(chosen) ? chosen : process.execPath,
      exec_mode: 'fork',
      instances: 1,
      // By default pm2 kills every process below the one it stops: the workers, and with them the protection.
      treekill: false,
      kill_timeout: 10000,
      autorestart: true,
      // 4: another supervisor is at work; 7: everything was stopped on request; 78: desk.yaml is wrong and there is no earlier one.
      // Never 0: pm2 takes a kill -9 for a 0.
      stop_exit_codes: [4, 7, 78],
      exp_backoff_restart_delay: 100,
      max_restarts: 1000000,
      min_uptime: 1000,
      out_file: path.join(logs, 'supervisor.out'),
      error_file: path.join(logs, 'supervisor.err'),
      merge_logs: true,
      // Nothing of pm2 inside the process: no file watching, no git lookups, no metrics agent.
      watch: false,
      vizion: false,
      pmx: false,
      automation: false,
    },
  ],
};
