import { describe, expect, it } from 'vitest';
import { tradeDateOf } from '../calendar.js';
import { createState } from '../exit-manager.js';
import { epochMs, fromDollars, micros, monoMs, shares } from '../units.js';
import { claimRow } from './care.js';
import { type Draft, edit, openDraft } from './desk.js';
import { DEFAULT_EXIT_RULES } from './rules.js';
import { steerGuarded } from './steer.js';

const at = epochMs(Date.UTC(2026, 2, 9, 15, 0));
const contract = (conId: number) => ({
  conId,
  symbol: `S${conId}`,
  secType: 'STK' as const,
  exchange: 'SMART',
  primaryExchange: '',
  currency: 'USD',
  tick: micros(10_000),
  multiplier: 1,
});
const row = (conId: number) => ({
  ...claimRow({
    tradeId: `HFD-20260309-1-${conId}`,
    account: 'DU1',
    contract: contract(conId),
    side: 1,
    agentName: 'day-trader',
    signal: null,
    now: at,
  }),
  status: 'OPEN' as const,
  quantity: shares(10),
  entryPrice: fromDollars(50),
});

function draft(): Draft {
  const view = {
    positions: [row(1), row(2)],
    orders: [],
    executions: [],
    closedToday: [],
    baseline: [],
    commands: [],
    killSwitch: { on: false, reason: null },
    guard: { phase: 'READY' as const, alive: true },
  };
  const state = createState({ rules: DEFAULT_EXIT_RULES, account: 'DU1', lease: 1, isMinimal: false, view, at, hasBaseline: true });
  return openDraft({ ...state, link: { ...state.link, phase: 'READY', isUp: true } }, at, monoMs(5_000));
}

describe('a bug in one symbol', () => {
  it('suspends that symbol, drops what the failed look did, tells a person, and the other goes on', () => {
    const d = draft();
    const looked: number[] = [];
    const look = (own: Draft, conId: number): void => {
      looked.push(conId);
      if (conId !== 1) return;
      edit(own, 'care').delete(2);
      throw new Error('no such thing');
    };
    for (const conId of [1, 2]) steerGuarded(d, conId, look);
    expect(looked).toEqual([1, 2]);
    expect(d.s.care.get(1)?.suspendedUntil).toBe(65_000);
    expect(d.s.care.get(2)?.suspendedUntil).toBeNull();
    expect(d.effects.filter(effect => effect.do === 'write-alert').map(({ alert }) => [alert.code, alert.symbol])).toEqual([
      ['SYMBOL_SUSPENDED', 'S1'],
    ]);
    steerGuarded(d, 1, look);
    expect(looked).toEqual([1, 2]);
    expect(tradeDateOf(d.at)).toBe(d.s.tradeDate);
  });
});
