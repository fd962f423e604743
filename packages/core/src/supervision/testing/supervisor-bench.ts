import type { Alert } from '../../effects.js';
import type { WorkerPhase } from '../../shared-view.js';
import { decide, newSupervisor } from '../../supervisor.js';
import { monoMs } from '../../units.js';
import { DEFAULT_SUPERVISION, type SupervisionPolicy } from '../policy.js';
import type { SupervisorCommand, SupervisorEffect, SupervisorEvent, SupervisorState } from '../state.js';
import { pidOf, type SupervisedWorker } from '../watch.js';

export const GUARD = 'exit-manager';
export const TRADER = 'day-trader';
export type Body = SupervisorEvent extends infer E ? (E extends SupervisorEvent ? Omit<E, 'mono'> : never) : never;

/** A supervisor on a bench: machine time is moved by hand, starting a process works unless told otherwise, and every effect is written down. */
export class Bench {
  state: SupervisorState;
  mono = 0;
  lastPid = 100;
  /** What the store shows of the day trader's entries when a stop looks; null: none may fill any more. */
  working: string | null = null;
  cannotStart = false;
  readonly story: string[] = [];
  /** What was answered to commands, in words. */
  readonly answers: string[] = [];
  readonly alerts: Alert[] = [];
  readonly spawned: { worker: SupervisedWorker; at: number }[] = [];
  readonly counters: Record<SupervisedWorker, number> = { 'exit-manager': 0, 'day-trader': 0 };

  constructor(policy: Partial<SupervisionPolicy> = {}) {
    this.state = newSupervisor({ ...DEFAULT_SUPERVISION, ...policy });
  }

  tell(body: Body): void {
    const step = decide(this.state, { ...body, mono: monoMs(this.mono) });
    this.state = step.state;
    for (const effect of step.effects) this.perform(effect);
  }

  start(facts: Partial<Extract<Body, { kind: 'started' }>> = {}): this {
    this.tell({ kind: 'started', found: [], traderIsParked: false, ...facts });
    return this;
  }

  /** Lets machine time pass in steps of 50 ms, as the live supervisor does. */
  pass(ms: number): void {
    for (const end = this.mono + ms; this.mono < end; ) {
      this.mono += 50;
      this.tell({ kind: 'tick' });
    }
  }

  beats(worker: SupervisedWorker, phase: WorkerPhase = 'READY'): void {
    const pid = pidOf(worker === GUARD ? this.state.guard : this.state.trader);
    if (pid !== null) this.tell({ kind: 'beat', worker, beat: { pid, counter: ++this.counters[worker], phase } });
  }

  /** Time passes and both workers are well. */
  live(ms: number): void {
    for (const end = this.mono + ms; this.mono < end; this.pass(200)) {
      this.beats(GUARD);
      this.beats(TRADER);
    }
  }

  dies(worker: SupervisedWorker, code: number | null = null): void {
    const pid = pidOf(worker === GUARD ? this.state.guard : this.state.trader);
    if (pid !== null) this.tell({ kind: 'gone', worker, exit: { pid, code, signal: code === null ? 'SIGKILL' : null }, holder: null });
  }

  asks(command: SupervisorCommand): void {
    this.tell({ kind: 'command', command });
  }

  private perform(effect: SupervisorEffect): void {
    if (effect.do === 'spawn') {
      this.spawned.push({ worker: effect.worker, at: this.mono });
      this.story.push(`${this.mono} spawn ${effect.worker}${effect.mode === 'normal' ? '' : ` --${effect.mode}`}`);
      if (this.cannotStart) this.tell({ kind: 'spawn-failed', worker: effect.worker, reason: 'no memory' });
      else this.tell({ kind: 'spawned', worker: effect.worker, pid: ++this.lastPid });
    }
    if (effect.do === 'look-for-entries') this.tell({ kind: 'entries', working: this.working });
    if (effect.do === 'signal') this.story.push(`${this.mono} ${effect.signal} ${effect.worker} ${effect.pid}`);
    if (effect.do === 'answer') {
      this.story.push(`${this.mono} ${effect.status}`);
      this.answers.push(effect.answer);
    }
    if (effect.do === 'secure-positions' || effect.do === 'end' || effect.do === 'restore-store' || effect.do === 'back-up-store')
      this.story.push(`${this.mono} ${effect.do}`);
    if (effect.do === 'daily-reset') this.story.push(`${this.mono} daily-reset ${effect.date}`);
    if (effect.do === 'alert') {
      this.story.push(`${this.mono} alert ${effect.alert.code}`);
      this.alerts.push(effect.alert);
    }
  }

  /** What happened since it was last told. */
  tale(): string[] {
    return this.story.splice(0);
  }
}

/** Both workers READY, two seconds after the start. */
export const running = (): Bench => {
  const bench = new Bench().start();
  bench.live(2_000);
  bench.tale();
  return bench;
};
