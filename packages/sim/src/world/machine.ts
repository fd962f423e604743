import * as dayTrader from '@holdfast/core/day-trader';
import type { Effect } from '@holdfast/core/effects';
import type { Event } from '@holdfast/core/events';
import * as exitManager from '@holdfast/core/exit-manager';
import type { BrokerListener } from '@holdfast/core/ports';
import type { SupervisionPolicy } from '@holdfast/core/supervision/policy';
import type { StartMode, SupervisedWorker, WorkerExit } from '@holdfast/core/supervision/watch';
import type { Config } from '@holdfast/engine/config';
import { EMERGENCY_FILE_BYTES } from '@holdfast/engine/emergency-file';
import type { Heartbeat } from '@holdfast/engine/heartbeat';
import type { Log } from '@holdfast/engine/log';
import { createMemoryFile, type RandomFile } from '@holdfast/engine/random-file';
import { dayTraderRulesOf, exitRulesOf } from '@holdfast/engine/rules-of-config';
import type { ProcessPort } from '@holdfast/engine/supervise';
import { type Db, openStore, type StoreOptions } from '@holdfast/store/db';
import type { StoreFaults } from '@holdfast/store/faults';
import type { LeaseHolder } from '@holdfast/store/leases';
import type { Random } from '../random.js';
import { type Line, type ProcessGround, startProcess, type WorkerProcess } from './process.js';
import type { StorePlace } from './store-place.js';
import { type SupervisorProcess, startSupervisor } from './supervisor-process.js';
import type { WorldTime } from './time.js';

export interface MachineParts {
  readonly time: WorldTime;
  readonly place: StorePlace;
  readonly config: Config;
  readonly watchlist: readonly string[];
  readonly policy: SupervisionPolicy;
  readonly random: Random;
  /** Wraps a file that must survive a failing disk. */
  readonly diskFile: (file: RandomFile) => RandomFile;
  connect(program: WorkerProcess, listener: BrokerListener): Line;
  /** What goes wrong at a connection's calls, null: nothing. */
  storeFaults(program: WorkerProcess | 'supervisor'): StoreFaults;
  journal(program: WorkerProcess, event: Event, effects: readonly Effect[]): void;
  tell(who: string, what: string): void;
  adopted(words: string): void;
  /** A supervisor is content with the store. */
  storeStands(): void;
  started(program: WorkerProcess): void;
  ended(program: WorkerProcess, exit: WorkerExit): void;
  phase(program: WorkerProcess, phase: Heartbeat['phase']): void;
  leased(program: WorkerProcess, leaseId: number): void;
}

/** Processes that log only what a story needs: warnings and errors, as lines of it. */
const logOf =
  (who: () => string, tell: MachineParts['tell']): Log =>
  (level, event, fields) => {
    if (level === 'warn' || level === 'error') tell(who(), `${event}${fields ? ` ${JSON.stringify(fields)}` : ''}`);
  };

/**
 * One trading box: its process table, the files that survive a process, the supervisor and what keeps the supervisor (pm2). Starts, signals
 * and deaths happen here; nothing decides here.
 */
export class Machine {
  readonly heartbeats = new Map<SupervisedWorker, Heartbeat>();
  readonly processes: WorkerProcess[] = [];
  supervisor: SupervisorProcess | null = null;
  isHalted = false;
  readonly #parts: MachineParts;
  readonly #emergency: RandomFile;
  readonly #exits: { readonly exit: WorkerExit; readonly tell: (exit: WorkerExit) => void; readonly by: SupervisorProcess | null }[] = [];
  readonly #watchers = new Map<number, { readonly tell: (exit: WorkerExit) => void; readonly by: SupervisorProcess | null }>();
  readonly #alive = new Set<number>();
  #nextPid = 1_000;
  #supervisorDueAt: number | null = null;
  readonly #bootId = 'boot';

  constructor(parts: MachineParts) {
    this.#parts = parts;
    this.#emergency = createMemoryFile(EMERGENCY_FILE_BYTES);
  }

  /** pm2's part: keeps one supervisor up. */
  startSupervisor(): SupervisorProcess {
    const { time, place, policy, config, tell, storeFaults, storeStands } = this.#parts;
    const pid = this.#newPid();
    const started = startSupervisor({
      pid,
      time,
      place,
      options: place.forProcess(storeFaults('supervisor')),
      keepDays: config.backups.keepDays,
      policy,
      processes: this.#port(),
      log: logOf(() => 'supervisor', tell),
      storeStands,
      isSupervised: () => false,
      say: line => {
        if (line.includes(': adopted')) this.#parts.adopted(line);
      },
      ended: (gone, why) => this.#supervisorEnded(gone, why),
    });
    tell('pm2', `starts the supervisor (${pid})`);
    this.supervisor = started;
    this.#supervisorDueAt = null;
    return started;
  }

  /** A second supervisor beside a living one, started by mistake: it must refuse. Returns whether it did. */
  startSecondSupervisor(): boolean {
    const { time, place, policy, config, tell } = this.#parts;
    const pid = this.#newPid();
    let ended = '';
    const second = startSupervisor({
      pid,
      time,
      place,
      options: place.options(),
      keepDays: config.backups.keepDays,
      policy,
      processes: this.#port(),
      log: logOf(() => 'supervisor 2', tell),
      storeStands: () => undefined,
      isSupervised: () => this.supervisor?.supervision != null && !this.supervisor.isDead && !this.supervisor.isStopped,
      say: () => undefined,
      ended: (_gone, why) => {
        this.#alive.delete(pid);
        ended = why;
      },
    });
    second.turn();
    // With the store locked it neither works nor refuses: it asks again, which is as good.
    const refused = second.supervision === null;
    tell('supervisor 2', refused ? `does not start: ${ended || 'the store does not answer'}` : 'starts to work');
    if (!second.isDead) second.kill('ended by the story');
    return refused;
  }

