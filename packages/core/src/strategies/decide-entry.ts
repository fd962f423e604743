import { DEFAULT_PHASE_RULES, type PhaseRules, phaseAt } from '../calendar.js';
import type { EpochMs } from '../units.js';
import { DEFAULT_GAP_AND_GO_RULES, decideGapAndGo, type GapAndGoRules } from './gap-and-go.js';
import { DEFAULT_STANDARD_RULES, decideStandard, type StandardRules } from './standard.js';
import type { EntryDecision, RefusalCode, Signal, SymbolView } from './strategy.js';

export interface EntryRules {
  readonly phases: PhaseRules;
  readonly gapAndGo: GapAndGoRules;
  readonly standard: StandardRules;
  /** Bars older than this decide nothing. Raise it to 17 minutes where delayed data may drive entries. */
  readonly barAgeMsMax: number;
}

export const DEFAULT_ENTRY_RULES: EntryRules = {
  phases: DEFAULT_PHASE_RULES,
  gapAndGo: DEFAULT_GAP_AND_GO_RULES,
  standard: DEFAULT_STANDARD_RULES,
  barAgeMsMax: 90_000,
};

export type Refused = Extract<EntryDecision, { ok: false }>;

/** A signal, or why there is none: one code for all and each strategy's own refusal with its numbers. */
export type Verdict =
  | { readonly ok: true; readonly signal: Signal }
  | { readonly ok: false; readonly code: RefusalCode; readonly detail: string; readonly refusals: readonly Refused[] };

/** From the start of the bar: a 30-second bar is at least 30 s old when it closes. */
const isStale = (view: SymbolView, now: EpochMs, rules: EntryRules): boolean =>
  view.reading.lastAt !== null && now - view.reading.lastAt > rules.barAgeMsMax;

/**
 * Should this symbol be bought now? Entries only in the phase 'trading'; then gap-and-go is asked before standard, since it has the
 * narrower window. The first signal wins.
 */
export function decideEntry(view: SymbolView, now: EpochMs, rules: EntryRules = DEFAULT_ENTRY_RULES): Verdict {
  const phase = phaseAt(now, rules.phases);
  if (phase !== 'trading') return { ok: false, code: 'NOT_TRADING', detail: `no entries in phase ${phase}`, refusals: [] };
  if (isStale(view, now, rules)) {
    const ageMs = now - (view.reading.lastAt ?? now);
    return { ok: false, code: 'STALE_BARS', detail: `newest bar began ${ageMs} ms ago, limit ${rules.barAgeMsMax}`, refusals: [] };
  }
  const refusals: Refused[] = [];
  for (const ask of STRATEGIES) {
    const decision = ask(view, now, rules);
    if (decision?.ok) return decision;
    if (decision) refusals.push(decision);
  }
  const closest = refusals.at(-1);
  if (!closest) return { ok: false, code: 'SWITCHED_OFF', detail: 'every strategy is switched off', refusals };
  return {
    ok: false,
    code: closest.code,
    get detail() {
      return refusals.map(one => `${one.strategy}: ${one.detail}`).join(' | ');
    },
    refusals,
  };
}

/** In the order in which they are asked; null: it is switched off. */
const STRATEGIES: readonly ((view: SymbolView, now: EpochMs, rules: EntryRules) => EntryDecision | null)[] = [
  (view, now, { gapAndGo }) => (gapAndGo.enabled ? decideGapAndGo(view, now, gapAndGo) : null),
  (view, now, { standard }) => (standard.enabled ? decideStandard(view, now, standard) : null),
];
