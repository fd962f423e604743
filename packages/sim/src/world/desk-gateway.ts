import { CLIENT_ID, type Order } from '@holdfast/core/orders/order';
import type { BrokerListener } from '@holdfast/core/ports';
import type { SupervisedWorker } from '@holdfast/core/supervision/watch';
import type { MonoMs } from '@holdfast/core/units';
import type { SimBroker } from '../broker.js';
import type { FaultKind, LineFaults } from '../broker-faults.js';
import { createSimGateway, type SimGateway } from '../broker-gateway.js';
import type { Line, WorkerProcess } from './process.js';
import type { World } from './world.js';

/** Faults that bite message by message: counted, and not told one by one. */
const FREQUENT: ReadonlySet<FaultKind> = new Set([
  'repeated message',
  'execution after status',
  'fill after Cancelled',
  'frozen mark',
  'frozen quote',
  'late account',
  'late answer',
  'late commission',
  'late execution',
  'late order',
  'late order-notice',
  'late pnl-mark',
  'late position',
  'late quote',
]);
const MESSAGES_A_SECOND = 50;
/** What was held back has arrived so long after the fault ended. */
const LATE_MS = 5_000;
/** What was never told is asked for by the comparison of every minute at the latest. */
const UNTIL_ASKED_MS = 70_000;
/** So long a dead socket excuses: silence is noticed within ten seconds, and the client id may be taken for twelve more. */
const CUT_OFF_EXCUSED_MS = 30_000;

/**
 * The gateway as the processes of this desk meet it: one client per process, with an ambush possible before and after everything that is
 * sent, and with what the referees must know (who sent what, who is connected, whether the broker can be reached at all).
 */
export class DeskGateway {
  readonly gateway: SimGateway;
  readonly #world: World;
  readonly #messages = new WeakMap<WorkerProcess, { readonly second: number; readonly count: number; readonly isSaid: boolean }>();
  readonly #brokers = new Map<WorkerProcess, SimBroker>();
  /** Its socket is dead since then and nobody has said so: whatever it does, it cannot reach the broker before a new one. */
  #guardCutOffAt: MonoMs | null = null;
  #wasReachable = true;
  #wasClean = true;
  #wereMarksLive = true;
  #didMarksCome = true;
  #dirtyUntil = 0;
  #race: ((conId: number) => boolean) | null = null;
  /** The order that is just being sent: a refusal is told of its instrument. */
  #placing: { readonly orderRef: string; readonly what: { readonly conId: number; readonly type: string } } | null = null;

  constructor(world: World) {
    this.#world = world;
    this.gateway = createSimGateway({
      exchange: world.exchange,
      random: world.random.fork('gateway'),
      ownership: world.setup.ownership,
      history: (conId, barMs, from, to) => world.source.history(conId, barMs, from, to),
      onFault: (kind, { orderRef, clientId }) => {
        if (FREQUENT.has(kind)) world.counts.bit(kind);
        else world.bit(kind, orderRef ?? '');
        const placing = this.#placing;
        if (clientId === null || placing === null || placing.orderRef !== orderRef) return;
        if (kind === 'placement vanished') world.tell({ fact: 'swallowed', clientId, ...placing.what });
        if (!kind.startsWith('rejected ')) return;
        world.tell({ fact: 'refused', clientId, ...placing.what });
        if (placing.what.type !== 'LMT') world.awaitRetry();
      },
    });
  }

