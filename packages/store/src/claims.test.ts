import { shares } from '@holdfast/core/units';
import { afterEach, describe, expect, it } from 'vitest';
import { claimEntry } from './claims.js';
import { resetDaily } from './daily.js';
import { setKillSwitch } from './kill-switch.js';
import { acquireLease, releaseLease, setPhase } from './leases.js';
import { readOrder } from './orders.js';
import { readPosition, readPositions } from './positions.js';
import { ACME, aClose, anEnter, aPosition, booked, closeAll, type Desk, NOW, openDesk, openTestStore, TUESDAY } from './testing/desk.js';
import { loadView } from './view.js';

const claim = ({ db, dayTrader }: Desk, enter = anEnter()) => claimEntry(db, { lease: dayTrader, enter, now: NOW });

/** What stands in the way → the refusal. */
const REFUSALS: readonly [string, (desk: Desk) => void, string, RegExp][] = [
  [
    'another process took the lease',
    ({ db }) => acquireLease(db, { name: 'day-trader', pid: 1, processStartedAt: '1', bootId: 'x', now: NOW }, () => true),
    'LEASE_LOST',
    /send nothing more/,
  ],
  [
    'the order is on record',
    ({ commit }) => commit([{ do: 'write-order', order: anEnter().order }]),
    'ALREADY_INTENDED',
    /HFD-20260309-2-1 is on record/,
  ],
  [
    'the kill switch is on',
    ({ db }) => setKillSwitch(db, { on: true, reason: 'daily loss', actor: 'day-trader', now: NOW }),
    'KILL_SWITCH',
    /daily loss/,
  ],
  [
    'the exit manager is not READY',
    ({ db, exitManager }) => setPhase(db, exitManager, { phase: 'RECONCILING', detail: '' }),
    'EXIT_MANAGER_NOT_READY',
    /RECONCILING/,
  ],
  ['the exit manager is gone', ({ db, exitManager }) => releaseLease(db, exitManager), 'EXIT_MANAGER_NOT_READY', /not running/],
  [
    'the symbol was closed today',
    ({ commit }) => commit([{ do: 'close-position', trade: aClose({ tradeId: 'T-0', exitReason: 'stop' }) }]),
    'CLOSED_TODAY',
    /ACME was closed on 2026-03-09 \(stop\)/,
  ],
  [
    'the symbol is in care',
    ({ commit }) => commit([{ do: 'write-position', position: aPosition({ tradeId: 'T-0', status: 'CLOSING' }) }]),
    'ALREADY_ACTIVE',
    /ACME is already CLOSING/,
  ],
  [
    'the symbol is in the baseline',
    ({ commit }) => commit([{ do: 'write-baseline', account: 'DU1', holdings: [{ contract: ACME, quantity: 12.5 }] }]),
    'BASELINE',
    /held 12.5 ACME/,
  ],
];

describe('claimEntry', () => {
  afterEach(closeAll);

  it('writes claim, trade and intent in one', () => {
    const desk = openDesk();
    expect(claim(desk)).toEqual({ ok: true });
    expect(readPosition(desk.db, 'ACME')).toEqual(anEnter().claim);
    expect(readOrder(desk.db, 'HFD-20260309-2-1')).toEqual(anEnter().order);
  });

  it.each(REFUSALS)('I4: when %s it writes nothing and says so', (_, prepare, code, detail) => {
    const desk = openDesk();
    prepare(desk);
    const before = loadView(desk.db, { worker: 'day-trader', tradeDate: anEnter().tradeDate, now: NOW });
    const refusal = claim(desk);
    expect(refusal).toMatchObject({ ok: false, code, detail: expect.stringMatching(detail) });
    expect(loadView(desk.db, { worker: 'day-trader', tradeDate: anEnter().tradeDate, now: NOW })).toEqual(before);
  });

  it('I5: the same claim twice is one claim, and the second is told not to send', () => {
    const desk = openDesk();
    expect(claim(desk)).toEqual({ ok: true });
    expect(claim(desk)).toMatchObject({ ok: false, code: 'ALREADY_INTENDED' });
    const another = anEnter({ order: { orderRef: 'HFD-20260309-2-2', tradeId: 'T-2' }, claim: { tradeId: 'T-2' } });
    expect(claim(desk, another)).toMatchObject({ ok: false, code: 'ALREADY_ACTIVE' });
    expect(readPositions(desk.db)).toHaveLength(1);
  });

  it('a row no column can hold is refused whole', () => {
    const desk = openDesk();
    const fraction = anEnter({ order: { quantity: 0.5 as ReturnType<typeof shares> } });
    expect(claim(desk, fraction)).toMatchObject({ ok: false, code: 'UNSTORABLE', detail: expect.stringMatching(/must be whole, got 0.5/) });
    expect(readPositions(desk.db)).toEqual([]);
  });

  it('A10: the block survives restarts and resets of its own date, and lapses on the next trading date', () => {
    const desk = openDesk();
    desk.commit([{ do: 'close-position', trade: aClose({ tradeId: 'T-0' }) }]);
    desk.db.close();

    const db = openTestStore(desk.path);
    resetDaily(db, anEnter().tradeDate, NOW);
    expect(claim({ ...desk, db })).toMatchObject({ ok: false, code: 'CLOSED_TODAY' });
    expect(claim({ ...desk, db }, anEnter({ tradeDate: TUESDAY }))).toEqual({ ok: true });
    expect(resetDaily(db, TUESDAY, NOW)).toEqual({ ok: true, liftedBlocks: 1 });
  });

  it('I5: a claim is given back only when nothing filled and no entry of it may live', () => {
    const desk = openDesk();
    const release = { do: 'release-claim', tradeId: 'T-1', symbol: 'ACME', reason: 'not filled' } as const;
    claim(desk);
    expect(desk.commit([release])).toMatchObject({ ok: true, refused: [{ code: 'ENTRY_MAY_LIVE' }] });

    const ended = { do: 'write-order', order: { ...anEnter().order, status: 'CANCELLED' } } as const;
    expect(desk.commit([booked(), ended, release])).toMatchObject({ ok: true, refused: [{ code: 'CLAIM_HAS_FILLS' }] });
    expect(readPosition(desk.db, 'ACME')?.status).toBe('CLAIMED');

    const busted = openDesk();
    claim(busted);
    const emptied = aPosition({ quantity: shares(0), status: 'CLOSING' });
    expect(
      busted.commit([booked({ execId: '0001.0002.0003.02', shares: shares(0) }), ended, { do: 'write-position', position: emptied }]),
    ).toMatchObject({ ok: true, refused: [] });
    expect(busted.commit([release])).toMatchObject({ ok: true, refused: [{ code: 'CLAIM_HAS_FILLS' }] });
    expect(readPosition(busted.db, 'ACME')?.status).toBe('CLOSING');

    const other = openDesk();
    claim(other);
    expect(other.commit([ended, release])).toEqual({ ok: true, refused: [] });
    expect(other.commit([release])).toEqual({ ok: true, refused: [] });
    expect(readPositions(other.db)).toEqual([]);
  });
});
