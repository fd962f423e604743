import { type DayTraderRules, DEFAULT_DAY_TRADER_RULES } from '@holdfast/core/entries/rules';
import { DEFAULT_EXIT_RULES, type ExitRules } from '@holdfast/core/exits/rules';
import { fromDollars } from '@holdfast/core/units';
import { type Config, disasterStopBps } from './config.js';
import type { SendPolicy } from './perform.js';
import type { WireLimits } from './wire-cap.js';

/** desk.yaml in the words of the rules. What it does not name has the rules' own default. */

export const exitRulesOf = (config: Config): ExitRules => ({
  ...DEFAULT_EXIT_RULES,
  targetBps: config.exits.targetBps,
  stopBps: config.exits.stopBps,
  disasterStopBps: disasterStopBps(config),
  trailArmBps: config.exits.trailArmBps,
  trailGiveBackBps: config.exits.trailGiveBackBps,
  protection: config.exits.protection,
  flatMinutesBeforeClose: config.session.flatMinutesBeforeClose,
  cancelAnswerMs: config.exits.cancelAnswerSeconds * 1_000,
  exitAnswerMs: config.exits.exitAnswerSeconds * 1_000,
  failedSellsMax: config.exits.failedSellsMax,
  quarantineRetryMs: config.exits.quarantineRetrySeconds * 1_000,
  reconcileEveryMs: config.exits.reconcileEverySeconds * 1_000,
  blindMs: config.exits.staleMarkSeconds * 1_000,
});

/** `fromFile`: the symbols of `entries.watchlistFile`, which follow those of desk.yaml. */
export const dayTraderRulesOf = (config: Config, fromFile: readonly string[] = []): DayTraderRules => ({
  ...DEFAULT_DAY_TRADER_RULES,
  watchlist: [...new Set([...config.entries.watchlist, ...fromFile])],
  useScanner: config.entries.scanner.enabled,
  scanCode: config.entries.scanner.code,
  scanRefreshMinutes: config.entries.scanner.refreshMinutes,
  scanRowsMax: config.entries.scanner.rowsMax,
  symbolsMax: config.entries.symbolsMax,
  entriesEnabled: sendPolicyOf(config).entries === null,
  allocation: config.entries.allocation,
  maxPositions: config.entries.maxPositions,
  entryStyle: config.entries.style,
  ttlSeconds: config.entries.ttlSeconds,
  limitBufferBps: config.entries.limitBufferBps,
  stopBps: config.exits.stopBps,
  noEntriesMinutesBeforeClose: config.session.noEntriesMinutesBeforeClose,
  flatMinutesBeforeClose: config.session.flatMinutesBeforeClose,
  delayedDataAllowed: config.entries.delayedData ?? config.mode !== 'live',
  gapAndGo: config.entries.strategies.gapAndGo,
  standard: config.entries.strategies.standard,
});

/** What the mode keeps from the wire, whatever the rules decide. */
export function sendPolicyOf({ mode }: Pick<Config, 'mode'>): SendPolicy {
  if (mode === 'observe') {
    const silent = { code: 'OBSERVE_MODE', detail: 'mode observe sends no orders' };
    return { orders: silent, entries: silent };
  }
  const unarmed = { code: 'LIVE_NOT_ARMED', detail: 'mode live protects positions; this version cannot be armed for entries' };
  return { orders: null, entries: mode === 'live' ? unarmed : null };
}

export const wireLimitsOf = ({ wireCap }: Pick<Config, 'wireCap'>): WireLimits => ({
  ordersPerMinute: wireCap.ordersPerMinute,
  notionalMax: fromDollars(wireCap.entryNotionalMaxUsd),
  collarBps: wireCap.collarBps,
});

/** A watchlist file: one symbol per line, # starts a comment. What is no symbol is told by its line, and the others are followed all the same. */
export function parseWatchlist(text: string): { readonly symbols: readonly string[]; readonly problems: readonly string[] } {
  const symbols: string[] = [];
  const problems: string[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const symbol = line.replace(/#.*/, '').trim().toUpperCase();
    if (symbol === '') continue;
    if (/^[A-Z][A-Z0-9 .-]{0,11}$/.test(symbol)) symbols.push(symbol);
    else problems.push(`line ${index + 1}: "${symbol}" is no symbol`);
  }
  return { symbols, problems };
}
