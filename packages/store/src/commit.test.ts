import type { Write } from '@holdfast/core/effects';
import type { Order } from '@holdfast/core/orders/order';
import type { PositionRow } from '@holdfast/core/shared-view';
import { type EpochMs, micros, shares } from '@holdfast/core/units';
import { afterEach, describe, expect, it } from 'vitest';
import { readAlerts } from './alerts.js';
import { baselineTakenAt } from './baseline.js';
import { readBlocks } from './blocks.js';
import { readDailyPnl } from './daily.js';
import { readExecutionsOfTrade } from './executions.js';
import { acquireLease } from './leases.js';
import { readOrder } from './orders.js';
import { readPosition, readPositions } from './positions.js';
import { readQuarantined } from './quarantine.js';
import { q } from './statement.js';
import {
  ACME,
  aClose,
  aFill,
  anEntry,
  anOrder,
  aPosition,
  booked,
  closeAll,
  type Desk,
  later,
  MONDAY,
  metadata,
  NOW,
  openDesk,
  usd,
} from './testing/desk.js';
import { loadView } from './view.js';

const intent = (order: Partial<Order>): Write => ({ do: 'write-intent', order: anOrder(order) });
const word = (order: Partial<Order>): Write => ({ do: 'write-order', order: anOrder(order) });
const held = (base: number): Write => ({
  do: 'write-position',
  position: aPosition({ quantity: shares(base), metadata: metadata({ base }) }),
});
const codes = (result: ReturnType<Desk['commit']>) => (result.ok ? result.refused.map(({ code }) => code) : result.code);
const viewOf = ({ db }: Desk) => loadView(db, { worker: 'exit-manager', tradeDate: MONDAY, now: NOW });

/** What the trade's story is before → the intent → what the store makes of it. */
const EXITS: readonly [string, readonly Write[], Partial<Order>, readonly string[]][] = [
  ['all that was bought', [booked()], {}, []],
  ['more than was bought', [booked()], { quantity: shares(101) }, ['EXIT_EXCEEDS_HOLDING']],
  ['what nobody bought', [], {}, ['EXIT_EXCEEDS_HOLDING']],
  ['what is held without executions (adopted)', [held(100)], {}, []],
  [
    'more than base and executions together',
    [held(50), booked({ shares: shares(40) })],
    { quantity: shares(91) },
    ['EXIT_EXCEEDS_HOLDING'],
  ],
  ['a rest beside a working order', [booked(), word({ orderRef: 'HFX-20260309-1-9', quantity: shares(60) })], { quantity: shares(40) }, []],
  ['all beside a working order', [booked(), word({ orderRef: 'HFX-20260309-1-9', quantity: shares(1) })], {}, ['EXIT_EXCEEDS_HOLDING']],
  [
    'all beside one that is being cancelled',
    [booked(), word({ orderRef: 'HFX-20260309-1-9', status: 'CANCELLING' })],
    {},
    ['EXIT_EXCEEDS_HOLDING'],
  ],
  ['all beside an inactive one', [booked(), word({ orderRef: 'HFX-20260309-1-9', status: 'INACTIVE' })], {}, ['EXIT_EXCEEDS_HOLDING']],
  ['all beside a cancelled one', [booked(), word({ orderRef: 'HFX-20260309-1-9', status: 'CANCELLED' })], {}, []],
  ['all beside a lost one', [booked(), word({ orderRef: 'HFX-20260309-1-9', orderId: 9, status: 'LOST' })], {}, ['EXIT_EXCEEDS_HOLDING']],
  ['all in place of a lost one, under its id', [booked(), word({ orderRef: 'HFX-20260309-1-9', orderId: 1, status: 'LOST' })], {}, []],
  [
    'all beside a filled one whose executions are still to come',
    [booked(), word({ orderRef: 'HFX-20260309-1-9', status: 'FILLED', filled: shares(100) })],
    {},
    ['EXIT_EXCEEDS_HOLDING'],
  ],
  [
    'a second member of an OCA group',
    [booked(), word({ orderRef: 'HFX-20260309-1-9', role: 'target', ocaGroup: 'G-1' })],
    { role: 'disaster-stop', ocaGroup: 'G-1' },
    [],
  ],
  [
    'one beside an OCA group, which counts once',
    [
      booked(),
      word({ orderRef: 'HFX-20260309-1-8', role: 'target', ocaGroup: 'G-1', quantity: shares(70) }),
      word({ orderRef: 'HFX-20260309-1-9', role: 'stop', ocaGroup: 'G-1', quantity: shares(60) }),
    ],
    { quantity: shares(30) },
    [],
  ],
  [
    'what remains of a partly filled exit',
    [
      booked(),
      word({ orderRef: 'HFX-20260309-1-9', filled: shares(60), status: 'CANCELLED' }),
      booked({ execId: '0002.01.01.01', side: 'SELL', shares: shares(60), orderRef: 'HFX-20260309-1-9' }),
    ],
    { quantity: shares(40) },
    [],
  ],
  ['a buy, while long', [booked()], { side: 'BUY' }, ['EXIT_EXCEEDS_HOLDING']],
  ['a buy of what was sold short', [booked({ side: 'SELL' })], { side: 'BUY' }, []],
  ['a busted fill', [booked(), booked({ execId: '0001.0002.0003.02', shares: shares(0) })], {}, ['EXIT_EXCEEDS_HOLDING']],
  ['another trade of the same symbol', [booked({}, 'T-7')], {}, ['EXIT_EXCEEDS_HOLDING']],
];

