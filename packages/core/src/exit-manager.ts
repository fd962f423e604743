import { tradeDateOf } from './calendar.js';
import type { Step } from './effects.js';
import type { Event } from './events.js';
import { askSnapshot, hearPosition } from './exits/adopt.js';
import { type Care, careFromRow, levelsFrom } from './exits/care.js';
import { rewriteClosed } from './exits/close.js';
import { answerWaiting, hearCommand } from './exits/commands.js';
import { marketMoved } from './exits/decide-exit.js';
import {
  alert,
  askExecutions,
  type Draft,
  type ExitManagerState,
  edit,
  emit,
  indexed,
  NO_MEETING,
  NO_SIGHT,
  openDraft,
  setOrder,
  trackedOf,
  update,
  updateLink,
  write,
} from './exits/desk.js';
import { hearNotice, hearNotSent, hearOpenOrder, hearStatus, settleUnknown } from './exits/heard.js';
import { inOrder } from './exits/in-order.js';
import { isFlat, learnCommission, learnExecution } from './exits/learn.js';
import { pricesHeard } from './exits/price-stream.js';
import type { ExitRules } from './exits/rules.js';
import { committedShares, exitOrders, heldShares } from './exits/sellable.js';
import { steerGuarded, writeChanged } from './exits/steer.js';
import { tellCarried, turnDate } from './exits/turn-date.js';
import { isSuspected, type MarkSource, recordMark } from './market/mark.js';
import { CLIENT_ID, isFinal, type Order } from './orders/order.js';
import { freeOrderId } from './orders/order-ids.js';
import { bookFilled } from './orders/step-order.js';
import { newestOf, splitExecId } from './positions/book.js';
import { filledOf } from './positions/filled-of.js';
import { keepReconciling, settleSnapshot } from './reconcile/settle.js';
import type { PositionRow, SharedView, WorkerPhase } from './shared-view.js';
import { type EpochMs, type Micros, monoMs } from './units.js';

export type { ExitManagerState } from './exits/desk.js';
export { testament } from './exits/testament.js';

/** Executions the broker has announced (a Filled word) but not told are asked for after this long, and again as often. */
const ASK_MISSING_EXECUTIONS_MS = 1_000;
/** A handshake without managed accounts for this long is made anew: right after a gateway start they may be missing. */
const ACCOUNTS_WAIT_MS = 5_000;

export interface ExitManagerStart {
  readonly rules: ExitRules;
  readonly account: string;
  readonly lease: number;
  /** Reconcile, hard stop, target, end of day, nothing else (after repeated crashes). */
  readonly isMinimal: boolean;
  readonly view: SharedView;
  readonly at: EpochMs;
  /** Whether the account was met before: without a stored baseline everything it holds now becomes the baseline. */
  readonly hasBaseline: boolean;
}

/** What the exit manager knows before the broker has said a word: the store's view of positions, orders and executions. */
export function createState(start: ExitManagerStart): ExitManagerState {
  const { view, at } = start;
  const rows = view.orders.filter(({ clientId, worker }) => clientId === CLIENT_ID['exit-manager'] && worker !== 'day-trader');
  const own = rows.map(order => bookFilled(order, filledOf(order.orderRef, view)));
  const executions = newestOf(view.executions);
  const tracked = own.map(order => trackedOf(order, 0, monoMs(0)));
  // Executions of earlier dates are told for trades that are open, or have ended of late.
  const told = new Set([...view.positions, ...(view.endedTrades ?? [])].map(({ tradeId }) => tradeId));
  const isWhollyTold = ({ tradeId, createdAt }: Order): boolean => told.has(tradeId) || tradeDateOf(createdAt) === tradeDateOf(at);
  return {
    rules: start.rules,
    account: start.account,
    lease: start.lease,
    isMinimal: start.isMinimal,
    link: {
      phase: 'CONNECTING',
      session: 0,
      isUp: false,
      snapshot: null,
      lastSnapshotAt: null,
      executionsAsked: null,
      executionsAskedAt: null,
      accountReady: true,
      upSince: null,
      heardSince: null,
      heardAt: null,
      wordAskedAt: null,
      lacksPosition: false,
    },
    nextOrderId: freeOrderId(view, CLIENT_ID['exit-manager']),
    nextRef: 1,
    nextRequest: 1,
    tradeDate: tradeDateOf(at),
    care: new Map(view.positions.map(row => [row.contract.conId, careFromRow(row, at)])),
    closed: new Map((view.endedTrades ?? []).map(row => [row.tradeId, endedCare(row, start)])),
    orders: new Map(tracked.map(entry => [entry.order.orderRef, entry])),
    recounted: own.filter((order, index) => order !== rows[index] && isWhollyTold(order)).map(({ orderRef }) => orderRef),
    ...indexed(tracked, [...executions.values()]),
    entries: entriesOf(view, new Set()),
    goneEntries: new Set(),
    foreign: new Map(),
    executions,
    lastExecution: new Map(),
    holdings: new Map(),
    mismatches: new Map(),
    contracts: new Map([...view.baseline, ...view.orders, ...view.positions].map(({ contract }) => [contract.conId, contract])),
    baseline: start.hasBaseline ? new Map(view.baseline.map(({ contract, quantity }) => [contract.conId, quantity])) : null,
    meeting: NO_MEETING,
    sights: new Map(),
    marketMovedAt: at,
    waiting: [],
    restAll: false,
    carriedTold: null,
  };
}

