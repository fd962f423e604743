import type { StoreCall, StoreFaults } from '@holdfast/store/faults';
import { Crash } from './crash.js';
import type { WorkerProcess } from './process.js';

/** Where a process can be interrupted: before and after every send and every commit, which is between any two effects. */
export type PointKind = 'send' | 'commit';
export type Side = 'before' | 'after';

export interface Ambush {
  readonly worker: WorkerProcess['worker'] | 'supervisor';
  readonly side: Side;
  readonly kind: PointKind;
  /** What must be sent for it to count (`place`, `cancel`, `request-snapshot`), or null for any. */
  readonly what: string | null;
  /** So many such points pass first. */
  countdown: number;
  readonly act: 'kill' | 'hang';
  readonly hangMs: number;
}

export interface PointsParts {
  /** Everybody else goes on for so long while this process stands still in the middle of its call. */
  readonly standStill: (program: WorkerProcess, ms: number) => void;
  readonly onBite: (kind: string, program: WorkerProcess | 'supervisor', where: string) => void;
}

/** The ambushes of a world: armed by the fault plan, sprung by the first process that comes by. */
export class Points {
  readonly armed: Ambush[] = [];
  readonly #parts: PointsParts;

  constructor(parts: PointsParts) {
    this.#parts = parts;
  }

  /** Called at every point. Throws `Crash` when the process dies here; returns after the hang when it is stopped here. */
  pass(program: WorkerProcess | 'supervisor', kind: PointKind, point: { readonly side: Side; readonly what: string }): void {
    if (this.armed.length === 0) return;
    const name = program === 'supervisor' ? program : program.worker;
    for (let index = 0; index < this.armed.length; index += 1) {
      const ambush = this.armed[index];
      if (!ambush || ambush.worker !== name || ambush.kind !== kind || ambush.side !== point.side) continue;
      if (ambush.what !== null && ambush.what !== point.what) continue;
      if (ambush.countdown > 0) {
        ambush.countdown -= 1;
        continue;
      }
      this.armed.splice(index, 1);
      this.#spring(program, ambush, point);
      return;
    }
  }

  #spring(program: WorkerProcess | 'supervisor', ambush: Ambush, { side, what }: { readonly side: Side; readonly what: string }): void {
    const where = `${side} ${ambush.kind} of ${what}`;
    if (ambush.act === 'kill' || program === 'supervisor') {
      this.#parts.onBite(`kill ${side} ${ambush.kind}`, program, where);
      throw new Crash(where);
    }
    this.#parts.onBite(`hang ${side} ${ambush.kind}`, program, where);
    this.#parts.standStill(program, ambush.hangMs);
    if (program.isDead) throw new Crash(`while it stood still ${where}`);
  }
}

/** A connection's calls as points, before whatever else is wrong with its disk. */
export function pointedStoreFaults(points: Points, program: WorkerProcess | 'supervisor', disk: StoreFaults): StoreFaults {
  return {
    before(call: StoreCall) {
      if (call.kind === 'commit') points.pass(program, 'commit', { side: 'before', what: 'a step' });
      disk.before(call);
    },
    afterCommit() {
      points.pass(program, 'commit', { side: 'after', what: 'a step' });
      disk.afterCommit();
    },
  };
}