describe('commitStep', () => {
  afterEach(closeAll);

  it.each(EXITS)('I1: selling %s', (_, story, order, refusals) => {
    const desk = openDesk();
    desk.commit(story);
    expect(codes(desk.commit([intent(order)]))).toEqual(refusals);
    expect(readOrder(desk.db, anOrder().orderRef) !== null).toBe(refusals.length === 0);
  });

  it.each(EXITS)('I1: selling %s, all in one step, the intent first', (_, story, order, refusals) => {
    expect(codes(openDesk().commit([intent(order), ...story]))).toEqual(refusals);
  });

  it('I1: a refused exit names the numbers, raises an alert, and takes no fact down with it', () => {
    const desk = openDesk();
    const result = desk.commit([booked({ shares: shares(60) }), intent({})]);
    const detail = 'HFX-20260309-1-1 asks to SELL 100 ACME, but the trade holds 60 (executions 60, base 0) and 0 may still be working';
    expect(result).toMatchObject({ ok: true, refused: [{ code: 'EXIT_EXCEEDS_HOLDING', detail, write: { do: 'write-intent' } }] });
    expect(readExecutionsOfTrade(desk.db, 'T-1')).toHaveLength(1);
    expect(readAlerts(desk.db, MONDAY)).toMatchObject([{ code: 'EXIT_EXCEEDS_HOLDING', symbol: 'ACME', level: 'critical' }]);
  });

  it('I1: two intents of one step share the holding', () => {
    const two = [intent({ quantity: shares(60) }), intent({ orderRef: 'HFX-20260309-1-2', orderId: 2, quantity: shares(60) })];
    expect(codes(openDesk().commit([booked(), ...two]))).toEqual(['EXIT_EXCEEDS_HOLDING']);
  });

  it('I1: raising a working exit beyond the holding is flagged, with its word kept; lowering it is not', () => {
    const desk = openDesk();
    desk.commit([booked(), intent({ quantity: shares(50) })]);
    expect(codes(desk.commit([word({ quantity: shares(100), status: 'SUBMITTED' })]))).toEqual([]);
    expect(codes(desk.commit([word({ quantity: shares(150), status: 'SUBMITTED' })]))).toEqual(['EXIT_EXCEEDS_HOLDING']);
    expect(readOrder(desk.db, anOrder().orderRef)?.quantity).toBe(150);
    expect(codes(desk.commit([word({ quantity: shares(20), status: 'SUBMITTED' })]))).toEqual([]);
  });

  it('a word about an order in the step of its intent comes after it', () => {
    const desk = openDesk();
    expect(codes(desk.commit([booked(), intent({}), word({ status: 'SUBMITTED' })]))).toEqual([]);
    expect(readOrder(desk.db, anOrder().orderRef)?.status).toBe('SUBMITTED');
  });

  it.each<readonly [string, Partial<Order>]>([
    ['its quantity', { quantity: shares(40) }],
    ['its address', { orderId: 7, clientId: 99 }],
    ['its symbol', { contract: { ...ACME, symbol: 'ACM' } }],
    ['the broker’s id', { permId: 12 }],
    ['its end', { status: 'FILLED', filled: shares(100) }],
  ])('a later word about an order is on record, whether or not it changes what is indexed: %s', (_, change) => {
    const desk = openDesk();
    desk.commit([word({})]);
    desk.commit([word(change)]);
    expect(readOrder(desk.db, anOrder().orderRef)).toEqual(anOrder(change));
  });

  it.each<readonly [string, Partial<PositionRow>]>([
    ['its quantity', { quantity: shares(40) }],
    ['its status', { status: 'CLAIMED' }],
    ['its account', { account: 'DU2' }],
    ['its instrument', { contract: { ...ACME, symbol: 'ACM', conId: 502 } }],
  ])('so is one about a position: %s', (_, change) => {
    const desk = openDesk();
    desk.commit([{ do: 'write-position', position: aPosition() }]);
    desk.commit([{ do: 'write-position', position: aPosition(change) }]);
    expect(readPositions(desk.db)).toEqual([aPosition(change)]);
    const { status } = aPosition(change);
    expect(desk.db.all(q.selectFrom('trades').select('status'))).toEqual([{ status }]);
  });

  it('I10: without the lease nothing is written at all', () => {
    const desk = openDesk();
    acquireLease(desk.db, { name: 'exit-manager', pid: 1, processStartedAt: '1', bootId: 'x', now: NOW }, () => true);
    expect(codes(desk.commit([booked()]))).toBe('LEASE_LOST');
    expect(readExecutionsOfTrade(desk.db, 'T-1')).toEqual([]);
  });

  it('entries need a claim, exits the exit manager, and nobody writes an intent twice', () => {
    const desk = openDesk();
    expect(codes(desk.commit([{ do: 'write-intent', order: anEntry() }]))).toEqual(['ENTRY_NEEDS_CLAIM']);
    expect(codes(desk.commit([booked(), intent({})], { lease: desk.dayTrader }))).toEqual(['NOT_THE_EXIT_MANAGER']);
    expect(codes(desk.commit([intent({})]))).toEqual([]);
    expect(codes(desk.commit([intent({})]))).toEqual(['ALREADY_INTENDED']);
  });

  it.each<[string, Write]>([
    ['half a share', booked({ execId: 'odd.01', shares: 0.5 as never })],
    ['a price that is none', booked({ execId: 'odd.01', price: Number.NaN as never })],
    ['a status no table knows', word({ orderRef: 'HFX-20260309-1-7', status: 'DREAMING' as never })],
    ['a symbol that is another trade’s', { do: 'write-position', position: aPosition({ tradeId: 'T-2' }) }],
  ])('a row that cannot be stored is quarantined with an alert, and the rest of the step stands: %s', (_, odd) => {
    const desk = openDesk();
    desk.commit([{ do: 'write-position', position: aPosition() }]);
    expect(codes(desk.commit([odd, booked()]))).toEqual(['ROW_QUARANTINED']);
    expect(codes(desk.commit([odd]))).toEqual(['ROW_QUARANTINED']);
    expect(readQuarantined(desk.db)).toMatchObject([{ kind: odd.do, worker: 'exit-manager' }]);
    expect(readAlerts(desk.db, MONDAY)).toMatchObject([{ code: 'ROW_QUARANTINED', level: 'critical', times: 1 }]);
    expect(readExecutionsOfTrade(desk.db, 'T-1')).toHaveLength(1);
    expect(readPositions(desk.db)).toEqual([aPosition()]);
  });

  it('a bug throws and rolls everything back', () => {
    const desk = openDesk();
    const nonsense = { do: 'write-alert', alert: { ...alertOf('X'), code: Object('object') } } as Write;
    expect(() => desk.commit([booked(), nonsense])).toThrow();
    expect(readExecutionsOfTrade(desk.db, 'T-1')).toEqual([]);
  });

  it('A10: closing is one transaction: trade final, position gone, symbol blocked, day counted', () => {
    const desk = openDesk();
    desk.commit([{ do: 'write-position', position: aPosition() }]);
    desk.commit([{ do: 'close-position', trade: aClose() }]);
    expect(readPositions(desk.db)).toEqual([]);
    expect(readBlocks(desk.db, MONDAY)).toEqual([{ symbol: 'ACME', closeDate: MONDAY, exitReason: 'target' }]);
    expect(readDailyPnl(desk.db, MONDAY)).toMatchObject([{ realizedPnl: usd(88), commission: usd(2), trades: 1, wins: 1, losses: 0 }]);
    const row = desk.db.first(q.selectFrom('closed_positions_today').selectAll());
    expect(row).toMatchObject({ exit_price: 50.9, profit_loss_pct: expect.closeTo(1.8, 10), account: 'DU1', con_id: 501 });
  });

  it('A10: the first close of the date is the block; a short earns when the price falls', () => {
    const desk = openDesk();
    const short = aClose({ side: -1, entryPrice: usd(50), exitPrice: usd(49), exitReason: 'stop' });
    desk.commit([{ do: 'close-position', trade: short }]);
    desk.commit([{ do: 'close-position', trade: aClose({ tradeId: 'T-2', exitReason: 'end-of-day' }) }]);
    expect(desk.db.all(q.selectFrom('closed_positions_today').select(['exit_reason', 'profit_loss_pct']).orderBy('id'))).toEqual([
      { exit_reason: 'stop', profit_loss_pct: expect.closeTo(2, 10) },
    ]);
  });

  it('I6: a correction after the close opens the trade again, the day forgets it, the block stays', () => {
    const desk = openDesk();
    desk.commit([{ do: 'close-position', trade: aClose() }]);
    desk.commit([{ do: 'write-position', position: aPosition({ quantity: shares(10), status: 'CLOSING' }) }]);
    expect(readPosition(desk.db, 'ACME')).toMatchObject({ quantity: 10, status: 'CLOSING' });
    expect(readDailyPnl(desk.db, MONDAY)).toMatchObject([{ trades: 0, realizedPnl: 0 }]);
    expect(readBlocks(desk.db, MONDAY)).toHaveLength(1);
    desk.commit([{ do: 'close-position', trade: aClose({ pnl: usd(87) }) }]);
    expect(readDailyPnl(desk.db, MONDAY)).toMatchObject([{ trades: 1, realizedPnl: usd(87) }]);
  });

  it('A13: an empty baseline is a baseline', () => {
    const desk = openDesk();
    expect(baselineTakenAt(desk.db, 'DU1')).toBeNull();
    desk.commit([{ do: 'write-baseline', account: 'DU1', holdings: [] }]);
    expect(baselineTakenAt(desk.db, 'DU1')).toBe(NOW);
    desk.commit([{ do: 'write-baseline', account: 'DU1', holdings: [{ contract: ACME, quantity: -0.25 }] }]);
    expect(viewOf(desk).baseline).toEqual([{ contract: ACME, quantity: -0.25 }]);
  });

  it('the same alert within a minute is one row with a count', () => {
    const desk = openDesk();
    for (const ms of [0, 30_000, 80_000, 141_000]) desk.commit([{ do: 'write-alert', alert: alertOf('SLOW') }], { now: later(ms) });
    desk.commit([{ do: 'write-alert', alert: { ...alertOf('SLOW'), symbol: 'ACME' } }]);
    expect(readAlerts(desk.db, MONDAY).map(({ symbol, times, at, lastAt }) => [symbol, times, at - NOW, lastAt - NOW])).toEqual([
      [null, 3, 0, 80_000],
      ['ACME', 1, 0, 0],
      [null, 1, 141_000, 141_000],
    ]);
  });

  it('the first equity of a trading date starts its day', () => {
    const desk = openDesk();
    for (const [ms, equity] of [
      [0, 25_000],
      [60_000, 25_300.5],
    ] as const) {
      desk.commit([{ do: 'write-equity', account: 'DU1', netLiquidation: usd(equity), cash: null, tradeDate: MONDAY }], { now: later(ms) });
    }
    expect(readDailyPnl(desk.db, MONDAY)).toMatchObject([{ startEquity: usd(25_000), lastEquity: usd(25_300.5) }]);
  });
});

