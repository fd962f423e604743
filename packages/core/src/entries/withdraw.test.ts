import { describe, expect, test } from 'vitest';
import { isHalted, phaseOf } from '../day-trader.js';
import { fromDollars, shares } from '../units.js';
import { claimOf, clock, command, quote, TraderBench, tale, told, working } from './testing/trader-bench.js';

const REF = 'HFD-20260309-7-1';
/** The last decision, as verdict and code. */
const last = (b: TraderBench): string => {
  const row = b.decisions.at(-1);
  return row ? `${row.verdict} ${row.code}` : 'none';
};

describe('the life of an entry', () => {
  test('B1: every fill is written in the step that hears of it; the exit manager owns what it became', () => {
    const b = working();
    expect(tale(b.fill(b.entry, 200))).toEqual([`execution 200 of ${REF}`, 'order SUBMITTED 200/498']);
    expect(tale(b.fill(b.entry, 298))).toEqual([`execution 298 of ${REF}`, 'order FILLED 498/498']);
    expect(tale(b.hear({ kind: 'commission', execId: 'e2.01', commission: fromDollars(1.5), realizedPnl: null }))).toEqual([
      'commission 1.5 of e2.01',
    ]);
    expect(tale(b.status(b.entry, 'Filled', 498))).toEqual([]);
    expect(b.isSettled).toBe(true);
  });

  test('a fill told twice is one fill; a correction replaces it', () => {
    const b = working();
    b.fill(b.entry, 200, 50.12, 'a.01');
    expect(tale(b.fill(b.entry, 200, 50.12, 'a.01'))).toEqual([]);
    expect(tale(b.fill(b.entry, 150, 50.12, 'a.02'))).toEqual([`execution 150 of ${REF}`, 'order SUBMITTED 150/498']);
  });

  test('executions of others are not ours to write', () => {
    const b = working();
    expect(
      tale(b.hear({ kind: 'execution', execution: { ...b.execution(b.entry, 10), orderRef: 'HFX-20260309-3-1', clientId: 10 } })),
    ).toEqual([]);
  });

  test('A11, B1: the broker ends it at its good-till time: the claim is given back, and the symbol may be entered again', () => {
    const b = working();
    expect(b.isSettled).toBe(true);
    b.goTo('10:02:00');
    expect(tale(b.status(b.entry, 'Cancelled'))).toEqual(['order CANCELLED 0/498', 'release ACME']);
    b.hear({ kind: 'quote', conId: 1, quote: quote(50.1, 50.12) });
    b.bar30(50.1);
    expect(b.placed).toHaveLength(2);
  });

  test('A11: it outlives its time to live: cancelled by us, after the broker had its chance', () => {
    const b = working();
    expect(b.entry.goodTill).toBe(clock('10:01:00'));
    expect(tale(b.goTo('10:01:04'))).toEqual([]);
    expect(tale(b.goTo('10:01:05'))).toEqual(['order CANCELLING 0/498', `cancel ${REF}`]);
    expect(b.isSettled).toBe(false);
    expect(tale(b.status(b.entry, 'Cancelled'))).toEqual(['order CANCELLED 0/498', 'release ACME']);
  });

  test('B1: partly filled at its time to live: the rest is cancelled, the claim stays', () => {
    const b = working();
    b.fill(b.entry, 200);
    b.goTo('10:01:06');
    expect(tale(b.status(b.entry, 'Cancelled', 200))).toEqual(['order CANCELLED 200/498']);
    expect(b.isSettled).toBe(true);
  });

  test('it fills while it is being cancelled: the race is normal', () => {
    const b = working();
    b.goTo('10:01:06');
    expect(tale(b.fill(b.entry, 498))).toEqual([`execution 498 of ${REF}`, 'order FILLED 498/498']);
    expect(tale(b.hear({ kind: 'order-notice', orderId: 1, code: 10148, meaning: 'already-final', text: 'state: Filled' }))).toEqual([
      'request-executions',
      'request-snapshot',
    ]);
    expect(b.effects.some(effect => effect.do === 'release-claim')).toBe(false);
  });

  test('I6: cancelled, with more filled than its executions tell: the claim waits for them', () => {
    const b = working();
    expect(tale(b.status(b.entry, 'Cancelled', 200))).toEqual(['order CANCELLED 0/498']);
    expect(b.isSettled).toBe(false);
    expect(tale(b.pass(1_100))).toEqual(['request-executions']);
    expect(tale(b.fill(b.entry, 200))).toEqual([`execution 200 of ${REF}`, 'order CANCELLED 200/498']);
    expect(b.isSettled).toBe(false);
    b.hear({ kind: 'executions-end', id: b.state.link.executionsAsked?.id ?? -1 });
    expect(b.isSettled).toBe(true);
    expect(b.effects.some(effect => effect.do === 'release-claim')).toBe(false);
  });

  test('the status comes before the execution: normal, and settled with it', () => {
    const b = working();
    expect(tale(b.status(b.entry, 'Submitted', 200))).toEqual([]);
    expect(b.isSettled).toBe(false);
    b.fill(b.entry, 200);
    expect(b.isSettled).toBe(true);
    b.status(b.entry, 'Filled', 498);
    expect([b.statusOf(b.entry), b.isSettled]).toEqual(['SUBMITTED', false]);
    b.fill(b.entry, 298);
    expect([b.statusOf(b.entry), b.isSettled]).toEqual(['FILLED', true]);
  });

  test('rejected: claim given back, reason recorded, and after three the symbol is left alone for the day', () => {
    const b = new TraderBench().ready();
    for (let i = 0; i < 5; i += 1) {
      b.hear({ kind: 'quote', conId: 1, quote: quote(50.1, 50.12) });
      b.bar30(50.1);
      if (b.placed.length > i)
        b.hear({ kind: 'order-notice', orderId: b.entry.orderId, code: 201, meaning: 'rejected', text: 'Order rejected' });
    }
    expect(b.placed).toHaveLength(3);
    expect(b.effects.filter(effect => effect.do === 'release-claim')).toHaveLength(3);
    expect(b.decisions.map(({ code }) => code).slice(-2)).toEqual(['BROKER_REJECTED', 'REJECTED_TODAY']);
  });

  test('not sent for sure: cancelled and given back at once', () => {
    const b = new TraderBench().ready();
    b.isLost = true;
    b.bar30(50.1);
    const effects = b.hear({ kind: 'not-sent', orderRef: REF, code: 'NOT_CONNECTED', detail: 'no connection' });
    expect(tale(effects)).toEqual(['order CANCELLED 0/498', 'release ACME']);
    expect(last(b)).toBe('reject NOT_CONNECTED');
  });

  test('I4: what it had filled is taken back: the claim is a position, and given back only when the exit manager has closed that (seed 8100289)', () => {
    const b = working();
    b.fill(b.entry, 200, 50.12, 'a.01');
    b.storeTells({ positions: [{ ...claimOf(b.entry), status: 'OPEN', quantity: shares(200) }] });
    b.status(b.entry, 'Cancelled', 200);
    expect(tale(b.fill(b.entry, 0, 50.12, 'a.02'))).not.toContain('release ACME');
    expect(tale(b.storeTells({ positions: [{ ...claimOf(b.entry), status: 'CLOSING' }] }))).not.toContain('release ACME');
    expect(tale(b.storeTells({ positions: [] }))).toEqual(['release ACME']);
  });

  test('unknown to the broker when cancelled: dead once the executions are in', () => {
    const b = working();
    b.goTo('10:01:06');
    expect(tale(b.hear({ kind: 'order-notice', orderId: 1, code: 10147, meaning: 'unknown-order', text: 'not found' }))).toEqual([
      'request-executions',
    ]);
    const id = b.state.link.executionsAsked?.id ?? -1;
    // What was asked before may leave out its last fill.
    expect(tale(b.hear({ kind: 'executions-end', id: id - 1 }))).toEqual([]);
    expect(tale(b.hear({ kind: 'executions-end', id }))).toEqual(['order CANCELLED 0/498', 'release ACME']);
  });

  test('a cancel without an answer is asked again, and then on a new connection', () => {
    const b = working();
    b.goTo('10:01:06');
    expect(tale(b.pass(5_000))).toEqual(
      ['request-open-orders', 'order CANCELLING 0/498', `cancel ${REF}`].filter(line => !line.startsWith('order')),
    );
    expect(tale(b.pass(5_000))).toEqual(['phase CONNECTING', 'reconnect', 'alert ENTRY_UNANSWERED']);
    b.hear({ kind: 'disconnected', reason: 'we asked' });
    const again = tale(b.connect({ openOrders: [told(b.entry)] }));
    expect(again).toContain(`cancel ${REF}`);
  });

  test('an entry without an echo is never sent again: only a new connection tells', () => {
    const b = new TraderBench().ready();
    b.bar30(50.1);
    expect(tale(b.pass(9_000))).toEqual([]);
    expect(tale(b.pass(1_000))).toEqual(['phase CONNECTING', 'reconnect', 'alert ENTRY_UNANSWERED']);
    expect(b.effects.filter(effect => effect.do === 'place')).toHaveLength(0);
  });
});

