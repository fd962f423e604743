import type { Execution } from '@holdfast/core/positions/execution';
import type { CommissionReport, Contract as IbContract, Execution as IbExecution } from '@stoqey/ib';
import { EventName } from '@stoqey/ib/dist/api/data/enum/event-name.js';
import type { Session } from './session.js';
import { dollarsOf, executionOf } from './translate.js';

/** The broker repeats the day's executions for some seconds at worst; an answer that takes longer is none. */
const ANSWER_MS_MAX = 10_000;

export interface ExecutionDesk {
  /**
   * Asks for the day's executions of all clients. Each is told as an `execution` event while it arrives; `answered` runs at the end marker and
   * gets them all. Without an end marker it never runs.
   */
  ask(answered: (executions: readonly Execution[]) => void): void;
}

export function executionDesk(session: Session): ExecutionDesk {
  const { api, pacer } = session;
  const answers = new Map<number, Map<string, Execution>>();
  const whenAnswered = new Map<number, (executions: readonly Execution[]) => void>();
  const forget = (wireId: number): void => {
    answers.delete(wireId);
    whenAnswered.delete(wireId);
  };

  api.on(
    EventName.execDetails,
    session.listen('execution', (wireId: number, contract: IbContract, told: IbExecution) => {
      if (told.acctNumber && session.account && told.acctNumber !== session.account) return;
      const reading = executionOf(contract, told);
      if (!reading.ok) return refuse(session, reading);
      answers.get(wireId)?.set(reading.execution.execId, reading.execution);
      session.tell({ kind: 'execution', execution: reading.execution });
    }),
  );
  api.on(
    EventName.execDetailsEnd,
    session.listen('executions end', (wireId: number) => {
      const executions = answers.get(wireId);
      const answered = whenAnswered.get(wireId);
      forget(wireId);
      if (session.settle(wireId) && executions) answered?.([...executions.values()]);
    }),
  );
  api.on(
    EventName.commissionReport,
    session.listen('commission', (report: CommissionReport) => {
      const commission = dollarsOf(report.commission);
      // Unset until the broker has computed it; in another currency it is no dollar amount.
      if (!report.execId || commission === undefined) return;
      if (report.currency && report.currency !== 'USD') {
        return session.complain(`commission of execution ${report.execId} is in ${report.currency}: not booked`);
      }
      // Unset while the execution opens or adds to a position.
      session.tell({ kind: 'commission', execId: report.execId, commission, realizedPnl: dollarsOf(report.realizedPNL) ?? null });
    }),
  );

  return {
    ask: answered => {
      const wireId = session.request({
        what: 'executions',
        deadlineMs: ANSWER_MS_MAX,
        failed: (code, text) => {
          forget(wireId);
          session.tell({ kind: 'notice', code, text: `the request for executions failed: ${text}`, severity: 'warning' });
        },
      });
      answers.set(wireId, new Map());
      whenAnswered.set(wireId, answered);
      // An empty filter is everything since midnight (gateway's zone), of all clients; other accounts are dropped above.
      pacer.ordinary(() => api.reqExecutions(wireId, {}));
    },
  };
}

function refuse(session: Session, reading: { readonly code: 'NOT_OURS_TO_COUNT' | 'UNREADABLE'; readonly detail: string }): void {
  if (reading.code === 'UNREADABLE') session.complain(reading.detail);
  else session.tell({ kind: 'notice', code: 0, text: reading.detail, severity: 'info' });
}
