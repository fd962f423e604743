import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atTime, sessionOf, tradeDate, tradeDateOf } from '@holdfast/core/calendar';
import type { SupervisedWorker } from '@holdfast/core/supervision/watch';
import { type EpochMs, epochMs, fromDollars, monoMs } from '@holdfast/core/units';
import { parseConfig } from '@holdfast/engine/config';
import { compareDesk } from '@holdfast/sim/world/compare';
import type { Ambush } from '@holdfast/sim/world/points';
import type { WorkerProcess } from '@holdfast/sim/world/process';
import type { DeskSetup, Ownership, Protection } from '@holdfast/sim/world/setup';
import { World } from '@holdfast/sim/world/world';
import { insertCommand } from '@holdfast/store/commands';
import { setKillSwitch } from '@holdfast/store/kill-switch';
import { expect } from 'vitest';
import { type MarketDay, type WrittenDay, writtenMarket } from './desk-market.js';
import { told } from './told.js';

export interface DeskStory {
  /** Of Monday 2026-03-09, or of several days by their trading date. */
  readonly market?: MarketDay;
  readonly days?: Readonly<Record<string, MarketDay>>;
  /** What the day trader follows: it buys what rises above the session's average price. Nothing by default. */
  readonly follows?: readonly string[];
  readonly protection?: Protection;
  readonly ownership?: Ownership;
  readonly exits?: Readonly<Record<string, unknown>>;
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly holdings?: World['baseline'];
  /** Invariants whose referees know less than this story: said there why. */
  readonly forgives?: readonly string[];
  readonly splits?: Readonly<Record<string, WrittenDay['splits']>>;
}

const ACCOUNT = 'DU1234567';
const MONDAY = '2026-03-09';

/**
 * The whole desk for a story: supervisor, both workers, store and simulated exchange of `sim/world` under one virtual clock, with a market
 * written by hand and no fault but those the story brings about. Times are New York's of the exchange's day.
 */
export class DeskStage {
  readonly world: World;
  #handOrders = 0;
  readonly #folder = mkdtempSync(join(tmpdir(), 'holdfast-desk-'));

  constructor(private readonly story: DeskStory) {
    const days = story.days ?? { [MONDAY]: story.market ?? {} };
    const dates = Object.keys(days).map(date => tradeDate(date));
    this.world = new World({
      seed: 1,
      days: dates.length,
      profile: 'calm',
      folder: this.#folder,
      keep: 'all',
      script: {
        dates,
        setup: setupOf(story),
        baseline: story.holdings ?? [],
        market: (date, previous) => {
          const splits = story.splits?.[date];
          return writtenMarket({ date, market: days[date] ?? {}, previous, ...(splits && { splits }) });
        },
      },
    });
  }

  get guard(): WorkerProcess | null {
    return this.world.machine.process('exit-manager');
  }
  get trader(): WorkerProcess | null {
    return this.world.machine.process('day-trader');
  }
  get gateway() {
    return this.world.gateway.gateway;
  }
  /** The faults of the exit manager's line to the gateway. */
  get line() {
    return this.lineOf('exit-manager');
  }
  lineOf(worker: SupervisedWorker) {
    const broker = this.world.gateway.broker(worker);
    if (!broker) throw new Error(`${worker} has no line`);
    return broker.line;
  }

  /** Lets the day go on to a time, `10:00:00`. */
  runTo(clock: string): void {
    this.world.runTo(this.time(clock));
  }
  run(ms: number): void {
    this.world.runTo(epochMs(this.world.time.exchange() + ms));
  }
  at(clock: string, act: () => void): void {
    this.runTo(clock);
    this.world.awake();
    act();
  }
  time(clock: string): EpochMs {
    return atTime(this.world.date, clock);
  }

