import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tradeDateOf } from '@holdfast/core/calendar';
import { createState, decide, type ExitManagerState, isSettled, phaseOf } from '@holdfast/core/exit-manager';
import { claimRow } from '@holdfast/core/exits/care';
import { DEFAULT_EXIT_RULES, type ExitRules } from '@holdfast/core/exits/rules';
import type { Order } from '@holdfast/core/orders/order';
import type { BrokerListener, BrokerSend } from '@holdfast/core/ports';
import { type EpochMs, epochMs, fromDollars, type MonoMs, micros, monoMs, shares } from '@holdfast/core/units';
import { createEmergencyFile, EMERGENCY_FILE_BYTES, type EmergencyFile } from '@holdfast/engine/emergency-file';
import { createJournal, type MemorySink } from '@holdfast/engine/journal';
import { silentLog } from '@holdfast/engine/log';
import { createMemoryFile } from '@holdfast/engine/random-file';
import { createWorker, type Stop, type Worker } from '@holdfast/engine/worker';
import { createReferee } from '@holdfast/sim/audits/referee';
import { createSimBroker, type SimBroker } from '@holdfast/sim/broker';
import { createExchange } from '@holdfast/sim/exchange';
import type { ExchangePort, MarketUpdate } from '@holdfast/sim/exchange-types';
import { ACME, at, listSource, SESSION } from '@holdfast/sim/list-source';
import { failingFile } from '@holdfast/sim/store-faults';
import { claimEntry } from '@holdfast/store/claims';
import { insertCommand } from '@holdfast/store/commands';
import { commitStep } from '@holdfast/store/commit';
import { Db, type Synchronous } from '@holdfast/store/db';
import type { StoreFaults } from '@holdfast/store/faults';
import { acquireLease, type Lease } from '@holdfast/store/leases';
import { loadView } from '@holdfast/store/view';
import { handEntry, requestOf } from './hand-entry.js';
import { writeMigratedStore } from './migrated-store.js';
import { lineOfExchange, linesOfStep } from './story-book.js';
import { startWorker } from './worker-start.js';

/**
 * A stage for stories: the real exit manager (its brain, its loop, its real store) before the simulated exchange, under one virtual clock.
 * The day trader is played by hand, so that a story can let it die where it likes.
 */
export interface StageOptions {
  readonly market: readonly MarketUpdate[];
  readonly rules?: Partial<ExitRules>;
  readonly holdings?: readonly { readonly conId: number; readonly quantity: number; readonly averageCost: number }[];
  /** What the first answers of the broker leave out. */
  readonly omits?: SimBroker['omits'];
  /** The referee's, where a story's faults last longer than the usual ones. */
  readonly bounds?: Parameters<typeof createReferee>[0]['bounds'];
  /** Exchange clock at which the story begins. */
  readonly from?: string;
  /** Of the exit manager's store; OFF unless a story is about what is made durable. */
  readonly synchronous?: Synchronous;
  /** Takes the exit manager's journal. */
  readonly journal?: MemorySink;
}

const ACCOUNT = 'DU1234567';
const BOOT = 'boot';

export class Stage {
  readonly exchange: ExchangePort;
  readonly story: string[] = [];
  readonly referee: ReturnType<typeof createReferee>;
  exitManager!: Worker<ExitManagerState>;
  broker!: SimBroker;
  stopped: Stop | null = null;
  /** Between the broker and the exit manager: hands a message on, keeps it for later or says it twice. It outlives a restart. */
  filter: ((body: Parameters<BrokerListener>[0], take: BrokerListener) => void) | null = null;
  /** Around each send of the exit manager, `pass` being the send itself: a story may die or lose the line before or after. It outlives a restart. */
  wire: ((what: BrokerSend, pass: () => boolean) => boolean) | null = null;
  /** What becomes of the exit manager's calls to its store. It outlives a restart. */
  storeFaults: StoreFaults | null = null;
  /** Whether this call to the emergency file fails. It outlives a restart. */
  fileFails: ((call: 'write' | 'sync') => boolean) | null = null;
  private readonly dir = mkdtempSync(join(tmpdir(), 'holdfast-stage-'));
  private readonly rules: ExitRules;
  private readonly synchronous: Synchronous;
  private readonly sink: MemorySink | null;
  private mono = 1_000;
  private now: EpochMs;
  private db!: Db;
  private readonly traderDb: Db;
  private traderLease: Lease;
  private incarnation = 0;
  private entryCounter = 0;
  private entryOrderId = 0;
  private readonly disk = createMemoryFile(EMERGENCY_FILE_BYTES);
  private emergency!: EmergencyFile;

