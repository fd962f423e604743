import { tradeDateOf } from './calendar.js';
import type { Step } from './effects.js';
import { hearContract, hearContractUnknown, hearHistory, hearHistoryFailed, pumpAnalysis } from './entries/analysis.js';
import {
  alert,
  askSnapshot,
  type DayTraderState,
  type Draft,
  dropLink,
  edit,
  isReconciled,
  openDraft,
  update,
  updateLink,
  write,
} from './entries/desk.js';
import { hearClaimed, hearRefused } from './entries/enter.js';
import { hearBar, hearQuote, nextSweep, sweepBars } from './entries/follow.js';
import { hearNotice, hearNotSent, hearOpenOrder, hearStatus, settleUnknown } from './entries/heard.js';
import { learnCommission, learnExecution } from './entries/learn.js';
import { entriesOf, hearRows } from './entries/rows.js';
import { type DayTraderRules, strategyRulesOf } from './entries/rules.js';
import { askMissingExecutions, keepReconciling, settleSnapshot } from './entries/settle.js';
import { beginDate, forgetStreams, hearScan } from './entries/watchlist.js';
import { answerWaiting, hearCommand, releaseClaims, steerEntries } from './entries/withdraw.js';
import type { Event } from './events.js';
import { CLIENT_ID, isEntryRef, isFinal } from './orders/order.js';
import { freeOrderId } from './orders/order-ids.js';
import { newestOf } from './positions/book.js';
import type { SharedView, WorkerPhase } from './shared-view.js';
import { type EpochMs, micros } from './units.js';

export type { DayTraderState } from './entries/desk.js';

/** A handshake without managed accounts for this long is made anew: right after a gateway start they may be missing. */
const ACCOUNTS_WAIT_MS = 5_000;

export interface DayTraderStart {
  readonly rules: DayTraderRules;
  readonly account: string;
  readonly lease: number;
  readonly view: SharedView;
  readonly at: EpochMs;
  /** Reconcile, withdraw own entries, book their fills; never enter (parked, or the desk is stopping). */
  readonly isCancelOnly: boolean;
}

/** What the day trader knows before the broker has said a word: its entries and their fills, as the store tells them. */
export function createState(start: DayTraderStart): DayTraderState {
  const { view, at, rules } = start;
  const entries = entriesOf(view);
  const fills = view.executions.filter(({ orderRef }) => isEntryRef(orderRef));
  return {
    rules,
    strategyRules: strategyRulesOf(rules),
    account: start.account,
    lease: start.lease,
    isCancelOnly: start.isCancelOnly,
    link: {
      phase: 'CONNECTING',
      session: 0,
      isUp: false,
      snapshot: null,
      lastSnapshotAt: null,
      lastAskedOn: null,
      executionsAsked: null,
      reconnectAskedAt: null,
      followedSession: 0,
    },
    nextOrderId: freeOrderId(view, CLIENT_ID['day-trader']),
    nextRef: 1,
    nextRequest: 1,
    tradeDate: tradeDateOf(at),
    view,
    funds: { netLiquidation: null, buyingPower: null, isReady: true, spentSince: micros(0) },
    isHalted: false,
    entries: new Map(entries.map(tracked => [tracked.order.orderRef, tracked])),
    asked: new Map(),
    executions: newestOf(fills),
    contracts: new Map(entries.map(({ order: { contract } }) => [contract.conId, contract])),
    watch: [],
    symbols: new Map(),
    scan: null,
    sweepAt: nextSweep(at),
    commands: new Map(),
    waiting: [],
  };
}

/**
 * The day trader in one function: hear the event, look at its entries, write what changed. Everything it may ask of the world is in the
 * effects; nothing here waits, sends or reads a clock. Market data is heard on a short path: it moves no order.
 */
export function decide(state: DayTraderState, event: Event): Step<DayTraderState> {
  const d = openDraft(state, event.at, event.mono);
  if (event.kind === 'quote') hearQuote(d, event.conId, event.quote);
  else if (event.kind === 'bar') hearBar(d, event.conId, event.bar);
  else {
    hear(d, event);
    steerEntries(d);
    if (isReconciled(d.s)) releaseClaims(d);
    answerWaiting(d);
    pumpAnalysis(d);
  }
  return { state: d.s, effects: d.effects };
}

function hear(d: Draft, event: Exclude<Event, { kind: 'quote' | 'bar' }>): void {
  switch (event.kind) {
    case 'tick':
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
      else restored(d, event.state === 'restored-data-lost');
      break;
    case 'snapshot':
      settleSnapshot(d, event);
      break;
    case 'executions-end':
      if (d.s.link.executionsAsked?.id === event.id) updateLink(d, { executionsAsked: null });
      settleUnknown(d, event.id);
      break;
    case 'execution':
      learnExecution(d, event.execution);
      break;
    case 'commission':
      learnCommission(d, event.execId, event.commission, event.realizedPnl);
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
    case 'account':
      hearAccount(d, event);
      break;
    case 'contract':
      hearContract(d, event);
      break;
    case 'contract-unknown':
      hearContractUnknown(d, event);
      break;
    case 'history':
      hearHistory(d, event);
      break;
    case 'history-failed':
      hearHistoryFailed(d, event);
      break;
    case 'scanner':
      hearScan(d, event);
      break;
    case 'store-changed':
      hearStore(d, event.view);
      break;
    case 'command':
      hearCommand(d, event.command);
      break;
    case 'entry-claimed':
      hearClaimed(d, event);
      break;
    case 'entry-refused':
      hearRefused(d, event);
      break;
    case 'not-sent':
      hearNotSent(d, event);
      break;
    default:
  }
}

