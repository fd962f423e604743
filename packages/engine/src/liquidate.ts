import { tradeDateOf } from '@holdfast/core/calendar';
import { CLIENT_ID } from '@holdfast/core/orders/order';
import type { BrokerListener, BrokerPort } from '@holdfast/core/ports';
import { type EpochMs, epochMs } from '@holdfast/core/units';
import { readBaseline } from '@holdfast/store/baseline';
import { insertCommand, readAnswer } from '@holdfast/store/commands';
import type { Db } from '@holdfast/store/db';
import { setKillSwitch } from '@holdfast/store/kill-switch';
import { acquireLease, type LeaseHolder, readLease, releaseLease } from '@holdfast/store/leases';
import { readPositions } from '@holdfast/store/positions';
import { attempt } from '@holdfast/store/refusal';
import { type BrokerLookout, createBrokerLookout } from './broker-lookout.js';
import type { DeskFiles } from './desk-files.js';
import { type Heartbeat, isBeating } from './heartbeat.js';
import { type AccountView, lookAtAccount } from './look-at-account.js';
import type { Stop } from './worker.js';

/** How long the exit manager may take to answer before it is replaced (DESIGN §6). */
const ANSWER_MS = 2_000;
/** How long the sale may make no progress before it is reported as it stands. */
const NO_PROGRESS_MS = 30_000;
/** For two agreeing answers at the end; shorter where nobody answered for half a minute. */
const LAST_LOOK_MS = 20_000;
const LAST_LOOK_UNREACHABLE_MS = 5_000;
const LOOK_EVERY_MS = 100;
const WORKERS = ['exit-manager', 'day-trader'] as const;
const SAY_EVERY_MS = 10_000;
/** Without progress for so long, the connection itself is looked at. */
const PROBE_AFTER_MS = 500;
const ALIVE_MS = 1_000;
/** Exchange time may run fast in a demo: plenty. */
const COMMAND_EXPIRES_MS = 3_600_000;

/** What liquidation needs of the machine and the world; filled in by the app. */
export interface LiquidationParts {
  readonly files: DeskFiles;
  /** The store, or why it cannot be used: then protection by the broker alone. */
  openStore(): Db | { readonly ok: false; readonly detail: string };
  /** A fresh store in a folder of its own, for when the real one cannot be used; its lease numbers begin where none was used. */
  temporaryStore(): Db;
  /** The same with all that a store holds which can be read and takes no write. Refused: it cannot be copied either. */
  copyOf(db: Db): Db | { readonly ok: false; readonly detail: string };
  /** Leaves word of this process in a file: while it lives the supervisor starts no exit manager, whether or not a lease could be written. */
  announce(): void;
  /** Writes var/run/HALT, which workers obey without a database. */
  halt(reason: string): void;
  heartbeat(owner: 'exit-manager' | 'day-trader'): Heartbeat | null;
  readonly me: LeaseHolder;
  isGone(holder: LeaseHolder): boolean;
  identify(pid: number): LeaseHolder | null;
  kill(pid: number): void;
  mono(): number;
  wall(): EpochMs;
  sleep(ms: number): Promise<void>;
  /** Host and port of the broker, for what is said to people. */
  readonly brokerAt: string;
  connect(clientId: number, listener: BrokerListener): BrokerPort;
  /** Takes the worker's lease on that store (merging what its predecessor could only keep) and runs its brain in this process. */
  startWorker(
    worker: 'exit-manager' | 'day-trader',
    at: { readonly storePath: string; readonly onStop: (stop: Stop) => void },
  ): Promise<{ readonly ok: true; stop(): void } | { readonly ok: false; readonly detail: string }>;
  say(line: string): void;
}

export interface Liquidation {
  /** Nothing is left but what Holdfast never cared for. Proved by a second pair of eyes: two complete answers under another client id. */
  readonly flat: boolean;
  readonly path: 'exit-manager' | 'takeover' | 'takeover-without-store' | 'joined';
  /** What is still held in care, and why as far as is known. */
  readonly left: readonly { readonly symbol: string; readonly quantity: number; readonly reason?: string }[];
  /** What the account holds that is not in care. */
  readonly handsOff: readonly { readonly symbol: string; readonly quantity: number }[];
  readonly workingOrders: number;
  readonly proof: AccountView | null;
  readonly detail: string;
  readonly wallMs: number;
}

