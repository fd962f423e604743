import { describe, expect, it } from 'vitest';
import { createState } from '../exit-manager.js';
import { epochMs, type MonoMs, monoMs } from '../units.js';
import { askExecutions, type Draft, openDraft, updateLink } from './desk.js';
import { DEFAULT_EXIT_RULES } from './rules.js';

const at = epochMs(Date.UTC(2026, 2, 9, 15, 0));

function linked(mono: MonoMs): Draft {
  const view = {
    positions: [],
    orders: [],
    executions: [],
    closedToday: [],
    baseline: [],
    commands: [],
    killSwitch: { on: false, reason: null },
    guard: { phase: 'READY' as const, alive: true },
  };
  const state = createState({ rules: DEFAULT_EXIT_RULES, account: 'DU1', lease: 1, isMinimal: false, view, at, hasBaseline: true });
  return openDraft({ ...state, link: { ...state.link, phase: 'READY', isUp: true } }, at, mono);
}

const asked = (d: Draft): number => d.effects.filter(effect => effect.do === 'request-executions').length;

describe('asking for executions', () => {
  it('A8: an answer that explains nothing is no reason to ask again at once: a question a millisecond gets the line cut (seed 404)', () => {
    const d = linked(monoMs(10_000));
    askExecutions(d, 1_000);
    updateLink(d, { executionsAsked: null }); // answered
    askExecutions(d, 1_000);
    expect(asked(d)).toBe(1);
    const later = openDraft(d.s, at, monoMs(11_000));
    askExecutions(later, 1_000);
    expect(asked(later)).toBe(1);
  });

  it('what must be known now is asked for though an earlier question is open: its answer may have been made before', () => {
    const d = linked(monoMs(10_000));
    askExecutions(d, 1_000);
    askExecutions(d, 0);
    expect(asked(d)).toBe(2);
  });

  it('a new connection starts afresh', () => {
    const d = linked(monoMs(10_000));
    askExecutions(d, 10_000);
    updateLink(d, { executionsAsked: null, executionsAskedAt: null });
    askExecutions(d, 10_000);
    expect(asked(d)).toBe(2);
  });
});