/**
 * A trade that had ended before this start. Its levels are those of its entry again, should a correction open it; one that was rebuilt from the
 * broker's executions has no tick to round them by, and takes them when it opens.
 */
function endedCare(row: PositionRow, { rules, at }: ExitManagerStart): Care {
  const care = careFromRow(row, at);
  return row.entryPrice === null || care.contract.tick <= 0 ? care : { ...care, levels: levelsFrom(row.entryPrice, care, rules) };
}

/**
 * The day trader's orders as its rows tell, with fills as executions tell: a day trader that died may not have lived to write its order's
 * last word. `gone`: those that a complete answer no longer knows, long after their time to live.
 */
const entriesOf = (view: SharedView, gone: ReadonlySet<string>): ReadonlyMap<string, Order> =>
  new Map(
    view.orders
      .filter(({ role }) => role === 'entry')
      .map(order => bookFilled(order, filledOf(order.orderRef, view)))
      .map(order => [order.orderRef, gone.has(order.orderRef) && !isFinal(order) ? { ...order, status: 'CANCELLED' as const } : order]),
  );

/**
 * The exit manager in one function: hear the event, look at what it touched, write what changed. Everything it may ask of the world is in
 * the effects; nothing here waits, sends or reads a clock.
 */
export function decide(state: ExitManagerState, event: Event): Step<ExitManagerState> {
  const d = openDraft(state, event.at, event.mono);
  hear(d, event);
  for (const conId of d.touched) steerGuarded(d, conId);
  answerWaiting(d);
  const decided = d.effects.length;
  writeChanged(d, state.care);
  return { state: d.s, effects: inOrder(d, { before: state.care, decided }) };
}

function hear(d: Draft, event: Event): void {
  switch (event.kind) {
    case 'tick':
      if (d.s.link.heardAt !== (event.heardAt ?? null)) updateLink(d, { heardAt: event.heardAt ?? null });
      beat(d);
      break;
    case 'paused':
      afterPause(d, event.ms);
      break;
    case 'connected':
      connected(d, event);
      break;
    case 'disconnected':
      lost(d, 'CONNECTING', event.reason);
      break;
    case 'connectivity':
      if (event.state === 'lost') lost(d, 'BROKER-LOST', event.text);
      else restored(d);
      break;
    case 'snapshot':
      settleSnapshot(d, event);
      break;
    case 'executions-end':
      executionsIn(d, event.id);
      break;
    case 'execution':
      learnExecution(d, event.execution);
      break;
    case 'commission':
      hearCommission(d, event);
      break;
    case 'open-order':
      hearOpenOrder(d, event.order);
      break;
    case 'order-status':
      hearStatus(d, event);
      break;
    case 'order-notice':
      hearNotice(d, event);
      break;
    case 'position':
      hearPosition(d, event.position);
      break;
    case 'pnl-mark':
      pricesHeard(d, event.conId);
      hearMark(d, event.conId, 'pnl', event.price);
      break;
    case 'portfolio-mark':
      if (d.s.baseline === null) {
        const portfolio = new Map([...d.s.meeting.portfolio, [event.contract.conId, event.quantity] as const]);
        update(d, { meeting: { ...d.s.meeting, portfolio } });
      }
      if (d.s.care.has(event.contract.conId)) hearMark(d, event.contract.conId, 'portfolio', event.price);
      else if (event.quantity !== 0) keepPrice(d, event.contract.conId, event.price);
      break;
    case 'account':
      hearAccount(d, event);
      break;
    case 'contract':
      edit(d, 'contracts').set(event.contract.conId, event.contract);
      d.touched.add(event.contract.conId);
      break;
    case 'store-changed':
      hearStore(d, event.view);
      break;
    case 'command':
      hearCommand(d, event.command);
      break;
    case 'not-sent':
    case 'exit-refused':
      hearNotSent(d, event);
      break;
    default:
  }
}

