import type { SupervisedWorker } from '@holdfast/core/supervision/watch';
import { monoMs } from '@holdfast/core/units';
import { Db } from '@holdfast/store/db';
import { type GatewayFaults, type LineFaults, noGatewayFaults, noLineFaults } from '../broker-faults.js';
import type { Random } from '../random.js';
import type { StoreSpell } from '../store-faults.js';
import type { Faults } from './faults.js';
import {
  bust,
  correct,
  flatten,
  handBuy,
  handOpen,
  handOrder,
  handRace,
  handSell,
  inCalm,
  killSwitch,
  liquidate,
  restStops,
} from './hand-acts.js';
import type { PlannedFault } from './profile.js';
import { corruptStore, loseStore, replaceStore } from './store-acts.js';
import type { World } from './world.js';

/** Begins one fault and sees to its end. One that finds nothing to bite on does nothing, and is not counted. */
export type Act = (world: World, faults: Faults) => void;

function kill(worker: SupervisedWorker): Act {
  return world => {
    const program = world.machine.process(worker);
    if (!program || program.isInCall) return;
    world.counts.crashes += 1;
    world.bit(`kill ${worker}`);
    program.kill();
  };
}

function killSupervisor(world: World): void {
  const { supervisor } = world.machine;
  if (!supervisor || supervisor.isDead) return;
  world.counts.crashes += 1;
  world.bit('kill supervisor');
  supervisor.kill('killed');
}

function killEverything(world: World, faults: Faults): void {
  killSupervisor(world);
  kill('exit-manager')(world, faults);
  kill('day-trader')(world, faults);
  world.bit('kill everything');
}

const SENT = ['place', 'cancel', 'request-snapshot', null] as const;

/** Lies in wait for the next order, cancel or commit: the process dies, or stands still, right before or right after it. */
function ambush(worker: SupervisedWorker | 'supervisor'): Act {
  return ({ points }, { random }) => {
    const kind = worker === 'supervisor' || random.chance(1, 2) ? 'commit' : 'send';
    points.armed.push({
      worker,
      kind,
      side: random.chance(1, 2) ? 'before' : 'after',
      what: kind === 'commit' ? null : (SENT[random.below(SENT.length)] ?? null),
      countdown: random.below(kind === 'commit' ? 6 : 3),
      act: random.chance(1, 4) ? 'hang' : 'kill',
      hangMs: random.chance(1, 2) ? random.between(300, 4_000) : random.between(5_500, 9_000),
    });
  };
}

/** Shorter than a supervisor notices, about as long, and so long that only its SIGKILL can end it. */
const HANGS = [
  [200, 4_500],
  [200, 4_500],
  [5_000, 12_000],
  [20_000, 60_000],
] as const;

function hang(worker: SupervisedWorker): Act {
  return (world, faults) => {
    const program = world.machine.process(worker);
    if (!program || program.isStopped || program.isInCall) return;
    const { random } = faults;
    const [lowMs, highMs] = HANGS[random.below(HANGS.length)] ?? HANGS[0];
    const ms = random.between(lowMs, highMs);
    program.isStopped = true;
    world.tell({ fact: 'process', processId: program.pid, worker, state: 'stopped' });
    world.bit(`hang ${worker}`, `${ms} ms`);
    faults.lasts(ms, () => {
      program.isStopped = false;
      if (!program.isDead) world.tell({ fact: 'process', processId: program.pid, worker, state: 'resumed' });
    });
  };
}

function hangSupervisor(world: World, faults: Faults): void {
  const { supervisor } = world.machine;
  if (!supervisor || supervisor.isDead) return;
  supervisor.isStopped = true;
  world.bit('hang supervisor');
  faults.lasts(faults.random.between(500, 10_000), () => {
    supervisor.isStopped = false;
  });
}

function secondSupervisor(world: World): void {
  const { supervisor } = world.machine;
  if (!supervisor?.supervision || supervisor.isDead || world.disk.isFailing('busy') || !world.place.isWell) return;
  world.bit('second supervisor');
  if (!world.machine.startSecondSupervisor())
    world.violate([{ invariant: 'I10', at: world.time.exchange(), symbol: '', detail: 'a second supervisor did not refuse to start' }]);
}