  constructor(options: StageOptions) {
    this.rules = { ...DEFAULT_EXIT_RULES, ...options.rules };
    this.synchronous = options.synchronous ?? 'OFF';
    this.sink = options.journal ?? null;
    this.now = at(options.from ?? '09:45:00');
    this.exchange = createExchange({
      source: listSource(options.market),
      session: SESSION,
      startAt: this.now,
      account: ACCOUNT,
      holdings: (options.holdings ?? []).map(holding => ({ ...holding, averageCost: micros(holding.averageCost) })),
    });
    this.referee = createReferee({
      instruments: this.exchange.instruments,
      baseline: options.holdings ?? [],
      session: SESSION,
      ...(options.bounds && { bounds: options.bounds }),
    });
    this.exchange.subscribe(event => {
      this.referee.observe(event, monoMs(this.mono));
      const line = lineOfExchange(event);
      if (line !== null) this.tell([line]);
    });
    writeMigratedStore(join(this.dir, 'desk.db'), this.now);
    this.traderDb = new Db(join(this.dir, 'desk.db'), { busyTimeoutMs: 0, synchronous: 'OFF' });
    this.traderLease = this.lease(this.traderDb, 'day-trader', 2);
    this.startExitManager(options.omits ?? null);
  }

  get clock() {
    return { mono: (): MonoMs => monoMs(this.mono), exchange: (): EpochMs => this.now, told: () => undefined, written: () => undefined };
  }

  private lease(db: Db, name: 'exit-manager' | 'day-trader', pid: number): Lease {
    const result = acquireLease(db, { name, pid, processStartedAt: String(pid), bootId: BOOT, now: this.now }, () => true);
    if (!result.ok) throw new Error(result.detail);
    return result.lease;
  }

  /** A new process of the exit manager: the real start, new connection to the store, new lease, new broker session. */
  startExitManager(omits: SimBroker['omits'] = null): void {
    const { booted, view, hasBaseline } = startWorker({
      name: 'exit-manager',
      path: join(this.dir, 'desk.db'),
      account: ACCOUNT,
      synchronous: this.synchronous,
      faults: { before: call => this.storeFaults?.before(call), afterCommit: () => this.storeFaults?.afterCommit() },
      next: () => {
        this.incarnation += 1;
        const file = failingFile(this.disk, call => this.fileFails?.(call) ?? false);
        this.emergency = createEmergencyFile(file);
        return { pid: 100 + this.incarnation, emergency: this.emergency };
      },
      mono: () => monoMs(this.mono),
      now: () => this.now,
      wait: ms => this.waits(ms),
      tell: line => this.tell([line]),
    });
    const { db, lease, unwritten } = booted;
    this.db = db;
    let worker: Worker<ExitManagerState> | undefined;
    const take: BrokerListener = body => worker?.take(body);
    this.broker = createSimBroker({
      exchange: this.exchange,
      clientId: 10,
      onEvent: body => (this.filter ? this.filter(body, take) : take(body)),
    });
    const send = this.broker.send.bind(this.broker);
    this.broker.send = what => (this.wire ? this.wire(what, () => send(what)) : send(what));
    this.broker.omits = omits;
    this.stopped = null;
    const given = { rules: this.rules, account: ACCOUNT, lease: lease.leaseId, isMinimal: false, view, at: this.now, hasBaseline };
    const { sink } = this;
    const recorder = sink && createJournal({ worker: 'exit-manager', version: 'stage', sink, dayBytesMax: 1e9, log: silentLog });
    recorder?.begin(given);
    worker = createWorker<ExitManagerState>({
      name: 'exit-manager',
      brain: { decide, isSettled, phaseOf },
      state: createState(given),
      view,
      db,
      lease,
      unwritten,
      broker: this.broker,
      clock: this.clock,
      limits: { ordersPerMinute: 30, notionalMax: fromDollars(1_000_000), collarBps: 1_000 },
      policy: { orders: null, entries: null },
      emergency: this.emergency,
      log: silentLog,
      journal: (_event, effects) => this.tell(linesOfStep(effects)),
      ...(recorder && { recorder }),
      onStop: stop => {
        this.stopped = stop;
        this.tell([`exit-manager stops: ${stop.why}`]);
      },
    });
    this.exitManager = worker;
    this.broker.connect();
    this.referee.connected(10, monoMs(this.mono));
    this.settle();
  }