/** Looks at everything, a few times a second: deadlines, the clock's exits, what silence has become. */
function beat(d: Draft): void {
  const date = tradeDateOf(d.at);
  if (date !== d.s.tradeDate) turnDate(d, date);
  tellCarried(d);
  for (const conId of d.s.care.keys()) d.touched.add(conId);
  for (const conId of d.s.mismatches.keys()) d.touched.add(conId);
  keepReconciling(d);
  const { link } = d.s;
  if (link.isUp && link.phase === 'CONNECTING' && link.snapshot === null && d.mono - (link.lastSnapshotAt ?? d.mono) > ACCOUNTS_WAIT_MS) {
    updateLink(d, { lastSnapshotAt: d.mono });
    emit(d, { do: 'reconnect', reason: 'the gateway names no account' });
  }
  if (isExecutionMissing(d)) askExecutions(d, ASK_MISSING_EXECUTIONS_MS);
}

function isExecutionMissing({ s, mono }: Draft): boolean {
  for (const conId of s.live.keys())
    for (const { heardFilled, settledFrom } of exitOrders(s, conId))
      if (settledFrom !== null || (heardFilled !== null && mono - heardFilled.at >= ASK_MISSING_EXECUTIONS_MS)) return true;
  return false;
}

/** This process stood still: whatever it believes may be old, so it reconciles before it acts (DESIGN §1). */
function afterPause(d: Draft, ms: number): void {
  if (d.s.link.phase !== 'READY') return;
  alert(d, {
    level: 'warning',
    code: 'LOOP_PAUSED',
    symbol: null,
    happened: `The exit manager stood still for ${Math.round(ms)} ms.`,
    did: 'Reconciles with the broker before it acts again.',
    todo: 'If this repeats, look at the load of the machine, its disk, and whether it was suspended.',
  });
  updateLink(d, { phase: 'RECONCILING', snapshot: null });
  write(d, { do: 'write-phase', phase: 'RECONCILING', detail: `paused ${Math.round(ms)} ms` });
  askSnapshot(d, true);
}

function connected(d: Draft, event: Extract<Event, { kind: 'connected' }>): void {
  update(d, { nextOrderId: Math.max(d.s.nextOrderId, event.nextOrderId), meeting: NO_MEETING });
  for (const tracked of d.s.orders.values()) if (tracked.missingSince !== null) setOrder(d, { ...tracked, missingSince: null });
  updateLink(d, {
    isUp: true,
    session: event.session,
    snapshot: null,
    executionsAsked: null,
    executionsAskedAt: null,
    lastSnapshotAt: d.mono,
    accountReady: true,
    upSince: d.mono,
    lacksPosition: false,
  });
  if (event.accounts.length === 0) return;
  if (!event.accounts.includes(d.s.account)) {
    alert(d, {
      level: 'critical',
      code: 'WRONG_ACCOUNT',
      symbol: null,
      happened: `The gateway manages ${event.accounts.join(', ')}, this store belongs to ${d.s.account}.`,
      did: 'Sends nothing and books nothing.',
      todo: 'Log the gateway in to the right account, or use the store and configuration of the other one.',
    });
    return;
  }
  updateLink(d, { phase: 'RECONCILING' });
  write(d, { do: 'write-phase', phase: 'RECONCILING', detail: `session ${event.session}` });
  askSnapshot(d, true);
}

function lost(d: Draft, phase: WorkerPhase, reason: string): void {
  updateLink(d, { phase, isUp: phase === 'BROKER-LOST' && d.s.link.isUp, snapshot: null, executionsAsked: null, executionsAskedAt: null });
  write(d, { do: 'write-phase', phase, detail: reason });
}

/** 1101 and 1102 alike: fills during the gap are told only when asked for (reference/ibkr-behaviour.md §7). */
function restored(d: Draft): void {
  if (!d.s.link.isUp) return;
  updateLink(d, { phase: 'RECONCILING', snapshot: null });
  write(d, { do: 'write-phase', phase: 'RECONCILING', detail: 'line to the broker restored' });
  askSnapshot(d, true);
}

function executionsIn(d: Draft, id: number): void {
  const { executionsAsked } = d.s.link;
  const askedAt = executionsAsked?.id === id ? executionsAsked.at : null;
  if (askedAt !== null) updateLink(d, { executionsAsked: null });
  settleUnknown(d, id, askedAt);
  for (const conId of d.s.mismatches.keys()) d.touched.add(conId);
}

function hearCommission(d: Draft, event: Extract<Event, { kind: 'commission' }>): void {
  if (!learnCommission(d, event.execId, event.commission, event.realizedPnl)) return;
  // A closed trade's result is written anew with a commission that came late.
  const tradeId = d.s.executions.get(splitExecId(event.execId).root)?.tradeId;
  const closed = tradeId ? d.s.closed.get(tradeId) : undefined;
  if (closed && isFlat(d, closed)) rewriteClosed(d, closed);
}

