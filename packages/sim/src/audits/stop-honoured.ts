import { CLIENT_ID } from '@holdfast/core/orders/order';
import { type EpochMs, epochMs } from '@holdfast/core/units';
import type { ExchangeOrder, Quote } from '../exchange-types.js';
import { CareLedger } from './care-ledger.js';
import { type Audit, type AuditRules, EXIT_CLIENTS, markOf, type Violation } from './violation.js';

interface Watch {
  /** Since when the mark has been beyond the stop, seen by a connected exit manager. */
  touchedAt: EpochMs | undefined;
  /** An exit is owed for so many milliseconds of connected, trading time. */
  owedMs: number | undefined;
  lookedAt: EpochMs;
  /** The exit manager was away, or the symbol did not trade, since the last look. */
  interrupted: boolean;
  /** Said once; silent until the position is flat. */
  said: boolean;
}

/**
 * I3: a touched stop leads to flat, or to a marketable exit order, within the bound. The clock runs only while the symbol trades in regular
 * hours and the exit manager is connected. Once owed, an exit stays owed even if the price recovers; only who comes back from an
 * interruption (disconnect, halt) and finds the mark above the stop owes nothing, for it judges by the mark it finds.
 */
export function stopHonoured(rules: AuditRules): Audit {
  const ledger = new CareLedger();
  const watches = new Map<number, Watch>();
  const bids = new Map<number, number>();
  const exits = new Map<number, Map<number, ExchangeOrder>>();
  const found: Violation[] = [];
  let connected = false;
  let now = epochMs(0);

  const hasMarketableExit = (conId: number): boolean =>
    [...(exits.get(conId)?.values() ?? [])].some(({ request, status }) => {
      if (request.type === 'MKT') return true;
      if (request.type === 'STP') return status === 'Submitted';
      return request.limitPrice !== undefined && request.limitPrice <= (bids.get(conId) ?? 0);
    });

  const look = (quote: Quote, at: EpochMs): void => {
    const line = ledger.known(quote.conId);
    if (!line || line.held <= 0 || rules.baseline.get(quote.conId)) return;
    const watch = watches.get(quote.conId) ?? { touchedAt: undefined, owedMs: undefined, lookedAt: at, interrupted: false, said: false };
    watches.set(quote.conId, watch);
    if (watch.said) return;
    if (!connected || quote.halted || at < rules.open || at >= rules.close) {
      interrupt(watch);
      return;
    }
    const mark = markOf(quote);
    const stop = line.entryPrice * (1 - rules.stopBps / 10_000);
    const touched = mark > 0 && mark <= stop;
    if (watch.interrupted && !touched) watch.owedMs = undefined;
    if (watch.owedMs !== undefined && !watch.interrupted) watch.owedMs += at - watch.lookedAt;
    watch.interrupted = false;
    watch.lookedAt = at;
    watch.touchedAt = touched ? (watch.touchedAt ?? at) : undefined;
    if (watch.touchedAt !== undefined && at - watch.touchedAt >= rules.touchSustainedMs) watch.owedMs ??= 0;
    if (watch.owedMs === undefined) return;
    if (hasMarketableExit(quote.conId)) {
      watch.owedMs = undefined;
      watch.touchedAt = undefined;
      return;
    }
    if (watch.owedMs <= rules.exitWithinMs) return;
    watch.said = true;
    const detail = `stop ${(stop / 1e6).toFixed(4)} touched (mark ${(mark / 1e6).toFixed(4)}), ${line.held} shares held and no marketable exit for ${watch.owedMs} ms`;
    found.push({ invariant: 'I3', at, symbol: rules.symbolOf(quote.conId), detail });
  };

  return {
    observe(event) {
      now = event.at;
      if (event.kind === 'quote') {
        bids.set(event.quote.conId, event.quote.bid);
        look(event.quote, now);
      } else if (event.kind === 'execution') {
        const line = ledger.book(event.execution);
        if (line.held <= 0) watches.delete(event.execution.conId);
      } else if (event.kind === 'order') {
        const { request, status, permId } = event.order;
        if (request.side !== 'SELL' || !EXIT_CLIENTS.includes(request.clientId)) return;
        const known = exits.get(request.conId) ?? new Map<number, ExchangeOrder>();
        exits.set(request.conId, known);
        if (status === 'Cancelled' || status === 'Inactive' || status === 'Filled') known.delete(permId);
        else known.set(permId, event.order);
      }
    },
    link(clientId, isConnected) {
      if (clientId !== CLIENT_ID['exit-manager']) return;
      connected = isConnected;
      for (const watch of watches.values()) interrupt(watch);
    },
    report: () => found,
  };
}

function interrupt(watch: Watch): void {
  watch.touchedAt = undefined;
  watch.interrupted = true;
}
