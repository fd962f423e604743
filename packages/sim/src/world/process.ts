import type { Effect } from '@holdfast/core/effects';
import type { Event } from '@holdfast/core/events';
import type { BrokerListener, BrokerPort } from '@holdfast/core/ports';
import type { StartMode, SupervisedWorker, WorkerExit } from '@holdfast/core/supervision/watch';
import { type EpochMs, type MonoMs, monoMs } from '@holdfast/core/units';
import { ASK_AGAIN_MS, type Booted, createBoot, type LastBeat } from '@holdfast/engine/boot';
import { createExchangeClock, type ExchangeClock } from '@holdfast/engine/clock';
import type { Config } from '@holdfast/engine/config';
import { createEmergencyFile } from '@holdfast/engine/emergency-file';
import { EXIT_CODE } from '@holdfast/engine/exit-codes';
import { HEARTBEAT_EVERY_MS, type Heartbeat, holderOf, isBeating } from '@holdfast/engine/heartbeat';
import type { Log } from '@holdfast/engine/log';
import type { RandomFile } from '@holdfast/engine/random-file';
import { type BrainStart, createShell, type Shell } from '@holdfast/engine/shell';
import type { Brain, Stop } from '@holdfast/engine/worker';
import type { Db, StoreOptions } from '@holdfast/store/db';
import { type LeaseHolder, releaseLease } from '@holdfast/store/leases';
import { type StoreFileLook, type StoreSight, storeTrouble } from '@holdfast/store/store-file';
import { Crash } from './crash.js';
import type { WorldTime } from './time.js';

/** What a process hears of the gateway, and what it may send. */
export interface Line extends BrokerPort {
  /** Hands over what has arrived by now. Returns how many messages that were. */
  deliver(now: MonoMs): number;
  /** Nothing arrives though the connection seems up. */
  readonly isSilent: boolean;
}

/** One of the two workers' brains with its way to begin; the same functions live and here. */
export interface WorkerBrain<S> {
  readonly brain: Brain<S>;
  readonly createState: (start: BrainStart, mode: StartMode) => S;
  readonly isDone?: (state: S) => boolean;
}

/** What the machine gives every process on it, and keeps when one dies. */
export interface ProcessGround {
  readonly time: WorldTime;
  readonly bootId: string;
  readonly storePath: string;
  readonly sight: StoreSight;
  readonly config: Config;
  readonly emergency: RandomFile;
  readonly heartbeats: Map<SupervisedWorker, Heartbeat>;
  isHalted(): boolean;
  isGone(holder: LeaseHolder): boolean;
  open(program: WorkerProcess, path: string, options: StoreOptions): Db;
  connect(program: WorkerProcess, listener: BrokerListener): Line;
  journal(program: WorkerProcess, event: Event, effects: readonly Effect[]): void;
  log(program: WorkerProcess): Log;
  ended(program: WorkerProcess, exit: WorkerExit): void;
  phase(program: WorkerProcess, phase: Heartbeat['phase']): void;
  leased(program: WorkerProcess, leaseId: number): void;
}

export interface ProcessParts<S> {
  readonly worker: SupervisedWorker;
  readonly mode: StartMode;
  readonly pid: number;
  /** Machine time from the start to the first line of our own code. */
  readonly bootMs: number;
  readonly mind: WorkerBrain<S>;
  readonly ground: ProcessGround;
}

const GUARD_STILL_MS = 1_000;

/** One process of a worker: boots in steps, beats, is stopped and resumed, dies. The engine's own boot, shell and loop inside it. */
export abstract class WorkerProcess {
  abstract readonly worker: SupervisedWorker;
  abstract readonly pid: number;
  abstract readonly mode: StartMode;
  abstract readonly leaseId: number | null;
  /** SIGSTOP: neither hears nor acts until it is resumed. */
  isStopped = false;
  /** Its own stack is under way: somebody else's turn may not enter it. */
  isInCall = false;
  isDead = false;
  abstract readonly phase: Heartbeat['phase'];
  /** It has worked off everything told up to the last word about the time, and waits for nothing. */
  abstract readonly isSettled: boolean;
  abstract deliver(): number;
  abstract beat(): void;
  abstract tellTime(): void;
  abstract terminate(): void;
  abstract kill(): void;
}

export function startProcess<S>(parts: ProcessParts<S>): WorkerProcess {
  return new RunningProcess(parts);
}

