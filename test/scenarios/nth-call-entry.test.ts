import { tradeDateOf } from '@holdfast/core/calendar';
import { createState, type DayTraderState, decide, isSettled, phaseOf } from '@holdfast/core/day-trader';
import type { Enter } from '@holdfast/core/effects';
import { activeSymbols, closedReason } from '@holdfast/core/entries/active';
import { DEFAULT_DAY_TRADER_RULES } from '@holdfast/core/entries/rules';
import type { Event, QuoteUpdate } from '@holdfast/core/events';
import { claimRow } from '@holdfast/core/exits/care';
import type { BrokerListener } from '@holdfast/core/ports';
import { fromDollars } from '@holdfast/core/units';
import { silentLog } from '@holdfast/engine/log';
import { createWorker, type Stop, type Worker } from '@holdfast/engine/worker';
import { createSimBroker, type SimBroker } from '@holdfast/sim/broker';
import { ACME, quoteOf } from '@holdfast/sim/list-source';
import { failNthCall, type NthFaultPlan } from '@holdfast/sim/store-faults';
import type { Db } from '@holdfast/store/db';
import type { StoreCallKind, StoreFaults } from '@holdfast/store/faults';
import { loadView } from '@holdfast/store/view';
import { afterAll, describe, expect, it } from 'vitest';
import { handEntry } from './hand-entry.js';
import { Stage } from './stage.js';
import { Killed, startWorker } from './worker-start.js';

/**
 * Issue 3, item 6, the other way in: every store and socket call of the day trader between wanting to buy and holding fails once, the first,
 * the second, the third …. It is the real worker; its strategy wants ACME at every beat at which its own books let it.
 */
type SendFault = 'returns false' | 'swallowed' | 'accepted, then reset' | 'reset before' | 'killed before' | 'killed after';

class Trader {
  worker!: Worker<DayTraderState>;
  broker!: SimBroker;
  stopped: Stop | null = null;
  faults: StoreFaults | null = null;
  /** Called at each order that leaves. */
  onPlace: ((pass: () => boolean) => boolean) | null = null;
  wants = false;
  private db!: Db;
  private pid = 500;

  constructor(private readonly stage: Stage) {
    this.start();
  }

  start(): void {
    const { stage } = this;
    const { booted, view } = startWorker({
      name: 'day-trader',
      path: stage.reader.path,
      account: stage.exchange.accountId,
      synchronous: 'OFF',
      faults: { before: call => this.faults?.before(call), afterCommit: () => this.faults?.afterCommit() },
      next: () => {
        this.pid += 1;
        return { pid: this.pid, emergency: null };
      },
      mono: stage.clock.mono,
      now: stage.clock.exchange,
      wait: ms => stage.waits(ms),
      tell: line => stage.story.push(line),
    });
    this.db = booted.db;
    let worker: Worker<DayTraderState> | undefined;
    const take: BrokerListener = body => worker?.take(body);
    this.broker = createSimBroker({ exchange: stage.exchange, clientId: 2, onEvent: take });
    const send = this.broker.send.bind(this.broker);
    this.broker.send = what => (what.do === 'place' && this.onPlace ? this.onPlace(() => send(what)) : send(what));
    this.stopped = null;
    worker = createWorker<DayTraderState>({
      name: 'day-trader',
      brain: { decide: (state, event) => this.decide(state, event), isSettled, phaseOf },
      state: createState({
        rules: DEFAULT_DAY_TRADER_RULES,
        account: stage.exchange.accountId,
        lease: booted.lease.leaseId,
        view,
        at: stage.exchangeTime,
        isCancelOnly: false,
      }),
      view,
      db: this.db,
      lease: booted.lease,
      broker: this.broker,
      clock: stage.clock,
      limits: { ordersPerMinute: 30, notionalMax: fromDollars(1_000_000), collarBps: 1_000 },
      policy: { orders: null, entries: null },
      emergency: null,
      log: silentLog,
      journal: (event, effects) => {
        for (const effect of effects) if (effect.do === 'enter') stage.story.push(`day-trader enters ${effect.order.orderRef}`);
        if (event.kind === 'entry-refused' || event.kind === 'not-sent') stage.story.push(`day-trader hears ${event.kind} ${event.code}`);
      },
      onStop: stop => {
        this.stopped = stop;
        stage.story.push(`day-trader stops: ${stop.why}`);
      },
    });
    this.worker = worker;
    this.broker.connect();
  }

