import type { Effect } from '@holdfast/core/effects';
import type { Event, EventBody } from '@holdfast/core/events';
import type { BrokerPort, BrokerSend } from '@holdfast/core/ports';
import { epochMs, fromDollars, monoMs } from '@holdfast/core/units';
import { MONDAY, NOW, openDesk } from '@holdfast/store/testing/desk';
import { loadView } from '@holdfast/store/view';
import type { EmergencyFile } from '../emergency-file.js';
import { silentLog } from '../log.js';
import { type Brain, createWorker, type Stop, type Worker, type WorkerParts } from '../worker.js';

/** For tests: one worker with a brain that follows a script, a broker that only writes down, and time that stands still until told. */

/** Machine and exchange time in step, from the store tests' NOW on. */
export function standingClock() {
  let passed = 0;
  return {
    pass: (ms: number): void => {
      passed += ms;
    },
    told: (): void => undefined,
    written: (): void => undefined,
    mono: () => monoMs(10_000 + passed),
    exchange: () => epochMs(NOW + passed),
  };
}

export interface NotingBroker extends BrokerPort {
  readonly sends: BrokerSend[];
  isUp: boolean;
  connects: number;
  acknowledged: number;
  /** Runs inside `send`, before it returns. */
  onSend: (send: BrokerSend) => void;
}

export function notingBroker(): NotingBroker {
  const broker: NotingBroker = {
    sends: [],
    isUp: true,
    connects: 0,
    acknowledged: 0,
    onSend: () => undefined,
    connect() {
      broker.connects += 1;
      broker.isUp = true;
    },
    close() {
      broker.isUp = false;
    },
    send(send) {
      if (!broker.isUp) return false;
      broker.sends.push(send);
      broker.onSend(send);
      return true;
    },
    acknowledgeTime() {
      broker.acknowledged += 1;
    },
  };
  return broker;
}

/** What the brain answers to an event, by kind; everything it heard is kept in `heard`. */
export type Script = Partial<Record<Event['kind'], (event: Event) => readonly Effect[]>>;

export function scriptedBrain(script: Script, heard: Event[]) {
  const facts = { isSettled: true };
  const brain: Brain<number> = {
    decide(state, event) {
      heard.push(event);
      return { state: state + 1, effects: script[event.kind]?.(event) ?? [] };
    },
    isSettled: () => facts.isSettled,
    phaseOf: () => 'READY',
  };
  return { brain, facts };
}

export interface Stand {
  readonly desk: ReturnType<typeof openDesk>;
  readonly clock: ReturnType<typeof standingClock>;
  readonly broker: NotingBroker;
  readonly heard: Event[];
  readonly facts: { isSettled: boolean };
  readonly worker: Worker<number>;
  readonly stops: Stop[];
  /** Kinds heard, ticks left out. */
  story(): readonly string[];
  take(body: EventBody): void;
}

/** A worker on a real store; `name` decides whose lease it has. */
export function standUp(
  script: Script,
  options: Partial<
    Pick<WorkerParts<number>, 'name' | 'policy' | 'guard' | 'isHalted' | 'isDone' | 'alerts' | 'lease' | 'unwritten' | 'storeTrouble'>
  > & {
    emergency?: EmergencyFile | null;
    desk?: ReturnType<typeof openDesk>;
    log?: WorkerParts<number>['log'];
    testament?: NonNullable<Brain<number>['testament']>;
  } = {},
): Stand {
  const { name = 'exit-manager', emergency = null, desk = openDesk(), log = silentLog, testament, ...rest } = options;
  const clock = standingClock();
  const broker = notingBroker();
  const heard: Event[] = [];
  const stops: Stop[] = [];
  const { brain, facts } = scriptedBrain(script, heard);
  const worker = createWorker({
    policy: { orders: null, entries: null },
    lease: name === 'day-trader' ? desk.dayTrader : desk.exitManager,
    ...rest,
    name,
    brain: testament ? { ...brain, testament } : brain,
    state: 0,
    view: loadView(desk.db, { worker: name, tradeDate: MONDAY, now: NOW }),
    db: desk.db,
    broker,
    clock,
    limits: { ordersPerMinute: 30, notionalMax: fromDollars(100_000), collarBps: 1_000 },
    emergency,
    log,
    onStop: stop => stops.push(stop),
  });
  return {
    desk,
    clock,
    broker,
    heard,
    facts,
    worker,
    stops,
    story: () => heard.map(({ kind }) => kind).filter(kind => kind !== 'tick' && kind !== 'store-changed'),
    take: worker.take,
  };
}
