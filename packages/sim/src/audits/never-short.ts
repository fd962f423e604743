import { CareLedger } from './care-ledger.js';
import { type Audit, type AuditRules, OPERATOR, type Violation } from './violation.js';

/**
 * I1: never an unintended short. After each execution of ours the account must not be short, and what the exits have sold must not
 * exceed what was bought for care (by the day trader, or by hand outside the baseline). For a moment after the operator's own trade a
 * crossing fill is nobody's fault.
 */
export function neverShort(rules: AuditRules): Audit {
  const ledger = new CareLedger();
  const found: Violation[] = [];
  return {
    observe(event) {
      if (event.kind !== 'execution') return;
      const { execution } = event;
      const line = ledger.book(execution);
      if (execution.clientId === OPERATOR || execution.side === 'BUY') return;
      if (execution.at - line.operatorTradedAt <= rules.operatorGraceMs) return;
      const baseline = rules.baseline.get(execution.conId) ?? 0;
      const total = line.held + baseline;
      const bought = line.boughtByTrader + (baseline === 0 ? line.boughtByOperator : 0);
      const say = (detail: string) => found.push({ invariant: 'I1', at: execution.at, symbol: execution.symbol, detail });
      if (total < 0)
        say(`short ${-total} after ${execution.execId}: client ${execution.clientId} sold ${execution.shares} (${execution.orderRef})`);
      else if (line.soldByExits > bought)
        say(`exits sold ${line.soldByExits}, bought were ${bought} (${execution.execId}, ${execution.orderRef})`);
    },
    report: () => found,
  };
}
