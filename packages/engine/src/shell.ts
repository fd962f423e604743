import { tradeDateOf } from '@holdfast/core/calendar';
import type { Alert } from '@holdfast/core/effects';
import type { EventBody } from '@holdfast/core/events';
import type { WorkerName } from '@holdfast/core/orders/order';
import type { BrokerListener, BrokerPort } from '@holdfast/core/ports';
import type { SharedView } from '@holdfast/core/shared-view';
import type { EpochMs } from '@holdfast/core/units';
import { baselineTakenAt } from '@holdfast/store/baseline';
import { bindStore } from '@holdfast/store/binding';
import { setPhase } from '@holdfast/store/leases';
import { attempt, type Refusal, refuse } from '@holdfast/store/refusal';
import type { StoreTrouble } from '@holdfast/store/store-file';
import { loadStartView } from '@holdfast/store/view';
import type { Booted } from './boot.js';
import type { ExchangeClock } from './clock.js';
import type { Config } from './config.js';
import type { EmergencyFile } from './emergency-file.js';
import { EXIT_CODE } from './exit-codes.js';
import type { Recorder } from './journal.js';
import { keepsBaseline, withKept } from './kept-view.js';
import type { Log } from './log.js';
import { sendPolicyOf, wireLimitsOf } from './rules-of-config.js';
import type { GuardPulse } from './store-watch.js';
import { type Brain, createWorker, type Stop, type Worker, type WorkerFacts } from './worker.js';

/** What a brain's state is made from. */
export interface BrainStart {
  readonly lease: number;
  readonly account: string;
  readonly view: SharedView;
  readonly at: EpochMs;
  /** Whether this account was met before: else what it holds now becomes the baseline. */
  readonly hasBaseline: boolean;
}

export interface ShellParts<S> {
  readonly name: WorkerName;
  readonly config: Config;
  readonly booted: Booted;
  readonly brain: Brain<S>;
  readonly createState: (start: BrainStart) => S;
  readonly clock: ExchangeClock;
  readonly connect: (listener: BrokerListener) => BrokerPort;
  readonly emergency: EmergencyFile | null;
  readonly log: Log;
  readonly guard?: () => GuardPulse;
  readonly isHalted?: () => boolean;
  /** See WorkerParts. */
  readonly storeTrouble?: () => StoreTrouble | null;
  /** See WorkerParts. */
  readonly isDone?: (state: S) => boolean;
  /** Must have begun when `createState` returns. */
  readonly recorder?: Recorder;
  /** What happened at the start and belongs in the store. */
  readonly alerts: readonly Alert[];
  readonly onStop: (stop: Stop) => void;
}

export interface Shell {
  beat(): void;
  stop(): void;
  facts(): WorkerFacts;
}

const UNKNOWN_FACTS: WorkerFacts = { phase: 'CONNECTING', brokerAgeMs: null, markAgeMs: null, commitAgeMs: null, backlog: 0 };

/**
 * A worker's process from its first dial: until the gateway has named its accounts and told the exchange's time there is nothing to decide
 * with (a replayed day lives in another year than the machine), so the events wait here; then the account is checked, the
 * store bound to it, the state made from the store, and the worker hears everything in the order it came.
 */