/**
 * The emergency: no more entries, everything in care sold once, and that proved. Asks the exit manager first; one that does not answer in two
 * seconds is killed and replaced by this process, which runs the very same brain under the same lease and client id: there is no second
 * way to sell. A second press joins the first. While this process holds the lease `liquidator`, the supervisor starts no exit manager.
 */
export function liquidateAll(parts: LiquidationParts): Promise<Liquidation> {
  return begin({ ...parts, lookout: createBrokerLookout({ at: parts.brokerAt, mono: parts.mono, say: parts.say }) });
}

interface Emergency extends LiquidationParts {
  readonly lookout: BrokerLookout;
}

async function begin(parts: Emergency): Promise<Liquidation> {
  const startedAt = parts.mono();
  parts.halt('liquidate-all');
  const opened = parts.openStore();
  if ('ok' in opened) return withoutStore(parts, startedAt, opened.detail);
  const db = opened;
  const halted = setKillSwitch(db, { on: true, reason: 'liquidate-all', actor: 'operator', now: exchangeNow(parts) });
  parts.say(
    halted.ok
      ? 'kill switch is on: nothing new is bought until a person resumes'
      : `kill switch row not written (${halted.detail}); the HALT file stands`,
  );

  const other = livingHolder(parts, db, 'liquidator');
  if (!halted.ok && !(other && other.pid !== parts.me.pid)) return onCopy(parts, db, { startedAt, detail: halted.detail });
  if (other && other.pid !== parts.me.pid) return join(parts, db, { pid: other.pid, startedAt });
  if (await exitManagerTakesIt(parts, db)) {
    const guardLives = (): boolean => isAlive(parts, 'exit-manager');
    const progress = await watchPositions(parts, db, { guardLives, isProved: () => isReady(db) });
    if (progress !== 'guard-lost') return report(parts, db, { path: 'exit-manager', startedAt, detail: progress });
    parts.say('the exit manager is gone in the middle of it: taking over');
  }
  return takeOver(parts, db, { path: 'takeover', startedAt });
}

const exchangeNow = (parts: Emergency): EpochMs => {
  for (const owner of WORKERS) {
    const beat = parts.heartbeat(owner);
    if (beat && beat.bootId === parts.me.bootId && parts.mono() - beat.mono < 60_000)
      return epochMs(Math.floor(beat.exchange + (parts.mono() - beat.mono)));
  }
  return parts.wall();
};

const isAlive = (parts: Emergency, worker: 'exit-manager' | 'day-trader'): boolean =>
  isBeating(parts.heartbeat(worker), { mono: parts.mono() as Heartbeat['mono'], bootId: parts.me.bootId, stillMs: ALIVE_MS });

function livingHolder(parts: Emergency, db: Db, name: 'exit-manager' | 'day-trader' | 'liquidator'): LeaseHolder | null {
  const row = attempt(() => readLease(db, name));
  if (row === null || 'ok' in row || row.holder === null || parts.isGone(row.holder)) return null;
  return row.holder;
}

/** Leaves the command and waits for its answer. An exit manager that does not beat, or does not answer in time, does not count. */
async function exitManagerTakesIt(parts: Emergency, db: Db): Promise<boolean> {
  if (!isAlive(parts, 'exit-manager')) {
    parts.say('the exit manager does not beat: not asking it');
    return false;
  }
  const now = exchangeNow(parts);
  const asked = insertCommand(db, {
    target: 'exit-manager',
    kind: 'liquidate-all',
    payload: {},
    tradeDate: tradeDateOf(now),
    expiresAt: epochMs(now + COMMAND_EXPIRES_MS),
    createdBy: 'liquidate-all',
    now,
  });
  if (!asked.ok) return false;
  parts.say('asking the exit manager');
  const until = parts.mono() + ANSWER_MS;
  while (parts.mono() < until) {
    const word = attempt(() => readAnswer(db, asked.id));
    if (word && !('ok' in word) && word.status === 'done') {
      parts.say(`the exit manager: ${word.answer ?? 'done'}`);
      return true;
    }
    await parts.sleep(20);
  }
  parts.say(`the exit manager did not answer within ${ANSWER_MS / 1000} s`);
  return false;
}

