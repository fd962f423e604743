import { expect, it } from 'vitest';
import type { Contract } from '../contract.js';
import { createState, decide } from '../exit-manager.js';
import type { Order } from '../orders/order.js';
import type { Execution } from '../positions/execution.js';
import type { PositionRow, SharedView } from '../shared-view.js';
import { epochMs, fromDollars, fromIsoTime, micros, monoMs, shares } from '../units.js';
import { DEFAULT_EXIT_RULES } from './rules.js';
import { testament } from './testament.js';

/** What an exit manager leaves behind when the store is lost: enough that a successor, given only this, knows what it knew. */

const NOW = fromIsoTime('2026-03-09T15:00:00.000Z');
const ACME: Contract = {
  conId: 1,
  symbol: 'ACME',
  secType: 'STK',
  exchange: 'SMART',
  primaryExchange: 'NASDAQ',
  currency: 'USD',
  tick: micros(10_000),
  multiplier: 1,
};
const OURS: Contract = { ...ACME, conId: 2, symbol: 'KEPT' };

const order = (orderRef: string, more: Partial<Order>): Order => ({
  orderRef,
  worker: 'exit-manager',
  clientId: 10,
  orderId: 3,
  permId: null,
  tradeId: 'HFD-20260309-1-1',
  contract: ACME,
  role: 'target',
  side: 'SELL',
  quantity: shares(100),
  type: 'LMT',
  limitPrice: fromDollars(50.9),
  stopPrice: null,
  tif: 'DAY',
  goodTill: null,
  ocaGroup: 'g',
  status: 'SUBMITTED',
  filled: shares(0),
  createdAt: NOW,
  updatedAt: NOW,
  reason: null,
  ...more,
});
const fill = (execId: string, tradeId: string, more: Partial<Execution> = {}): SharedView['executions'][number] => ({
  execId,
  at: epochMs(NOW - 1_000),
  conId: 1,
  symbol: 'ACME',
  side: 'BUY',
  shares: shares(100),
  price: fromDollars(50),
  orderRef: 'HFD-20260309-1-1',
  permId: 9,
  clientId: 2,
  orderId: 1,
  tradeId,
  ...more,
});
const position: PositionRow = {
  tradeId: 'HFD-20260309-1-1',
  account: 'DU1',
  contract: ACME,
  quantity: shares(100),
  entryPrice: fromDollars(50),
  entryAt: epochMs(NOW - 1_000),
  agentName: 'day-trader',
  targetPrice: fromDollars(50.9),
  stopPrice: fromDollars(49.55),
  status: 'CLOSING',
  updatedAt: NOW,
  metadata: {
    origin: 'entry',
    base: 0,
    side: 1,
    disasterPrice: fromDollars(49.1),
    generation: 4,
    exit: { reason: 'stop', decidedAt: NOW },
    failedSells: 0,
    quarantinedAt: null,
    signal: null,
  },
};
const VIEW: SharedView = {
  positions: [position],
  orders: [
    order('HFX-20260309-2-1', {}),
    order('HFX-20260309-2-2', { status: 'INTENT', role: 'exit', type: 'MKT', tif: 'IOC' }),
    order('HFD-20260309-1-9', {
      worker: 'day-trader',
      clientId: 2,
      role: 'entry',
      side: 'BUY',
      tif: 'GTD',
      contract: OURS,
      tradeId: 'HFD-20260309-1-9',
    }),
  ],
  executions: [fill('1.1.01', position.tradeId), fill('2.1.01', 'a trade that is over', { conId: 7 })],
  closedToday: [],
  baseline: [{ contract: OURS, quantity: 50 }],
  commands: [],
  killSwitch: { on: false, reason: null },
  guard: { phase: 'READY', alive: true },
};
const stateOf = (view: SharedView) =>
  createState({ rules: DEFAULT_EXIT_RULES, account: 'DU1', lease: 3, isMinimal: false, view, at: NOW, hasBaseline: true });