describe('withdrawing', () => {
  test('DESIGN §4: the exit manager asks for the entry of a position it closes; answered when that has its last word', () => {
    const b = working();
    b.fill(b.entry, 100);
    expect(tale(b.hear({ kind: 'command', command: command(5, 'withdraw-entry', { tradeId: REF }) }))).toEqual([
      'order CANCELLING 100/498',
      `cancel ${REF}`,
    ]);
    expect(tale(b.storeTells({ commands: [command(5, 'withdraw-entry', { tradeId: REF })] }))).toEqual([]);
    expect(tale(b.status(b.entry, 'Cancelled', 100))).toEqual(['order CANCELLED 100/498', 'answer 5 done']);
  });

  test('nothing of it works any more: answered at once', () => {
    const b = new TraderBench().ready();
    expect(tale(b.hear({ kind: 'command', command: command(6, 'withdraw-entry', { tradeId: 'gone' }) }))).toContain('answer 6 done');
  });

  test('I8: the kill switch takes working entries back', () => {
    const b = working();
    expect(tale(b.storeTells({ killSwitch: { on: true, reason: 'operator' } }))).toEqual(['order CANCELLING 0/498', `cancel ${REF}`]);
  });

  test('I8: so does the HALT file, and an order still unacknowledged goes as soon as it is', () => {
    const b = new TraderBench().ready();
    b.bar30(50.1);
    expect(tale(b.hear({ kind: 'command', command: command(0, 'halt') }))).toEqual([]);
    expect(isHalted(b.state)).toBe(true);
    expect(tale(b.status(b.entry, 'PreSubmitted'))).toEqual(['order SUBMITTED 0/498', 'order CANCELLING 0/498', `cancel ${REF}`]);
    b.hear({ kind: 'command', command: command(1, 'resume') });
    expect(isHalted(b.state)).toBe(false);
  });

  test('A12: at 15:45 working entries are taken back', () => {
    const b = new TraderBench({ at: '15:44:00', rules: { ttlSeconds: 600 } }).ready();
    b.bar30(50.1);
    b.status(b.entry, 'Submitted');
    expect(tale(b.goTo('15:44:59'))).toEqual([]);
    expect(tale(b.goTo('15:45:00'))).toEqual(['order CANCELLING 0/498', `cancel ${REF}`]);
  });

  test('cancel-only: reconciles, cancels its entries, books their fills, and follows nothing', () => {
    const before = working();
    const order = { ...before.entry, status: 'SUBMITTED' as const };
    const b = new TraderBench({ at: '10:00:40', isCancelOnly: true, lease: 8, view: { orders: [order], positions: [claimOf(order)] } });
    const effects = b.connect({ openOrders: [told(order)], executions: [b.execution(order, 100)] });
    expect(tale(effects)).toEqual([
      'phase RECONCILING',
      'request-snapshot',
      `execution 100 of ${REF}`,
      'order SUBMITTED 100/498',
      'order SUBMITTED 100/498',
      'phase CANCEL-ONLY',
      'order CANCELLING 100/498',
      `cancel ${REF}`,
    ]);
    b.status(order, 'Cancelled', 100);
    expect([phaseOf(b.state), b.isSettled, b.state.watch.length]).toEqual(['CANCEL-ONLY', true, 0]);
  });
});
