import { expect, it } from 'vitest';
import { atTime, tradeDate } from '../calendar.js';
import type { Contract } from '../contract.js';
import { createState } from '../exit-manager.js';
import { openDraft } from '../exits/desk.js';
import { DEFAULT_EXIT_RULES } from '../exits/rules.js';
import { testament } from '../exits/testament.js';
import type { Execution } from '../positions/execution.js';
import type { PositionRow, SharedView } from '../shared-view.js';
import { epochMs, fromDollars, micros, monoMs, shares } from '../units.js';
import { endGone } from './gone.js';

/** The store tells of 100 shares bought on Monday; what the broker tells on Tuesday at eleven says whether they can be there still. */

const MONDAY_NOON = atTime(tradeDate('2026-03-09'), '12:00');
const NOW = atTime(tradeDate('2026-03-10'), '11:00');
const TRADE = 'HFD-20260309-1-1';
const ACME: Contract = {
  ...{ conId: 1, symbol: 'ACME', secType: 'STK', exchange: 'SMART', primaryExchange: '', currency: 'USD' },
  ...{ tick: micros(10_000), multiplier: 1 },
};
const row = (entryAt: typeof NOW): PositionRow => ({
  ...{ tradeId: TRADE, account: 'DU1', contract: ACME, quantity: shares(100), entryPrice: fromDollars(50), entryAt },
  ...{ agentName: 'day-trader', targetPrice: null, stopPrice: null, status: 'OPEN', updatedAt: entryAt },
  metadata: {
    ...{ origin: 'entry', base: 0, side: 1, disasterPrice: null, generation: 0, exit: null, failedSells: 0 },
    ...{ quarantinedAt: null, signal: null },
  },
});

/** `BUY 40 ago 60`: by hand, so many seconds before the answer. */
function fillOf(text: string, n: number): Execution {
  const [side, quantity, , seconds] = text.split(' ');
  return {
    ...{ execId: `${n}.1.01`, conId: 1, symbol: 'ACME', side: side === 'BUY' ? 'BUY' : 'SELL', shares: shares(Number(quantity)) },
    ...{ at: epochMs(NOW - Number(seconds) * 1_000), price: fromDollars(50), orderRef: '', permId: n, clientId: 0, orderId: n },
  };
}

function hear({ fills, held, entryAt = MONDAY_NOON, baseline = 0 }: Told) {
  const bought = { ...fillOf('BUY 100 ago 0', 1), at: entryAt, orderRef: TRADE, tradeId: TRADE };
  const view: SharedView = {
    ...{ positions: [row(entryAt)], orders: [], executions: [bought], closedToday: [], commands: [] },
    ...{ baseline: baseline === 0 ? [] : [{ contract: ACME, quantity: baseline }] },
    ...{ killSwitch: { on: false, reason: null }, guard: { phase: 'READY', alive: true } },
  };
  const state = createState({ rules: DEFAULT_EXIT_RULES, account: 'DU1', lease: 2, isMinimal: false, view, at: NOW, hasBaseline: true });
  const d = openDraft(state, NOW, monoMs(10_000));
  const positions = held === null ? [] : [{ account: 'DU1', contract: ACME, quantity: held, averageCost: fromDollars(50) }];
  const executions = fills === '' ? [] : fills.split(', ').map((fill, index) => fillOf(fill, index + 2));
  endGone(d, { executions, positions });
  return d;
}

interface Told {
  readonly fills: string;
  readonly held: number | null;
  readonly entryAt?: typeof NOW;
  readonly baseline?: number;
}

it.each<readonly [string, Told, boolean]>([
  ['the broker holds just what was bought today', { fills: 'BUY 40 ago 60', held: 40 }, true],
  ['or what is left of it', { fills: 'BUY 40 ago 90, SELL 10 ago 60', held: 30 }, true],
  ['a short sold today', { fills: 'SELL 40 ago 60', held: -40 }, true],
  ['as much as the store tells', { fills: 'BUY 100 ago 60', held: 100 }, true],
  ['besides what was there before Holdfast', { fills: 'BUY 40 ago 60', held: 90, baseline: 50 }, true],
  ['both together: it is there', { fills: 'BUY 40 ago 60', held: 140 }, false],
  ['a part of it was sold by hand', { fills: 'SELL 40 ago 60', held: 60 }, false],
  ['something else: nobody knows', { fills: 'BUY 40 ago 60', held: 50 }, false],
  ['nothing was traded today', { fills: '', held: 40 }, false],
  ['the position is not told: the answer may be partial', { fills: 'BUY 40 ago 60', held: null }, false],
  ['the position may lag behind the fill', { fills: 'BUY 100 ago 10', held: 100 }, false],
  [
    'it is of today, so its end would be told',
    { fills: 'BUY 40 ago 60', held: 40, entryAt: atTime(tradeDate('2026-03-10'), '10:00') },
    false,
  ],
])('I1, A13: %s', (_title, told, isOver) => {
  const { s } = hear(told);
  expect([s.care.has(1), s.closed.has(TRADE)]).toEqual([!isOver, isOver]);
});

it('I6: what vanished has no price and no result, also in what is left for a successor', () => {
  const d = hear({ fills: 'BUY 40 ago 60', held: 40 });
  const ended = { tradeId: TRADE, exitPrice: null, pnl: null, exitReason: 'vanished', closeDate: '2026-03-10', quantity: 100 };
  expect(d.effects.flatMap(effect => (effect.do === 'close-position' ? [effect.trade] : []))).toMatchObject([ended]);
  const left = testament(d.s, epochMs(NOW + 86_400_000), monoMs(20_000));
  expect(left.flatMap(write => (write.do === 'close-position' ? [write.trade] : []))).toMatchObject([ended]);
});
