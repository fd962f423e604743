import { existsSync } from 'node:fs';
import type { SupervisionPolicy } from '@holdfast/core/supervision/policy';
import type { StartMode, SupervisedWorker } from '@holdfast/core/supervision/watch';
import type { EpochMs, MonoMs } from '@holdfast/core/units';
import type { Config } from '@holdfast/engine/config';
import { printRedacted } from '@holdfast/engine/config';
import type { DeskFiles } from '@holdfast/engine/desk-files';
import { STORE_OPTIONS } from '@holdfast/engine/desk-store';
import { EXIT_CODE } from '@holdfast/engine/exit-codes';
import { type Heartbeat, holderOf, writeHeartbeat } from '@holdfast/engine/heartbeat';
import { createLog } from '@holdfast/engine/log';
import type { RandomFile } from '@holdfast/engine/random-file';
import { spawnDetached } from '@holdfast/engine/spawn';
import { formatStatus, readStatus } from '@holdfast/engine/status';
import { createStoreKeeper } from '@holdfast/engine/store-keeper';
import { createSupervision, type ProcessPort } from '@holdfast/engine/supervise';
import type { Db } from '@holdfast/store/db';
import { type Lease, type LeaseHolder, releaseLease } from '@holdfast/store/leases';
import { attempt } from '@holdfast/store/refusal';
import { lastWordsIn } from './last-words.js';

