import { sessionOf, tradeDateOf } from '@holdfast/core/calendar';
import type { Effect } from '@holdfast/core/effects';
import type { Event } from '@holdfast/core/events';
import { DEFAULT_SUPERVISION } from '@holdfast/core/supervision/policy';
import { type EpochMs, epochMs, monoMs, type TradeDate } from '@holdfast/core/units';
import { Db } from '@holdfast/store/db';
import { orderIsKnown } from '@holdfast/store/orders';
import { attempt } from '@holdfast/store/refusal';
import type { Holding } from '../account.js';
import type { WorldFact } from '../audits/facts.js';
import { createReferee, type Referee } from '../audits/referee.js';
import type { Violation } from '../audits/violation.js';
import { createExchange } from '../exchange.js';
import type { ExchangeEvent, Quote, SimulatedExchange } from '../exchange-types.js';
import type { StormSource } from '../market/storm.js';
import { createRandom, type Random } from '../random.js';
import { createStoreFaults, type SeededStoreFaults } from '../store-faults.js';
import { Counts } from './counts.js';
import { DeskGateway } from './desk-gateway.js';
import { Faults } from './faults.js';
import { Machine } from './machine.js';
import { Points, pointedStoreFaults } from './points.js';
import type { WorkerProcess } from './process.js';
import { isAboutEntries, type Profile } from './profile.js';
import { datesOf, marketOf, type Script } from './script.js';
import { type DeskSetup, drawSetup, type Wanted } from './setup.js';
import { storeStands } from './store-acts.js';
import { StorePlace } from './store-place.js';
import { exchangeWords, wordsOf, wordsOfEvent } from './story.js';
import { WorldTime } from './time.js';
import { createTrace, type Trace } from './trace.js';

export interface WorldOptions extends Wanted {
  /** 0 to 2^53 − 1. */
  readonly seed: number;
  readonly days: number;
  readonly profile: Profile;
  /** An empty folder for the store; on tmpfs a day is twice as fast. */
  readonly folder: string;
  readonly keep: 'all' | number;
  /** Every event of every worker in the story, for looking into one. */
  readonly verbose?: boolean;
  /** Its faults go at one cell of the table of faults and order states; see `focusOf`. */
  readonly focused?: boolean;
  readonly script?: Script;
}

/** Passed while anything is under way; with nothing heard for a while steps are longer. */
const ACTIVE_MS = 100;
const PATIENT_MS = 500;
const PATIENT_AFTER_MS = 3_000;
/** While nothing is under way the exchange runs ahead: machine time of one such jump. Below the 2 s that count as a pause. */
const IDLE_MS = 500;
const IDLE_SPAN_MS = 10_000;
const NIGHT_SPAN_MS = 600_000;
/** After the last sign of life both clocks stay together for so long. */
const SETTLE_MS = 500;
const RETRY_MS = 61_000;
const SUPERVISOR_EVERY_MS = 200;
const ROUNDS_MAX = 40;

/**
 * DESIGN §8 bounds one fault at a time. Here a hang (5 s until it is seen) may end in a slow start (3 s) that is killed again: how long a
 * position was without protection is measured for every one, and judged by this. A symbol in quarantine is tried every 60 s (DESIGN §4).
 */
const STACKED = { unguardedMsMax: 15_000, restWithinMs: 75_000, silentMsMax: 110_000 };

/**
 * The whole desk in one process: supervisor policy, both workers with the real loop and the real SQLite, the simulated exchange, one virtual
 * clock, one seed. This is the clockwork; what goes wrong is in `faults.ts`, how a day goes in `day.ts`.
 */
export class World {
  readonly time: WorldTime;
  readonly random: Random;
  readonly setup: DeskSetup;
  readonly dates: readonly TradeDate[];
  readonly exchange: SimulatedExchange;
  readonly gateway: DeskGateway;
  readonly machine: Machine;
  readonly referee: Referee;
  readonly trace: Trace;
  readonly counts = new Counts();
  readonly disk: SeededStoreFaults;
  readonly points: Points;
  readonly faults: Faults;
  readonly place: StorePlace;
  readonly baseline: readonly { readonly conId: number; readonly quantity: number; readonly averageCost: Holding['averageCost'] }[];
  readonly violations: Violation[] = [];
  source: StormSource;
  /** Of the exchange's day. */
  date: TradeDate;
  executions = 0;
  /** Orders sent by a worker. */
  orders = 0;
  readonly #handsOff: ReadonlyMap<number, number>;
  readonly #lastMiddle = new Map<number, number>();
  #owed: { readonly at: number; readonly work: () => boolean }[] = [];
  #activeAt = 0;
  #askedAt = -1;
  #heardAt = 0;
  #toldSecond = 0;
  #supervisorAt = 0;
  #marketOf: StormSource | null = null;
  #marketCounted = 0;

