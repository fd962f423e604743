import { join } from 'node:path';
import { createIbBroker } from '@holdfast/brokers/ib/ib-broker';
import * as dayTrader from '@holdfast/core/day-trader';
import * as exitManager from '@holdfast/core/exit-manager';
import { CLIENT_ID } from '@holdfast/core/orders/order';
import type { BrokerListener, BrokerPort } from '@holdfast/core/ports';
import { boot } from '@holdfast/engine/boot';
import { configBoundTo } from '@holdfast/engine/bound-config';
import { createExchangeClock } from '@holdfast/engine/clock';
import { readLastGood } from '@holdfast/engine/config-file';
import { createEmergencyFile, EMERGENCY_FILE_BYTES } from '@holdfast/engine/emergency-file';
import { createJournal } from '@holdfast/engine/journal';
import { createJournalFiles } from '@holdfast/engine/journal-files';
import type { LiquidationParts } from '@holdfast/engine/liquidate';
import { createLog } from '@holdfast/engine/log';
import { readVersion, rulesFingerprint } from '@holdfast/engine/rules-build';
import { dayTraderRulesOf, exitRulesOf } from '@holdfast/engine/rules-of-config';
import { createShell, type Shell } from '@holdfast/engine/shell';
import { releaseLease } from '@holdfast/store/leases';
import type { Desk } from './desk.js';
import type { Machine } from './machine.js';
import { wordsOf } from './problem.js';

const TURN_MS = 20;
const BUSY_MS = 200;

/** The adapter as the workers use it, under any client id. */
export const connectTo =
  ({ config }: Desk, machine: Machine) =>
  (clientId: number, onEvent: BrokerListener, account: string | null = null): BrokerPort =>
    createIbBroker(
      { ...config.gateway, clientId, ...(account === null ? {} : { account }), paced: config.mode === 'demo', liveData: 1 },
      { onEvent, timers: machine, mono: machine.mono },
    );

/**
 * Runs a worker's own brain in the emergency tool's process: the exit manager's to sell, the day trader's (cancel-only) to withdraw what a
 * dead one left working. Same lease, same client id, same emergency file, so it is that worker's successor in every respect.
 */
export function workerStarter(desk: Desk, machine: Machine): LiquidationParts['startWorker'] {
  return async (worker, { storePath, onStop }) => {
    const clock = createExchangeClock(machine);
    const log = createLog({
      worker: `liquidator/${worker}`,
      file: desk.files.log('liquidator'),
      level: 'info',
      exchange: clock.exchange,
      wall: machine.wall,
      stderr: false,
      onBroken: () => undefined,
    });
    const isGuard = worker === 'exit-manager';
    const kept = isGuard ? createEmergencyFile(machine.openRandomFile(desk.files.emergency(worker), EMERGENCY_FILE_BYTES)) : null;
    // Merged into a store that will be thrown away, it still has to be merged into the real one.
    const isCopy = storePath !== desk.files.store;
    const emergency = kept && isCopy ? { ...kept, wipe: () => ({ ok: true as const }) } : kept;
    const booted = await boot({
      name: worker,
      storePath,
      busyTimeoutMs: BUSY_MS,
      holder: machine.thisProcess(),
      isGone: machine.isGone,
      emergency,
      log,
      mono: machine.mono,
      wall: machine.wall,
      sleep: machine.sleep,
    });
    if (!booted.ok) return { ok: false, detail: booted.detail };
    // A slip in desk.yaml must not stand in the way of a sale.
    const lastGood = () => readLastGood(desk.files, { HOLDFAST_ACCOUNT: machine.environment.HOLDFAST_ACCOUNT });
    const { config, mismatch } = configBoundTo(booted.binding, desk.config, lastGood);
    const { keepDays, dayMegabytesMax } = config.journal;
    const sink = createJournalFiles({ folder: join(desk.files.journals('liquidator'), worker), keepDays });
    const journal = createJournal({ worker, version: readVersion(), sink, dayBytesMax: dayMegabytesMax * 1e6, log });
    const connect = connectTo({ ...desk, config }, machine);
    const common = { name: worker, config, booted, clock, emergency, log, alerts: mismatch ? [mismatch] : [], recorder: journal, onStop };
    const dial = (listener: BrokerListener): BrokerPort =>
      connect(CLIENT_ID[worker], listener, config.account ?? booted.binding?.account ?? null);
    const shell: Shell = isGuard
      ? createShell({
          ...common,
          brain: exitManager,
          createState: start => {
            const given = { ...start, rules: exitRulesOf(config), isMinimal: false };
            journal.begin(given);
            return exitManager.createState(given);
          },
          connect: dial,
        })
      : createShell({
          ...common,
          brain: dayTrader,
          createState: start => {
            const given = { ...start, rules: dayTraderRulesOf(config), isCancelOnly: true };
            journal.begin(given);
            return dayTrader.createState(given);
          },
          connect: dial,
        });
    void rulesFingerprint().then(journal.tellRules, (error: unknown) => log('warn', 'rules-not-read', { why: wordsOf(error) }));
    const stopTurns = machine.every(TURN_MS, () => shell.beat());
    return {
      ok: true,
      stop() {
        stopTurns();
        shell.stop();
        releaseLease(booted.db, booted.lease, 'liquidation over');
        booted.db.close();
      },
    };
  };
}