/**
 * A fault of one worker's line, the exit manager's mostly: these fields of it for a while. `now`: machine time, with both clocks together;
 * `until`: exchange time, long enough for an order to come by.
 */
function ofLine(draw: (random: Random) => Partial<LineFaults>, lasting: Lasting): Act {
  return (world, faults) => {
    const broker = world.gateway.broker(faults.random.chance(2, 3) ? 'exit-manager' : 'day-trader');
    if (broker) setFor(faults, { fields: broker.line.faults, set: draw(faults.random), off: noLineFaults(), lasting });
  };
}

/** A fault of the broker's answers, for everybody. */
const ofBroker =
  (draw: (random: Random) => Partial<GatewayFaults>, lasting: Lasting): Act =>
  (world, faults) =>
    setFor(faults, { fields: world.gateway.gateway.faults, set: draw(faults.random), off: noGatewayFaults(), lasting });

type Lasting = { readonly nowMs: number } | { readonly untilMs: number };

interface Switched<T extends object> {
  readonly fields: T;
  readonly set: Partial<T>;
  readonly off: T;
  readonly lasting: Lasting;
}

/** Ends by switching off the very fields it had set; another fault of the same line goes on. */
function setFor<T extends object>(faults: Faults, { fields, set, off, lasting }: Switched<T>): void {
  Object.assign(fields, set);
  const end = (): void => {
    for (const key of Object.keys(set) as (keyof T)[]) fields[key] = off[key];
  };
  if ('nowMs' in lasting) faults.lasts(faults.random.between(300, lasting.nowMs), end);
  else faults.lingers(faults.random.between(20_000, lasting.untilMs), end);
}

const LANES = ['execution', 'commission', 'position', 'order', 'order-notice', 'pnl-mark', 'quote', 'answer', 'account'] as const;

function cut(world: World, { random }: Faults): void {
  if (random.chance(1, 5)) {
    world.gateway.gateway.cutAll('cut');
    return;
  }
  const broker = world.gateway.broker(random.chance(2, 3) ? 'exit-manager' : 'day-trader');
  if (!broker) return;
  if (random.chance(1, 3)) broker.cut('cut');
  else broker.line.cutAfter(random.chance(1, 2) ? { heard: random.between(1, 12) } : { sent: random.between(1, 3) });
}

function outage(world: World, { random }: Faults): void {
  const { gateway } = world.gateway;
  if (!gateway.isUp) return;
  gateway.restart({ downMs: random.between(2_000, 60_000) });
}

function loseBroker(world: World, faults: Faults): void {
  const { gateway } = world.gateway;
  if (!gateway.isUp || gateway.isBrokerLost) return;
  gateway.loseBroker();
  faults.lasts(faults.random.between(1_000, 40_000), () => {
    if (gateway.isBrokerLost) gateway.restoreBroker(faults.random.chance(1, 2) ? 'kept' : 'lost');
  });
}

function restart(world: World, { random }: Faults): void {
  const { gateway } = world.gateway;
  if (!gateway.isUp) return;
  gateway.restart({
    downMs: random.between(5_000, 90_000),
    lostLastMs: random.chance(1, 2) ? random.between(500, 120_000) : 0,
    rollBackIds: random.below(4),
    unsettledMs: random.below(8_000),
  });
}

function store(spell: StoreSpell, msMax: number): Act {
  return (world, faults) => {
    const ms = faults.random.between(200, msMax);
    world.disk.begin(spell, monoMs(world.time.mono() + ms));
    faults.lasts(ms, () => undefined);
  };
}

/** Somebody else's open write transaction, on a real connection. */
function stranger(world: World, faults: Faults): void {
  if (!world.place.isWell) return;
  const db = new Db(world.place.path, { busyTimeoutMs: 0, synchronous: 'OFF', mustExist: true });
  try {
    db.exec('BEGIN IMMEDIATE');
  } catch (error) {
    db.close();
    if (!(error instanceof Error)) throw error;
    return;
  }
  world.bit('store stranger');
  faults.lasts(faults.random.between(100, 12_000), () => db.close());
}

function clockStep(world: World, { random }: Faults): void {
  world.time.wallStepMs += (random.chance(1, 2) ? 1 : -1) * random.between(1_000, 7_200_000);
  world.bit('clock step');
}