  constructor(readonly options: WorldOptions) {
    const { seed, script } = options;
    this.random = createRandom(seed, 'world');
    this.trace = createTrace(options.keep);
    this.dates = datesOf(options);
    const date = this.dates[0];
    if (date === undefined) throw new Error('a campaign has at least one day');
    this.date = date;
    const session = sessionOf(date);
    const start = epochMs(session.open - 15 * 60_000);
    this.time = new WorldTime(start);
    this.source = marketOf(options, date);
    const symbols = this.source.instruments.map(({ symbol }) => symbol);
    this.setup = script?.setup ?? drawSetup(this.random.fork('setup'), symbols, { ...options, waitingEntries: isAboutEntries(options) });
    this.baseline = script?.baseline ?? this.#drawBaseline(this.random.fork('baseline'));
    this.#handsOff = new Map(this.baseline.map(({ conId, quantity }) => [conId, quantity]));
    this.exchange = createExchange({
      source: this.source,
      session,
      startAt: start,
      account: this.setup.account,
      holdings: this.baseline,
      seed,
    });
    this.disk = createStoreFaults({
      random: this.random.fork('disk'),
      mono: this.time.mono,
      onFault: spell => this.bit(`store ${spell}`),
    });
    this.points = new Points({
      standStill: (program, ms) => this.standStill(program, ms),
      onBite: (kind, program, where) => this.bit(kind, `${program === 'supervisor' ? program : program.worker} ${where}`),
    });
    const { config } = this.setup;
    this.referee = createReferee({
      instruments: this.source.instruments,
      baseline: this.baseline,
      session,
      stopBps: config.exits.stopBps,
      protection: this.setup.protection,
      bounds: STACKED,
      flatMinutesBeforeClose: config.session.flatMinutesBeforeClose,
      limits: {
        maxPositions: config.entries.maxPositions,
        allocation: config.entries.allocation,
        ordersPerMinute: config.wireCap.ordersPerMinute,
        netLiquidation: () => this.exchange.account().netLiquidation,
      },
    });
    this.exchange.subscribe(event => this.#see(event));
    this.gateway = new DeskGateway(this);
    this.place = new StorePlace(options.folder, start);
    this.machine = new Machine({
      time: this.time,
      place: this.place,
      config,
      watchlist: this.setup.watchlist,
      policy: { ...DEFAULT_SUPERVISION, parkAfterCrashes: config.supervisor.parkAfterCrashes },
      random: this.random.fork('machine'),
      diskFile: file => this.disk.file(file),
      connect: (program, listener) => this.gateway.connect(program, listener),
      storeFaults: program => pointedStoreFaults(this.points, program, this.disk),
      journal: (program, event, effects) => this.#journal(program, event, effects),
      // The folder has another name at every run.
      tell: (who, what) => this.say(who, what.replaceAll(options.folder, '')),
      storeStands: () => storeStands(this),
      adopted: words => this.bit('adoption', words),
      started: program => this.tell({ fact: 'process', processId: program.pid, worker: program.worker, state: 'started' }),
      ended: program => {
        const known = attempt(() => (this.place.isWell ? this.operator : null));
        if (known instanceof Db) this.counts.forget(program.worker, orderRef => orderIsKnown(known, orderRef));
        this.tell({ fact: 'process', processId: program.pid, worker: program.worker, state: 'ended' });
      },
      phase: (program, phase) => this.tell({ fact: 'phase', processId: program.pid, phase }),
      leased: (program, leaseId) => this.tell({ fact: 'lease', worker: program.worker, leaseId, processId: program.pid }),
    });
    this.faults = new Faults(this);
    this.machine.startSupervisor();
  }

  /** A person's connection to the store that stands there now. */
  get operator(): Db {
    return this.place.operator;
  }

  say(who: string, what: string): void {
    this.trace.say(this.time.exchange(), who, what);
  }

  tell(fact: WorldFact): void {
    this.referee.tell(fact, { at: this.time.exchange(), machine: this.time.mono() });
  }

  /** A fault has bitten. */
  bit(kind: string, detail = ''): void {
    this.counts.bit(kind);
    this.awake();
    this.say('fault', detail === '' ? kind : `${kind}: ${detail}`);
  }

  /** Something is under way: both clocks go together for a while. */
  awake(): void {
    this.#activeAt = Math.max(this.#activeAt, this.time.mono());
  }

  /** A sale or a stop was refused: its next try is machine time away (60 s in quarantine), and the exchange may not run ahead of it. */
  awaitRetry(): void {
    this.#activeAt = this.time.mono() + RETRY_MS;
  }

  /** Something a person does in so many machine milliseconds, and again every round until it succeeds. */
  later(ms: number, work: () => boolean): void {
    this.#owed.push({ at: this.time.mono() + ms, work });
  }

  /** Lets time pass up to an exchange time: fast where nothing happens, real where it matters. */
  runTo(until: EpochMs): void {
    while (this.time.exchange() < until) this.step(until);
  }

  step(until: EpochMs): void {
    const now = this.time.exchange();
    const left = until - now;
    if (this.#isCalm() && this.#isSaidAnew()) {
      const due = Math.min(left, this.#idleSpan(now), Math.max(0, this.faults.nextAt - now));
      const machine = Math.min(due, IDLE_MS);
      this.time.pass(machine);
      this.time.passExchange(due - machine);
      if (due === 0) this.awake();
    } else {
      const isPatient = this.time.mono() - this.#heardAt > PATIENT_AFTER_MS;
      this.time.pass(Math.min(left, isPatient ? PATIENT_MS : ACTIVE_MS));
    }
    this.#round();
  }

  /** Everybody but one process goes on: it was stopped in the middle of a call. */
  standStill(program: WorkerProcess, ms: number): void {
    const until = this.time.mono() + ms;
    this.tell({ fact: 'process', processId: program.pid, worker: program.worker, state: 'stopped' });
    while (this.time.mono() < until && !program.isDead) {
      this.awake();
      this.time.pass(ACTIVE_MS);
      this.#round();
    }
    if (program.isDead) return;
    this.tell({ fact: 'process', processId: program.pid, worker: program.worker, state: 'resumed' });
  }

  /** What the market has done since the last look, into the counts while the orders of that moment live: gaps, halts, crazy prints. */
  #countMarket(): void {
    if (this.#marketOf !== this.source) {
      this.#marketOf = this.source;
      this.#marketCounted = 0;
    }
    const { fired } = this.source;
    for (; this.#marketCounted < fired.length; this.#marketCounted += 1) {
      const event = fired[this.#marketCounted];
      if (event) this.counts.bit(`market ${event.kind}`);
    }
  }

  violate(violations: readonly Violation[]): void {
    for (const violation of violations) {
      this.violations.push(violation);
      this.say('referee', `${violation.invariant} ${violation.symbol}: ${violation.detail}`);
    }
  }

  close(): void {
    for (const program of [...this.machine.processes]) program.kill();
    this.machine.supervisor?.kill('the world ends');
    this.place.close();
  }

  /**
   * Before the exchange runs ahead, whoever has heard or done something since it last said that nothing is owed says so again: what it said
   * before the news does not count, or a sale that waits a second for its next try would wait ten of the exchange's.
   */
  #isSaidAnew(): boolean {
    if (this.#askedAt >= this.#activeAt && this.#askedAt >= this.#heardAt) return true;
    this.#askedAt = this.time.mono();
    for (const program of [...this.machine.processes]) program.tellTime();
    return this.#isCalm();
  }

  #isCalm(): boolean {
    if (this.time.mono() - this.#activeAt < SETTLE_MS || this.faults.isRaging || !this.gateway.isIdle) return false;
    if (this.machine.supervisor === null || this.machine.supervisor.isDead) return false;
    for (const worker of ['exit-manager', 'day-trader'] as const) {
      const program = this.machine.process(worker);
      if (program === null || program.isStopped || program.phase !== 'READY' || !program.isSettled) return false;
    }
    return true;
  }

  /**
   * To the next price of what is held or has an order working, to the regular prices of all the others every ten seconds while the session
   * lasts; through the night in longer strides.
   */
  #idleSpan(now: EpochMs): number {
    const { open, close } = sessionOf(tradeDateOf(now));
    if (now >= open - 60_000 && now < close + 15 * 60_000) {
      const regular = (Math.floor(now / IDLE_SPAN_MS) + 1) * IDLE_SPAN_MS;
      const next = Math.min(regular, this.exchange.nextConcernAt(this.#handsOff) ?? regular);
      return Math.max(1_000, Math.ceil((next - now) / 1_000) * 1_000);
    }
    return now < open ? Math.min(NIGHT_SPAN_MS, Math.max(1_000, open - 60_000 - now)) : NIGHT_SPAN_MS;
  }

  #round(): void {
    this.exchange.advanceTo(this.time.exchange());
    this.#countMarket();
    this.gateway.turn(this.time.mono());
    this.faults.turn();
    if (this.#owed.length > 0) this.#owed = this.#owed.filter(({ at, work }) => at > this.time.mono() || !work());
    if (this.time.mono() - this.#supervisorAt >= SUPERVISOR_EVERY_MS) {
      this.#supervisorAt = this.time.mono();
      this.machine.turn();
    }
    const second = Math.floor(this.time.exchange() / 1_000);
    if (second > this.#toldSecond) {
      this.#toldSecond = second;
      // After the close nothing happens that would make them look.
      this.referee.look({ at: this.time.exchange(), machine: this.time.mono() });
      for (const program of [...this.machine.processes]) program.tellTime();
    }
    this.#settle();
  }

  /** Messages and their answers until nobody has anything to say. An answer takes a millisecond: first and later must not look the same. */
  #settle(): void {
    const { processes } = this.machine;
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      let delivered = 0;
      for (const program of [...processes]) {
        const count = program.deliver();
        delivered += count;
        if (round === 0 || count > 0) program.beat();
      }
      if (delivered === 0) break;
      this.#heardAt = this.time.mono();
      this.time.pass(1);
      this.exchange.advanceTo(this.time.exchange());
      this.gateway.turn(this.time.mono());
      this.faults.strike();
    }
    for (const program of processes) if (!program.isSettled) this.awake();
  }

  #journal(program: WorkerProcess, event: Event, effects: readonly Effect[]): void {
    if (this.options.verbose) this.trace.remark(this.time.exchange(), `${program.worker} <`, wordsOfEvent(event));
    this.counts.follow(event, effects);
    for (const effect of effects) {
      const words = wordsOf(effect);
      if (words !== null) this.say(program.worker, `${event.kind}: ${words}`);
      if (effect.do === 'say' && effect.event === 'exit-decided') this.#tellDecided(effect.fields);
    }
  }