function hearMark(d: Draft, conId: number, source: MarkSource, price: Micros): void {
  if (!d.s.care.has(conId)) return;
  const sight = d.s.sights.get(conId) ?? NO_SIGHT;
  const { book, moved } = recordMark(sight.book, { source, price, receivedAt: d.at });
  if (moved) marketMoved(d);
  if (book === sight.book) return;
  edit(d, 'sights').set(conId, { ...sight, book });
  d.touched.add(conId);
}

/**
 * A position that appears is told with its price before any execution explains it. Adopted a moment later, it takes its levels from that price,
 * should its own stream stay silent.
 */
function keepPrice(d: Draft, conId: number, price: Micros): void {
  const sight = d.s.sights.get(conId) ?? NO_SIGHT;
  edit(d, 'sights').set(conId, { ...sight, book: recordMark(sight.book, { source: 'portfolio', price, receivedAt: d.at }).book });
}

function hearAccount(d: Draft, event: Extract<Event, { kind: 'account' }>): void {
  if (event.account !== d.s.account) return;
  const { ready, netLiquidation, cash } = event.values;
  if (ready !== undefined && ready !== d.s.link.accountReady) updateLink(d, { accountReady: ready });
  if (d.s.baseline === null)
    update(d, {
      meeting: { ...d.s.meeting, netLiquidation: netLiquidation ?? d.s.meeting.netLiquidation, cash: cash ?? d.s.meeting.cash },
    });
  if (netLiquidation !== undefined)
    write(d, { do: 'write-equity', account: event.account, netLiquidation, cash: cash ?? null, tradeDate: tradeDateOf(d.at) });
}

/** The day trader (or a tool) has committed: new claims, its orders, and fills that are pushed to it alone. */
function hearStore(d: Draft, view: SharedView): void {
  update(d, { entries: entriesOf(view, d.s.goneEntries) });
  for (const order of d.s.entries.values()) d.touched.add(order.contract.conId);
  const rows = new Map(view.positions.map(row => [row.tradeId, row]));
  // A claim that is gone first: its symbol may have been claimed anew.
  for (const care of d.s.care.values())
    if (care.status === 'CLAIMED' && !rows.has(care.tradeId)) edit(d, 'care').delete(care.contract.conId);
  for (const row of view.positions) {
    if (!d.s.care.has(row.contract.conId) && row.status === 'CLAIMED') edit(d, 'care').set(row.contract.conId, careFromRow(row, d.at));
  }
  for (const execution of view.executions) learnExecution(d, execution, execution.tradeId);
  for (const command of view.commands) hearCommand(d, command);
}

export const phaseOf = (state: ExitManagerState): WorkerPhase => state.link.phase;

/** A stop of a position that can have one was refused and is due again, in machine time. */
const isStopOwed = ({ rules, live, orders }: ExitManagerState, { contract, levels, exit, restRetryAt, suspendedUntil }: Care): boolean =>
  rules.protection !== 'monitored' &&
  restRetryAt !== null &&
  levels !== null &&
  exit === null &&
  suspendedUntil === null &&
  !(live.get(contract.conId) ?? []).some(ref => orders.get(ref)?.order.type === 'STP');

/** Nothing unanswered and no exit waiting for its next step: only then may a paced gateway run fast (DESIGN §2). */
export function isSettled(state: ExitManagerState): boolean {
  if (
    state.link.phase !== 'READY' ||
    state.link.snapshot !== null ||
    state.link.executionsAsked !== null ||
    state.link.lacksPosition ||
    state.mismatches.size > 0 ||
    state.waiting.length > 0
  )
    return false;
  for (const conId of state.live.keys()) {
    for (const { order, modified, heardFilled, missingSince, growsSoon } of exitOrders(state, conId)) {
      const isAnswered = order.status === 'SUBMITTED' || order.status === 'INACTIVE';
      // One that the last answer left out may rest no more: the answer that must agree comes in machine time.
      if (!isAnswered || modified !== null || heardFilled !== null || missingSince !== null) return false;
      if (growsSoon && order.type === 'STP') return false;
    }
  }
  for (const care of state.care.values()) {
    if (care.status === 'CLAIMED') continue;
    // Silence confirms what one mark has shown, and silence is told by machine time.
    if (care.exit === null && isSuspected(state.sights.get(care.contract.conId)?.breach)) return false;
    // A sale was refused and is due again, in machine time.
    if (care.exit !== null && care.retryAt !== null) return false;
    if (isStopOwed(state, care)) return false;
    const held = Math.abs(heldShares(state, care));
    const live = exitOrders(state, care.contract.conId).map(({ order }) => order);
    // Nothing held with exits still out, or more of them than is held: something is owed, and the exchange may not run ahead of it.
    if (live.length === 0 || held === 0 || committedShares(live) > held) return false;
  }
  return true;
}
