import type { ExchangeOrder } from '../exchange-types.js';
import type { CareLine } from './care-ledger.js';
import { Debt } from './debt.js';
import { type Audit, exitSideOf, isMarketable, isOver, isRefusedExit, type Stand } from './ground.js';
import { isExitClient } from './violation.js';

const MINUTE_MS = 60_000;

interface Duty {
  debt: Debt;
  isRetry: boolean;
  isSaid: boolean;
  isAfterClose: boolean;
}

/**
 * I7: from the end-of-day time on (the session's own close less `flatMinutesBeforeClose`, so also on half days) everything in care is flat, or
 * being sold by orders that trade now, within `flatWithinMs` of reaction time. What could not be sold by the close (halted, nobody bought) is
 * carried under a GTC stop or a queued sale for all of it, within `carriedWithinMs` of reaction time after the close.
 *
 * Allowed: halts and an unreachable broker stop the clock; each marketable order starts it afresh, one that exchange or gateway refused with more patience.
 */
export function flatByClose({ ground, rules, say }: Stand): Audit {
  const { bounds, flatMinutesBeforeClose } = rules;
  const duties = new Map<number, Duty>();
  if (flatMinutesBeforeClose === null) return {};

  const isCarried = (conId: number, line: CareLine): boolean => {
    const waits = ({ request }: ExchangeOrder): boolean => {
      if (!isExitClient(request.clientId)) return false;
      const isStop = request.type === 'STP' || request.type === 'STP LMT';
      // Everything else that works after the close waits for the next session: DAY orders of today are dead by now.
      return !isStop || request.tif === 'GTC';
    };
    return ground.potential(conId, exitSideOf(line), waits) >= Math.abs(line.held);
  };

  const isDone = (conId: number, line: CareLine, isAfterClose: boolean): boolean =>
    isAfterClose ? isCarried(conId, line) : ground.isLeaving(conId, line);

  const settle = (conId: number, line: CareLine, isAfterClose: boolean): void => {
    let duty = duties.get(conId);
    if (!duty || duty.isAfterClose !== isAfterClose) {
      duty = { debt: new Debt(ground), isRetry: false, isSaid: false, isAfterClose };
      duties.set(conId, duty);
    }
    duty.debt.pass(isAfterClose || ground.isTrading(conId));
    if (isDone(conId, line, isAfterClose)) duty.debt = new Debt(ground);
    const within = isAfterClose ? bounds.carriedWithinMs : duty.isRetry ? bounds.retryWithinMs : bounds.flatWithinMs;
    const { own, all } = duty.debt;
    const isLate = own > within || (!isAfterClose && all > within + bounds.exitWithinCrashesMs);
    if (!isLate || duty.isSaid) return;
    duty.isSaid = true;
    const late = isAfterClose
      ? 'after the close with neither a GTC stop nor a queued sale for all of it'
      : 'after the end-of-day time without a marketable exit';
    say(conId, `${line.held} shares still held ${late}, for ${Math.max(own, all)} ms in which it could have been done`);
  };

  return {
    tick() {
      const flatFrom = ground.session.close - flatMinutesBeforeClose * MINUTE_MS;
      if (ground.now < flatFrom) return;
      for (const [conId, line] of ground.held()) settle(conId, line, ground.now >= ground.session.close);
    },
    order({ order }) {
      const { conId, clientId } = order.request;
      const duty = duties.get(conId);
      if (!duty || !isExitClient(clientId)) return;
      if (order.status === 'Inactive') duty.isRetry = true;
      else if (isOver(order) || !isMarketable(order, ground.quote(conId))) return;
      else duty.isRetry = false;
      if (!duty.isAfterClose) duty.debt = new Debt(ground);
    },
    execution({ execution, line }) {
      if (line.held === 0) duties.delete(execution.conId);
    },
    fact(fact) {
      if (fact.fact === 'session') duties.clear();
      if (!isRefusedExit(fact)) return;
      const duty = duties.get(fact.conId);
      if (!duty) return;
      duty.isRetry = true;
      if (!duty.isAfterClose) duty.debt = new Debt(ground);
    },
  };
}
