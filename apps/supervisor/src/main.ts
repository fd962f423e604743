import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { tradeDateOf } from '@holdfast/core/calendar';
import { EXIT_CODE as SUPERVISED } from '@holdfast/core/supervision/policy';
import { restoredAlert } from '@holdfast/core/supervision/store-loss';
import { loadConfig } from '@holdfast/engine/config-file';
import { makeFolders } from '@holdfast/engine/desk-files';
import { openDeskStore } from '@holdfast/engine/desk-store';
import { EXIT_CODE } from '@holdfast/engine/exit-codes';
import { HEARTBEAT_BYTES, HEARTBEAT_EVERY_MS, isBeating } from '@holdfast/engine/heartbeat';
import * as live from '@holdfast/engine/live';
import { createMemoryFile, type RandomFile } from '@holdfast/engine/random-file';
import { writeAlert } from '@holdfast/store/alerts';
import { attempt } from '@holdfast/store/refusal';
import { runSupervisor } from './run-supervisor.js';
import { storeRefused } from './start-refusal.js';
import { takeSupervisorLease } from './supervisor-lease.js';
import { supervisionPolicy } from './supervisor-policy.js';
import { workerEnvironment } from './worker-environment.js';

/** Starts the two workers, watches them and starts them again. Ends by a signal alone; ends everything when asked to (docs/operations.md). */
const root = fileURLToPath(new URL('../../../', import.meta.url));
const { values } = parseArgs({ options: { config: { type: 'string', default: `${root}desk.yaml` }, var: { type: 'string' } } });

const say = (line: string): void => {
  process.stdout.write(`${new Date().toISOString().slice(0, 19).replace('T', ' ')}Z ${line}\n`);
};
const varArguments = (folder: string | undefined): string[] => (folder === undefined ? [] : ['--var', folder]);
/** A full disk costs the heartbeat (a second supervisor could take this one for hung), not the supervision. */
function heartbeatIn(path: string): RandomFile {
  try {
    return live.openRandomFile(path, HEARTBEAT_BYTES);
  } catch (error) {
    say(
      `WARNING the heartbeat file cannot be written (${error instanceof Error ? error.message : String(error)}). Supervision goes on; free disk space, then start it again.`,
    );
    return createMemoryFile(HEARTBEAT_BYTES);
  }
}
function refuse(words: string, code: number): never {
  process.stderr.write(`supervisor: ${words}\n`);
  process.exit(code);
}

// With a broken desk.yaml the exit manager goes on with the last one that worked, so its supervisor does too.
const loaded = loadConfig({ path: values.config, varFolder: values.var, environment: process.env, mayFallBack: true });
if (!loaded.ok) refuse(loaded.detail, EXIT_CODE.badConfiguration);
const { config, files, fallbackBecause } = loaded;
const policy = supervisionPolicy(config, process.env.HOLDFAST_TEST_SUPERVISION);

const folders = makeFolders(files);
if (!folders.ok) refuse(folders.detail, EXIT_CODE.storeUnusable);
const store = openDeskStore(files, live.wall());
if (!store.ok) refuse(storeRefused(store, files.store), EXIT_CODE.storeUnusable);
const heartbeatFile = files.heartbeat('supervisor');
const me = live.thisProcess();
const machine = { ...live.machineTime, me, sleep: live.sleep, isGone: live.isGone, kill: (pid: number) => live.sendSignal(pid, 'SIGKILL') };
const taken = await takeSupervisorLease(store.db, { ...machine, heartbeat: () => live.readHeartbeat(heartbeatFile) }, policy.stillMsMax);
if (!taken.ok && taken.code === 'ALREADY_SUPERVISED') refuse(taken.detail, SUPERVISED.alreadySupervised);
if (!taken.ok) refuse(storeRefused(taken, files.store), EXIT_CODE.storeUnusable);

if (fallbackBecause !== null) say(`WARNING ${fallbackBecause}\nGoing on with the last configuration that worked, ${files.lastGoodConfig}.`);
if (store.restored !== null) {
  const guard = live.readHeartbeat(files.heartbeat('exit-manager'));
  const isAlive = isBeating(guard, { mono: live.mono(), bootId: me.bootId, stillMs: policy.stillMsMax });
  const isGuarded = isAlive && guard?.phase === 'READY';
  const words = restoredAlert(store.restored.why, { ...store.restored, isGuarded });
  say(`${words.level.toUpperCase()} ${words.code}: ${words.happened} ${words.did} ${words.todo}`);
  const now = live.wall();
  const told = attempt(() =>
    store.db.immediate(() => writeAlert(store.db, words, { worker: 'supervisor', tradeDate: tradeDateOf(now), now })),
  );
  if (told !== undefined) say(`the alert about it is not written: ${told.detail}`);
}
if (!taken.isOnRecord)
  say(
    'WARNING the store takes no write: a full disk, or somebody holds it locked. The workers are started all the same, exits go on, entries wait. Free disk space, or close whatever holds the database.',
  );
if (store.backup !== null) say(`the store was copied to ${store.backup} and migrated: ${store.applied.join(', ')}`);
const supervisor = runSupervisor({
  config,
  files,
  policy,
  db: store.db,
  lease: taken.lease,
  isOnRecord: taken.isOnRecord,
  say,
  live,
  me,
  heartbeat: heartbeatIn(heartbeatFile),
  programs: { node: process.execPath, root, args: varArguments(values.var), env: workerEnvironment(process.env) },
  stoppedCode: process.env.pm_id === undefined ? SUPERVISED.clean : SUPERVISED.stoppedUnderPm2,
  onEnd: code => process.exit(code),
});

live.every(50, supervisor.turn);
live.every(HEARTBEAT_EVERY_MS, supervisor.beat);
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => supervisor.leave(signal));
process.on('SIGINT', () => supervisor.interrupt(process.stdin.isTTY === true));
// pm2's daemon died: the one it starts next brings a supervisor of its own.
process.on('disconnect', () => supervisor.leave('pm2 is gone'));
process.on('uncaughtException', error => supervisor.fail(error));
