import { CLIENT_ID } from '@holdfast/core/orders/order';
import type { EpochMs } from '@holdfast/core/units';
import type { JudgedWorker, WorldFact } from './facts.js';
import type { Moment } from './violation.js';

interface Process {
  readonly worker: JudgedWorker;
  isRunning: boolean;
  isLinked: boolean;
  phase: string;
}

/** Phases in which a worker acts on its own knowledge. */
const ABLE_PHASES: readonly string[] = ['READY', 'MINIMAL'];
const STARTING = 'STARTING';

/**
 * Who is alive, awake, connected and ready, and for how long somebody could have reacted. Without any `process` fact a connected exit
 * manager counts as able, which is the most an exchange can see.
 */
export class Roster {
  private readonly processes = new Map<number, Process>();
  private believesProcesses = false;
  private isClientLinked = false;
  private isReachable = true;
  private isMachineAwake = true;
  private isLineClean = true;
  /** When marks stopped flowing, as reaction time; under null: all of them. */
  private readonly blindSince = new Map<number | null, number>();
  /** When nothing came any more of any instrument. */
  private stillSince: number | null = null;
  private reacted = 0;
  private reactingSince: EpochMs | null = null;

  /** Whether processes were told, and with them when the broker can be reached. */
  get knowsProcesses(): boolean {
    return this.believesProcesses;
  }
  /** From this machine, by anybody. */
  get brokerIsReachable(): boolean {
    return this.isReachable && this.isMachineAwake;
  }
  /** Somebody with the right to exit is awake and knows what it does. */
  get guardIsAble(): boolean {
    if (!this.believesProcesses) return this.isClientLinked;
    for (const one of this.processes.values()) if (one.worker !== 'day-trader' && isAble(one)) return true;
    return false;
  }
  /** A process that stands still before it has ever said how far it is: that of a start is seen later than any other (DESIGN §1). */
  hangsInItsStart(processId: number): boolean {
    const one = this.processes.get(processId);
    return one !== undefined && one.worker === 'exit-manager' && !one.isRunning && one.phase === STARTING;
  }
  /** No exit manager runs: what the disaster stop is for. */
  get guardIsDead(): boolean {
    if (!this.believesProcesses) return !this.isClientLinked;
    for (const { worker, isRunning } of this.processes.values()) if (worker !== 'day-trader' && isRunning) return false;
    return true;
  }
  get canReact(): boolean {
    return this.brokerIsReachable && this.isLineClean && this.guardIsAble;
  }
  isReady(worker: JudgedWorker): boolean {
    for (const one of this.processes.values()) if (one.worker === worker && isAble(one)) return true;
    return false;
  }

  /** Exchange milliseconds, since the beginning, in which somebody could react. */
  reactionMs(at: EpochMs): number {
    return this.reacted + (this.reactingSince === null ? 0 : at - this.reactingSince);
  }

  /** For how much reaction time the exit manager has had no live mark of this instrument alone; 0 while they flow. */
  blindMs(conId: number, at: EpochMs): number {
    const since = this.blindSince.get(conId);
    return since === undefined ? 0 : this.reactionMs(at) - since;
  }
  /** The same for all instruments at once: nothing comes at all. */
  stillMs(at: EpochMs): number {
    return this.stillSince === null ? 0 : this.reactionMs(at) - this.stillSince;
  }
  isBlind(conId: number): boolean {
    return this.blindSince.has(conId) || this.blindSince.has(null);
  }

  take(fact: WorldFact, { at }: Moment): void {
    this.reacted = this.reactionMs(at);
    this.note(fact);
    this.reactingSince = this.canReact ? at : null;
  }

  private note(fact: WorldFact): void {
    if (fact.fact === 'process') this.noteProcess(fact);
    else if (fact.fact === 'phase') this.change(fact.processId, { phase: fact.phase });
    else if (fact.fact === 'link') {
      if (fact.processId !== undefined) this.change(fact.processId, { isLinked: fact.up });
      else if (fact.clientId === CLIENT_ID['exit-manager']) this.isClientLinked = fact.up;
    } else if (fact.fact === 'broker') this.isReachable = fact.reachable;
    else if (fact.fact === 'machine') this.isMachineAwake = fact.awake;
    else if (fact.fact === 'line') this.isLineClean = fact.clean;
    else if (fact.fact === 'marks') {
      if (fact.conId === null) this.stillSince = fact.flowing || fact.comes === true ? null : (this.stillSince ?? this.reacted);
      if (fact.flowing) this.blindSince.delete(fact.conId);
      else if (!this.blindSince.has(fact.conId)) this.blindSince.set(fact.conId, this.reacted);
    }
  }

  private noteProcess({ processId, worker, state }: Extract<WorldFact, { fact: 'process' }>): void {
    this.believesProcesses = true;
    if (state === 'started') this.processes.set(processId, { worker, isRunning: true, isLinked: false, phase: STARTING });
    else if (state === 'ended') this.processes.delete(processId);
    else this.change(processId, { isRunning: state === 'resumed' });
  }

  private change(processId: number, news: Partial<Omit<Process, 'worker'>>): void {
    const known = this.processes.get(processId);
    if (known) Object.assign(known, news);
  }
}

/** A liquidator is made for one purpose and tells no phase. */
const isAble = ({ worker, isRunning, isLinked, phase }: Process): boolean =>
  isRunning && isLinked && (worker === 'liquidator' || ABLE_PHASES.includes(phase));