function beat(d: Draft): void {
  const date = tradeDateOf(d.at);
  if (date !== d.s.tradeDate) turnDate(d, date);
  keepReconciling(d);
  askMissingExecutions(d);
  sweepBars(d);
  const { link } = d.s;
  if (link.isUp && link.phase === 'CONNECTING' && d.mono - (link.lastSnapshotAt ?? d.mono) > ACCOUNTS_WAIT_MS) {
    dropLink(d, 'the gateway names no account');
  }
}

/** Yesterday's entries that had their last word are history; those that had not are kept. */
function turnDate(d: Draft, date: DayTraderState['tradeDate']): void {
  for (const [orderRef, { order }] of d.s.entries) {
    if (isFinal(order) && tradeDateOf(order.createdAt) < date) edit(d, 'entries').delete(orderRef);
  }
  for (const [root, { orderRef, at }] of d.s.executions) {
    if (tradeDateOf(at) < date && !d.s.entries.has(orderRef)) edit(d, 'executions').delete(root);
  }
  update(d, { tradeDate: date });
  beginDate(d);
}

/** This process stood still: whatever it believes may be old, so it reconciles before it acts (DESIGN §1). */
function afterPause(d: Draft, ms: number): void {
  if (!isReconciled(d.s)) return;
  alert(d, {
    level: 'warning',
    code: 'LOOP_PAUSED',
    symbol: null,
    happened: `The day trader stood still for ${Math.round(ms)} ms.`,
    did: 'Makes no entry until it has reconciled with the broker.',
    todo: 'If this repeats, look at the load of the machine, its disk, and whether it was suspended.',
  });
  reconcile(d, `paused ${Math.round(ms)} ms`);
}

function reconcile(d: Draft, detail: string): void {
  updateLink(d, { phase: 'RECONCILING', snapshot: null });
  write(d, { do: 'write-phase', phase: 'RECONCILING', detail });
  askSnapshot(d, true);
}

function connected(d: Draft, event: Extract<Event, { kind: 'connected' }>): void {
  update(d, { nextOrderId: Math.max(d.s.nextOrderId, event.nextOrderId) });
  updateLink(d, { phase: 'CONNECTING', isUp: true, session: event.session, snapshot: null, executionsAsked: null, lastSnapshotAt: d.mono });
  if (event.accounts.length === 0) return;
  if (event.accounts.includes(d.s.account)) {
    reconcile(d, `session ${event.session}`);
    return;
  }
  alert(d, {
    level: 'critical',
    code: 'WRONG_ACCOUNT',
    symbol: null,
    happened: `The gateway manages ${event.accounts.join(', ')}, this store belongs to ${d.s.account}.`,
    did: 'Sends nothing and books nothing.',
    todo: 'Log the gateway in to the right account, or use the store and configuration of the other one.',
  });
}

function lost(d: Draft, phase: 'CONNECTING' | 'BROKER-LOST', reason: string): void {
  updateLink(d, { phase, isUp: phase === 'BROKER-LOST' && d.s.link.isUp, snapshot: null, executionsAsked: null });
  write(d, { do: 'write-phase', phase, detail: reason });
}

/** 1101 and 1102 alike: fills during the gap are told only when asked for (reference/ibkr-behaviour.md §7). */
function restored(d: Draft, isDataLost: boolean): void {
  if (!d.s.link.isUp) return;
  if (isDataLost) forgetStreams(d);
  reconcile(d, 'line to the broker restored');
}

/** Equity is written by the exit manager; here it is only remembered, for sizing. */
function hearAccount(d: Draft, event: Extract<Event, { kind: 'account' }>): void {
  if (event.account !== d.s.account) return;
  const { netLiquidation, buyingPower, ready } = event.values;
  const { funds } = d.s;
  update(d, {
    funds: {
      netLiquidation: netLiquidation ?? funds.netLiquidation,
      buyingPower: buyingPower ?? funds.buyingPower,
      isReady: ready ?? funds.isReady,
      spentSince: buyingPower === undefined ? funds.spentSince : micros(0),
    },
  });
}

/** Another process committed: positions, blocks, kill switch, guard; fills it heard of first; commands to us. */
function hearStore(d: Draft, view: SharedView): void {
  hearRows(d, view);
  for (const command of view.commands) hearCommand(d, command);
}

export const phaseOf = (state: DayTraderState): WorkerPhase => state.link.phase;

/** A HALT file or a command stopped entries, and no `resume` was heard since. The file may be gone by now. */
export const isHalted = (state: DayTraderState): boolean => state.isHalted;

/**
 * A cancel-only day trader has done what it was started for: reconciled, nothing of its own can fill any more, claims given back, and
 * every request it found in the store is answered. Its process ends then. Never true of one that may enter.
 */
export function isDone(state: DayTraderState): boolean {
  const { isCancelOnly, entries, waiting, commands, view } = state;
  if (!isCancelOnly || !isSettled(state) || waiting.length > 0) return false;
  return [...entries.values()].every(({ order }) => isFinal(order)) && view.commands.every(({ id }) => commands.has(id));
}

/**
 * Nothing unanswered: only then may a paced gateway run fast (DESIGN §2). An entry that rests is settled, a lost one too: it waits for
 * the exchange's clock. So is one that the last answer did not list: the answer that must agree is a matter of machine time.
 */
export function isSettled(state: DayTraderState): boolean {
  const { link, asked, entries, watch } = state;
  if (!isReconciled(state) || link.snapshot !== null || link.executionsAsked !== null || asked.size > 0) return false;
  for (const { order, heardFilled, settledFrom, unlisted } of entries.values()) {
    if (heardFilled !== null || settledFrom !== null) return false;
    if (unlisted === null && (order.status === 'INTENT' || order.status === 'CANCELLING' || order.status === 'INACTIVE')) return false;
  }
  for (const { request } of watch) if (request) return false;
  return true;
}
