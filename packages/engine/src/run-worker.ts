import type { Alert } from '@holdfast/core/effects';
import type { BrokerListener, BrokerPort } from '@holdfast/core/ports';
import type { EpochMs } from '@holdfast/core/units';
import { type LeaseHolder, releaseLease } from '@holdfast/store/leases';
import { createStoreSight, storeTrouble } from '@holdfast/store/store-file';
import { boot, type LastBeat } from './boot.js';
import { configBoundTo } from './bound-config.js';
import { createExchangeClock, type ExchangeClock, type MachineTime } from './clock.js';
import { type Config, type ConfigEnvironment, printRedacted } from './config.js';
import { keepLastGood, loadConfig, readLastGood } from './config-file.js';
import { type DeskFiles, type FileOwner, makeFolders } from './desk-files.js';
import { createEmergencyFile, EMERGENCY_FILE_BYTES } from './emergency-file.js';
import { EXIT_CODE, type ExitCode } from './exit-codes.js';
import { createPulse, HEARTBEAT_BYTES, type Heartbeat, holderOf, isBeating } from './heartbeat.js';
import { createJournal } from './journal.js';
import { createJournalFiles } from './journal-files.js';
import { createLog, type Log } from './log.js';
import { createMemoryFile, type RandomFile } from './random-file.js';
import { readVersion, rulesFingerprint } from './rules-build.js';
import { type BrainStart, createShell } from './shell.js';
import type { GuardPulse } from './store-watch.js';
import type { Brain, Stop } from './worker.js';

/** What the live body gives (live.ts); named here because only main.ts may import that file. */
export interface Machine extends MachineTime {
  sleep(ms: number): Promise<void>;
  every(ms: number, work: () => void): () => void;
  thisProcess(): LeaseHolder;
  isGone(holder: LeaseHolder): boolean;
  openRandomFile(path: string, size: number): RandomFile;
  readHeartbeat(path: string): Heartbeat | null;
  fileExists(path: string): boolean;
}

/** One worker as its main.ts describes it. */
export interface WorkerProcess<S, B extends { readonly at: EpochMs }> {
  readonly name: 'exit-manager' | 'day-trader';
  readonly configPath: string;
  readonly varFolder?: string | undefined;
  readonly environment: ConfigEnvironment;
  readonly machine: Machine;
  readonly brain: Brain<S> & { createState(start: B): S };
  /** What the state is made from, with the rules of this desk. The journal begins with it. */
  readonly startOf: (start: BrainStart, desk: Desk) => B;
  readonly connect: (desk: Desk, account: string | null, listener: BrokerListener) => BrokerPort;
  /** True once a process that was started for one task has done it. Absent: it runs until it is stopped. */
  readonly isDone?: (state: S) => boolean;
  /** Once, when READY is reached for the first time. */
  readonly onReady: () => void;
  /** The process is to end with this code now; `words` are for the console. */
  readonly onEnd: (code: ExitCode, words: string) => void;
}

export interface Desk {
  readonly config: Config;
  readonly files: DeskFiles;
  readonly log: Log;
}

export interface RunningWorker {
  /** Graceful: stops deciding, gives the lease back. Positions stay as protected as they are at the broker. */
  stop(): void;
  /** An exception nobody caught. */
  fail(error: unknown): void;
}

/** Machine time between two turns of the loop. A turn with nothing to do costs 3 to 16 µs, the looks at files included. */
const TURN_MS = 20;
/** How long a commit waits for somebody's lock. The exit manager's sales wait no longer; the day trader may lose an entry instead. */
const BUSY_MS = { 'exit-manager': 50, 'day-trader': 500 } as const;
/** For its peers the exit manager is alive while its heartbeat is at most this old: five beats. */
const GUARD_STILL_MS = 1_000;

