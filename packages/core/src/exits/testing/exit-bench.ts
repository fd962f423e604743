import { tradeDateOf } from '../../calendar.js';
import type { Effect, Write } from '../../effects.js';
import { type BrokerPosition, type EventBody, exitSide } from '../../events.js';
import { createState, decide, type ExitManagerState } from '../../exit-manager.js';
import { type BrokerOrder, isFinal, type Order } from '../../orders/order.js';
import type { Execution } from '../../positions/execution.js';
import type { PositionRow } from '../../shared-view.js';
import { type EpochMs, epochMs, fromDollars, micros, monoMs, shares } from '../../units.js';
import { DEFAULT_EXIT_RULES, type ExitRules } from '../rules.js';

/**
 * The exit manager's brain alone before a small broker, for properties: one instrument, orders that fill when the test says so, OCA type 2, and
 * the faults of the line. No store and no wire cap stand behind it: what it sends is what it decided.
 */
export const ACCOUNT = 'DU1';
export const CON_ID = 1;
const CONTRACT: BrokerPosition['contract'] = {
  conId: CON_ID,
  symbol: 'ACME',
  secType: 'STK',
  exchange: 'SMART',
  primaryExchange: '',
  currency: 'USD',
  tick: micros(10_000),
  multiplier: 1,
};

/** An order as the broker has it. */
export interface Worked {
  readonly orderId: number;
  readonly permId: number;
  order: Order;
  quantity: number;
  filled: number;
  status: 'Submitted' | 'Cancelled' | 'Filled';
}

const isWorking = ({ status }: Worked): boolean => status === 'Submitted';

export class ExitBench {
  state: ExitManagerState;
  at: EpochMs;
  mono = 10_000;
  position = 0;
  /** How many shares the next market order meets. */
  liquidity = Number.POSITIVE_INFINITY;
  /** Sends get lost on the way. */
  isDeaf = false;
  /** Which orders get lost on the way, while all else arrives. */
  swallows: (order: Order) => boolean = () => false;
  /** What happens is not told: the line says nothing at all. */
  isMute = false;
  /** Cancels are taken and not answered. */
  ignoresCancels = false;
  /** The code with which every order and change (of one role, where it is given) is refused, or null. */
  refuses: { readonly code: number; readonly text: string; readonly role?: Order['role'] } | null = null;
  /** Complete answers leave out the open orders. */
  omitsOrders = false;
  /** Calls after everything that happens at the broker. */
  onBroker: () => void = () => undefined;
  readonly worked = new Map<number, Worked>();
  readonly executions: Execution[] = [];
  readonly effects: Effect[] = [];
  private readonly inbox: EventBody[] = [];
  private readonly spent = new Set<string>();
  readonly rows = {
    positions: new Map<string, PositionRow>(),
    orders: new Map<string, Order>(),
    executions: new Map<string, Execution & { tradeId: string | null }>(),
  };
  private session = 0;
  private isUp = false;
  private heardAt = this.mono;
  private lease = 0;
  private nextExec = 1;
  private readonly rules: ExitRules;

  constructor({ at, rules = {} }: { readonly at: EpochMs; readonly rules?: Partial<ExitRules> }) {
    this.at = at;
    this.rules = { ...DEFAULT_EXIT_RULES, ...rules };
    this.state = this.begin();
    this.connect();
  }

  private begin(): ExitManagerState {
    this.lease += 1;
    const date = tradeDateOf(this.at);
    const open = new Set([...this.rows.positions.values()].map(({ tradeId }) => tradeId));
    return createState({
      rules: this.rules,
      account: ACCOUNT,
      lease: this.lease,
      isMinimal: false,
      at: this.at,
      hasBaseline: true,
      view: {
        positions: [...this.rows.positions.values()],
        orders: [...this.rows.orders.values()].filter(order => !isFinal(order) || tradeDateOf(order.createdAt) === date),
        executions: [...this.rows.executions.values()].filter(
          ({ at, tradeId }) => tradeDateOf(at) === date || (tradeId !== null && open.has(tradeId)),
        ),
        closedToday: [],
        baseline: [],
        commands: [],
        killSwitch: { on: false, reason: null },
        guard: { phase: 'READY', alive: true },
      },
    });
  }

