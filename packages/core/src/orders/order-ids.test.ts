import { expect, test } from 'vitest';
import { createState as createDayTrader, decide as decideDayTrader } from '../day-trader.js';
import { DEFAULT_DAY_TRADER_RULES } from '../entries/rules.js';
import { createState as createExitManager, decide as decideExitManager } from '../exit-manager.js';
import { DEFAULT_EXIT_RULES } from '../exits/rules.js';
import type { Execution } from '../positions/execution.js';
import type { SharedView } from '../shared-view.js';
import { epochMs, fromDollars, monoMs, shares } from '../units.js';

const at = epochMs(Date.UTC(2026, 2, 9, 14, 30));
const now = { at, mono: monoMs(1_000) };
const view: SharedView = {
  positions: [],
  orders: [],
  executions: [],
  closedToday: [],
  baseline: [],
  commands: [],
  killSwitch: { on: false, reason: null },
  guard: { phase: 'READY', alive: true },
};
const start = { account: 'DU1', lease: 1, at, hasBaseline: true, isMinimal: false, isCancelOnly: false };
const connected = { ...now, kind: 'connected', nextOrderId: 3, accounts: ['DU1'], session: 1 } as const;

const fillOf = (clientId: number, orderId: number, orderRef: string): Execution => ({
  execId: `e${orderId}.01`,
  at,
  conId: 1,
  symbol: 'ACME',
  side: 'BUY',
  shares: shares(10),
  price: fromDollars(50),
  orderRef,
  permId: 900,
  clientId,
  orderId,
});

const exitManager = (seen: SharedView) =>
  decideExitManager(createExitManager({ ...start, rules: DEFAULT_EXIT_RULES, view: seen }), connected).state;
const dayTrader = (seen: SharedView) =>
  decideDayTrader(createDayTrader({ ...start, rules: DEFAULT_DAY_TRADER_RULES, view: seen }), connected).state;

test.each([exitManager, dayTrader])(
  'A5: ids rolled back by the broker: the next one is above every id on record, of whatever date (%o)',
  begin => {
    expect(begin(view).nextOrderId).toBe(3);
    expect(begin({ ...view, lastOrderId: 44 }).nextOrderId).toBe(45);
  },
);

test('A5: also above the ids of executions on record, whose orders were lost with the store (seed 6100758)', () => {
  const seen = (clientId: number, orderRef: string) => ({ ...view, executions: [{ ...fillOf(clientId, 44, orderRef), tradeId: 'T-1' }] });
  expect(exitManager(seen(10, 'HFX-20260309-0-1')).nextOrderId).toBe(45);
  expect(exitManager(seen(2, 'HFD-20260309-0-1')).nextOrderId).toBe(3);
  expect(dayTrader(seen(2, 'HFD-20260309-0-1')).nextOrderId).toBe(45);
  expect(dayTrader(seen(10, 'HFX-20260309-0-1')).nextOrderId).toBe(3);
});

test('A5: an id that an execution names was used, row or not', () => {
  const ours = { ...now, kind: 'execution', execution: fillOf(10, 44, 'HFX-20260309-0-1') } as const;
  expect(decideExitManager(exitManager(view), ours).state.nextOrderId).toBe(45);
  const entry = { ...now, kind: 'execution', execution: fillOf(2, 44, 'HFD-20260309-0-1') } as const;
  expect(decideDayTrader(dayTrader(view), entry).state.nextOrderId).toBe(45);
});