/** Runs one worker until it ends. Null when it could not even start; `onEnd` has said why. */
export async function runWorker<S, B extends { readonly at: EpochMs }>(parts: WorkerProcess<S, B>): Promise<RunningWorker | null> {
  const { name, machine, onEnd } = parts;
  const isGuard = name === 'exit-manager';
  const { configPath: path, varFolder, environment } = parts;
  const loaded = loadConfig({ path, varFolder, environment, mayFallBack: isGuard });
  if (!loaded.ok) {
    onEnd(EXIT_CODE.badConfiguration, loaded.detail);
    return null;
  }
  const { config: configured, files, fallbackBecause } = loaded;
  const made = makeFolders(files);
  if (!made.ok) {
    onEnd(EXIT_CODE.storeUnusable, made.detail);
    return null;
  }
  const clock = createExchangeClock(machine);
  const log = openLog(parts, { config: configured, files, clock });
  log('info', 'starting', { config: printRedacted(configured) });
  if (fallbackBecause !== null) log('error', 'configuration-invalid', { why: fallbackBecause });

  const emergency = isGuard ? createEmergencyFile(reserve(machine, files.emergency(name), EMERGENCY_FILE_BYTES, log)) : null;
  const holder = machine.thisProcess();
  const { mono, wall, sleep, isGone } = machine;
  // Before it is opened: a file that is replaced in between counts as replaced.
  const sight = createStoreSight(files.store);
  const storeFile = sight.look();
  const booted = await boot({
    name,
    storePath: files.store,
    busyTimeoutMs: BUSY_MS[name],
    holder,
    isGone,
    emergency,
    lastBeat: () => lastBeatIn(machine, files.heartbeat(name)),
    log,
    mono,
    wall,
    sleep,
  });
  if (!booted.ok) {
    log('error', 'not-started', { code: booted.exitCode, why: booted.detail });
    onEnd(booted.exitCode, booted.detail);
    return null;
  }
  const { db, lease } = booted;
  const pulse = createPulse(reserve(machine, files.heartbeat(name), HEARTBEAT_BYTES, log), { holder, leaseId: lease.leaseId, clock, log });
  const { config, mismatch } = configBoundTo(booted.binding, configured, () => readLastGood(files, environment));
  if (mismatch && !isGuard) {
    releaseLease(db, lease);
    onEnd(EXIT_CODE.badConfiguration, mismatch.happened);
    return null;
  }
  if (mismatch) log('error', 'configuration-mismatch', { why: mismatch.happened, did: mismatch.did });
  const desk: Desk = { config, files, log };
  const { keepDays, dayMegabytesMax } = config.journal;
  const sink = createJournalFiles({ folder: files.journals(name), keepDays });
  const journal = createJournal({ worker: name, version: readVersion(), sink, dayBytesMax: dayMegabytesMax * 1e6, log });

  let hasEnded = false;
  let stopTurns = (): void => undefined;
  const ended = ({ code, why, error }: Stop): void => {
    if (hasEnded) return;
    hasEnded = true;
    stopTurns();
    pulse.write({ ...NO_FACTS, phase: 'STOPPING' });
    if (code === EXIT_CODE.clean) releaseLease(db, lease);
    const words = error === undefined ? why : wordsOf(error);
    if (code === EXIT_CODE.bug) log('error', 'bug', { words });
    onEnd(code, words);
  };

  const shell = createShell({
    name,
    config,
    booted,
    brain: parts.brain,
    createState: start => {
      const given = parts.startOf(start, desk);
      journal.begin(given);
      return parts.brain.createState(given);
    },
    recorder: journal,
    clock,
    connect: listener => parts.connect(desk, config.account ?? booted.binding?.account ?? null, listener),
    emergency,
    log,
    alerts: [...(fallbackBecause === null ? [] : [configurationAlert(fallbackBecause)]), ...(mismatch ? [mismatch] : [])],
    ...(isGuard ? {} : { guard: guardReader(machine, files, holder.bootId) }),
    isHalted: () => machine.fileExists(files.halt),
    ...(storeFile !== null && storeFile !== 'unknown' ? { storeTrouble: () => storeTrouble(storeFile, sight.look()) } : {}),
    ...(parts.isDone ? { isDone: parts.isDone } : {}),
    onStop: ended,
  });

  let wasReady = false;
  const turn = (): void => {
    shell.beat();
    if (hasEnded) return;
    const facts = shell.facts();
    pulse.beat(facts);
    if (wasReady || facts.phase !== 'READY') return;
    wasReady = true;
    log('info', 'ready', { sinceStartMs: Math.round(mono() - startedAt) });
    const kept = fallbackBecause === null && mismatch === null ? keepLastGood(files) : { ok: true as const };
    if (!kept.ok) log('warn', 'configuration-not-kept', { detail: kept.detail });
    parts.onReady();
    void rulesFingerprint().then(journal.tellRules, (error: unknown) => log('warn', 'rules-not-read', { why: wordsOf(error) }));
  };
  const startedAt = mono();
  stopTurns = machine.every(TURN_MS, turn);
  turn();
  return { stop: shell.stop, fail: error => ended({ code: EXIT_CODE.bug, why: wordsOf(error), error }) };
}

const NO_FACTS = { brokerAgeMs: null, markAgeMs: null, commitAgeMs: null, backlog: 0 } as const;

const wordsOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

const openLog = (
  { name, machine }: { readonly name: FileOwner; readonly machine: Machine },
  { config, files, clock }: Omit<Desk, 'log'> & { clock: ExchangeClock },
): Log =>
  createLog({
    worker: name,
    file: files.log(name),
    level: config.log.level,
    exchange: clock.exchange,
    wall: machine.wall,
    stderr: true,
    onBroken: () => undefined, // warnings and errors reach the console all the same
  });

/** A full disk that cannot give the file its room must not keep the guard from its post: then memory is all there is, and the log says so. */
function reserve(machine: Machine, path: string, size: number, log: Log): RandomFile {
  try {
    return machine.openRandomFile(path, size);
  } catch (error) {
    log('error', 'file-not-reserved', { path, detail: error instanceof Error ? error.message : String(error) });
    return createMemoryFile(size);
  }
}

/** Who wrote the heartbeat last. One of an older version does not say when it started, and counts for nothing. */
function lastBeatIn(machine: Machine, path: string): LastBeat | null {
  const beat = machine.readHeartbeat(path);
  const holder = holderOf(beat);
  return beat && holder ? { holder, leaseId: beat.leaseId } : null;
}

/** The exit manager as its heartbeat shows it: no guard, no entry. */
function guardReader(machine: Machine, files: DeskFiles, bootId: string): () => GuardPulse {
  const path = files.heartbeat('exit-manager');
  return () => {
    const beat = machine.readHeartbeat(path);
    return { alive: isBeating(beat, { mono: machine.mono(), bootId, stillMs: GUARD_STILL_MS }), phase: beat?.phase ?? 'STARTING' };
  };
}

const configurationAlert = (why: string): Alert => ({
  level: 'critical',
  code: 'CONFIGURATION_INVALID',
  symbol: null,
  happened: why,
  did: 'The exit manager goes on with the last configuration that worked.',
  todo: 'Mend desk.yaml (docs/configuration.md), then restart the exit manager.',
});
