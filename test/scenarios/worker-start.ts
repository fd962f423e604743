import { tradeDateOf } from '@holdfast/core/calendar';
import type { WorkerName } from '@holdfast/core/orders/order';
import type { SharedView } from '@holdfast/core/shared-view';
import type { EpochMs, MonoMs } from '@holdfast/core/units';
import { ASK_AGAIN_MS, type Booted, createBoot } from '@holdfast/engine/boot';
import type { EmergencyFile } from '@holdfast/engine/emergency-file';
import { keepsBaseline, withKept } from '@holdfast/engine/kept-view';
import { silentLog } from '@holdfast/engine/log';
import { baselineTakenAt } from '@holdfast/store/baseline';
import { Db, type Synchronous } from '@holdfast/store/db';
import type { StoreFaults } from '@holdfast/store/faults';
import { attempt } from '@holdfast/store/refusal';
import { loadStartView } from '@holdfast/store/view';

/** kill −9 in the middle of a call: thrown by a fault, it ends the process there and then. */
export class Killed extends Error {
  constructor() {
    super('killed in the middle of a call');
  }
}

export interface StartParts {
  readonly name: WorkerName;
  readonly path: string;
  readonly account: string;
  readonly synchronous: Synchronous;
  readonly faults: StoreFaults;
  /** Of the next process: its pid, and the exit manager's emergency file as it finds it. */
  readonly next: () => { readonly pid: number; readonly emergency: EmergencyFile | null };
  readonly mono: () => MonoMs;
  readonly now: () => EpochMs;
  /** Lets machine time pass. */
  readonly wait: (ms: number) => void;
  readonly tell: (line: string) => void;
}

export interface Started {
  readonly booted: Booted;
  readonly view: SharedView;
  readonly hasBaseline: boolean;
}

/** The supervisor's pace; and when a story has to give up. */
const RESTART_MS = 250;
const STARTS_MAX = 40;

/** The real start of a worker, up to what its shell reads before the first decision. One that gives up is started again. */
export function startWorker(parts: StartParts): Started {
  for (let tries = 0; tries < STARTS_MAX; tries += 1) {
    const { pid, emergency } = parts.next();
    const boot = createBoot({
      name: parts.name,
      storePath: parts.path,
      busyTimeoutMs: 0,
      synchronous: parts.synchronous,
      open: (path, options) => new Db(path, { ...options, faults: parts.faults }),
      holder: { pid, processStartedAt: '1', bootId: 'boot' },
      isGone: () => true,
      emergency,
      log: silentLog,
      mono: parts.mono,
      wall: parts.now,
    });
    let booted: Booted | null = null;
    try {
      let stepped = boot.step();
      for (; stepped === 'waiting'; stepped = boot.step()) parts.wait(ASK_AGAIN_MS);
      if (stepped.ok) {
        booted = stepped;
        return { booted, ...readStore(booted, parts) };
      }
      parts.tell(`${parts.name} does not start: ${stepped.detail}`);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      boot.abandon();
      booted?.db.close();
      parts.tell(`${parts.name} does not start: ${error.message}`);
    }
    parts.wait(RESTART_MS);
  }
  throw new Error(`the ${parts.name} did not start in ${STARTS_MAX} tries`);
}

/** As the shell does once the gateway has named the account: a store that does not answer is asked again. */
function readStore({ db, unwritten }: Booted, { name, account, now, wait }: StartParts): Pick<Started, 'view' | 'hasBaseline'> {
  const kept = unwritten?.steps ?? [];
  for (let tries = 0; tries < STARTS_MAX; tries += 1) {
    const at = now();
    const read = attempt(() => ({
      ok: true as const,
      view: withKept(loadStartView(db, { worker: name, tradeDate: tradeDateOf(at), now: at }), kept),
      hasBaseline: baselineTakenAt(db, account) !== null || keepsBaseline(kept, account),
    }));
    if (read.ok) return read;
    wait(ASK_AGAIN_MS);
  }
  throw new Error(`the store could not be read in ${STARTS_MAX} tries`);
}