const left = testament(stateOf(VIEW), NOW, monoMs(5_000));

it('every position with its plan, every order of ours and of the day trader, also what was never echoed', () => {
  expect(left).toContainEqual({ do: 'write-position', position });
  const refs = left.flatMap(write => (write.do === 'write-order' ? [`${write.order.orderRef} ${write.order.status}`] : []));
  expect(refs).toEqual(['HFX-20260309-2-1 SUBMITTED', 'HFX-20260309-2-2 INTENT', 'HFD-20260309-1-9 SUBMITTED']);
});

it('A13: a word is as old as it is, not as the order: an old copy of the store holds the word before it, and that one must lose', () => {
  const later = epochMs(NOW + 60_000);
  const sold = fill('3.1.01', position.tradeId, { at: later, side: 'SELL', orderRef: 'HFX-20260309-2-1', clientId: 10, orderId: 3 });
  const { tradeId: _unknown, ...execution } = sold;
  const { state } = decide(stateOf(VIEW), { kind: 'execution', execution, at: later, mono: monoMs(60_000) });
  const words = testament(state, epochMs(later + 60_000), monoMs(120_000)).flatMap(write =>
    write.do === 'write-order' ? [write.order] : [],
  );
  expect(words.map(({ orderRef, status, updatedAt }) => `${orderRef} ${status} ${updatedAt - NOW}`)).toEqual([
    'HFX-20260309-2-1 FILLED 60000',
    'HFX-20260309-2-2 INTENT 0',
    'HFD-20260309-1-9 SUBMITTED 0',
  ]);
});

it('the executions of what is held; those of other trades come from the broker, and rebuild them', () => {
  expect(left.flatMap(write => (write.do === 'write-execution' ? [`${write.execution.execId} ${write.tradeId}`] : []))).toEqual([
    `1.1.01 ${position.tradeId}`,
  ]);
});

it('I12: the baseline', () => {
  expect(left).toContainEqual({ do: 'write-baseline', account: 'DU1', holdings: [{ contract: OURS, quantity: 50 }] });
  const unmet = createState({
    rules: DEFAULT_EXIT_RULES,
    account: 'DU1',
    lease: 3,
    isMinimal: false,
    view: VIEW,
    at: NOW,
    hasBaseline: false,
  });
  expect(testament(unmet, NOW, monoMs(0)).filter(write => write.do === 'write-baseline')).toEqual([]);
});

it('a position comes before what refers to it: a row may need its trade', () => {
  const kinds = left.map(write => write.do);
  expect(kinds.indexOf('write-position')).toBeLessThan(kinds.indexOf('write-execution'));
});

it('I12: the baseline is whole though the broker has told nothing of it: its first answers may be partial', () => {
  const baseline = [{ contract: { ...ACME, conId: 77, symbol: 'HANDS-OFF' }, quantity: 200 }];
  const made = stateOf({ ...VIEW, baseline });
  for (const phase of ['RECONCILING', 'READY'] as const)
    expect(testament({ ...made, link: { ...made.link, phase } }, NOW, monoMs(0))).toContainEqual({
      do: 'write-baseline',
      account: 'DU1',
      holdings: baseline,
    });
  // Rather none than one that lacks an instrument: what the store has stands then, or the account is met anew.
  const torn = { ...made, contracts: new Map() };
  expect(testament(torn, NOW, monoMs(0)).filter(write => write.do === 'write-baseline')).toEqual([]);
});

it('A8: a trade of the day that was rebuilt from executions alone, its tick unknown, keeps nobody from beginning', () => {
  const ended = {
    ...position,
    contract: { ...ACME, tick: micros(0) },
    targetPrice: null,
    stopPrice: null,
    quantity: shares(0),
    status: 'CLOSING' as const,
  };
  const state = stateOf({ ...VIEW, positions: [], executions: [], endedTrades: [ended] });
  expect(state.closed.get(ended.tradeId)?.levels).toBeNull();
});
