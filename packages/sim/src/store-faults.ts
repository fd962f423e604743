import type { MonoMs } from '@holdfast/core/units';
import type { RandomFile } from '@holdfast/engine/random-file';
import {
  fileFailure,
  type StoreCall,
  type StoreCallKind,
  type StoreFailureKind,
  type StoreFaults,
  storeFailure,
} from '@holdfast/store/faults';
import type { Random } from './random.js';

/** One way a disk or a lock fails for a while. `io`: any call, one at a time; `unsure`: commits are done and reported as failed. */
export type StoreSpell = 'busy' | 'full' | 'io' | 'unsure';

export const STORE_SPELLS: readonly StoreSpell[] = ['busy', 'full', 'io', 'unsure'];

/** What to make of one call, or null to let it be. */
interface Bite {
  readonly failure: StoreFailureKind;
  /** SQLite ends the transaction itself before it reports a full disk or an I/O error, sometimes. */
  readonly rollsBack: boolean;
}

export interface StoreFaultsParts {
  readonly random: Random;
  readonly mono: () => MonoMs;
  /** Called each time a call is made to fail. */
  readonly onFault: (spell: StoreSpell) => void;
}

/** Faults of one process's store under a seed. */
export interface SeededStoreFaults extends StoreFaults {
  /** From now until that machine time calls fail so; of several spells of one kind the longest counts. */
  begin(spell: StoreSpell, until: MonoMs): void;
  /** Ends every spell. */
  heal(): void;
  isFailing(spell: StoreSpell): boolean;
  /** The emergency file on the same disk: an `io` spell hits it too, a full disk does not, for its room is reserved. */
  file(file: RandomFile): RandomFile;
}

/** Of so many calls under an `io` spell one fails; the disk answers in between, which is what makes it dangerous. */
const IO_ODDS = 3;
const IO_KINDS: readonly StoreFailureKind[] = ['io-read', 'io-write', 'io-sync'];

/**
 * SQLite's failures in spells, for a whole desk in one process: the fault plan begins them, every call asks. Draws from `random` only while an
 * `io` or `unsure` spell lasts, so that a plan without them leaves every other draw where it was.
 */
export function createStoreFaults({ random, mono, onFault }: StoreFaultsParts): SeededStoreFaults {
  const until = new Map<StoreSpell, MonoMs>();
  /** When the last spell is over. */
  let lastUntil = Number.NEGATIVE_INFINITY;
  const isFailing = (spell: StoreSpell): boolean => (until.get(spell) ?? Number.NEGATIVE_INFINITY) > mono();

  function bite(kind: StoreCallKind, inTransaction: boolean): { readonly spell: StoreSpell; readonly bite: Bite } | null {
    const writes = kind === 'begin' || (kind === 'write' && !inTransaction) || kind === 'exec';
    if (writes && isFailing('busy')) return { spell: 'busy', bite: { failure: 'busy', rollsBack: false } };
    if ((kind === 'write' || kind === 'commit') && isFailing('full'))
      return { spell: 'full', bite: { failure: 'full', rollsBack: random.chance(1, 2) } };
    if (!isFailing('io') || !random.chance(1, IO_ODDS)) return null;
    if (kind === 'read' || kind === 'data-version' || kind === 'pragma' || kind === 'open' || kind === 'begin')
      return { spell: 'io', bite: { failure: 'io-read', rollsBack: false } };
    const failure = IO_KINDS[1 + random.below(2)] ?? 'io-write';
    return { spell: 'io', bite: { failure, rollsBack: random.chance(1, 2) } };
  }

  function before(call: StoreCall): void {
    if (mono() >= lastUntil) return;
    if (call.kind === 'sync') {
      const spell = (['full', 'io'] as const).find(isFailing);
      if (!spell) return;
      onFault(spell);
      throw fileFailure(spell);
    }
    const bitten = bite(call.kind, call.inTransaction);
    if (!bitten) return;
    onFault(bitten.spell);
    if (bitten.bite.rollsBack && call.inTransaction) call.rollBack();
    throw storeFailure(bitten.bite.failure);
  }

  return {
    before,
    afterCommit() {
      if (mono() >= lastUntil || !isFailing('unsure') || !random.chance(1, 2)) return;
      onFault('unsure');
      throw storeFailure('io-sync');
    },
    begin(spell, end) {
      const before = until.get(spell);
      until.set(spell, before !== undefined && before > end ? before : end);
      lastUntil = Math.max(lastUntil, end);
    },
    heal: () => {
      until.clear();
      lastUntil = Number.NEGATIVE_INFINITY;
    },
    isFailing,
    file: file =>
      failingFile(file, () => {
        if (!isFailing('io')) return false;
        onFault('io');
        return true;
      }),
  };
}

const BROKEN = { ok: false, detail: 'EIO: i/o error (injected)' } as const;

/** A reserved file whose writes and syncs fail whenever `fails` says so. What had been written before stays. */
export function failingFile(file: RandomFile, fails: (call: 'write' | 'sync') => boolean): RandomFile {
  return {
    size: file.size,
    write: (offset, text) => (fails('write') ? BROKEN : file.write(offset, text)),
    sync: () => (fails('sync') ? BROKEN : file.sync()),
    read: () => file.read(),
    close: () => file.close(),
  };
}

/** Fails the n-th call that `isMeant` names; `hasFired` says whether there was one. */
export interface NthFault extends StoreFaults {
  readonly hasFired: boolean;
  /** The call that failed, for a story. */
  readonly fired: string | null;
}

export interface NthFaultPlan {
  /** Which calls count; `after-commit`: the n-th commit is done and reported as failed. */
  readonly isMeant: ((call: StoreCall) => boolean) | 'after-commit';
  /** 1 = the first. */
  readonly nth: number;
  /** By name, or an error of the story's own: a file's, or the end of the process. */
  readonly failure: StoreFailureKind | (() => Error);
  /** Ends the transaction before the failure is reported. */
  readonly rollsBack?: boolean;
  /** So many calls in a row fail, from the n-th on; default 1. */
  readonly times?: number;
}

/** The scripted mode: one call of a connection, counted from the first, fails; everything else works. */
export function failNthCall({ isMeant, nth, failure, rollsBack = false, times = 1 }: NthFaultPlan): NthFault {
  let count = 0;
  let fired: string | null = null;

  const isDue = (): boolean => {
    count += 1;
    return count >= nth && count < nth + times;
  };
  const error = (): Error => (typeof failure === 'string' ? storeFailure(failure) : failure());

  return {
    before(call) {
      if (isMeant === 'after-commit' || !isMeant(call) || !isDue()) return;
      fired ??= `${call.kind} ${call.sql}`;
      if (rollsBack) call.rollBack();
      throw error();
    },
    afterCommit() {
      if (isMeant !== 'after-commit' || !isDue()) return;
      fired ??= 'commit, done but reported as failed';
      throw error();
    },
    get hasFired() {
      return fired !== null;
    },
    get fired() {
      return fired;
    },
  };
}
