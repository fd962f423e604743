import type { BrokerListener, BrokerSend } from '@holdfast/core/ports';
import { epochMs, fromDollars, micros, shares } from '@holdfast/core/units';
import type { MarketUpdate } from '@holdfast/sim/exchange-types';
import { ACME, at } from '@holdfast/sim/list-source';
import { createRandom, type Random } from '@holdfast/sim/random';
import { Db } from '@holdfast/store/db';
import type { Stage } from './stage.js';

export interface StormMarket {
  readonly seed: number;
  readonly from: string;
  /** Seconds of wide steps and rare jumps, then seconds of narrow steps. */
  readonly stormS: number;
  readonly quietS: number;
}

/** A random walk of one quote and one trade per second around 50.00, which jumps about once a minute while it storms. */
export function stormMarket({ seed, from, stormS, quietS }: StormMarket): MarketUpdate[] {
  const random = createRandom(seed);
  let cents = 5_000;
  return Array.from({ length: stormS + quietS }, (_, second) => {
    cents += random.below(second < stormS ? 21 : 5) - (second < stormS ? 10 : 2);
    if (second < stormS && random.below(60) === 0) cents += random.below(161) - 80;
    const size = 10 + random.below(400);
    const last = fromDollars((cents + random.below(3)) / 100);
    return {
      at: epochMs(at(from) + second * 1_000),
      conId: ACME.conId,
      quote: { bid: fromDollars(cents / 100), ask: fromDollars((cents + 2) / 100), bidSize: size, askSize: size },
      trade: { open: last, high: last, low: last, close: last, volume: size },
    };
  });
}

type Told = Parameters<BrokerListener>[0];

/** What is late together. */
const DELAYED: readonly (readonly Told['kind'][])[] = [
  ['execution', 'commission'],
  ['position'],
  ['order-status', 'open-order'],
  ['order-notice'],
  ['execution'],
  ['pnl-mark'],
  ['executions-end', 'snapshot'],
];
/** Every kind of fault there is; a run that misses one of them proves nothing about it. */
export const FAULT_KINDS: readonly string[] = [
  ...['kill', 'deaf', 'mute', 'cut', 'reject', 'repeat', 'lock', 'correction', 'flatten'],
  ...['sell', 'buy', 'short'].map(how => `${how} by hand`),
  ...['order', 'question'].flatMap(what => [`crash before ${what}`, `crash after ${what}`, `cut after ${what}`]),
  ...DELAYED.map(kinds => `late ${kinds.join(' and ')}`),
];
const CRASH = 'crash in flight';
/** Of so many sends one is crashed before, one crashed after and one loses the line after. Cancels are few: more of them are hit. */
const IN_FLIGHT_ODDS = { place: 12, cancel: 5, 'request-snapshot': 25 };
/** Machine and people keep still for so long after a trade by hand: who trades into a fault may be sold twice, nobody could have told. */
const CALM_S = 14;

/**
 * The faults of one tempest. Each second at most one begins, and it ends itself some seconds later; besides, any send may be the last of its
 * process or its line. `fired` counts them by kind.
 */
export class TempestFaults {
  readonly fired: Record<string, number> = {};
  /** Stops of the exit manager that no fault explains. */
  readonly wrongStops: string[] = [];
  handTrades = 0;
  private second = 0;
  private isOver = false;
  private isAlive = true;
  private healAt = 0;
  private calmUntil = 0;
  private late: (() => void)[] = [];
  private delaying: readonly Told['kind'][] | null = null;
  private delayUntil = 0;
  private repeats = false;
  private stranger: Db | null = null;
  private lockUntil = 0;
  private readonly dice: readonly (() => void)[] = [
    () => this.buy(),
    () => this.buy(),
    () => this.buy(),
    () => this.kill(),
    () => this.deafen(),
    () => this.silence(),
    () => this.cut(),
    () => this.reject(),
    () => this.trade('sell'),
    () => this.trade('sell'),
    () => this.trade('buy'),
    () => this.trade('short'),
    () => this.trade('short'),
    () => this.delay(),
    () => this.delay(),
    () => this.repeat(),
    () => this.lock(),
    () => this.correct(),
    () => this.flatten(),
  ];

  constructor(
    private readonly stage: Stage,
    private readonly random: Random,
    private readonly hasHands: boolean,
  ) {
    stage.filter = (body, take) => this.hear(body, take);
    stage.wire = (what, pass) => this.send(what, pass);
  }

  /** One second of the storm: what is due ends, perhaps something begins, a second passes. */
  storm(second: number): void {
    this.second = second;
    if (second >= this.healAt || this.stage.stopped) this.heal();
    if (this.delaying && second >= this.delayUntil) this.handOver();
    if (second >= this.lockUntil) this.unlock();
    if (!this.stranger && this.random.below(3) === 0) this.book();
    if (second >= this.calmUntil) this.dice[this.random.below(20)]?.();
    this.stage.run(1_000, { alive: this.isAlive });
  }

  /** Every fault ends, for good. */
  end(): void {
    this.isOver = true;
    this.unlock();
    this.heal();
    this.handOver();
    this.repeats = false;
  }

  /** The day trader hears of its last order. */
  book(): void {
    if (this.stage.lastEntry) this.stage.book(this.stage.lastEntry);
  }

  private count(kind: string): void {
    this.fired[kind] = (this.fired[kind] ?? 0) + 1;
  }

  private get isReady(): boolean {
    return this.isAlive && this.stage.exitManager.facts().phase === 'READY';
  }