describe('merging what was kept elsewhere', () => {
  afterEach(closeAll);
  const kept: readonly Write[] = [
    booked(),
    { do: 'write-commission', execId: aFill().execId, commission: usd(1), realizedPnl: null },
    { do: 'write-position', position: aPosition() },
    intent({ role: 'target', type: 'LMT', limitPrice: usd(50.88) }),
    { do: 'write-alert', alert: alertOf('STORE_BUSY') },
    { do: 'write-command', target: 'day-trader', kind: 'withdraw', payload: { symbol: 'ACME' }, expiresAt: later(60_000) },
    {
      do: 'write-decision',
      decision: { symbol: 'ACME', strategy: 'exit', verdict: 'exit', code: 'STOP', detail: 'touched', numbers: { gainBps: -91.5 } },
    },
    { do: 'write-equity', account: 'DU1', netLiquidation: usd(25_000), cash: usd(1), tradeDate: MONDAY },
    { do: 'write-baseline', account: 'DU1', holdings: [] },
  ];
  const FIRST_COLUMN = {
    orders: 'order_ref',
    executions: 'exec_id',
    active_positions: 'symbol',
    trades: 'trade_id',
    alerts: 'code',
    commands: 'kind',
    decisions: 'code',
    equity_snapshots: 'at',
    daily_pnl: 'trade_date',
    baseline_taken: 'account',
  } as const;
  const everythingOf = ({ db }: Desk) =>
    Object.entries(FIRST_COLUMN).map(([table, column]) =>
      db.all(
        q
          .selectFrom(table as 'orders')
          .selectAll()
          .orderBy(column as 'order_ref'),
      ),
    );

  it('twice is once', () => {
    const desk = openDesk();
    expect(codes(desk.commit(kept, { replay: true }))).toEqual([]);
    const once = everythingOf(desk);
    expect(codes(desk.commit(kept, { replay: true }))).toEqual([]);
    expect(everythingOf(desk)).toEqual(once);
  });

  it('what was sent is a fact, even where the store would have refused it', () => {
    const desk = openDesk();
    expect(codes(desk.commit([intent({})], { replay: true }))).toEqual([]);
    expect(readOrder(desk.db, anOrder().orderRef)?.status).toBe('INTENT');
  });

  it('an older close does not end a trade that a correction opened again, an older baseline replaces no newer one', () => {
    const desk = openDesk();
    const close: Write = { do: 'close-position', trade: aClose() };
    const empty: Write = { do: 'write-baseline', account: 'DU1', holdings: [] };
    desk.commit([close]);
    desk.commit([{ do: 'write-position', position: aPosition({ status: 'CLOSING', updatedAt: later(5_000) }) }], { now: later(5_000) });
    desk.commit([{ do: 'write-baseline', account: 'DU1', holdings: [{ contract: ACME, quantity: 7 }] }], { now: later(5_000) });
    expect(codes(desk.commit([close, empty], { replay: true }))).toEqual([]);
    expect(readPosition(desk.db, 'ACME')?.status).toBe('CLOSING');
    expect(viewOf(desk).baseline).toMatchObject([{ quantity: 7 }]);
  });

  it('the position of a newer trade takes the place of one that an older copy of the store still has in care, and never the other way round', () => {
    const desk = openDesk();
    const known: Write = { do: 'write-position', position: aPosition({ updatedAt: later(5_000) }) };
    const another = (at: EpochMs): Write => ({ do: 'write-position', position: aPosition({ tradeId: 'T-2', updatedAt: at }) });
    desk.commit([known]);
    expect(codes(desk.commit([another(later(1_000))], { replay: true }))).toEqual(['ROW_QUARANTINED']);
    expect(readPosition(desk.db, 'ACME')?.tradeId).toBe('T-1');
    expect(codes(desk.commit([another(later(6_000))], { replay: true }))).toEqual([]);
    expect(readPosition(desk.db, 'ACME')?.tradeId).toBe('T-2');
  });

  it('what the store has heard since is left alone', () => {
    const desk = openDesk();
    const target = { role: 'target', type: 'LMT', limitPrice: usd(50.88) } as const;
    desk.commit(kept, { replay: true });
    desk.commit([word({ ...target, status: 'FILLED', filled: shares(100), updatedAt: later(5_000) })], { now: later(5_000) });
    desk.commit([{ do: 'close-position', trade: aClose({ commission: micros(0) }) }], { now: later(5_000) });
    const after = everythingOf(desk);
    expect(codes(desk.commit([...kept, word({ ...target, status: 'SUBMITTED' })], { replay: true }))).toEqual([]);
    expect(everythingOf(desk)).toEqual(after);
    expect(readPositions(desk.db)).toEqual([]);
  });
});

function alertOf(code: string) {
  return { level: 'warning', code, symbol: null, happened: 'the store was busy', did: 'kept it', todo: 'nothing' } as const;
}