/** The box sleeps: of its monotonic clock no time passes, of the exchange's some. Or it is stalled: for both. */
function suspend(world: World, { random }: Faults): void {
  const ms = random.between(2_000, 60_000);
  world.bit('suspend', `${ms} ms`);
  world.tell({ fact: 'machine', awake: false });
  if (random.chance(1, 2)) world.time.pass(ms);
  else world.time.passExchange(ms);
  // What happened meanwhile happened before anything that follows.
  world.exchange.advanceTo(world.time.exchange());
  world.tell({ fact: 'machine', awake: true });
}

const ACTS: Readonly<Record<PlannedFault, Act>> = {
  'kill exit-manager': kill('exit-manager'),
  'kill day-trader': kill('day-trader'),
  'kill supervisor': killSupervisor,
  'kill everything': killEverything,
  'ambush exit-manager': ambush('exit-manager'),
  'ambush day-trader': ambush('day-trader'),
  'ambush supervisor': ambush('supervisor'),
  'hang exit-manager': hang('exit-manager'),
  'hang day-trader': hang('day-trader'),
  'hang supervisor': hangSupervisor,
  'second supervisor': secondSupervisor,
  cut,
  deaf: ofLine(() => ({ isDeaf: true }), { nowMs: 8_000 }),
  mute: ofLine(() => ({ isMute: true }), { nowMs: 5_500 }),
  'half-open': (world, { random }) =>
    world.gateway.breakOff(random.chance(2, 3) ? 'exit-manager' : 'day-trader', random.between(500, 12_000)),
  delay: ofLine(
    random => {
      const lanes = LANES.filter(() => random.chance(1, 3));
      const highMs = random.between(300, 4_000);
      return { delay: { lanes: lanes.length > 0 ? lanes : ['execution'], odds: [1, 1], lowMs: 50, highMs } };
    },
    { untilMs: 400_000 },
  ),
  repeat: ofLine(() => ({ repeat: [1, 3] }), { untilMs: 400_000 }),
  reorder: ofLine(() => ({ reorder: [1, 2] }), { untilMs: 600_000 }),
  'drop statuses': ofLine(() => ({ drop: [1, 3] }), { untilMs: 400_000 }),
  outage,
  'connectivity lost': loseBroker,
  restart,
  reject: ofBroker(random => ({ reject: { odds: [1, random.between(1, 3)], codes: [201, 110, 103] } }), { untilMs: 300_000 }),
  vanish: ofBroker(() => ({ vanish: { odds: [1, 3], of: null } }), { untilMs: 200_000 }),
  'slow cancels': ofBroker(random => ({ slowCancel: { odds: [1, 2], lowMs: 200, highMs: random.between(1_000, 7_000) } }), {
    untilMs: 1_200_000,
  }),
  'refuse cancels': ofBroker(() => ({ refuseCancel: [1, 2], purge: [1, 2] }), { untilMs: 600_000 }),
  'stale positions': ofBroker(random => ({ stalePositions: { odds: [1, 2], lowMs: 500, highMs: random.between(2_000, 15_000) } }), {
    untilMs: 600_000,
  }),
  correction: correct,
  bust: inCalm(bust),
  'crazy marks': ofLine(() => ({ crazyMark: [1, 4] }), { untilMs: 200_000 }),
  'frozen marks': ofLine(() => ({ frozenMarks: true, frozenQuotes: true }), { untilMs: 500_000 }),
  'hand sell': inCalm(handSell),
  'hand race': handRace,
  'hand buy': inCalm(handBuy),
  'hand open': inCalm(handOpen),
  'hand order': handOrder,
  flatten,
  'kill switch': killSwitch,
  'liquidate-all': liquidate,
  'rest stops': restStops,
  'store busy': store('busy', 6_000),
  'store full': store('full', 20_000),
  'store io': store('io', 5_000),
  'store unsure': store('unsure', 5_000),
  'store stranger': stranger,
  'store lost': loseStore,
  'store corrupt': corruptStore,
  'store replaced': replaceStore,
  'clock step': clockStep,
  suspend,
  market: (world, { random }) => world.source.befall(world.time.exchange(), random),
};

export const actOf = (fault: PlannedFault): Act => ACTS[fault];