  /** kill −9: the connection to the store closes (an open transaction is rolled back), the socket is gone, memory too. */
  killExitManager(): void {
    this.broker.close();
    this.db.close();
    this.referee.disconnected(10, monoMs(this.mono));
    this.story.push(`${this.time()} exit-manager dies`);
  }

  /** Lets exchange and machine time pass together, a beat every 100 ms. */
  run(ms: number, { alive = true }: { alive?: boolean } = {}): void {
    for (let passed = 0; passed < ms; passed += 100) {
      this.mono += 100;
      this.now = epochMs(this.now + 100);
      this.exchange.advanceTo(this.now);
      if (alive && this.now % 1_000 === 0) this.broker.second();
      if (alive) this.settle();
    }
  }

  runTo(clock: string, options?: { alive?: boolean }): void {
    this.run(at(clock) - this.now, options);
  }

  /** Messages and their answers until nothing is under way, then one beat. */
  settle(): void {
    for (let rounds = 0; rounds < 50; rounds += 1) {
      // An answer takes time: what was told first and what later must not look the same.
      this.mono += 1;
      const delivered = this.broker.deliver();
      this.exitManager.beat();
      if (delivered === 0 && this.broker.waiting === 0) return;
    }
  }

  /** The day trader claims, sends and (unless told otherwise) books its fill at once. */
  buys(
    quantity: number,
    limit: number,
    { books = true, sends = true, settles = true }: { books?: boolean; sends?: boolean; settles?: boolean } = {},
  ): Order {
    this.entryCounter += 1;
    this.entryOrderId += 1;
    const tradeDate = tradeDateOf(this.now);
    const order = handEntry({
      tradeDate,
      lease: this.traderLease.leaseId,
      counter: this.entryCounter,
      orderId: this.entryOrderId,
      quantity,
      limit,
      now: this.now,
    });
    const claim = claimRow({
      tradeId: order.tradeId,
      account: ACCOUNT,
      contract: order.contract,
      side: 1,
      agentName: 'day-trader',
      signal: null,
      now: this.now,
    });
    const claimed = claimEntry(this.traderDb, {
      lease: this.traderLease,
      enter: { do: 'enter', claim, order, tradeDate, decidedAt: monoMs(this.mono) },
      now: this.now,
    });
    if (!claimed.ok) throw new Error(`${claimed.code}: ${claimed.detail}`);
    this.story.push(`${this.time()} day-trader claims ACME, BUY ${quantity} LMT ${limit.toFixed(2)}`);
    if (sends) {
      this.exchange.place(requestOf(order));
      if (books) this.book(order);
    }
    if (settles) this.settle();
    return order;
  }

  /** Bought and booked while nobody guards; READY is still written in the lease, as after a kill. */
  buysUnseen(quantity: number, limit: number): Order {
    return this.buys(quantity, limit, { settles: false });
  }

  /** The claim's row is lost; order and execution stay. */
  forgetRow(order: Order): void {
    this.traderDb.exec(`delete from active_positions where trade_id = '${order.tradeId}'`);
  }

  lastEntry: Order | null = null;

  /** Buys if the store lets it; false when it refuses (active, closed today, not ready). */
  tryBuy(quantity: number, limit: number): boolean {
    try {
      this.lastEntry = this.buys(quantity, limit);
      return true;
    } catch (error) {
      if (error instanceof Error && /^(CLOSED_TODAY|ALREADY_ACTIVE|EXIT_MANAGER_NOT_READY|KILL_SWITCH|BASELINE)/.test(error.message))
        return false;
      throw error;
    }
  }

  /** Claims without a share yet. */
  claims(): number {
    const view = loadView(this.traderDb, { worker: 'day-trader', tradeDate: tradeDateOf(this.now), now: this.now });
    return view.positions.filter(({ status }) => status === 'CLAIMED').length;
  }