interface Watch {
  readonly guardLives: () => boolean;
  /** An empty table proves nothing before whoever sells has reconciled with the broker. */
  readonly isProved: () => boolean;
}

/** Waits until nothing is in care, saying what is left. Ends when nothing moves for long, or the guard is gone. */
async function watchPositions(parts: Emergency, db: Db, { guardLives, isProved }: Watch): Promise<string> {
  let last = '';
  let changedAt = parts.mono();
  let saidAt = Number.NEGATIVE_INFINITY;
  const probe = createProbe(parts);
  try {
    for (;;) {
      const text = inCare(db);
      if (text === '' && isProved()) return 'everything in care is sold';
      const now = parts.mono();
      if (text !== last) changedAt = now;
      if (text && (text !== last || now - saidAt >= SAY_EVERY_MS)) {
        parts.say(`still in care: ${text}`);
        saidAt = now;
      }
      last = text ?? UNREADABLE;
      if (now - changedAt >= PROBE_AFTER_MS) probe.start();
      if (now - changedAt >= NO_PROGRESS_MS) return unfinished(parts, text);
      if (!guardLives()) return 'guard-lost';
      await parts.sleep(LOOK_EVERY_MS);
    }
  } finally {
    probe.stop();
  }
}

const UNREADABLE = 'the store does not answer';

/** What is in care by the store; null while that cannot be read. */
function inCare(db: Db): string | null {
  const rows = attempt(() => readPositions(db));
  if ('ok' in rows) return null;
  return rows.map(({ contract, quantity, status }) => `${contract.symbol} ${quantity} ${status}`).join(', ');
}

function unfinished({ lookout }: Emergency, text: string | null): string {
  const why = lookout.unreachable() ?? `no progress for ${NO_PROGRESS_MS / 1000} s`;
  if (text === null) return `${why}; ${UNREADABLE}`;
  return text === '' ? `${why}; nothing was proved to be sold, and what the account holds is not known` : `${why}; still in care: ${text}`;
}

/** Tries the connection under the reserved client id: places nothing, and ends as soon as it is up. */
function createProbe({ connect, lookout }: Emergency): { start(): void; stop(): void } {
  let broker: BrokerPort | null = null;
  return {
    start() {
      if (broker) return;
      broker = connect(CLIENT_ID.reserve, body => {
        lookout.hear(body);
        if (body.kind === 'connected') broker?.close();
      });
      broker.connect();
    },
    stop: () => broker?.close(),
  };
}

/** Somebody pressed before: wait for that one, then look for ourselves. */
async function join(parts: Emergency, db: Db, { pid, startedAt }: { pid: number; startedAt: number }): Promise<Liquidation> {
  parts.say(`process ${pid} is liquidating already: joining it`);
  while (livingHolder(parts, db, 'liquidator')?.pid === pid) await parts.sleep(LOOK_EVERY_MS);
  const detail = await watchPositions(parts, db, { guardLives: () => true, isProved: () => true });
  return report(parts, db, { path: 'joined', startedAt, detail: `process ${pid} is done; by the store ${detail}` });
}

/** Ends a process for certain: SIGKILL, then waits until it is gone, because its socket would block the client id. */
async function end(parts: Emergency, holder: LeaseHolder, what: string): Promise<void> {
  parts.say(`ending ${what} (pid ${holder.pid})`);
  while (!parts.isGone(holder)) {
    parts.kill(holder.pid);
    await parts.sleep(20);
  }
}

interface Takeover {
  readonly path: 'takeover' | 'takeover-without-store';
  readonly startedAt: number;
}

/**
 * The exit manager's lease and client id, in this process. A dead day trader's entries are withdrawn under its own client id too: only that
 * one may cancel them (reference/ibkr-behaviour.md §2).
 */