  /** A new process: memory and connection are gone, the rows stay. */
  restart(): void {
    this.cut();
    this.state = this.begin();
    this.connect();
  }

  cut(): void {
    if (!this.isUp) return;
    this.isUp = false;
    this.inbox.length = 0;
    this.hear({ kind: 'disconnected', reason: 'cut' });
  }

  connect(): void {
    if (this.isUp) return;
    this.session += 1;
    this.isUp = true;
    this.inbox.length = 0;
    const nextOrderId = 1 + Math.max(0, ...this.worked.keys());
    this.inbox.push({ kind: 'connected', nextOrderId, accounts: [ACCOUNT], session: this.session });
  }

  /** One event into the brain, and what it asks of the world. */
  hear(body: EventBody): void {
    const step = decide(this.state, { at: this.at, mono: monoMs(this.mono), ...body });
    this.state = step.state;
    const outcomes: EventBody[] = [];
    for (const effect of step.effects) {
      this.effects.push(effect);
      this.perform(effect, outcomes);
    }
    for (const outcome of outcomes) this.hear(outcome);
  }

  /** Delivers what waits (`pick` may reorder or repeat it), until nothing is left. */
  deliver(pick: (waiting: EventBody[]) => EventBody | undefined = waiting => waiting.shift()): void {
    for (let count = 0; count < 500 && this.inbox.length > 0; count += 1) {
      const body = pick(this.inbox);
      if (!body) continue;
      this.heardAt = this.mono;
      this.hear(body);
    }
  }

  /** Time passes in beats of 100 ms. */
  run(ms: number): void {
    for (let passed = 0; passed < ms; passed += 100) {
      this.mono += 100;
      this.at = epochMs(this.at + 100);
      this.hear({ kind: 'tick', heardAt: monoMs(this.heardAt) });
      this.deliver();
    }
  }

  mark(dollars: number): void {
    if (this.isUp && !this.isMute)
      this.inbox.push({ kind: 'pnl-mark', conId: CON_ID, quantity: this.position, price: fromDollars(dollars) });
  }

  /** A person asks for ACME to be sold. */
  flatten(): void {
    const expiresAt = epochMs(this.at + 60_000);
    const payload = { symbol: 'ACME' };
    this.hear({
      kind: 'command',
      command: { id: 7, target: 'exit-manager', kind: 'flatten', payload, tradeDate: this.state.tradeDate, expiresAt },
    });
  }

  /** Somebody trades by hand. */
  byHand(quantity: number, dollars: number): void {
    this.position += quantity;
    this.execute({ side: quantity > 0 ? 'BUY' : 'SELL', quantity: Math.abs(quantity), dollars, order: null });
  }

  /** A working order of ours trades. */
  fill(one: Worked, quantity: number, dollars: number): void {
    const shares = Math.min(quantity, one.quantity - one.filled);
    if (!isWorking(one) || shares <= 0) return;
    one.filled += shares;
    this.position += one.order.side === 'BUY' ? shares : -shares;
    if (one.filled >= one.quantity) one.status = 'Filled';
    this.reduceGroup(one, shares);
    this.execute({ side: one.order.side, quantity: shares, dollars, order: one });
    this.tellOrder(one);
  }

  /** An order dies of age at the broker. */
  expire(one: Worked): void {
    if (!isWorking(one)) return;
    one.status = 'Cancelled';
    this.tellOrder(one);
  }

  /** A later word about a fill: another price, or other shares (0 busts it). */
  correct(execution: Execution, change: Partial<Pick<Execution, 'shares' | 'price'>>): void {
    const cut = execution.execId.lastIndexOf('.');
    const revision = Number(execution.execId.slice(cut + 1)) + 1;
    const next: Execution = { ...execution, ...change, execId: `${execution.execId.slice(0, cut)}.${String(revision).padStart(2, '0')}` };
    const index = this.executions.indexOf(execution);
    this.executions.splice(index, 1, next);
    const sign = execution.side === 'BUY' ? 1 : -1;
    this.position += sign * (next.shares - execution.shares);
    this.tell({ kind: 'execution', execution: next });
    this.tellPosition();
    this.onBroker();
  }

