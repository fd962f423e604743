import { type EpochMs, epochMs } from '@holdfast/core/units';
import type { Random } from '../random.js';
import type { OrderState } from './counts.js';
import { type Act, actOf } from './fault-acts.js';
import { layLure } from './lures.js';
import { focusOf, type PlannedFault, type PlannedMoment, planDay, type Storm } from './profile.js';
import { noticeStore } from './store-acts.js';
import type { World } from './world.js';

/** How long people and machine keep still after a trade by hand: who trades into a fault may be sold twice, nobody could have told. */
const CALM_AFTER_HAND_MS = 14_000;
/** A person who has waited so long for the faults of the moment to pass gives up. Machine time. */
const PATIENCE_MS = 60_000;

/** So long a fault waits for an order in the state it is aimed at. Exchange time. */
const AIM_MS = 1_200_000;

interface Aimed {
  readonly fault: PlannedFault | null;
  readonly act: Act;
  readonly aim: OrderState;
  readonly until: number;
  /** Takes away what was laid to bring that state about. */
  readonly end: () => void;
}

interface Ending {
  readonly until: number;
  readonly end: () => void;
}

/** What goes wrong, and when. The plan of a day says what begins; each act says how it ends; `end` heals everything. */
export class Faults {
  readonly random: Random;
  readonly #world: World;
  #plan: PlannedMoment[] = [];
  #open: EpochMs = epochMs(0);
  #endings: Ending[] = [];
  /** Faults that wait for something to bite on; their end is exchange time, and the exchange may run meanwhile. */
  #lingering: Ending[] = [];
  #aimed: Aimed[] = [];
  #calmUntil = 0;
  #handUntil = 0;

  constructor(world: World) {
    this.#world = world;
    this.random = world.random.fork('faults');
  }

  planDay(open: EpochMs, close: EpochMs, storms: readonly Storm[]): void {
    this.#open = open;
    const { options, setup } = this.#world;
    const sessionMs = close - open;
    const focus = options.focused ? focusOf(options.seed) : null;
    const flatAfterOpenMs = sessionMs - setup.config.session.flatMinutesBeforeClose * 60_000;
    this.#plan = planDay(this.random, { profile: options.profile, sessionMs, storms, flatAfterOpenMs, focus });
  }

  /** Exchange time of the next thing that begins. */
  get nextAt(): number {
    const next = this.#plan[0];
    return next === undefined ? Number.POSITIVE_INFINITY : this.#open + next.afterOpenMs;
  }

  /** Nothing at all is wrong: a person may act and expect to be understood. */
  get areOver(): boolean {
    return this.#endings.length === 0 && this.#lingering.length === 0 && this.#world.place.isWell;
  }

  /** Something that began has not ended yet, and both clocks go together until it has. */
  get isRaging(): boolean {
    return this.#endings.length > 0;
  }

  turn(): void {
    const now = this.#world.time.mono();
    const due = this.#endings.filter(({ until }) => until <= now);
    if (due.length > 0) {
      this.#endings = this.#endings.filter(({ until }) => until > now);
      for (const { end } of due) end();
      this.#world.awake();
    }
    this.#lingering = this.#lingering.filter(({ until, end }) => {
      if (until > this.#world.time.exchange()) return true;
      end();
      return false;
    });
    while (this.nextAt <= this.#world.time.exchange() && now >= this.#calmUntil) {
      const moment = this.#plan.shift();
      if (!moment) return;
      this.#world.awake();
      if (moment.aim === null) actOf(moment.fault)(this.#world, this);
      else this.#aim(moment.fault, moment.aim);
    }
    this.strike();
  }

  /** Waits for an order in that state, and sees to it that there will be one. */
  #aim(fault: PlannedFault, aim: OrderState): void {
    if (this.#world.options.focused && this.#aimed.some(other => other.fault === fault && other.aim === aim)) return;
    const act = actOf(fault);
    const until = this.#world.time.exchange() + AIM_MS;
    if (fault === 'market') this.#world.source.stir(until);
    const { next, end } = layLure(this.#world, aim);
    this.#aimed.push({ fault, act, aim, until, end });
    if (next) this.#aimed.push({ fault: null, act: next.act, aim: next.aim, until, end: () => undefined });
  }

  /** The faults that are aimed at an order in some state begin as soon as there is one. */
  strike(): void {
    if (this.#aimed.length === 0 || this.#world.time.mono() < this.#calmUntil) return;
    const now = this.#world.time.exchange();
    const struck = this.#aimed.filter(({ aim }) => this.#world.counts.hasAlive(aim));
    const over = this.#aimed.filter(aimed => aimed.until <= now || struck.includes(aimed));
    if (over.length === 0) return;
    this.#aimed = this.#aimed.filter(aimed => !over.includes(aimed));
    for (const { end } of over) end();
    for (const { act } of struck) act(this.#world, this);
  }

  /** Machine milliseconds from now; `end` also runs when everything is healed. */
  lasts(ms: number, end: () => void): void {
    this.#endings.push({ until: this.#world.time.mono() + ms, end });
    this.#world.awake();
  }

  /** Exchange milliseconds from now, in which the exchange may run fast. */
  lingers(ms: number, end: () => void): void {
    this.#lingering.push({ until: this.#world.time.exchange() + ms, end });
  }

  /**
   * What a person does who sees everything work: what only lies in wait ends now, what rages is waited for, and nothing new begins before, nor
   * for a while after. `act` says whether there was anything to do.
   */
  whenCalm(isCalm: () => boolean, act: () => boolean): void {
    const { time } = this.#world;
    const giveUpAt = time.mono() + PATIENCE_MS;
    const lingering = this.#lingering;
    this.#lingering = [];
    for (const { end } of lingering) end();
    // What waits for an order goes on waiting, but nothing is laid for it any more.
    this.#aimed = this.#aimed.map(aimed => {
      aimed.end();
      return { ...aimed, end: () => undefined };
    });
    this.#calmUntil = Math.max(this.#calmUntil, giveUpAt);
    this.#world.later(0, () => {
      const now = time.mono();
      const isFree = now >= this.#handUntil && this.areOver && isCalm();
      if (!isFree && now < giveUpAt) {
        this.#world.awake();
        return false;
      }
      if (isFree && act()) this.#handUntil = now + CALM_AFTER_HAND_MS;
      this.#calmUntil = this.#handUntil;
      return true;
    });
  }

  /**
   * The quiet phase begins, and lasts so many milliseconds of exchange time: everything ends, nothing waits in ambush, and what bursts or people
   * have pushed past the end of the storm does not begin any more. People who open something late in the day still do.
   */
  end(quietMs: number): void {
    const over = this.#world.time.exchange() + quietMs;
    this.#plan = this.#plan.filter(({ fault, afterOpenMs }) => fault === 'hand open' || this.#open + afterOpenMs >= over);
    const { points, disk, gateway } = this.#world;
    for (const { end } of this.#aimed) end();
    this.#aimed = [];
    const endings = [...this.#endings, ...this.#lingering];
    this.#endings = [];
    this.#lingering = [];
    for (const { end } of endings) end();
    points.armed.length = 0;
    noticeStore(this.#world);
    disk.heal();
    gateway.calm();
    this.#world.awake();
  }
}