export function createShell<S>(parts: ShellParts<S>): Shell {
  const { name, config, booted, clock, log } = parts;
  const waiting: EventBody[] = [];
  let worker: Worker<S> | null = null;
  let stopped: Stop | null = null;
  let isTimeKnown = false;
  let lastRefusal: string | null = null;
  let toldWhy: string | null = null;
  const broker = parts.connect(take);

  function end(stop: Stop): void {
    if (stopped) return;
    stopped = stop;
    broker.close();
    if (stop.code !== EXIT_CODE.clean) log('error', 'not-started', { code: stop.code, why: stop.why });
    parts.onStop(stop);
  }

  function take(body: Parameters<BrokerListener>[0]): void {
    if (body.kind === 'connect-failed') tellWhy(body.reason);
    else if (body.kind === 'connected') toldWhy = null;
    if (worker) {
      worker.take(body);
      return;
    }
    if (stopped) return;
    if (body.kind === 'time') {
      clock.told(body.seconds);
      isTimeKnown = true;
    } else hear(body);
    start();
  }

  function hear(body: EventBody): void {
    if (body.kind === 'connect-failed') log('warn', 'connect-failed', { code: body.code, reason: body.reason });
    // What a lost connection said is worth nothing on the next one.
    if (body.kind === 'disconnected') waiting.length = 0;
    else if (body.kind !== 'connect-failed') waiting.push(body);
  }

  /** For whoever asks `status` why there is no connection. Once per reason: it is dialled again every few seconds. */
  function tellWhy(reason: string): void {
    if (stopped || reason === toldWhy) return;
    if (setPhase(booted.db, booted.lease, { phase: 'CONNECTING', detail: reason }).ok) toldWhy = reason;
  }

  /** Creates the worker once everything it needs is known; a busy store is asked again at the next event or beat. */
  function start(): void {
    const connected = waiting.find(body => body.kind === 'connected');
    try {
      if (isTimeKnown && connected?.kind === 'connected' && !stopped && !worker) startWith(connected.accounts);
    } catch (error) {
      // Called from the socket's callback, which may not see it: a bug ends the process, its successor starts afresh.
      end({ code: EXIT_CODE.bug, why: error instanceof Error ? error.message : String(error), error });
    }
  }

  function startWith(accounts: readonly string[]): void {
    const now = clock.exchange();
    const chosen = chooseAccount(config, booted.binding?.account ?? null, accounts);
    const bound = chosen.ok ? bind(chosen.account, now) : chosen;
    if (chosen.ok && bound.ok) createFor(chosen.account, now);
    else if (!bound.ok) refused(bound);
  }

  /** One that is bound already needs no write, which a locked store would refuse. */
  function bind(account: string, now: EpochMs) {
    const { binding } = booted;
    if (binding?.mode === config.mode && binding.account === account) return { ok: true as const };
    return bindStore(booted.db, { mode: config.mode, account, now });
  }

  /**
   * A store that does not answer may do so at the next beat; a wrong account stays wrong, and a damaged page stays damaged. Nothing was decided
   * yet, so there is no memory to protect from: only the supervisor can help, and it hears of the damage by this end.
   */
  function refused({ code, detail }: { readonly code: string; readonly detail: string }): void {
    if (code === 'WRONG_ACCOUNT' || code === 'STORE_BOUND_ELSEWHERE') end({ code: EXIT_CODE.badConfiguration, why: detail });
    else if (code === 'STORE_CORRUPT' || code === 'STORE_CANNOT_OPEN') end({ code: EXIT_CODE.storeLost, why: `${code}: ${detail}` });
    else if (lastRefusal !== detail) log('warn', 'store-not-answering', { code, detail });
    lastRefusal = detail;
  }

  function createFor(account: string, now: EpochMs): void {
    const { db } = booted;
    const kept = booted.unwritten?.steps ?? [];
    const read = attempt(() => ({
      ok: true as const,
      view: withKept(loadStartView(db, { worker: name, tradeDate: tradeDateOf(now), now }), kept),
      hasBaseline: baselineTakenAt(db, account) !== null || keepsBaseline(kept, account),
    }));
    if (!read.ok) {
      refused(read);
      return;
    }
    for (const at of writtenAt(read.view)) clock.written(at);
    run(account, clock.exchange(), read);
  }

  function run(account: string, at: EpochMs, { view, hasBaseline }: { readonly view: SharedView; readonly hasBaseline: boolean }): void {
    const { db, lease, unwritten } = booted;
    const { guard, isHalted, isDone, recorder, storeTrouble } = parts;
    const made: Worker<S> = createWorker({
      name,
      brain: parts.brain,
      state: parts.createState({ lease: lease.leaseId, account, view, at, hasBaseline }),
      view,
      db,
      lease,
      broker,
      clock,
      limits: wireLimitsOf(config),
      policy: sendPolicyOf(config),
      emergency: parts.emergency,
      unwritten,
      log,
      alerts: parts.alerts,
      ...(guard ? { guard } : {}),
      ...(isHalted ? { isHalted } : {}),
      ...(isDone ? { isDone } : {}),
      ...(storeTrouble ? { storeTrouble } : {}),
      ...(recorder ? { recorder } : {}),
      onStop: stop => {
        stopped = stop;
        parts.onStop(stop);
      },
    });
    worker = made;
    for (const body of waiting.splice(0)) made.take(body);
  }

  broker.connect();
  return {
    beat() {
      if (worker) return worker.beat();
      const trouble = stopped ? null : (parts.storeTrouble?.() ?? null);
      // Nothing was decided yet, so there is nothing to leave behind.
      if (trouble) end({ code: EXIT_CODE.storeLost, why: `the store is ${trouble.kind}: ${trouble.why}` });
      else start();
    },
    stop() {
      if (worker) worker.stop();
      else end({ code: EXIT_CODE.clean, why: 'asked to stop' });
    },
    facts: () => worker?.facts() ?? { ...UNKNOWN_FACTS, phase: stopped ? 'STOPPING' : 'CONNECTING' },
  };
}

/** When the orders, positions and ended trades on record were last written about. */
const writtenAt = ({ orders, positions, endedTrades = [] }: SharedView): readonly EpochMs[] =>
  [...orders, ...positions, ...endedTrades].map(({ updatedAt }) => updatedAt);

export type ChosenAccount = { readonly ok: true; readonly account: string } | Refusal;

/** Which account this desk trades, judged by what the gateway really serves: desk.yaml's, the store's, or at the first start the only one. */
export function chooseAccount(config: Pick<Config, 'mode' | 'account'>, bound: string | null, served: readonly string[]): ChosenAccount {
  const { mode } = config;
  const list = served.join(', ') || 'none';
  const account = config.account ?? bound ?? (served.length === 1 ? served[0] : undefined);
  if (account === undefined) return refuse('WRONG_ACCOUNT', `the gateway serves ${list}: name one as \`account\` in desk.yaml`);
  if (!served.includes(account)) {
    const wayOut = 'log it in to that account, or correct `account` in desk.yaml';
    return refuse('WRONG_ACCOUNT', `the gateway serves ${list}, not ${account}: ${wayOut}`);
  }
  if ((mode === 'demo' || mode === 'paper') && !account.startsWith('DU')) {
    return refuse(
      'WRONG_ACCOUNT',
      `mode ${mode} works with paper accounts (DU…) only, and the gateway serves ${account}: nothing was sent`,
    );
  }
  return { ok: true, account };
}
