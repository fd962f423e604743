import { type EpochMs, epochMs } from '@holdfast/core/units';
import type { Random } from '../random.js';
import { actOf } from './fault-acts.js';
import { type PlannedMoment, planDay, type Storm } from './profile.js';
import type { World } from './world.js';

/** How long people and machine keep still after a trade by hand: who trades into a fault may be sold twice, nobody could have told. */
const CALM_AFTER_HAND_MS = 14_000;

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
  #calmUntil = 0;

  constructor(world: World) {
    this.#world = world;
    this.random = world.random.fork('faults');
  }

  planDay(open: EpochMs, close: EpochMs, storms: readonly Storm[]): void {
    this.#open = open;
    this.#plan = planDay(this.random, { profile: this.#world.options.profile, sessionMs: close - open, storms });
  }

  /** Exchange time of the next thing that begins. */
  get nextAt(): number {
    const next = this.#plan[0];
    return next === undefined ? Number.POSITIVE_INFINITY : this.#open + next.afterOpenMs;
  }

  /** Something that began has not ended yet. */
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
    while (this.nextAt <= this.#world.time.exchange() && now >= this.#calmUntil) {
      const moment = this.#plan.shift();
      if (!moment) return;
      this.#world.awake();
      actOf(moment.fault)(this.#world, this);
    }
  }

  /** Machine milliseconds from now; `end` also runs when everything is healed. */
  lasts(ms: number, end: () => void): void {
    this.#endings.push({ until: this.#world.time.mono() + ms, end });
    this.#world.awake();
  }

  /** After a trade by hand nothing new begins for a while. */
  holdStill(): void {
    this.#calmUntil = this.#world.time.mono() + CALM_AFTER_HAND_MS;
  }

  /** The quiet phase begins: everything ends, nothing waits in ambush. */
  end(): void {
    const { points, disk, gateway } = this.#world;
    const endings = this.#endings;
    this.#endings = [];
    for (const { end } of endings) end();
    points.armed.length = 0;
    disk.heal();
    gateway.calm();
    this.#world.awake();
  }
}
