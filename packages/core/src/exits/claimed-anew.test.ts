import { expect, it } from 'vitest';
import type { Contract } from '../contract.js';
import { createState, decide, type ExitManagerState } from '../exit-manager.js';
import type { Order } from '../orders/order.js';
import type { Execution } from '../positions/execution.js';
import type { SharedView } from '../shared-view.js';
import { epochMs, fromDollars, fromIsoTime, micros, monoMs, shares } from '../units.js';
import { claimRow } from './care.js';
import { DEFAULT_EXIT_RULES } from './rules.js';

/** A claim is given back and the symbol claimed anew between two looks of the exit manager at the store. */

const AT = fromIsoTime('2026-03-09T15:00:00.000Z');
const FIRST = 'HFD-20260309-1-1';
const SECOND = 'HFD-20260309-1-2';
const ACME: Contract = {
  conId: 1,
  symbol: 'ACME',
  secType: 'STK',
  exchange: 'SMART',
  primaryExchange: '',
  currency: 'USD',
  tick: micros(10_000),
  multiplier: 1,
};

const claim = (tradeId: string) =>
  claimRow({ tradeId, account: 'DU1', contract: ACME, side: 1, agentName: 'day-trader', signal: null, now: AT });

const entry = (orderRef: string, status: Order['status']): Order => ({
  ...{ orderRef, worker: 'day-trader', clientId: 2, orderId: 1, permId: 1, tradeId: orderRef, contract: ACME, role: 'entry', side: 'BUY' },
  ...{
    quantity: shares(35),
    type: 'LMT',
    limitPrice: fromDollars(50),
    stopPrice: null,
    tif: 'GTD',
    goodTill: null,
    ocaGroup: null,
    status,
  },
  ...{ filled: shares(0), createdAt: AT, updatedAt: AT, reason: null },
});

const viewOf = (positions: SharedView['positions'], orders: readonly Order[]): SharedView => ({
  ...{ positions, orders, executions: [], closedToday: [], baseline: [], commands: [] },
  ...{ killSwitch: { on: false, reason: null }, guard: { phase: 'READY', alive: true } },
});

const fill = (orderRef: string): Execution => ({
  ...{ execId: '1.1.01', at: epochMs(AT + 10), conId: 1, symbol: 'ACME', side: 'BUY', shares: shares(35), price: fromDollars(50) },
  ...{ orderRef, permId: 1, clientId: 2, orderId: 1 },
});

const start = (): ExitManagerState => {
  const view = viewOf([claim(FIRST)], [entry(FIRST, 'SUBMITTED')]);
  return createState({ rules: DEFAULT_EXIT_RULES, account: 'DU1', lease: 2, isMinimal: false, view, at: AT, hasBaseline: true });
};
const when = { at: epochMs(AT + 20), mono: monoMs(20) };
const hears = (state: ExitManagerState, execution: Execution) => decide(state, { kind: 'execution', execution, ...when });

it('A7, I2: the new entry fills before its claim was read: its shares belong to its own trade, as in the store (seed 5200083)', () => {
  const { state, effects } = hears(start(), fill(SECOND));
  expect(state.care.get(1)).toMatchObject({ tradeId: SECOND, status: 'OPEN' });
  const written = effects.flatMap(effect => (effect.do === 'write-position' ? [effect.position] : []));
  expect(written).toMatchObject([{ tradeId: SECOND, quantity: 35, status: 'OPEN' }]);
});

it('a late fill of an earlier entry, which is on record, does not push the claim out', () => {
  const { state } = decide(start(), { kind: 'store-changed', view: viewOf([claim(SECOND)], [entry(FIRST, 'CANCELLED')]), ...when });
  expect(hears(state, fill(FIRST)).state.care.get(1)).toMatchObject({ tradeId: SECOND, status: 'OPEN' });
});

it('one look that finds the old claim gone finds the new one too', () => {
  const { state } = decide(start(), { kind: 'store-changed', view: viewOf([claim(SECOND)], []), ...when });
  expect(state.care.get(1)).toMatchObject({ tradeId: SECOND, status: 'CLAIMED' });
});
