import { epochMs, monoMs } from '@holdfast/core/units';
import { openStore } from '@holdfast/store/db';
import { closeAll, MONDAY, NOW, openDesk, usd } from '@holdfast/store/testing/desk';
import { afterEach, describe, expect, it } from 'vitest';
import { createStoreWatch, type GuardPulse } from './store-watch.js';

const decision = { symbol: 'ACME', strategy: 'standard', verdict: 'hold', code: 'RULE_FAILED', detail: '', numbers: {} } as const;
const equity = { do: 'write-equity', account: 'DU1', netLiquidation: usd(9), cash: null, tradeDate: MONDAY } as const;

/** The day trader's watch over a desk's store, on a connection of its own. */
function watched() {
  const desk = openDesk();
  const db = openStore(desk.path, { busyTimeoutMs: 0, synchronous: 'OFF' });
  const now = { at: NOW, pulse: { alive: true, phase: 'READY' } as GuardPulse };
  const clock = { exchange: () => now.at, mono: () => monoMs(0) };
  const watch = createStoreWatch({ db, worker: 'day-trader', clock, log: () => undefined, guard: () => now.pulse });
  watch.look();
  return { desk, db, now, watch };
}

describe('the store is read anew', () => {
  afterEach(closeAll);

  it.each<readonly [string, (desk: ReturnType<typeof watched>) => unknown, boolean]>([
    ['not when nothing happened', () => undefined, false],
    ['not for a decision of the other worker', ({ desk }) => desk.commit([{ do: 'write-decision', decision }]), false],
    ['not for its equity', ({ desk }) => desk.commit([equity]), false],
    ['for its phase', ({ desk }) => desk.commit([{ do: 'write-phase', phase: 'RECONCILING', detail: '' }]), true],
    ['when the guard’s heart stops', ({ now }) => Object.assign(now, { pulse: { alive: false, phase: 'READY' } }), true],
    ['when the trading date turns', ({ now }) => Object.assign(now, { at: epochMs(NOW + 86_400_000) }), true],
  ])('%s', (_title, happen, isRead) => {
    const desk = watched();
    happen(desk);
    expect(desk.watch.look() !== null).toBe(isRead);
    expect(desk.watch.look()).toBeNull();
    desk.db.close();
  });
});