/** What the live body gives (engine/live.ts); named here because only main.ts may import that file. */
export interface LiveMachine {
  mono(): MonoMs;
  wall(): EpochMs;
  bootId(): string;
  isGone(holder: LeaseHolder): boolean;
  processAt(pid: number): LeaseHolder | null;
  sendSignal(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void;
  readHeartbeat(path: string): Heartbeat | null;
}

export interface SupervisorParts {
  readonly config: Config;
  readonly files: DeskFiles;
  readonly policy: SupervisionPolicy;
  readonly db: Db;
  readonly lease: Lease;
  /** False: the store took no write, and the lease is put on record as soon as it does. */
  readonly isOnRecord: boolean;
  readonly say: (line: string) => void;
  readonly live: LiveMachine;
  readonly me: LeaseHolder;
  readonly heartbeat: RandomFile;
  readonly programs: WorkerPrograms;
  /** Exit code after a stop of everything. */
  readonly stoppedCode: number;
  readonly onEnd: (code: number) => void;
}

export interface WorkerPrograms {
  readonly node: string;
  /** The checkout, with a slash at its end. */
  readonly root: string;
  /** What both workers get besides the configuration's path. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface RunningSupervisor {
  turn(): void;
  beat(): void;
  /** Ends this process alone; the workers go on, and the next supervisor adopts them (requirement A4). */
  leave(why: string): void;
  /** Ctrl+C at a terminal stops everything, a second one leaves; without a terminal it is pm2's way to stop, and means leave. */
  interrupt(atTerminal: boolean): void;
  /** A bug: ends with a crash code. Whoever started this one starts it again. */
  fail(error: unknown): void;
}

/**
 * Exit code of a supervisor that left its workers at work. Not 0, which pm2 takes for "stopped on purpose, do not start again": somebody
 * else's SIGTERM must not leave the desk without a supervisor.
 */
const LEFT = 143;

/** Puts the supervisor together from its live parts and starts it. */
export function runSupervisor(parts: SupervisorParts): RunningSupervisor {
  const { config, files, policy, say, live, me } = parts;
  let hasEnded = false;
  let counter = 0;

  // The log is asked for the time while it is made, before there is anybody who could know the exchange's.
  let exchange = live.wall;
  const log = createLog({
    worker: 'supervisor',
    file: files.log('supervisor'),
    level: config.log.level,
    exchange: () => exchange(),
    wall: live.wall,
    stderr: false,
    onBroken: detail =>
      say(`the run log cannot be written (${detail}). Supervision goes on, lines are lost until it can be; free disk space`),
  });

  function end(code: number, why: string): void {
    if (hasEnded) return;
    hasEnded = true;
    log('info', 'supervisor-ends', { code, why });
    const { db, lease } = supervision;
    const released = releaseLease(db, lease, why);
    if (!released.ok) log('warn', 'lease-not-released', { detail: released.detail });
    attempt(() => db.close());
    parts.onEnd(code);
  }

  const supervision = createSupervision({
    policy,
    db: parts.db,
    lease: parts.lease,
    machine: live,
    processes: processPort(parts),
    keeper: createStoreKeeper({
      path: files.store,
      backups: files.backups,
      keepDays: config.backups.keepDays,
      db: parts.db,
      options: STORE_OPTIONS,
      holder: me,
      wall: live.wall,
    }),
    log,
    say,
    showStatus: because => {
      const status = attempt(() => readStatus(supervision.db, statusContext()));
      if (!('ok' in status)) say(`status (${because})\n${formatStatus(status)}`);
      else
        say(
          `status (${because}): the store cannot be read (${status.detail}). Supervision goes on; look at disk space and at who holds the database`,
        );
    },
    onEnd: () => end(parts.stoppedCode, 'everything is stopped'),
    ...(parts.isOnRecord ? {} : { unrecorded: me }),
    onReplaced: leave,
  });

  exchange = supervision.exchange;

  function statusContext() {
    return {
      exchange: supervision.exchange(),
      mono: live.mono(),
      bootId: me.bootId,
      stillMsMax: policy.stillMsMax,
      isGone: live.isGone,
      heartbeat: (worker: 'supervisor' | SupervisedWorker) => live.readHeartbeat(files.heartbeat(worker)),
      isHalted: existsSync(files.halt),
    };
  }

  function beat(): void {
    counter += 1;
    writeHeartbeat(parts.heartbeat, {
      counter,
      phase: 'READY',
      pid: me.pid,
      leaseId: supervision.lease.leaseId,
      bootId: me.bootId,
      mono: live.mono(),
      exchange: supervision.exchange(),
      brokerAgeMs: null,
      markAgeMs: null,
      commitAgeMs: null,
      backlog: 0,
    });
  }

  function leave(why: string): void {
    if (!hasEnded) say(`the supervisor ends (${why}); the workers go on, and the next supervisor adopts them`);
    end(LEFT, why);
  }

  beat();
  say(`supervisor ${me.pid} at work, desk ${files.config}`);
  log('info', 'supervisor-starts', { pid: me.pid, config: printRedacted(config) });
  supervision.start();
  return {
    turn: () => {
      if (!hasEnded) supervision.turn();
    },
    beat,
    leave,
    interrupt(atTerminal) {
      if (!atTerminal) return leave('SIGINT');
      if (supervision.state.stop !== null) return leave('Ctrl+C twice');
      say('stopping everything; Ctrl+C once more ends the supervisor alone and leaves the workers at work');
      supervision.ask({ kind: 'stop', id: null, force: false, keepGuard: false });
    },
    fail(error) {
      const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
      log('error', 'bug', { words });
      say(`the supervisor ends because of a bug; the workers go on. Start it again and report this:\n${words}`);
      end(EXIT_CODE.bug, 'bug');
    },
  };
}

function processPort({ files, live, me, programs }: SupervisorParts): ProcessPort {
  const argumentsFor = (mode: StartMode): string[] => [
    '--config',
    files.config,
    ...programs.args,
    ...(mode === 'normal' ? [] : [`--${mode}`]),
  ];
  return {
    start: (worker, mode, onEnd) =>
      spawnDetached(
        {
          node: programs.node,
          script: `${programs.root}apps/${worker}/dist/main.js`,
          args: argumentsFor(mode),
          cwd: programs.root,
          env: programs.env,
          outputFile: files.output(worker),
        },
        exit => onEnd(exit.code === EXIT_CODE.badConfiguration ? { ...exit, ...lastWordsIn(files.output(worker), worker) } : exit),
      ),
    signal: live.sendSignal,
    isGone: live.isGone,
    identify: live.processAt,
    heartbeat: worker => live.readHeartbeat(files.heartbeat(worker)),
    announcedTool: () => holderOf(live.readHeartbeat(files.heartbeat('liquidator'))),
    bootId: me.bootId,
  };
}