  /** The night to the story's next date; the desk runs on. */
  nextDay(): void {
    const { world } = this;
    const date = world.dates[world.dates.indexOf(world.date) + 1];
    if (date === undefined) throw new Error('the story has no further day');
    const previous = world.source.closes();
    world.runTo(sessionOf(world.date).extendedClose);
    world.runTo(sessionOf(date).preOpen);
    const session = sessionOf(date);
    world.source = world.options.script?.market(date, previous) ?? world.source;
    world.date = date;
    world.tell({ fact: 'session', session: { open: session.open, close: session.close }, tradeDate: date });
    world.exchange.beginDay({ source: world.source, session });
  }

  kill(worker: SupervisedWorker | 'supervisor'): void {
    this.world.say('story', `kill −9 of the ${worker}`);
    if (worker === 'supervisor') this.world.machine.supervisor?.kill('killed');
    else this.world.machine.process(worker)?.kill();
  }

  /** SIGSTOP; the process that comes back answers SIGCONT. */
  stop(worker: SupervisedWorker): WorkerProcess {
    const process = this.world.machine.process(worker);
    if (!process) throw new Error(`no ${worker} to stop`);
    this.world.say('story', `SIGSTOP to the ${worker}`);
    process.isStopped = true;
    this.world.tell({ fact: 'process', processId: process.pid, worker, state: 'stopped' });
    return process;
  }
  resume(process: WorkerProcess): void {
    this.world.say('story', `SIGCONT to the ${process.worker}${process.isDead ? ': gone' : ''}`);
    process.isStopped = false;
    if (!process.isDead) this.world.tell({ fact: 'process', processId: process.pid, worker: process.worker, state: 'resumed' });
  }

  /** Lies in wait at the next send or commit of a process. */
  ambush(ambush: Pick<Ambush, 'worker' | 'kind' | 'side' | 'act'> & Partial<Ambush>): void {
    this.world.points.armed.push({ what: null, countdown: 0, hangMs: 8_000, ...ambush });
  }

  /** A person trades in TWS. */
  byHand(side: 'BUY' | 'SELL', quantity: number, symbol = 'ACME'): void {
    this.world.say('operator', `${side} ${quantity} ${symbol} by hand`);
    this.world.exchange.manualTrade(this.conId(symbol), side, quantity);
  }

  /** A person's own order that rests: a limit one of client 0. */
  ordersByHand(side: 'BUY' | 'SELL', quantity: number, { limit, symbol = 'ACME' }: { limit: number; symbol?: string }): void {
    this.world.say('operator', `rests ${side} ${quantity} ${symbol} LMT ${limit} by hand`);
    this.#handOrders += 1;
    this.world.exchange.place({
      clientId: 0,
      orderId: -1_000_000 - this.#handOrders,
      conId: this.conId(symbol),
      side,
      quantity,
      type: 'LMT',
      limitPrice: fromDollars(limit),
      tif: 'DAY',
      transmit: true,
    });
  }

  /** A person presses the kill switch, or lets it go. */
  killSwitch(on: boolean): void {
    this.world.say('operator', on ? 'kill switch' : 'resume');
    const pressed = setKillSwitch(this.world.operator, { on, reason: 'a person', actor: 'operator', now: this.world.time.exchange() });
    if (!pressed.ok) throw new Error(pressed.detail);
    this.world.tell({ fact: 'kill-switch', on });
  }

  /** A person asks the exit manager for something. */
  command(kind: string, payload: Readonly<Record<string, string>> = {}): void {
    const now = this.world.time.exchange();
    this.world.say('operator', `${kind}${Object.values(payload).map(word => ` ${word}`)}`);
    const asked = insertCommand(this.world.operator, {
      target: 'exit-manager',
      kind,
      payload,
      tradeDate: tradeDateOf(now),
      expiresAt: epochMs(now + 60_000),
      createdBy: 'operator',
      now,
    });
    if (!asked.ok) throw new Error(asked.detail);
  }

  /** A fault of the store's disk for so many milliseconds of the machine's time. */
  disk(spell: Parameters<World['disk']['begin']>[0], ms: number): void {
    this.world.disk.begin(spell, monoMs(this.world.time.mono() + ms));
  }