  /** Why a position is let go, in the worker's own words: the referees compare them with what the exchange saw. */
  #tellDecided({ symbol, reason }: Readonly<Record<string, unknown>>): void {
    const conId = this.exchange.instruments.find(instrument => instrument.symbol === symbol)?.conId;
    if (conId !== undefined) this.tell({ fact: 'decided', conId, reason: String(reason) });
  }

  #see(event: ExchangeEvent): void {
    this.referee.observe(event, monoMs(this.time.mono()));
    if (event.kind === 'quote') {
      this.#watchGap(event.quote);
      return;
    }
    if (event.kind === 'execution') this.executions += 1;
    const words = exchangeWords(event);
    if (words !== null) this.say('exchange', words);
  }

  /** Counts prices that jump past the stop of something in care in one step: nobody could have sold in between. */
  #watchGap({ conId, bid, ask }: Quote): void {
    const before = this.#lastMiddle.get(conId) ?? 0;
    if (bid === 0 || ask === 0) return;
    const middle = (bid + ask) / 2;
    this.#lastMiddle.set(conId, middle);
    if (before === 0 || Math.abs(middle - before) * 200 < before) return;
    const { quantity, averageCost } = this.exchange.position(conId);
    if (quantity === 0 || !this.exchange.isTrading(conId)) return;
    const stop = averageCost * (1 - (Math.sign(quantity) * this.setup.config.exits.stopBps) / 10_000);
    const past = (price: number): boolean => (quantity > 0 ? price < stop : price > stop);
    if (!past(before) && past(middle)) this.bit('gap through the stop');
  }

  #drawBaseline(random: Random) {
    const held = this.source.instruments.filter(() => random.chance(1, 6)).slice(0, 2);
    return held.map(({ conId, previousClose }) => ({ conId, quantity: 10 * random.between(1, 30), averageCost: previousClose }));
  }
}