  /** The real rules, and a strategy that wants ACME whenever they would let it. */
  private decide(state: DayTraderState, event: Event): ReturnType<typeof decide> {
    const step = decide(state, event);
    const { state: next } = step;
    const mayEnter = next.link.phase === 'READY' && !activeSymbols(next).has(ACME.symbol) && closedReason(next, ACME.symbol) === null;
    if (!this.wants || event.kind !== 'tick' || !mayEnter) return step;
    const { tradeDate, lease, nextRef, nextOrderId, account } = next;
    const order = handEntry({ tradeDate, lease, counter: nextRef, orderId: nextOrderId, quantity: 100, limit: 50.05, now: event.at });
    const { tradeId, contract } = order;
    const claim = claimRow({ tradeId, account, contract, side: 1, agentName: 'day-trader', signal: null, now: event.at });
    const enter: Enter = { do: 'enter', claim, order, tradeDate, decidedAt: event.mono };
    const asked = new Map([...next.asked, [order.orderRef, order] as const]);
    return { state: { ...next, asked, nextRef: nextRef + 1, nextOrderId: nextOrderId + 1 }, effects: [...step.effects, enter] };
  }

  /** Both workers for a while; whoever ended is started again, a lost line is dialled again. */
  live(ms: number): void {
    for (let passed = 0; passed < ms; passed += 100) {
      if (this.stopped) this.restart();
      if (!this.broker.isUp && passed % 300 === 0) this.broker.connect();
      this.stage.run(100);
      if (passed % 1_000 === 0) this.worker.take({ kind: 'quote', conId: ACME.conId, quote: QUOTE });
      for (let rounds = 0; rounds < 20 && !this.stopped; rounds += 1) {
        const delivered = this.broker.deliver();
        this.worker.beat();
        if (delivered === 0 && this.broker.waiting === 0) break;
      }
      this.stage.settle();
    }
  }

  private restart(): void {
    this.close();
    this.start();
  }

  close(): void {
    this.broker.close();
    this.db.close();
  }
}

interface Case {
  readonly name: string;
  readonly of: StoreCallKind | 'after-commit' | 'place';
  readonly failure: NthFaultPlan['failure'] | SendFault;
}

/** What its own subscription would tell: the cap at the wire wants a price. */
const QUOTE: QuoteUpdate = {
  bid: fromDollars(49.98),
  ask: fromDollars(50),
  bidSize: 5_000,
  askSize: 5_000,
  last: fromDollars(50),
  volume: 100_000,
  close: fromDollars(50),
  open: fromDollars(50),
  halted: false,
  delayed: false,
};

const killed = (): Error => new Killed();
const CASES: readonly Case[] = [
  { name: 'begin busy', of: 'begin', failure: 'busy' },
  { name: 'read I/O error', of: 'read', failure: 'io-read' },
  { name: 'write full', of: 'write', failure: 'full' },
  { name: 'commit busy', of: 'commit', failure: 'busy' },
  { name: 'commit I/O error', of: 'commit', failure: 'io-write' },
  { name: 'commit killed before', of: 'commit', failure: killed },
  { name: 'commit killed after', of: 'after-commit', failure: killed },
  { name: 'commit done, reported as failed', of: 'after-commit', failure: 'io-sync' },
  { name: 'data_version I/O error', of: 'data-version', failure: 'io-read' },
  ...(['returns false', 'swallowed', 'accepted, then reset', 'reset before', 'killed before', 'killed after'] as const).map(
    failure => ({ name: `place ${failure}`, of: 'place', failure }) as const,
  ),
];

const SENDS: Readonly<Record<SendFault, (trader: Trader, pass: () => boolean) => boolean>> = {
  'returns false': () => false,
  swallowed: () => true,
  'accepted, then reset': (trader, pass) => {
    const went = pass();
    trader.broker.cut('reset');
    return went;
  },
  'reset before': trader => {
    trader.broker.cut('reset');
    return true;
  },
  'killed before': () => {
    throw new Killed();
  },
  'killed after': (_trader, pass) => {
    pass();
    throw new Killed();
  },
};

