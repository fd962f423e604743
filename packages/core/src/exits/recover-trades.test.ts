import { expect, it } from 'vitest';
import type { Contract } from '../contract.js';
import { createState, decide, type ExitManagerState } from '../exit-manager.js';
import type { PositionRow, SharedView } from '../shared-view.js';
import { epochMs, fromDollars, fromIsoTime, micros, monoMs, shares } from '../units.js';
import { claimRow } from './care.js';
import { openDraft } from './desk.js';
import { learnExecution, recoverTrades } from './learn.js';
import { DEFAULT_EXIT_RULES } from './rules.js';

/** Trades of which the store has executions and no row: an older copy took its place, and somebody has booked the day's fills again. */

const AT = fromIsoTime('2026-03-09T15:00:00.000Z');
const TRADE = 'HFD-20260309-1-1';
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
const fill = (execId: string, side: 'BUY' | 'SELL', orderRef: string): SharedView['executions'][number] => ({
  ...{ execId, side, orderRef, conId: 1, symbol: 'ACME', shares: shares(100), price: fromDollars(50), tradeId: TRADE },
  ...{ at: epochMs(AT - 1_000), permId: 1, clientId: 2, orderId: 1 },
});
const ended: PositionRow = {
  ...{ tradeId: TRADE, account: 'DU1', contract: ACME, quantity: shares(0), entryPrice: fromDollars(50), entryAt: AT },
  ...{ agentName: 'day-trader', targetPrice: null, stopPrice: null, status: 'CLOSING', updatedAt: AT },
  metadata: {
    ...{
      origin: 'entry',
      base: 0,
      side: 1,
      disasterPrice: null,
      generation: 0,
      exit: null,
      failedSells: 0,
      quarantinedAt: null,
      signal: null,
    },
  },
};

/** Which trade is taken up, when the store knows these executions and the broker tells those besides. */
function caredFor(
  executions: SharedView['executions'],
  endedTrades: readonly PositionRow[] = [],
  told: SharedView['executions'] = [],
  quantity = 0,
): string | undefined {
  const view: SharedView = {
    ...{ positions: [], orders: [], executions, closedToday: [], baseline: [], commands: [], endedTrades },
    ...{ killSwitch: { on: false, reason: null }, guard: { phase: 'READY', alive: true } },
  };
  const state = createState({ rules: DEFAULT_EXIT_RULES, account: 'DU1', lease: 2, isMinimal: false, view, at: AT, hasBaseline: true });
  const d = openDraft(state, AT, monoMs(10_000));
  for (const { tradeId: _unknown, ...execution } of told) learnExecution(d, execution);
  d.s = { ...d.s, holdings: new Map([[1, { quantity, heardAt: monoMs(10_000) }]]) };
  recoverTrades(d);
  return d.s.care.get(1)?.tradeId;
}

const BOUGHT = fill('1.1.01', 'BUY', TRADE);
const SOLD = fill('2.1.01', 'SELL', 'HFX-20260309-1-2');

it('A10, I6: one that had ended is taken up once more, to be closed with its result and its block', () => {
  expect(caredFor([BOUGHT, SOLD])).toBe(TRADE);
});

it('I6: one whose entry was taken back whole is ended once more too: its commission was paid', () => {
  expect(caredFor([{ ...BOUGHT, shares: shares(0) }])).toBe(TRADE);
});

it.each([
  ['one whose end is on record stays ended', [BOUGHT, SOLD], [ended]],
  ['one that the broker holds nothing of vanished long ago', [BOUGHT], []],
  ['one that was taken back by hand was not ours either', [{ ...BOUGHT, orderRef: '', shares: shares(0) }], []],
  ['one that no entry of ours began is not ours to end', [{ ...BOUGHT, orderRef: '' }, SOLD], []],
])('%s', (_title, executions, endedTrades) => {
  expect(caredFor(executions, endedTrades)).toBeUndefined();
});

