import type { EpochMs, MonoMs } from '@holdfast/core/units';
import type { Referee } from '@holdfast/sim/audits/referee';
import type { ExchangePort } from '@holdfast/sim/exchange-types';
import type { RunningGateway } from '@holdfast/sim/gateway/gateway';
import type { Machine } from '../machine.js';
import type { Holding } from './books.js';
import type { Chaos } from './chaos.js';
import type { DemoDay } from './day.js';
import type { Progress } from './progress.js';
import type { SupervisorProcess, Workshop } from './workshop.js';

export interface DemoRun {
  readonly day: DemoDay;
  readonly seed: number;
  readonly speed: number;
  readonly chaos: boolean;
  /** New York time to stop at; undefined: a few minutes after the close. */
  readonly until: string | undefined;
}

/** Everything that plays in a running demo day. */
export interface Stage {
  readonly machine: Machine;
  readonly run: DemoRun;
  readonly progress: Progress;
  readonly gateway: RunningGateway;
  readonly exchange: ExchangePort;
  readonly close: EpochMs;
  readonly workshop: Workshop;
  readonly supervisor: SupervisorProcess;
  readonly chaos: Chaos | null;
  readonly referee: Referee;
  readonly baseline: Holding;
  /** Machine time since when a client has been away. */
  readonly away: ReadonlyMap<number, MonoMs>;
  readonly isInterrupted: () => boolean;
}

/** Ends the day early; told to the person, and everything is stopped. */
export class DayFailed extends Error {}

/** A worker that stays away for so long is not coming back; the day would crawl on at 1×. */
const AWAY_MS_MAX = 90_000;

/** Throws `DayFailed` when there is no point in going on. */
export function checkStage({ isInterrupted, machine, away, supervisor }: Stage): void {
  if (isInterrupted()) throw new DayFailed('it was interrupted');
  const ended = supervisor.ended();
  if (ended !== null) throw new DayFailed(`the supervisor ended by itself (${ended})`);
  for (const [clientId, since] of away)
    if (machine.mono() - since > AWAY_MS_MAX) throw new DayFailed(`client ${clientId} has been away for ${AWAY_MS_MAX / 1000} s`);
}