/** Installs the fault; the answer says whether it has bitten. */
function arm(trader: Trader, { of, failure }: Case, nth: number): () => boolean {
  if (of === 'place') {
    let count = 0;
    trader.onPlace = pass => {
      count += 1;
      return count === nth ? SENDS[failure as SendFault](trader, pass) : pass();
    };
    return () => count >= nth;
  }
  const isMeant: NthFaultPlan['isMeant'] = of === 'after-commit' ? of : call => call.kind === of;
  const faults = failNthCall({ isMeant, nth, failure: failure as NthFaultPlan['failure'] });
  trader.faults = faults;
  return () => faults.hasFired;
}

/** A lost entry keeps its claim until its time to live (90 s), a minute and one more clean answer (asked once a minute) are over. */
const CLAIM_MS_MAX = 230_000;

function play(wanted: Case, nth: number): { hasFired: boolean; problems: readonly string[]; told: string } {
  const s = new Stage({ market: [quoteOf('09:45:00', 49.98, 50.0, 5_000)] });
  const trader = new Trader(s);
  try {
    trader.live(1_000);
    const hasFired = arm(trader, wanted, nth);
    trader.wants = true;
    trader.live(1_500);
    trader.wants = false;
    trader.faults = null;
    trader.onPlace = null;
    trader.live(5_000);
    const isOpen = (): boolean => s.claims() > 0 || s.position() === 0;
    if (isOpen()) {
      // Nothing was bought: the symbol must come free by itself, and then be bought once.
      for (let passed = 0; s.claims() > 0 && passed < CLAIM_MS_MAX; passed += 5_000) trader.live(5_000);
      trader.wants = true;
      trader.live(2_000);
      trader.wants = false;
      trader.live(3_000);
    }
    return { hasFired: hasFired(), problems: problemsOf(s, trader), told: s.story.join('\n') };
  } finally {
    trader.close();
    s.close();
  }
}

function problemsOf(s: Stage, trader: Trader): string[] {
  const found = s.referee.report().map(({ invariant, detail }) => `${invariant} ${detail}`);
  if (s.claims() > 0) found.push('a claim without a share was never given back');
  if (s.position() !== 100) found.push(`held ${s.position()}, expected 100`);
  if (s.heldInStore() !== s.position()) found.push(`I6 the store holds ${s.heldInStore()}, the broker ${s.position()}`);
  if (trader.worker.facts().phase !== 'READY') found.push(`I11 the day trader is ${trader.worker.facts().phase}`);
  if (s.resting().join() !== 'SELL 100 LMT 50.90,SELL 100 STP 49.10') found.push(`I2 rests ${s.resting().join()}`);
  const { orders } = loadView(s.reader, { worker: 'day-trader', tradeDate: tradeDateOf(s.exchangeTime), now: s.exchangeTime });
  const open = orders.filter(({ role, status }) => role === 'entry' && (status === 'INTENT' || status === 'SUBMITTED'));
  if (open.length > 0) found.push(`I6 the store believes alive ${open.map(({ orderRef }) => orderRef).join()}`);
  return found;
}

describe('calls of the day trader on its way in', () => {
  const counts = new Map<string, number>();
  afterAll(() => {
    console.log(`combinations: ${JSON.stringify(Object.fromEntries(counts))}`);
  });

  it.each(CASES)('I4, I5, I6, I11, A10: $name', wanted => {
    const failures: string[] = [];
    let nth = 1;
    for (let isOver = false; !isOver; nth += 1) {
      const { hasFired, problems, told } = play(wanted, nth);
      if (problems.length > 0) failures.push(`n = ${nth}: ${problems.join('\n')}\n${told}`);
      isOver = !hasFired || nth > 200;
    }
    counts.set(wanted.name, nth - 2);
    expect(failures.length, failures[0]).toBe(0);
    expect(nth - 2, 'a loop over nothing proves nothing').toBeGreaterThan(0);
  });
});