  connect(program: WorkerProcess, listener: BrokerListener): Line {
    const clientId = CLIENT_ID[program.worker];
    const tellLink = (up: boolean): void => this.#world.tell({ fact: 'link', processId: program.pid, clientId, up });
    const broker = this.gateway.client({
      clientId,
      onEvent: body => {
        if (body.kind === 'connected' && program.worker === 'exit-manager') this.#guardCutOffAt = null;
        if (body.kind === 'connected') tellLink(true);
        else if (body.kind === 'disconnected') tellLink(false);
        listener(body);
        // Without a word about the time a worker cannot begin.
        if (body.kind === 'connected') listener({ kind: 'time', seconds: Math.floor(this.#world.time.exchange() / 1_000) });
      },
    });
    this.#brokers.set(program, broker);
    const { points } = this.#world;
    return {
      connect: () => broker.connect(),
      close: () => {
        broker.close();
        tellLink(false);
        if (program.isDead) this.#brokers.delete(program);
      },
      get isUp() {
        return broker.isUp;
      },
      get isSilent() {
        return broker.isSilent;
      },
      deliver: now => broker.deliver(now),
      acknowledgeTime: () => undefined,
      send: what => {
        if (what.do === 'place') this.#world.tell({ fact: 'sending', processId: program.pid, orderRef: what.order.orderRef });
        points.pass(program, 'send', { side: 'before', what: what.do });
        if (this.#race !== null && what.do === 'place' && program.worker === 'exit-manager') this.#runRace(what.order);
        if (broker.isUp && (what.do === 'place' || what.do === 'cancel')) this.#tellSent(program, what);
        this.#countMessage(program);
        const isSent = broker.send(what);
        points.pass(program, 'send', { side: 'after', what: what.do });
        return isSent;
      },
    };
  }

  /** Called at the next sale at the market that leaves the exit manager; says whether it acted. */
  race(act: (conId: number) => boolean): void {
    this.#race = act;
  }

  #runRace({ contract, type, tif }: Order): void {
    if (type === 'MKT' && tif === 'IOC' && this.#race?.(contract.conId)) this.#race = null;
  }

  /** A client that says more than 50 messages a second is disconnected by the real gateway (reference §7). The day trader's are paced by the live adapter. */
  #countMessage(program: WorkerProcess): void {
    const second = Math.floor(this.#world.time.mono() / 1_000);
    const seen = this.#messages.get(program) ?? { second, count: 0, isSaid: false };
    const count = seen.second === second ? seen.count + 1 : 1;
    const isTooMany = program.worker === 'exit-manager' && count > MESSAGES_A_SECOND && !seen.isSaid;
    this.#messages.set(program, { second, count, isSaid: seen.isSaid || isTooMany });
    if (!isTooMany) return;
    const detail = `${program.worker} said more than ${MESSAGES_A_SECOND} messages within a second`;
    this.#world.violate([{ invariant: 'I9', at: this.#world.time.exchange(), symbol: '', detail }]);
  }

  #tellSent(program: WorkerProcess, what: Parameters<Line['send']>[0]): void {
    const clientId = CLIENT_ID[program.worker];
    const sender = { fact: 'sent' as const, clientId, processId: program.pid, leaseId: program.leaseId };
    if (what.do === 'place') {
      this.#world.orders += 1;
      const { orderRef, contract, type } = what.order;
      this.#placing = { orderRef, what: { conId: contract.conId, type } };
      this.#world.tell({ ...sender, what: 'place', orderRef, conId: contract.conId });
    } else if (what.do === 'cancel') {
      this.#world.tell({ ...sender, what: 'cancel', orderRef: what.orderRef, target: { clientId, orderId: what.orderId } });
    }
  }

  broker(worker: SupervisedWorker): SimBroker | null {
    const program = this.#world.machine.process(worker);
    return (program && this.#brokers.get(program)) ?? null;
  }

  /** Both ways dead without a word; the gateway keeps the client id occupied for a while after the client gave up. */
  breakOff(worker: SupervisedWorker, lingerMs: number): void {
    const broker = this.broker(worker);
    if (!broker?.isUp) return;
    broker.line.breakOff(lingerMs);
    if (worker === 'exit-manager') this.#guardCutOffAt = this.#world.time.mono();
  }

  turn(now: MonoMs): void {
    this.gateway.advance(now);
    const guard = this.broker('exit-manager');
    const isCutOff = this.#guardCutOffAt !== null && now - this.#guardCutOffAt <= CUT_OFF_EXCUSED_MS;
    const isReachable =
      !isCutOff && this.gateway.isUp && !this.gateway.isBrokerLost && this.gateway.isSettled && guard?.line.faults.isDeaf !== true;
    if (isReachable !== this.#wasReachable) this.#world.tell({ fact: 'broker', reachable: isReachable });
    this.#wasReachable = isReachable;
    this.#tellLine(now, guard?.line.faults ?? null);
  }

  /** What the exit manager's line does to what it hears: the referees excuse what nobody could have known, and no more. */
  #tellLine(now: MonoMs, faults: LineFaults | null): void {
    const isLate = faults !== null && (faults.isMute || faults.delay !== null || faults.repeat !== null || faults.reorder !== null);
    if (isLate) this.#dirtyUntil = Math.max(this.#dirtyUntil, now + LATE_MS);
    if (faults?.drop) this.#dirtyUntil = now + UNTIL_ASKED_MS;
    const isClean = now >= this.#dirtyUntil;
    if (isClean !== this.#wasClean) this.#world.tell({ fact: 'line', clean: isClean });
    this.#wasClean = isClean;
    const areLive = faults === null || !(faults.isMute || faults.frozenMarks || faults.crazyMark !== null || faults.delay !== null);
    const doCome = !(faults?.isMute || faults?.frozenMarks);
    if (areLive === this.#wereMarksLive && doCome === this.#didMarksCome) return;
    this.#world.tell({ fact: 'marks', conId: null, flowing: areLive, comes: doCome });
    this.#wereMarksLive = areLive;
    this.#didMarksCome = doCome;
  }

  /** Nothing is on its way, nothing is late, nothing is down. */
  get isIdle(): boolean {
    const { gateway } = this;
    if (!gateway.isUp || gateway.isBrokerLost || !gateway.isSettled || gateway.nextDueAt() !== null) return false;
    for (const broker of this.#brokers.values()) if (broker.waiting > 0 || broker.nextDueAt() !== null) return false;
    return true;
  }

  calm(): void {
    this.#race = null;
    this.gateway.calm();
    for (const broker of this.#brokers.values()) broker.line.calm();
    if (this.gateway.isBrokerLost) this.gateway.restoreBroker('kept');
  }
}