async function takeOver(parts: Emergency, db: Db, { path, startedAt }: Takeover): Promise<Liquidation> {
  const { me, isGone } = parts;
  parts.announce();
  const holding = acquireLease(db, { name: 'liquidator', ...me, now: parts.wall() }, isGone);
  if (!holding.ok) return failed(parts, db, { path, startedAt, detail: `another liquidation holds the lease: ${holding.detail}` });
  try {
    for (const worker of WORKERS) {
      const holder = livingHolder(parts, db, worker);
      // A day trader that beats obeys the kill switch and withdraws its own entries.
      if (holder && (worker === 'exit-manager' || !isAlive(parts, worker))) await end(parts, holder, `the ${worker} that does not answer`);
    }
    leaveCommand(db, exchangeNow(parts));
    const stopped: string[] = [];
    const running: { stop(): void }[] = [];
    for (const worker of WORKERS) {
      if (worker === 'day-trader' && livingHolder(parts, db, worker)) continue;
      const started = await parts.startWorker(worker, { storePath: db.path, onStop: stop => stopped.push(`${worker}: ${stop.why}`) });
      if (started.ok) running.push(started);
      else if (worker === 'exit-manager') return await failed(parts, db, { path, startedAt, detail: started.detail });
      else parts.say(`entries of the day trader are left to their time to live: ${started.detail}`);
    }
    parts.say('took over: selling under the exit manager’s own lease and client id');
    const guardLives = (): boolean => stopped.length === 0;
    const isSettled = await settled(parts, db, guardLives);
    const watched = isSettled || !guardLives() ? await watchPositions(parts, db, { guardLives, isProved: () => isSettled }) : null;
    const detail = watched ?? unfinished(parts, inCare(db));
    for (const worker of running) worker.stop();
    return await report(parts, db, { path, startedAt, detail: detail === 'guard-lost' ? stopped.join('; ') : detail });
  } finally {
    releaseLease(db, holding.lease, 'liquidation over');
  }
}

/** Two worlds of time: an order for a demo's exchange may lie far from the wall clock, so this command outlives both. */
function leaveCommand(db: Db, now: EpochMs): void {
  insertCommand(db, {
    target: 'exit-manager',
    kind: 'liquidate-all',
    payload: {},
    tradeDate: tradeDateOf(now),
    expiresAt: epochMs(now + 100 * 365 * 86_400_000),
    createdBy: 'liquidate-all',
    now,
  });
}

const isReady = (db: Db): boolean => {
  const row = attempt(() => readLease(db, 'exit-manager'));
  return row !== null && !('ok' in row) && row.phase === 'READY';
};

/** Whether the worker here has reconciled: before that an empty table of positions means nothing. */
async function settled(parts: Emergency, db: Db, lives: () => boolean): Promise<boolean> {
  const began = parts.mono();
  const probe = createProbe(parts);
  try {
    while (lives() && parts.mono() < began + NO_PROGRESS_MS) {
      if (isReady(db)) {
        parts.lookout.reached();
        return true;
      }
      if (parts.mono() - began >= PROBE_AFTER_MS) probe.start();
      await parts.sleep(LOOK_EVERY_MS);
    }
    return false;
  } finally {
    probe.stop();
  }
}

/**
 * Without a usable store: what is ours is told by the orderRefs the broker has kept, of executions and of the exits that rest for a holding
 * (core/reconcile/covered.ts). What they leave open is reported, never called flat.
 */
async function withoutStore(parts: Emergency, startedAt: number, detail: string): Promise<Liquidation> {
  parts.say(
    `the store cannot be used (${detail}): working from the broker alone; only what our orders bought or rest for is known to be ours`,
  );
  parts.announce();
  for (const worker of WORKERS) await endByHeartbeat(parts, worker);
  return takeOver(parts, parts.temporaryStore(), { path: 'takeover-without-store', startedAt });
}

/**
 * A stranger's lock, a full disk: no command can be left for the exit manager, and the lease cannot be had. All that is known can be read, so this
 * process takes its place on a copy. What it does the real store learns from the broker, and from the emergency file, which stays as it is.
 */