  working(): Worked[] {
    return [...this.worked.values()].filter(isWorking);
  }

  /** The most that our working orders can still trade: a group counts once, by its largest member. */
  reach(): number {
    const groups = new Map<string, number>();
    for (const one of this.working()) {
      const group = one.order.ocaGroup ?? `alone ${one.orderId}`;
      groups.set(group, Math.max(groups.get(group) ?? 0, one.quantity - one.filled));
    }
    return [...groups.values()].reduce((sum, quantity) => sum + quantity, 0);
  }

  /** Shares our orders have traded that the brain has not heard of. */
  untold(): number {
    const known = new Set([...this.state.executions.values()].map(({ execId }) => execId));
    return this.executions.reduce(
      (sum, { execId, clientId, shares: count }) => sum + (clientId === 10 && !known.has(execId) ? count : 0),
      0,
    );
  }

  /** Orders that can trade independently of each other. */
  sellers(): number {
    return new Set(this.working().map(({ order, orderId }) => order.ocaGroup ?? `alone ${orderId}`)).size;
  }

  alerts(): string[] {
    return this.effects.flatMap(effect => {
      const write = effect.do === 'later' ? effect.write : effect;
      return write.do === 'write-alert' ? [write.alert.code] : [];
    });
  }

  // ---- the broker ----

  private perform(effect: Effect, outcomes: EventBody[]): void {
    switch (effect.do) {
      case 'later':
        this.write(effect.write);
        return;
      case 'place':
        if (!this.isUp) outcomes.push({ kind: 'not-sent', orderRef: effect.order.orderRef, code: 'NOT_CONNECTED', detail: 'down' });
        else if (!this.isDeaf && !this.swallows(effect.order)) this.place(effect.order);
        return;
      case 'cancel':
        if (this.isUp && !this.isDeaf && !this.ignoresCancels) this.cancel(effect.orderId);
        return;
      case 'request-snapshot':
        if (this.isUp && !this.isDeaf)
          this.tell({
            kind: 'snapshot',
            id: effect.id,
            session: this.session,
            openOrders: this.omitsOrders ? [] : this.working().map(one => this.told(one)),
            executions: [...this.executions],
            positions: this.position === 0 ? [] : [this.holding()],
          });
        return;
      case 'request-executions':
        if (!this.isUp || this.isDeaf) return;
        for (const execution of this.executions) this.tell({ kind: 'execution', execution });
        this.tell({ kind: 'executions-end', id: effect.id });
        return;
      case 'request-open-orders':
        if (this.isUp && !this.isDeaf) for (const one of this.working()) this.tellOrder(one);
        return;
      case 'reconnect':
        this.cut();
        this.connect();
        return;
      default:
        this.write(effect);
    }
  }

  private write(effect: Effect | Write): void {
    switch (effect.do) {
      case 'write-intent':
      case 'write-order':
        this.rows.orders.set(effect.order.orderRef, effect.order);
        return;
      case 'write-execution':
        this.rows.executions.set(effect.execution.execId, { ...effect.execution, tradeId: effect.tradeId });
        return;
      case 'write-position':
        this.rows.positions.set(effect.position.tradeId, effect.position);
        return;
      case 'close-position':
        this.rows.positions.delete(effect.trade.tradeId);
        return;
      default:
    }
  }

  private place(order: Order): void {
    const known = this.worked.get(order.orderId);
    const refuse = (code: number, meaning: 'rejected' | 'modify-refused'): void =>
      this.tell({ kind: 'order-notice', orderId: order.orderId, code, meaning, text: `refused ${code}` });
    if (this.refuses && (this.refuses.role ?? order.role) === order.role) {
      const { code, text } = this.refuses;
      const meaning = known && isWorking(known) ? 'modify-refused' : 'rejected';
      this.tell({ kind: 'order-notice', orderId: order.orderId, meaning, code, text });
      return;
    }
    if (known && !isWorking(known)) {
      refuse(known.status === 'Filled' ? 104 : 103, known.status === 'Filled' ? 'modify-refused' : 'rejected');
      return;
    }
    if (known && known.order.ocaGroup !== order.ocaGroup) {
      refuse(10326, 'modify-refused');
      return;
    }
    if (known && order.quantity <= known.filled) {
      refuse(104, 'modify-refused');
      return;
    }
    const one: Worked = known ?? {
      orderId: order.orderId,
      permId: 1_000 + order.orderId,
      order,
      quantity: 0,
      filled: 0,
      status: 'Submitted',
    };
    one.order = order;
    one.quantity = order.quantity;
    this.worked.set(order.orderId, one);
    if (order.ocaGroup !== null && this.spent.has(order.ocaGroup)) one.status = 'Cancelled';
    this.tellOrder(one);
    if (isWorking(one) && order.type === 'MKT') this.meet(one);
    this.onBroker();
  }

