import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** The day trader's process: restartable, client id 2, the only source of entries. `--cancel-only` withdraws its entries, makes none, and ends. */
enableCompileCache();
const [{ createIbBroker }, brain, { CLIENT_ID }, { readWatchlist }, { killAt }, live, { dayTraderRulesOf }, { runWorker }] =
  await Promise.all([
    import('@holdfast/brokers/ib/ib-broker'),
    import('@holdfast/core/day-trader'),
    import('@holdfast/core/orders/order'),
    import('@holdfast/engine/config-file'),
    import('@holdfast/engine/kill-at'),
    import('@holdfast/engine/live'),
    import('@holdfast/engine/rules-of-config'),
    import('@holdfast/engine/run-worker'),
  ]);

const { values } = parseArgs({
  options: { config: { type: 'string' }, var: { type: 'string' }, 'cancel-only': { type: 'boolean', default: false } },
});

const worker = await runWorker({
  name: 'day-trader',
  configPath: values.config ?? fileURLToPath(new URL('../../../desk.yaml', import.meta.url)),
  varFolder: values.var,
  environment: process.env,
  machine: live,
  brain,
  startOf: ({ lease, account, view, at }, { config, files, log }) => {
    const { symbols, problems } = readWatchlist(config, files);
    for (const problem of problems) log('warn', 'watchlist-problem', { problem });
    return { rules: dayTraderRulesOf(config, symbols), account, lease, view, at, isCancelOnly: values['cancel-only'] };
  },
  connect: ({ config }, account, onEvent) => {
    const broker = createIbBroker(
      {
        ...config.gateway,
        clientId: CLIENT_ID['day-trader'],
        ...(account === null ? {} : { account }),
        paced: config.mode === 'demo',
        liveData: dayTraderRulesOf(config).delayedDataAllowed ? 3 : 1,
      },
      { onEvent, timers: live, mono: live.mono },
    );
    return killAt(broker, process.env.HOLDFAST_TEST_KILL_AT, () => process.kill(process.pid, 'SIGKILL'));
  },
  isDone: brain.isDone,
  onReady: flushCompileCache,
  onEnd: (code, words) => {
    if (code !== 0) process.stderr.write(`day-trader: ${words}\n`);
    process.exit(code);
  },
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => worker?.stop());
process.on('uncaughtException', error => worker?.fail(error));
