import { tradeDateOf } from '@holdfast/core/calendar';
import type { Alert } from '@holdfast/core/effects';
import { isFinal } from '@holdfast/core/orders/order';
import type { SupervisionPolicy } from '@holdfast/core/supervision/policy';
import { EXIT_CODE } from '@holdfast/core/supervision/policy';
import type { LeaseHolder as LivingHolder } from '@holdfast/core/supervision/restart';
import type {
  FoundWorker,
  SupervisorCommand,
  SupervisorEffect,
  SupervisorEvent,
  SupervisorState,
  WorkerRecord,
} from '@holdfast/core/supervision/state';
import { RESTORED_REASON } from '@holdfast/core/supervision/store-loss';
import { pidOf, type StartMode, type SupervisedWorker, type WorkerExit } from '@holdfast/core/supervision/watch';
import { decide, newSupervisor } from '@holdfast/core/supervisor';
import { type EpochMs, epochMs, type MonoMs } from '@holdfast/core/units';
import { writeAlert } from '@holdfast/store/alerts';
import { readBinding } from '@holdfast/store/binding';
import { blockTraded } from '@holdfast/store/blocks';
import { answerCommand, insertCommand, isCommandWaiting, readAnswer, readCommands, takeCommand } from '@holdfast/store/commands';
import { resetDaily } from '@holdfast/store/daily';
import type { Db } from '@holdfast/store/db';
import { readKillSwitch } from '@holdfast/store/kill-switch';
import { type Lease, type LeaseHolder, readLease } from '@holdfast/store/leases';
import { hasOpenEntry, readLiveOrders } from '@holdfast/store/orders';
import { readPositions } from '@holdfast/store/positions';
import { attempt, type Refusal } from '@holdfast/store/refusal';
import { isParked, writeWorkerEvent } from '@holdfast/store/worker-events';
import { createBacklogWatch } from './backlog-watch.js';
import type { MachineTime } from './clock.js';
import { EventQueue } from './event-queue.js';
import { type Heartbeat, isBeating } from './heartbeat.js';
import { createOwnPause } from './own-pause.js';
import { createStoreDoubt } from './store-doubt.js';
import { backupAlert, type StoreKeeper } from './store-keeper.js';
import { commandOf } from './supervisor-command.js';
import { createLeaseRecord, type LeaseRecordParts } from './unrecorded-lease.js';