class RunningProcess<S> extends WorkerProcess {
  readonly worker: SupervisedWorker;
  readonly pid: number;
  readonly mode: StartMode;
  readonly #parts: ProcessParts<S>;
  readonly #holder: LeaseHolder;
  readonly #clock: ExchangeClock;
  readonly #log: Log;
  #boot: ReturnType<typeof createBoot>;
  #bootAt: MonoMs;
  /** As it was before the boot: a file that is replaced in between counts as replaced. */
  #storeFile: StoreFileLook | null = null;
  #booted: Booted | null = null;
  #shell: Shell | null = null;
  #line: Line | null = null;
  #listener: BrokerListener | null = null;
  #counter = 0;
  #beatAt: MonoMs | null = null;
  #phase: Heartbeat['phase'] = 'STARTING';
  #toldAt: EpochMs | null = null;
  #settledAt: EpochMs | null = null;
  /** The gateway said the time while this process could not hear: the word waits in its socket, before whatever is said after it. */
  #hasTimeWaiting = false;

  constructor(parts: ProcessParts<S>) {
    super();
    const { worker, pid, mode, ground } = parts;
    this.#parts = parts;
    this.worker = worker;
    this.pid = pid;
    this.mode = mode;
    this.#holder = { pid, processStartedAt: String(pid), bootId: ground.bootId };
    this.#clock = createExchangeClock(ground.time);
    this.#log = ground.log(this);
    this.#bootAt = monoMs(ground.time.mono() + parts.bootMs);
    this.#boot = createBoot({
      name: worker,
      storePath: ground.storePath,
      busyTimeoutMs: 0,
      synchronous: 'OFF',
      open: (path, options) => ground.open(this, path, options),
      holder: this.#holder,
      isGone: ground.isGone,
      emergency: this.#isGuard ? createEmergencyFile(ground.emergency) : null,
      lastBeat: () => lastBeatOf(ground.heartbeats.get(worker) ?? null),
      log: this.#log,
      mono: ground.time.mono,
      wall: ground.time.wall,
    });
  }

  get #isGuard(): boolean {
    return this.worker === 'exit-manager';
  }

  get leaseId(): number | null {
    return this.#booted?.lease.leaseId ?? null;
  }

  get phase(): Heartbeat['phase'] {
    return this.isDead ? 'STOPPING' : this.#phase;
  }

  get isSettled(): boolean {
    return this.#toldAt !== null && this.#settledAt === this.#toldAt;
  }

  deliver(): number {
    const line = this.#line;
    if (line === null || !this.#mayAct) return 0;
    if (this.#hasTimeWaiting) this.tellTime();
    let count = 0;
    this.#inside(() => {
      count = line.deliver(this.#parts.ground.time.mono());
    });
    return count;
  }

  beat(): void {
    if (!this.#mayAct) return;
    this.#inside(() => {
      if (this.#shell === null) this.#start();
      else this.#shell.beat();
      if (!this.isDead) this.#pulse();
    });
  }

  /** Message 49, as the gateway says it: no more of it arrives than of anything else. A worker that has nothing unanswered acknowledges it. */
  tellTime(): void {
    const listener = this.#listener;
    const canHear = this.#mayAct && this.#line?.isSilent !== true;
    this.#hasTimeWaiting = !canHear && !this.isDead;
    if (listener === null || !canHear || this.#line?.isUp !== true) return;
    const now = this.#parts.ground.time.exchange();
    this.#toldAt = now;
    this.#inside(() => listener({ kind: 'time', seconds: Math.floor(now / 1000) }));
  }

  /** SIGTERM. One that is stopped hears of it when it is resumed, which the watcher's SIGKILL does not wait for. */
  terminate(): void {
    if (this.isStopped || this.isDead) return;
    if (this.#shell !== null) this.#inside(() => this.#shell?.stop());
    else this.#end({ pid: this.pid, code: EXIT_CODE.clean, signal: null });
  }

  /** kill −9: whatever it was doing is rolled back, its socket is gone, its memory too. */
  kill(): void {
    this.#end({ pid: this.pid, code: null, signal: 'SIGKILL' });
  }

  get #mayAct(): boolean {
    return !this.isDead && !this.isStopped && !this.isInCall;
  }

  #inside(work: () => void): void {
    this.isInCall = true;
    try {
      work();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.kill();
    } finally {
      this.isInCall = false;
    }
  }

  #start(): void {
    const { ground, mind, mode } = this.#parts;
    const now = ground.time.mono();
    if (now < this.#bootAt) return;
    if (this.#storeFile === null) {
      const look = ground.sight.look();
      if (look !== 'unknown') this.#storeFile = look;
    }
    const word = this.#boot.step();
    if (word === 'waiting') {
      this.#bootAt = monoMs(now + ASK_AGAIN_MS);
      return;
    }
    if (!word.ok) {
      this.#log('error', 'not-started', { code: word.exitCode, why: word.detail });
      this.#end({ pid: this.pid, code: word.exitCode, signal: null });
      return;
    }
    this.#booted = word;
    ground.leased(this, word.lease.leaseId);
    const storeFile = this.#storeFile;
    this.#shell = createShell<S>({
      name: this.worker,
      config: ground.config,
      booted: word,
      brain: this.#journaled(mind.brain),
      createState: start => mind.createState(start, mode),
      clock: this.#clock,
      connect: listener => this.#connect(listener),
      emergency: this.#isGuard ? createEmergencyFile(ground.emergency) : null,
      log: this.#log,
      ...(this.#isGuard ? {} : { guard: () => this.#guardPulse() }),
      isHalted: () => ground.isHalted(),
      ...(storeFile ? { storeTrouble: () => storeTrouble(storeFile, ground.sight.look()) } : {}),
      ...(mind.isDone ? { isDone: mind.isDone } : {}),
      alerts: [],
      onStop: stop => this.#stopped(stop),
    });
  }

  #journaled(brain: Brain<S>): Brain<S> {
    const { ground } = this.#parts;
    return {
      ...brain,
      decide: (state, event) => {
        const step = brain.decide(state, event);
        ground.journal(this, event, step.effects);
        return step;
      },
    };
  }

  #connect(listener: BrokerListener): BrokerPort {
    const { ground } = this.#parts;
    this.#listener = listener;
    const line = ground.connect(this, listener);
    this.#line = line;
    return {
      connect: () => line.connect(),
      close: () => line.close(),
      get isUp() {
        return line.isUp;
      },
      send: what => line.send(what),
      acknowledgeTime: () => {
        this.#settledAt = this.#toldAt;
      },
    };
  }

  #guardPulse() {
    const { ground } = this.#parts;
    const beat = ground.heartbeats.get('exit-manager') ?? null;
    const now = { mono: ground.time.mono(), bootId: ground.bootId, stillMs: GUARD_STILL_MS };
    return { alive: isBeating(beat, now), phase: beat?.phase ?? 'STARTING' };
  }

  #pulse(): void {
    if (this.#shell === null || this.#booted === null) return;
    const { ground } = this.#parts;
    const facts = this.#shell.facts();
    const mono = ground.time.mono();
    if (this.#beatAt !== null && facts.phase === this.#phase && mono - this.#beatAt < HEARTBEAT_EVERY_MS) return;
    this.#beatAt = mono;
    if (facts.phase !== this.#phase) ground.phase(this, facts.phase);
    this.#phase = facts.phase;
    this.#counter += 1;
    const { pid, processStartedAt, bootId } = this.#holder;
    ground.heartbeats.set(this.worker, {
      ...facts,
      counter: this.#counter,
      pid,
      processStartedAt,
      bootId,
      leaseId: this.#booted.lease.leaseId,
      mono,
      exchange: this.#clock.exchange(),
    });
  }

  #stopped({ code, error }: Stop): void {
    if (this.isDead) return;
    if (error instanceof Crash) {
      this.kill();
      return;
    }
    if (code === EXIT_CODE.clean && this.#booted) releaseLease(this.#booted.db, this.#booted.lease);
    if (code === EXIT_CODE.bug)
      this.#log('error', 'bug', { words: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    this.#end({ pid: this.pid, code, signal: null });
  }

  #end(exit: WorkerExit): void {
    if (this.isDead) return;
    this.isDead = true;
    this.#line?.close();
    if (this.#booted) this.#booted.db.close();
    else this.#boot.abandon();
    this.#parts.ground.ended(this, exit);
  }
}

function lastBeatOf(beat: Heartbeat | null): LastBeat | null {
  const holder = holderOf(beat);
  return beat && holder ? { holder, leaseId: beat.leaseId } : null;
}