async function onCopy(parts: Emergency, db: Db, { startedAt, detail }: { startedAt: number; detail: string }): Promise<Liquidation> {
  const copy = parts.copyOf(db);
  if ('ok' in copy) return withoutStore(parts, startedAt, `${detail}; not copied: ${copy.detail}`);
  parts.say('the store takes no write: working on a copy of it');
  parts.announce();
  // One that began without a write stands in no lease row.
  await endByHeartbeat(parts, 'exit-manager');
  const result = await takeOver(parts, copy, { path: 'takeover', startedAt });
  const halted = setKillSwitch(db, { on: true, reason: 'liquidate-all', actor: 'operator', now: exchangeNow(parts) });
  if (!halted.ok) parts.say(`the store still takes no write (${halted.detail}); the HALT file keeps entries off`);
  return result;
}

async function endByHeartbeat(parts: Emergency, worker: 'exit-manager' | 'day-trader'): Promise<void> {
  const beat = parts.heartbeat(worker);
  const holder = beat && beat.bootId === parts.me.bootId ? parts.identify(beat.pid) : null;
  // The number may belong to somebody else by now: a stranger is never killed.
  const isStill = holder !== null && holder.processStartedAt === beat?.processStartedAt;
  if (holder && isStill && holder.pid !== parts.me.pid) await end(parts, holder, `the ${worker}`);
}

interface Ending {
  readonly path: Liquidation['path'];
  readonly startedAt: number;
  readonly detail: string;
}

/** Looks at the account under the reserved client id, twice, and compares with what was never ours. */
async function report(parts: Emergency, db: Db, { path, startedAt, detail }: Ending): Promise<Liquidation> {
  parts.say('looking at the account once more under another client id');
  const proof = await lookAtAccount({
    connect: listener =>
      parts.connect(CLIENT_ID.reserve, body => {
        parts.lookout.hear(body);
        listener(body);
      }),
    mono: parts.mono,
    sleep: parts.sleep,
    giveUpMs: parts.lookout.unreachable() === null ? LAST_LOOK_MS : LAST_LOOK_UNREACHABLE_MS,
  });
  const baseline = attempt(() => readBaselineOf(db));
  const spared = 'ok' in baseline ? new Map<number, number>() : baseline;
  const isUncertain = ({ conId, quantity }: Held): boolean =>
    path === 'takeover-without-store' && (spared.get(conId) !== quantity || proof?.ourInstruments.includes(conId) === true);
  const isSpared = (held: Held): boolean => spared.has(held.conId) && !isUncertain(held);
  const held = proof?.positions ?? [];
  const left = held.filter(position => !isSpared(position));
  const handsOff = held.filter(isSpared);
  const workingOrders = proof?.ourOrders ?? 0;
  return {
    flat: proof !== null && left.length === 0 && workingOrders === 0,
    path,
    left: left.map(({ conId, symbol, quantity }) => ({ symbol, quantity, ...(spared.has(conId) ? { reason: UNCERTAIN } : {}) })),
    handsOff: handsOff.map(({ symbol, quantity }) => ({ symbol, quantity })),
    workingOrders,
    proof,
    detail: withProof(parts, proof, detail),
    wallMs: Math.round(parts.mono() - startedAt),
  };
}

/** A report without proof says why there is none. */
function withProof({ lookout }: Emergency, proof: AccountView | null, detail: string): string {
  const why = lookout.unreachable();
  return proof !== null || why === null || detail.includes(why) ? detail : `${detail}; not proved: ${why}`;
}

type Held = AccountView['positions'][number];

/** Only the store tells which of the shares were held before and which were adopted. */
const UNCERTAIN = 'orders of ours traded it today; without the store nothing tells whether these shares are in care';

const failed = (parts: Emergency, db: Db, ending: Ending): Promise<Liquidation> => {
  parts.say(ending.detail);
  return report(parts, db, ending);
};

const readBaselineOf = (db: Db): Map<number, number> => new Map(readBaseline(db).map(({ conId, quantity }) => [conId, quantity]));