/** What the supervisor can do to processes. Live: spawn.ts and the process table; simulated: objects. */
export interface ProcessPort {
  /** `onEnd` is called when a process started here ends; of adopted ones only `isGone` tells. */
  start(
    worker: SupervisedWorker,
    mode: StartMode,
    onEnd: (exit: WorkerExit) => void,
  ): { readonly ok: true; readonly pid: number } | Refusal;
  /** A process that is gone already is no error. */
  signal(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void;
  /** For certain, by pid, start time and boot. */
  isGone(holder: LeaseHolder): boolean;
  /** The process under a pid as it is now, or null when there is none. */
  identify(pid: number): LeaseHolder | null;
  heartbeat(worker: SupervisedWorker): Heartbeat | null;
  /** The emergency tool by the word it left of itself, alive or not: it may have been unable to write its lease. */
  announcedTool?(): LeaseHolder | null;
  readonly bootId: string;
}

export interface SupervisionParts extends LeaseRecordParts {
  readonly policy: SupervisionPolicy;
  readonly db: Db;
  readonly lease: Lease;
  readonly machine: MachineTime;
  readonly processes: ProcessPort;
  /** Restores and copies the store. Without one, neither is done. */
  readonly keeper?: StoreKeeper;
  /** One line for the person at the console. */
  readonly say: (line: string) => void;
  readonly showStatus: (because: string) => void;
  /** Everything is stopped. */
  readonly onEnd: () => void;
}

export interface Supervision {
  /** Adopts what is alive, starts what is not. Once, before the first turn. */
  start(): void;
  /** One round: own pause, heartbeats, the process table, commands, policy. Call it every 50 ms of machine time. */
  turn(): void;
  /** Asked at the terminal rather than by a command row. */
  ask(command: SupervisorCommand): void;
  /** Exchange time as the workers tell it; the wall clock before any of them has. */
  exchange(): EpochMs;
  readonly state: SupervisorState;
  /** The store as it is open now: another one than at the start, once it was restored. */
  readonly db: Db;
  readonly lease: Lease;
}

const WORKERS: readonly SupervisedWorker[] = ['exit-manager', 'day-trader'];
/** Machine time; the row's own expiry is exchange time, which may run fast, so it gets plenty. */
const SECURE_EXPIRES_MS = 600_000;
/** Machine time between two looks for entries that a parked day trader left working. */
const LOOK_FOR_ENTRIES_MS = 1_000;

/** The supervisor's loop without timers: what is seen becomes events of core's policy, and its effects are performed here. */
export function createSupervision(parts: SupervisionParts): Supervision {
  const { machine, processes, log, keeper } = parts;
  const doubt = keeper ? createStoreDoubt(keeper) : null;
  let { db, lease } = parts;
  const leaseRecord = createLeaseRecord(parts);
  const queue = new EventQueue<SupervisorEvent>();
  /** Who is behind each pid we watch: a number alone may be somebody else's tomorrow. */
  const identities = new Map<number, LeaseHolder>();
  const children = new Set<number>();
  let state = newSupervisor(parts.policy);
  let isRunning = false;
  const hearBacklog = createBacklogWatch(parts.say);
  const noticePause = createOwnPause(machine.mono, ms => tell({ kind: 'paused', ms }));
  let securing: number | null = null;
  let entriesLookedAt: MonoMs | null = null;
  let exchangeOffset: number | null = null;
  /** The store as it was when it was seen to hold no command for the supervisor; its own commits hold none. */
  let noCommandsAt: number | null = null;

  const exchange = (): EpochMs => (exchangeOffset === null ? machine.wall() : epochMs(Math.floor(machine.mono() + exchangeOffset)));

  function tell(body: BodyOf<SupervisorEvent>): void {
    queue.put({ mono: machine.mono(), ...body });
    if (isRunning) return;
    isRunning = true;
    try {
      for (let event = queue.take(); event; event = queue.take()) {
        const step = decide(state, event);
        state = step.state;
        // The books may wait for a lock; a start or a kill may not.
        for (const effect of step.effects) if (isUrgent(effect)) perform(effect);
        for (const effect of step.effects) if (!isUrgent(effect)) perform(effect);
      }
    } finally {
      isRunning = false;
    }
  }

  // ---- effects ----

  function perform(effect: SupervisorEffect) {
    switch (effect.do) {
      case 'spawn':
        return start(effect.worker, effect.mode);
      case 'signal':
        log('warn', 'signal', { about: effect.worker, pid: effect.pid, signal: effect.signal });
        return processes.signal(effect.pid, effect.signal);
      case 'look-for-entries':
        return tell({ kind: 'entries', working: workingEntries() });
      case 'secure-positions':
        return secure(effect.guardIsReady);
      case 'alert':
        return alert(effect.alert);
      case 'record':
        return record(effect);
      case 'daily-reset':
        return keep('daily-reset', () => resetDaily(db, effect.date, exchange()));
      case 'restore-store':
        return restore(effect.why);
      case 'back-up-store':
        return backUp();
      case 'show-status':
        return parts.showStatus(effect.because);
      case 'answer':
        return answer(effect);
      case 'end':
        return parts.onEnd();
    }
  }

  function start(worker: SupervisedWorker, mode: StartMode) {
    const started = processes.start(worker, mode, exit => {
      noticePause();
      children.delete(exit.pid);
      gone(worker, exit);
    });
    if (!started.ok) return tell({ kind: 'spawn-failed', worker, reason: started.detail });
    children.add(started.pid);
    watchPid(started.pid);
    tell({ kind: 'spawned', worker, pid: started.pid });
  }

  function watchPid(pid: number): void {
    const identity = processes.identify(pid);
    if (identity) identities.set(pid, identity);
  }

  /** Entries of the day trader without a last word, in words; null when there is none. */
  function workingEntries(): string | null {
    const live = attempt(() => readLiveOrders(db, tradeDateOf(exchange())));
    if ('ok' in live) return `the store cannot be read (${live.detail}), so an entry may still work`;
    const open = live.filter(order => order.worker === 'day-trader' && order.role === 'entry' && !isFinal(order));
    if (open.length === 0) return null;
    const symbols = [...new Set(open.map(order => order.contract.symbol))].join(', ');
    return `an entry of ${symbols} may still fill: the broker has not confirmed its withdrawal`;
  }

  /** Rests a stop for each open position, by the exit manager, confirmed by the broker; its answer is looked for every turn. */
  function secure(guardIsReady: boolean) {
    const open = attempt(() => readPositions(db).filter(position => position.quantity !== 0));
    if ('ok' in open) return tell({ kind: 'secured', secured: { ok: false, detail: `the store cannot be read (${open.detail})` } });
    if (open.length === 0) return tell({ kind: 'secured', secured: { ok: true, detail: 'nothing is open' } });
    const symbols = open.map(position => position.contract.symbol).join(', ');
    if (!guardIsReady) {
      return tell({ kind: 'secured', secured: { ok: false, detail: `${symbols} open, and the exit manager is not READY to rest stops` } });
    }
    const now = exchange();
    const asked = insertCommand(db, {
      target: 'exit-manager',
      kind: 'rest-stops',
      payload: {},
      tradeDate: tradeDateOf(now),
      expiresAt: epochMs(now + SECURE_EXPIRES_MS),
      createdBy: 'supervisor',
      now,
    });
    if (!asked.ok) return tell({ kind: 'secured', secured: { ok: false, detail: asked.detail } });
    securing = asked.id;
    parts.say(`stop: ${symbols} open; the exit manager rests a stop for each first`);
  }

  function lookForSecured(): void {
    const id = securing;
    if (id === null) return;
    const word = attempt(() => readAnswer(db, id));
    if (word === null || 'ok' in word || word.status === 'pending' || word.status === 'taken') return;
    securing = null;
    tell({ kind: 'secured', secured: { ok: word.status === 'done', detail: word.answer ?? word.status } });
  }

  /** The old connection is left open on purpose (StoreKeeper). */
  function restore(why: string): void {
    const restored = keeper?.restore(why);
    if (!restored?.ok) {
      log('error', 'store-not-restored', { why, detail: restored?.detail ?? '' });
      tell({ kind: 'store-not-restored', detail: restored?.detail ?? 'nobody here can' });
      return;
    }
    ({ db, lease } = restored);
    leaseRecord.forget();
    noCommandsAt = null;
    const { from, missing, setAside } = restored;
    log('error', 'store-restored', { why, from, setAside: setAside.join(' ') });
    tell({ kind: 'store-restored', from, missing, setAside });
  }

  function backUp(): void {
    const done = keeper?.backUpDaily();
    if (!done) return;
    if (done.ok) {
      log('info', 'store-backed-up', { name: done.name, dropped: done.dropped.join(' ') });
      return;
    }
    doubt?.raise();
    alert(backupAlert(done.detail));
  }

  function alert(words: Alert): void {
    log(words.level === 'info' ? 'info' : words.level === 'warning' ? 'warn' : 'error', words.code, { happened: words.happened });
    parts.say(`${words.level.toUpperCase()} ${words.code}: ${words.happened} ${words.did} ${words.todo}`);
    const now = exchange();
    keep('alert', () => db.immediate(() => writeAlert(db, words, { worker: 'supervisor', tradeDate: tradeDateOf(now), now })));
  }

  function record({ worker, what, pid, detail }: WorkerRecord): void {
    log('info', what, { about: worker, pid, detail });
    parts.say(`${worker}: ${what}${pid === null ? '' : ` (pid ${pid})`}${detail === '' ? '' : `, ${detail}`}`);
    if (what === 'adopted' && pid !== null) watchPid(pid);
    if (what === 'ready' && worker === 'exit-manager') completeBlocks();
    if (what === 'spawn-failed' || what === 'not-ready') return;
    const now = exchange();
    keep('worker-event', () => writeWorkerEvent(db, { worker, event: what, detail, at: now }, tradeDateOf(now)));
  }

  /** A READY exit manager has heard the day's executions: what a restored store does not know of them is blocked by them. */
  function completeBlocks(): void {
    keep('blocks', () => {
      const binding = readBinding(db);
      const { on, reason } = readKillSwitch(db);
      if (!on || !reason?.startsWith(RESTORED_REASON) || !binding) return;
      const symbols = blockTraded(db, { account: binding.account, tradeDate: tradeDateOf(exchange()) });
      if (symbols.length > 0) log('warn', 'blocks-completed', { symbols: symbols.join(' ') });
    });
  }

  function answer({ id, status, answer: words }: Extract<SupervisorEffect, { do: 'answer' }>): void {
    log('info', 'answer', { id, status, words });
    parts.say(words);
    if (id !== null) keep('answer', () => db.immediate(() => answerCommand(db, { id, status, answer: words, now: exchange() })));
  }

  /** Supervision goes on without its books: a locked or broken store must not cost a restart. */
  function keep(what: string, write: () => unknown): void {
    const result = attempt(write);
    if (typeof result === 'object' && result !== null && 'ok' in result && result.ok === false) {
      log('error', 'not-written', { what, detail: 'detail' in result ? String(result.detail) : '' });
      if ('code' in result && result.code === 'STORE_CORRUPT') doubt?.raise();
    }
  }

  // ---- what is seen ----

  function gone(worker: SupervisedWorker, exit: WorkerExit): void {
    identities.delete(exit.pid);
    if (exit.code === EXIT_CODE.storeLost) {
      doubt?.raise('now');
      lookAtStore();
    }
    tell({ kind: 'gone', worker, exit, holder: livingHolder(worker, exit.pid) });
  }

  /** Who else holds the worker's lease and lives. The emergency tool counts for the exit manager, under whichever name it holds. */
  function livingHolder(worker: SupervisedWorker, exceptPid: number | null): LivingHolder | null {
    const tool = livingLease('liquidator') ?? announcedTool();
    if (worker === 'exit-manager' && tool !== null) return { pid: tool.pid, isWorker: false };
    const holder = livingLease(worker);
    if (holder === null || holder.pid === exceptPid) return null;
    identities.set(holder.pid, holder);
    return { pid: holder.pid, isWorker: true };
  }

  function announcedTool(): LeaseHolder | null {
    const holder = processes.announcedTool?.() ?? null;
    return holder === null || processes.isGone(holder) ? null : holder;
  }

  function livingLease(name: SupervisedWorker | 'liquidator'): LeaseHolder | null {
    const row = attempt(() => readLease(db, name));
    if (row === null || 'ok' in row || row.holder === null) return null;
    return processes.isGone(row.holder) ? null : row.holder;
  }

  /** A worker without a lease in the store (the store was lost) but with a fresh heartbeat is alive all the same. */
  function findAlive(worker: SupervisedWorker): FoundWorker | null {
    const holder = livingHolder(worker, null);
    if (holder) return { worker, holder };
    const beat = processes.heartbeat(worker);
    const { bootId } = processes;
    if (beat === null || !isBeating(beat, { mono: machine.mono(), bootId, stillMs: parts.policy.stillMsMax })) return null;
    const identity = processes.identify(beat.pid);
    if (identity === null || processes.isGone(identity)) return null;
    identities.set(beat.pid, identity);
    return { worker, holder: { pid: beat.pid, isWorker: true } };
  }

  function lookAtProcesses(): void {
    for (const worker of WORKERS) {
      const watch = worker === 'exit-manager' ? state.guard : state.trader;
      if (watch.status.is === 'held' && livingHolder(worker, null)?.pid !== watch.status.by) tell({ kind: 'lease-free', worker });
      const pid = pidOf(watch);
      if (pid === null || children.has(pid)) continue;
      const identity = identities.get(pid);
      if (!identity || processes.isGone(identity)) gone(worker, { pid, code: null, signal: null });
    }
  }

  function lookAtHeartbeats(): void {
    const told = WORKERS.map(lookAtHeartbeat).find(offset => offset !== null);
    if (told !== undefined) exchangeOffset = told;
    const date = exchangeOffset === null ? state.tradeDate : tradeDateOf(exchange());
    if (date !== null && date !== state.tradeDate) tell({ kind: 'trade-date', date });
  }

  /** Returns exchange time less machine time as a READY worker of ours tells it; a worker that is not READY may not know it yet. */
  function lookAtHeartbeat(worker: SupervisedWorker): number | null {
    const beat = processes.heartbeat(worker);
    if (beat === null || beat.bootId !== processes.bootId) return null;
    const { pid, counter, phase, backlog } = beat;
    // A worker whose commits are refused may have met damage that nobody else reads.
    if (backlog > 0) doubt?.raise();
    if (worker === 'exit-manager') hearBacklog(backlog, machine.mono());
    tell({ kind: 'beat', worker, beat: { pid, counter, phase } });
    const isOurs = pid === pidOf(worker === 'exit-manager' ? state.guard : state.trader);
    return isOurs && phase === 'READY' ? beat.exchange - beat.mono : null;
  }

  function lookAtCommands(): void {
    const version = attempt(() => db.dataVersion());
    if (typeof version !== 'number' || version === noCommandsAt) return;
    noCommandsAt = null;
    const rows = attempt(() => readCommands(db, 'supervisor', exchange()));
    if ('ok' in rows) return;
    if (rows.length === 0) noCommandsAt = version;
    for (const { id, kind, payload } of rows) {
      const taken = takeCommand(db, { lease, id, now: exchange() });
      if (!taken.ok) continue;
      const command = commandOf(id, kind, payload);
      if (command) tell({ kind: 'command', command });
      else
        answer({
          do: 'answer',
          id,
          status: 'refused',
          answer: `the supervisor knows no command "${kind}" with ${JSON.stringify(payload)}`,
        });
    }
  }

  /** While it is parked only: whoever runs sees to its own entries. */
  function lookAtEntries(): void {
    const now = machine.mono();
    if (state.trader.status.is !== 'parked') entriesLookedAt = null;
    else if (entriesLookedAt === null || now - entriesLookedAt >= LOOK_FOR_ENTRIES_MS) {
      entriesLookedAt = now;
      const isOwed = attempt(() => hasOpenEntry(db) || isCommandWaiting(db, 'day-trader', { kind: 'withdraw-entry', now: exchange() }));
      if (typeof isOwed === 'boolean') tell({ kind: 'withdrawal-owed', isOwed });
    }
  }

  function lookAtStore(): void {
    const why = state.store.is === 'lost' ? null : (doubt?.look(machine.mono()) ?? null);
    if (why !== null) tell({ kind: 'store-lost', why });
  }

  return {
    start() {
      const found = WORKERS.map(findAlive).filter(worker => worker !== null);
      tell({ kind: 'started', found, traderIsParked: attempt(() => isParked(db, 'day-trader')) === true });
    },
    turn() {
      noticePause();
      if (!leaseRecord.keep(db, lease)) return;
      lookAtStore();
      lookAtProcesses();
      lookAtHeartbeats();
      lookAtCommands();
      lookForSecured();
      lookAtEntries();
      tell({ kind: 'tick' });
    },
    ask(command) {
      noticePause();
      tell({ kind: 'command', command });
    },
    exchange,
    get state() {
      return state;
    },
    get db() {
      return db;
    },
    get lease() {
      return lease;
    },
  };
}

const isUrgent = (effect: SupervisorEffect): boolean => effect.do === 'spawn' || effect.do === 'signal' || effect.do === 'restore-store';

type BodyOf<E> = E extends SupervisorEvent ? Omit<E, 'mono'> : never;
