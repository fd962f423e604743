import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** The exit manager's process: always on, client id 10, the only source of exits. `--minimal` after repeated crashes. */
enableCompileCache();
const [{ createIbBroker }, brain, { CLIENT_ID }, { killAt }, live, { exitRulesOf }, { runWorker }] = await Promise.all([
  import('@holdfast/brokers/ib/ib-broker'),
  import('@holdfast/core/exit-manager'),
  import('@holdfast/core/orders/order'),
  import('@holdfast/engine/kill-at'),
  import('@holdfast/engine/live'),
  import('@holdfast/engine/rules-of-config'),
  import('@holdfast/engine/run-worker'),
]);

const { values } = parseArgs({
  options: { config: { type: 'string' }, var: { type: 'string' }, minimal: { type: 'boolean', default: false } },
});

const worker = await runWorker({
  name: 'exit-manager',
  configPath: values.config ?? fileURLToPath(new URL('../../../desk.yaml', import.meta.url)),
  varFolder: values.var,
  environment: process.env,
  machine: live,
  brain,
  startOf: (start, { config }) => ({ ...start, rules: exitRulesOf(config), isMinimal: values.minimal }),
  connect: ({ config }, account, onEvent) => {
    const broker = createIbBroker(
      {
        ...config.gateway,
        clientId: CLIENT_ID['exit-manager'],
        ...(account === null ? {} : { account }),
        paced: config.mode === 'demo',
        liveData: 1,
      },
      { onEvent, timers: live, mono: live.mono },
    );
    return killAt(broker, process.env.HOLDFAST_TEST_KILL_AT, () => process.kill(process.pid, 'SIGKILL'));
  },
  onReady: flushCompileCache,
  onEnd: (code, words) => {
    if (code !== 0) process.stderr.write(`exit-manager: ${words}\n`);
    process.exit(code);
  },
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => worker?.stop());
process.on('uncaughtException', error => worker?.fail(error));