  private get isUndisturbed(): boolean {
    return this.isAlive && !this.stage.stopped && this.second >= this.healAt && !this.delaying;
  }

  private heal(): void {
    if (this.isAlive && this.stage.stopped) this.die();
    this.stage.broker.isDeaf = false;
    this.stage.broker.isMute = false;
    this.stage.broker.refuse = null;
    if (!this.isAlive) {
      this.isAlive = true;
      this.stage.startExitManager();
    }
    if (!this.stage.broker.isUp && !this.stage.stopped) {
      this.late = [];
      this.stage.broker.connect();
    }
  }

  /** The lock goes with the process: one that starts on a locked store refuses, as it should. */
  private die(): void {
    const { stopped } = this.stage;
    if (stopped && stopped.why !== CRASH) this.wrongStops.push(stopped.why);
    this.unlock();
    this.stage.killExitManager();
    this.isAlive = false;
    this.late = [];
  }

  private hear(body: Told, take: BrokerListener): void {
    if (this.delaying?.includes(body.kind)) {
      this.late.push(() => take(body));
      return;
    }
    take(body);
    if (this.repeats && body.kind !== 'connected' && body.kind !== 'disconnected' && this.random.below(3) === 0) take(body);
  }

  private handOver(): void {
    const { late } = this;
    this.late = [];
    this.delaying = null;
    for (const tell of late) tell();
  }

  private send(what: BrokerSend, pass: () => boolean): boolean {
    if (this.isOver || (what.do !== 'place' && what.do !== 'cancel' && what.do !== 'request-snapshot')) return pass();
    const dice = this.random.below(IN_FLIGHT_ODDS[what.do]);
    const kind = what.do === 'request-snapshot' ? 'question' : 'order';
    if (dice === 0) this.crash(`crash before ${kind}`);
    const isSent = pass();
    if (dice === 1) this.crash(`crash after ${kind}`);
    if (dice === 2) {
      this.count(`cut after ${kind}`);
      this.stage.broker.cut('in flight');
    }
    return isSent;
  }

  private crash(kind: string): never {
    this.count(kind);
    throw new Error(CRASH);
  }

  private buy(): void {
    if (this.isReady && !this.stranger) this.stage.tryBuy(20 + this.random.below(300), 51);
  }

  private kill(): void {
    if (!this.isAlive) return;
    this.die();
    this.healAt = this.second + this.random.below(4);
    this.count('kill');
  }

  private deafen(): void {
    this.stage.broker.isDeaf = true;
    this.lasts('deaf', 8);
  }

  private silence(): void {
    this.stage.broker.isMute = true;
    this.lasts('mute', 5);
  }

  private cut(): void {
    this.stage.broker.cut('storm');
    this.late = [];
    this.lasts('cut', 10);
  }

  private reject(): void {
    this.stage.broker.refuse = () => (this.random.below(2) === 0 ? { code: 201, text: 'Order rejected - reason: storm' } : null);
    this.lasts('reject', 6);
  }

  private lasts(kind: string, secondsMax: number): void {
    this.healAt = this.second + 1 + this.random.below(secondsMax);
    this.count(kind);
  }

  private trade(how: 'sell' | 'buy' | 'short'): void {
    if (!this.hasHands || !this.isUndisturbed) return;
    const held = this.stage.position();
    const isMeant = how === 'sell' ? held > 0 : how === 'buy' ? this.random.below(3) === 0 : held === 0 && this.random.below(4) === 0;
    if (!isMeant) return;
    this.stage.exchange.manualTrade(ACME.conId, how === 'buy' ? 'BUY' : 'SELL', 1 + this.random.below(how === 'sell' ? held : 60));
    this.calmUntil = this.second + CALM_S;
    this.handTrades += 1;
    this.count(`${how} by hand`);
  }

  private delay(): void {
    if (this.delaying) return;
    this.delaying = DELAYED[this.random.below(DELAYED.length)] ?? [];
    this.delayUntil = this.second + 1 + this.random.below(6);
    this.count(`late ${this.delaying.join(' and ')}`);
  }

  private repeat(): void {
    this.repeats = !this.repeats;
    if (this.repeats) this.count('repeat');
  }

  private lock(): void {
    if (this.stranger || !this.isReady) return;
    this.stranger = new Db(this.stage.reader.path, { busyTimeoutMs: 0, synchronous: 'OFF' });
    this.stranger.exec('BEGIN IMMEDIATE');
    this.lockUntil = this.second + 1 + this.random.below(5);
    this.count('lock');
  }

  private unlock(): void {
    this.stranger?.exec('ROLLBACK');
    this.stranger?.close();
    this.stranger = null;
  }

  /** The broker tells the last execution again under a corrected id, a cent dearer. */
  private correct(): void {
    const last = this.stage.exchange.executions().at(-1);
    if (!this.isAlive || !last || this.random.below(3) > 0) return;
    const { at: when, conId, symbol, side, orderRef, permId, clientId, orderId } = last;
    const execId = last.execId.replace(/\.\d+$/, `.0${2 + (this.second % 7)}`);
    const price = micros(last.price + 10_000);
    const execution = { execId, at: when, conId, symbol, side, price, orderRef, permId, clientId, orderId, shares: shares(last.shares) };
    this.stage.broker.inject({ kind: 'execution', execution });
    this.count('correction');
  }

  private flatten(): void {
    if (!this.isReady || this.stranger || this.random.below(5) > 0) return;
    this.stage.command('flatten', { symbol: ACME.symbol });
    this.count('flatten');
  }
}