  /** Deliveries of ends and the restart of a supervisor that is gone; once a round. */
  turn(): void {
    // One that is stopped hears of an end when it is resumed; one that is gone never does.
    for (const end of this.#exits.splice(0)) {
      const { exit, tell, by } = end;
      // It may die of the word before.
      if (by === null || by.isDead) continue;
      if (by.isStopped) this.#exits.push(end);
      else by.inside(() => tell(exit));
    }
    if (this.#supervisorDueAt !== null && this.#parts.time.mono() >= this.#supervisorDueAt) this.startSupervisor();
    this.supervisor?.turn();
  }

  process(worker: SupervisedWorker): WorkerProcess | null {
    for (let index = this.processes.length - 1; index >= 0; index -= 1) {
      const program = this.processes[index];
      if (program?.worker === worker && !program.isDead) return program;
    }
    return null;
  }

  #newPid(): number {
    this.#nextPid += 1;
    this.#alive.add(this.#nextPid);
    return this.#nextPid;
  }

  #supervisorEnded(pid: number, why: string): void {
    this.#alive.delete(pid);
    this.#parts.tell('supervisor', `ends (${why})`);
    this.#supervisorDueAt = this.#parts.time.mono() + this.#parts.random.between(100, 1_500);
  }

  #open(program: WorkerProcess, path: string, options: StoreOptions): Db {
    const { place, storeFaults } = this.#parts;
    return openStore(path, { ...options, ...place.forProcess(storeFaults(program)) });
  }

  #port(): ProcessPort {
    return {
      bootId: this.#bootId,
      heartbeat: worker => this.heartbeats.get(worker) ?? null,
      isGone: holder => !this.#alive.has(holder.pid),
      identify: pid => (this.#alive.has(pid) ? this.#holder(pid) : null),
      signal: (pid, signal) => {
        const program = this.processes.find(candidate => candidate.pid === pid);
        this.#parts.tell('supervisor', `${signal} to ${program?.worker ?? 'nobody'} (${pid})`);
        if (signal === 'SIGKILL') program?.kill();
        else program?.terminate();
      },
      start: (worker, mode, onEnd) => {
        const program = this.#start(worker, mode);
        this.#watchers.set(program.pid, { tell: onEnd, by: this.supervisor });
        return { ok: true, pid: program.pid };
      },
    };
  }

  #holder = (pid: number): LeaseHolder => ({ pid, processStartedAt: String(pid), bootId: this.#bootId });

  #start(worker: SupervisedWorker, mode: StartMode): WorkerProcess {
    const { time, place, config, watchlist, random, tell } = this.#parts;
    const pid = this.#newPid();
    const ground: ProcessGround = {
      time,
      storePath: place.path,
      sight: place.sight,
      config,
      bootId: this.#bootId,
      heartbeats: this.heartbeats,
      emergency: this.#parts.diskFile(this.#emergency),
      isHalted: () => this.isHalted,
      isGone: holder => !this.#alive.has(holder.pid),
      open: (program, path, options) => this.#open(program, path, options),
      connect: (program, listener) => this.#parts.connect(program, listener),
      journal: (program, event, effects) => this.#parts.journal(program, event, effects),
      log: program => logOf(() => program.worker, tell),
      ended: (program, exit) => this.#ended(program, exit),
      phase: (program, phase) => this.#parts.phase(program, phase),
      leased: (program, leaseId) => this.#parts.leased(program, leaseId),
    };
    // 75 ms is an idle machine's start, a busy one needs twice that (reference/measured.md); the tail is a bad disk.
    const bootMs = random.chance(1, 20) ? random.between(300, 3_000) : random.between(70, 300);
    const program =
      worker === 'exit-manager'
        ? startProcess({
            worker,
            mode,
            pid,
            bootMs,
            ground,
            mind: {
              brain: exitManager,
              createState: (start, how) => exitManager.createState({ ...start, rules: exitRulesOf(config), isMinimal: how === 'minimal' }),
            },
          })
        : startProcess({
            worker,
            mode,
            pid,
            bootMs,
            ground,
            mind: {
              brain: dayTrader,
              createState: ({ lease, account, view, at }, how) =>
                dayTrader.createState({
                  rules: dayTraderRulesOf(config, watchlist),
                  account,
                  lease,
                  view,
                  at,
                  isCancelOnly: how === 'cancel-only',
                }),
              isDone: dayTrader.isDone,
            },
          });
    this.processes.push(program);
    this.#parts.started(program);
    tell('supervisor', `starts ${worker} (${pid})${mode === 'normal' ? '' : ` ${mode}`}`);
    return program;
  }

  #ended(program: WorkerProcess, exit: WorkerExit): void {
    this.#alive.delete(program.pid);
    this.#parts.tell(program.worker, `ends (${program.pid}): ${exit.signal ?? `code ${exit.code}`}`);
    this.#parts.ended(program, exit);
    const watcher = this.#watchers.get(program.pid);
    if (watcher) this.#exits.push({ exit, ...watcher });
    this.#watchers.delete(program.pid);
    const index = this.processes.indexOf(program);
    if (index !== -1) this.processes.splice(index, 1);
  }
}
