import { isEntry } from './no-forbidden-entry.js';
import type { Audit, AuditRules, Violation } from './violation.js';

/**
 * I5: one claim buys at most one entry's worth. Per symbol and day, what the entries' executions add up to must not exceed the largest
 * single entry order: a re-sent twin shows as twice the shares, a second try after an unfilled first does not.
 */
export function oneEntry(rules: AuditRules): Audit {
  const largest = new Map<number, number>();
  const bought = new Map<number, number>();
  const entries = new Set<number>();
  const found: Violation[] = [];
  return {
    observe(event) {
      if (event.kind === 'order' && isEntry(event.order.request)) {
        const { conId, quantity } = event.order.request;
        entries.add(event.order.permId);
        largest.set(conId, Math.max(largest.get(conId) ?? 0, quantity));
      }
      if (event.kind !== 'execution' || !entries.has(event.execution.permId)) return;
      const { conId, shares, execId, orderRef } = event.execution;
      const before = bought.get(conId) ?? 0;
      const total = before + shares;
      const allowed = largest.get(conId) ?? 0;
      bought.set(conId, total);
      if (total <= allowed || before > allowed) return;
      const detail = `entries bought ${total} shares, one entry is at most ${allowed} (${execId}, ${orderRef})`;
      found.push({ invariant: 'I5', at: event.at, symbol: rules.symbolOf(conId), detail });
    },
    report: () => found,
  };
}