  conId(symbol: string): number {
    const found = this.world.exchange.instruments.find(one => one.symbol === symbol);
    if (!found) throw new Error(`no ${symbol} in this story`);
    return found.conId;
  }
  position(symbol = 'ACME'): number {
    return this.world.exchange.position(this.conId(symbol)).quantity;
  }
  /** Working orders at the exchange, `SELL 100 LMT 50.90 DAY`, sorted. */
  resting(symbol = 'ACME'): string[] {
    const orders = this.world.exchange.openOrders().filter(({ request }) => request.conId === this.conId(symbol));
    const lines = orders.map(({ request: { side, type, limitPrice, stopPrice, tif }, remaining }) => {
      const price = type === 'MKT' ? undefined : (limitPrice ?? stopPrice);
      return `${side} ${remaining} ${type}${price ? ` ${(price / 1e6).toFixed(2)}` : ''} ${tif}`;
    });
    return lines.sort();
  }
  /** Shares that orders of ours sold, of a symbol. */
  sold(symbol = 'ACME'): number {
    const sales = this.world.exchange.executions().filter(one => one.symbol === symbol && one.side === 'SELL' && one.clientId !== 0);
    return sales.reduce((sum, { shares }) => sum + shares, 0);
  }

  /** The story since the first open, of the lines that name one of these; what the exchange says of orders that merely work is left out. */
  told(...about: string[]): string {
    const open = this.world.trace.lines.findIndex(line => line.slice(11) >= '09:30');
    const lines = this.world.trace.lines
      .slice(open)
      .filter(line => !/"killed (before|after) | exchange +(PendingSubmit|PreSubmitted|Submitted|PendingCancel|Filled) /.test(line))
      .map(line => this.#named(line.replace(/^(\S+ \S+ (?:exit-manager|day-trader) +)[a-z-]+: /, '$1')));
    return told(
      lines.map(line => line.slice(11)),
      about,
    );
  }

  /** Every referee is content, and the books agree with the exchange: to be asked at a quiet moment. */
  expectWell(): void {
    const { world } = this;
    // A worker that ends by a bug of ours is started again, and the story may end well: it is a finding all the same.
    expect(world.trace.lines.filter(line => / bug [{]/.test(line))).toEqual([]);
    const { forgives = [] } = this.story;
    const found = [...world.violations, ...world.referee.report(), ...compareDesk(world)].filter(
      ({ invariant }) => !forgives.includes(invariant),
    );
    expect(found, world.trace.lines.join('\n')).toEqual([]);
    expect([this.guard?.phase, this.trader?.phase], world.trace.lines.join('\n')).toEqual(['READY', 'READY']);
  }

  close(): void {
    this.world.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #named(line: string): string {
    return this.world.exchange.instruments.reduce((text, { conId, symbol }) => text.replaceAll(`of ${conId} `, `of ${symbol} `), line);
  }
}

const open: DeskStage[] = [];

/** A desk that `endStages` judges and closes: for the stories of one test. */
export function onDesk(story: DeskStory): DeskStage {
  const stage = new DeskStage(story);
  open.push(stage);
  return stage;
}

/** After each story: every desk is well, whatever its story was about. */
export function endStages(): void {
  for (const stage of open.splice(0)) {
    try {
      stage.expectWell();
    } finally {
      stage.close();
    }
  }
}

/** A small paper desk: 5 % of the account per entry, levels of 180 and 90 basis points; its words go through the operator's own parser. */
function setupOf({ protection = 'guarded', ownership = 'own-only', follows = [], exits = {}, entries = {} }: DeskStory): DeskSetup {
  const text = JSON.stringify({
    mode: 'paper',
    account: ACCOUNT,
    exits: { protection, ...exits },
    entries: {
      allocation: 0.05,
      limitBufferBps: 10,
      scanner: { enabled: false },
      strategies: { standard: { rsiMax: 100, atrBpsMin: 0 }, gapAndGo: { enabled: false } },
      ...entries,
    },
  });
  const parsed = parseConfig(text);
  if (!parsed.ok) throw new Error(`the desk of this story is misconfigured: ${JSON.stringify(parsed.problems)}`);
  return { account: ACCOUNT, protection, ownership, config: parsed.config, watchlist: follows };
}