const BUSTED = { ...BOUGHT, execId: '1.1.02', shares: shares(0) };
it.each([
  ['the broker holds just that', -100, [BUSTED, SOLD], TRADE],
  ['the broker holds nothing: the word of it is late', 0, [BUSTED, SOLD], undefined],
  ['the broker holds something else', -40, [BUSTED, SOLD], undefined],
  ['somebody has sold by hand besides', -100, [BUSTED, SOLD, { ...SOLD, execId: '3.1.01', orderRef: '', tradeId: null }], undefined],
])('I1: an ended trade whose entry was taken back, on record already: %s', (_title, quantity, executions, expected) => {
  expect(caredFor(executions, [ended], [], quantity)).toBe(expected);
});

it('A10, I6: a sale whose order nobody remembers ends the trade that an entry of ours began, also when the day trader booked that first', () => {
  expect(caredFor([BOUGHT], [], [SOLD])).toBe(TRADE);
});

it('I3, I6: a purchase that covered a short is busted, and its end is not known here: the short is that trade again, not another one', () => {
  const trade = 'adopted-1-2026-03-09-1-5';
  const short = { ...fill('1.1.01', 'SELL', ''), tradeId: trade, clientId: 0 };
  const covered = { ...fill('2.1.01', 'BUY', 'HFX-20260309-1-2'), tradeId: trade, clientId: 10 };
  const position = { account: 'DU1', contract: ACME, averageCost: fromDollars(50) };
  let state = readyWith([short, covered]);
  const hear = (event: Parameters<typeof decide>[1]): void => {
    state = decide(state, event).state;
  };
  const [at, mono] = [AT, monoMs(20_000)];
  hear({ kind: 'position', at, mono, position: { ...position, quantity: 0 } });
  const { tradeId: _known, ...busted } = { ...covered, execId: '2.1.02', shares: shares(0) };
  hear({ kind: 'execution', at, mono, execution: busted });
  expect(state.care.get(1)).toBeUndefined();
  hear({ kind: 'position', at, mono, position: { ...position, quantity: -100 } });
  expect(state.care.get(1)).toMatchObject({ tradeId: trade, side: -1, base: 0, levels: { reference: fromDollars(50) } });
});

function readyWith(executions: SharedView['executions']): ExitManagerState {
  const view: SharedView = {
    ...{ positions: [], orders: [], executions, closedToday: [], baseline: [], commands: [] },
    ...{ killSwitch: { on: false, reason: null }, guard: { phase: 'READY', alive: true } },
  };
  const state = createState({ rules: DEFAULT_EXIT_RULES, account: 'DU1', lease: 2, isMinimal: false, view, at: AT, hasBaseline: true });
  const contracts = new Map([[1, ACME]]);
  return { ...state, contracts, link: { ...state.link, isUp: true, session: 1, phase: 'READY', lastSnapshotAt: monoMs(19_000) } };
}

it.each([
  ['its sale', { ...SOLD, execId: '2.1.02', shares: shares(0) }, 100],
  ['its entry', BUSTED, -100],
])(
  'I1, I2: %s is busted when the symbol has been claimed anew on the next date: what came back joins the new position',
  (_title, told, held) => {
    const claim = claimRow({
      ...{ tradeId: 'HFD-20260310-1-1', account: 'DU1', contract: ACME, side: 1, agentName: 'day-trader', signal: null, now: AT },
    });
    const view: SharedView = {
      ...{ positions: [claim], orders: [], executions: [BOUGHT, SOLD], closedToday: [], baseline: [], commands: [], endedTrades: [ended] },
      ...{ killSwitch: { on: false, reason: null }, guard: { phase: 'READY', alive: true } },
    };
    const state = createState({ rules: DEFAULT_EXIT_RULES, account: 'DU1', lease: 2, isMinimal: false, view, at: AT, hasBaseline: true });
    const d = openDraft(state, AT, monoMs(10_000));
    const { tradeId: _known, ...execution } = told;
    learnExecution(d, execution);
    expect(d.s.care.get(1)).toMatchObject({ tradeId: claim.tradeId, status: 'OPEN', base: held });
    expect(d.s.closed.get(TRADE)).toMatchObject({ base: -held });
  },
);