  /** Shares in care as active_positions says. */
  heldInStore(): number {
    const view = loadView(this.traderDb, { worker: 'day-trader', tradeDate: tradeDateOf(this.now), now: this.now });
    return view.positions.reduce((sum, { quantity }) => sum + quantity, 0);
  }

  /** The day trader commits what it heard of its order. */
  book(order: Order): void {
    const done = this.exchange.executions().filter(({ orderRef }) => orderRef === order.orderRef);
    const filled = done.reduce((sum, { shares: count }) => sum + count, 0);
    const isOpen = this.exchange.openOrders().some(({ request }) => request.orderRef === order.orderRef);
    commitStep(this.traderDb, {
      lease: this.traderLease,
      now: this.now,
      tradeDate: tradeDateOf(this.now),
      durable: true,
      writes: [
        ...done.map(told => ({
          do: 'write-execution' as const,
          tradeId: order.tradeId,
          tradeDate: tradeDateOf(told.at),
          execution: {
            execId: told.execId,
            at: told.at,
            conId: told.conId,
            symbol: told.symbol,
            side: told.side,
            shares: shares(told.shares),
            price: told.price,
            orderRef: told.orderRef,
            permId: told.permId,
            clientId: told.clientId,
            orderId: told.orderId,
            commission: told.commission,
          },
        })),
        {
          do: 'write-order' as const,
          order: {
            ...order,
            filled: shares(filled),
            status: isOpen ? ('SUBMITTED' as const) : filled >= order.quantity ? ('FILLED' as const) : ('CANCELLED' as const),
            updatedAt: this.now,
          },
        },
      ],
    });
  }

  /** The claim ended without a fill. */
  release(order: Order): void {
    commitStep(this.traderDb, {
      lease: this.traderLease,
      now: this.now,
      tradeDate: tradeDateOf(this.now),
      durable: true,
      writes: [{ do: 'release-claim', tradeId: order.tradeId, symbol: order.contract.symbol, reason: 'not filled' }],
    });
  }

  /** A command's row, which the exit manager will find. */
  commands(kind: string, payload: Record<string, string> = {}): void {
    insertCommand(this.traderDb, {
      target: 'exit-manager',
      kind,
      payload,
      tradeDate: tradeDateOf(this.now),
      expiresAt: epochMs(this.now + 60_000),
      createdBy: 'story',
      now: this.now,
    });
  }

  command(kind: string, payload: Record<string, string> = {}): void {
    this.commands(kind, payload);
    this.settle();
  }

  position(conId: number = ACME.conId): number {
    return this.exchange.positions().find(position => position.conId === conId)?.quantity ?? 0;
  }

  /** Working orders at the exchange, `SELL 100 LMT 50.90`, in the order they were accepted. */
  resting(): string[] {
    return this.exchange.openOrders().map(({ request, remaining }) => {
      const price = request.type === 'LMT' ? request.limitPrice : request.stopPrice;
      return `${request.side} ${remaining} ${request.type}${price ? ` ${(price / 1e6).toFixed(2)}` : ''}`;
    });
  }

  closedToday(): { symbol: string; reason: string }[] {
    const view = loadView(this.traderDb, { worker: 'day-trader', tradeDate: tradeDateOf(this.now), now: this.now });
    return view.closedToday.map(({ symbol, exitReason }) => ({ symbol, reason: exitReason }));
  }

  /** Steps that a start now would merge from the emergency file. */
  kept(): number {
    return this.emergency.read().steps.length;
  }

  /** Processes of the exit manager so far. */
  get starts(): number {
    return this.incarnation;
  }

  /** Lets machine time pass, and nothing else. */
  waits(ms: number): void {
    this.mono += ms;
  }

  get reader(): Db {
    return this.traderDb;
  }

  get exchangeTime(): EpochMs {
    return this.now;
  }

  close(): void {
    try {
      this.db.close();
    } finally {
      this.traderDb.close();
      rmSync(this.dir, { recursive: true, force: true });
    }
  }

  private time(): string {
    return new Date(this.now - 4 * 3_600_000).toISOString().slice(11, 23);
  }

  private tell(lines: readonly string[]): void {
    for (const line of lines) this.story.push(`${this.time()} ${line}`);
  }
}