  private meet(one: Worked): void {
    const quantity = Math.min(this.liquidity, one.quantity - one.filled);
    if (quantity > 0) this.fill(one, quantity, 49.5);
    if (isWorking(one) && one.order.tif === 'IOC') {
      one.status = 'Cancelled';
      this.tellOrder(one);
    }
  }

  private cancel(orderId: number): void {
    const one = this.worked.get(orderId);
    if (!one) {
      this.tell({ kind: 'order-notice', orderId, code: 10147, meaning: 'unknown-order', text: 'not found' });
      return;
    }
    if (!isWorking(one)) {
      this.tell({ kind: 'order-notice', orderId, code: 10148, meaning: 'already-final', text: `state: ${one.status}.` });
      return;
    }
    one.status = 'Cancelled';
    this.tellOrder(one);
    this.onBroker();
  }

  private reduceGroup(filled: Worked, by: number): void {
    const { ocaGroup } = filled.order;
    if (ocaGroup === null) return;
    if (filled.status === 'Filled') this.spent.add(ocaGroup);
    for (const other of this.working()) {
      if (other === filled || other.order.ocaGroup !== ocaGroup) continue;
      other.quantity = Math.max(other.filled, other.quantity - by);
      if (filled.status === 'Filled' || other.quantity <= other.filled) other.status = 'Cancelled';
      this.tellOrder(other);
    }
  }

  private execute({
    side,
    quantity,
    dollars,
    order,
  }: {
    side: 'BUY' | 'SELL';
    quantity: number;
    dollars: number;
    order: Worked | null;
  }): void {
    const execution: Execution = {
      execId: `0001.${this.nextExec}.01`,
      at: this.at,
      conId: CON_ID,
      symbol: CONTRACT.symbol,
      side,
      shares: shares(quantity),
      price: fromDollars(dollars),
      orderRef: order?.order.orderRef ?? '',
      permId: order?.permId ?? 0,
      clientId: order ? 10 : 0,
      orderId: order?.orderId ?? 0,
      commission: micros(350_000),
    };
    this.nextExec += 1;
    this.executions.push(execution);
    if (order) this.tell({ kind: 'execution', execution });
    this.tellPosition();
    this.onBroker();
  }

  private tell(body: EventBody): void {
    if (this.isUp && !this.isMute) this.inbox.push(body);
  }

  private holding(): BrokerPosition {
    return { account: ACCOUNT, contract: CONTRACT, quantity: this.position, averageCost: fromDollars(50) };
  }

  tellPosition(): void {
    this.tell({ kind: 'position', position: this.holding() });
  }

  private told({ orderId, permId, order, quantity, status }: Worked): BrokerOrder {
    const { orderRef, side, type, limitPrice, stopPrice, tif, ocaGroup } = order;
    const { conId, symbol } = CONTRACT;
    return { clientId: 10, orderId, permId, orderRef, conId, symbol, side, quantity, type, limitPrice, stopPrice, tif, ocaGroup, status };
  }

  private tellOrder(one: Worked): void {
    this.tell({ kind: 'open-order', order: this.told(one) });
    const { orderId, permId, status, filled, quantity } = one;
    this.tell({ kind: 'order-status', clientId: 10, orderId, permId, status, filled, remaining: quantity - filled });
  }
}

/** The side our exits of this holding are on. */
export const leavingSide = (position: number): 'BUY' | 'SELL' => exitSide(shares(position));
