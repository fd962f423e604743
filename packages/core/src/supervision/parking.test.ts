import { describe, expect, it } from 'vitest';
import { Bench, GUARD, running, TRADER } from './testing/supervisor-bench.js';

describe('a parked day trader that left an entry working', () => {
  /** Parked because a person asked, and the store tells of an entry that still must be withdrawn. */
  const owing = (): Bench => {
    const bench = running();
    bench.asks({ kind: 'park', id: 1, worker: TRADER });
    bench.dies(TRADER, 0);
    bench.tale();
    bench.tell({ kind: 'withdrawal-owed', isOwed: true });
    return bench;
  };
  const WITHDRAWING = '2000 spawn day-trader --cancel-only';

  it('DESIGN §1: is started cancel-only, and its clean end leads back to parked', () => {
    const bench = owing();
    expect(bench.tale()).toEqual([WITHDRAWING]);
    bench.beats(TRADER, 'CANCEL-ONLY');
    bench.dies(TRADER, 0);
    expect(bench.state.trader).toMatchObject({ status: { is: 'parked', why: 'a person asked for it' }, crashes: [] });
    bench.live(60_000);
    expect(bench.tale()).toEqual([]);
  });

  it('also after crashes, and needs no guard: it enters nothing', () => {
    const bench = new Bench({ parkAfterCrashes: 1 }).start();
    bench.live(2_000);
    bench.dies(TRADER);
    bench.dies(GUARD);
    bench.tale();
    bench.tell({ kind: 'withdrawal-owed', isOwed: true });
    expect(bench.tale()).toContain(WITHDRAWING);
  });

  it('while one is still owed, it is started at most every 10 s', () => {
    const bench = owing();
    for (let ms = 0; ms < 25_000; ms += 1_000) {
      bench.dies(TRADER, 0);
      bench.tell({ kind: 'withdrawal-owed', isOwed: true });
      bench.live(1_000);
    }
    const starts = bench.spawned.filter(({ worker }) => worker === TRADER).map(({ at }) => at);
    expect(starts.slice(1)).toEqual([2_000, 12_000, 22_000]);
  });

  it('a crash of it is counted and told, and it is tried again after the back-off', () => {
    const bench = owing();
    bench.dies(TRADER);
    expect(bench.tale()).toEqual([WITHDRAWING, '2000 alert CANCEL_ONLY_CRASHED']);
    expect(bench.state.trader.crashes).toHaveLength(1);
    bench.tell({ kind: 'withdrawal-owed', isOwed: true });
    bench.live(9_800);
    expect(bench.tale()).toEqual([]);
    bench.live(200);
    expect(bench.tale()).toEqual(['12000 spawn day-trader --cancel-only']);
  });

  it('one that hangs is killed like any other, and leads back to parked', () => {
    const bench = owing();
    bench.tale();
    bench.beats(TRADER, 'CANCEL-ONLY');
    for (let ms = 0; ms < 5_000; ms += 200) {
      bench.beats(GUARD);
      bench.pass(200);
    }
    bench.dies(TRADER);
    expect(bench.tale()).toEqual(['7000 SIGKILL day-trader 103', '7000 alert CANCEL_ONLY_CRASHED']);
    expect(bench.state.trader.status.is).toBe('parked');
  });

  it('one that refuses its configuration is not tried again until a person releases it', () => {
    const bench = owing();
    bench.dies(TRADER, 78);
    bench.tell({ kind: 'withdrawal-owed', isOwed: true });
    bench.live(120_000);
    expect(bench.tale()).toEqual([WITHDRAWING, '2000 alert BAD_CONFIGURATION']);
    bench.asks({ kind: 'unpark', id: 2, worker: TRADER });
    expect(bench.tale()).toEqual(['122000 done', '122000 spawn day-trader']);
  });

  it('parked by a refused configuration it is not started at all', () => {
    const bench = running();
    bench.dies(TRADER, 78);
    bench.tell({ kind: 'withdrawal-owed', isOwed: true });
    bench.live(60_000);
    expect(bench.tale()).toEqual(['2000 alert BAD_CONFIGURATION']);
  });

  it('released while it withdraws: asked to end, then started as usual', () => {
    const bench = owing();
    bench.asks({ kind: 'unpark', id: 2, worker: TRADER });
    bench.dies(TRADER, 0);
    expect(bench.tale()).toEqual([WITHDRAWING, '2000 SIGTERM day-trader 103', '2000 done', '2000 spawn day-trader']);
  });

  it('parking it once more leaves it to its work; a restart is refused', () => {
    const bench = owing();
    bench.asks({ kind: 'park', id: 2, worker: TRADER });
    bench.asks({ kind: 'restart', id: 3, worker: TRADER });
    expect(bench.tale()).toEqual([WITHDRAWING, '2000 done', '2000 refused']);
  });

  it('A4: a stop ends it too, starts none once nothing works, and a refused stop leaves the day trader parked', () => {
    const bench = owing();
    bench.asks({ kind: 'stop', id: 3, force: false, keepGuard: false });
    bench.dies(TRADER, 0);
    bench.tell({ kind: 'withdrawal-owed', isOwed: true });
    bench.live(11_000);
    expect(bench.tale()).toEqual([WITHDRAWING, '2000 SIGTERM day-trader 103', '2000 secure-positions']);
    bench.tell({ kind: 'secured', secured: { ok: false, detail: 'ACME has no stop' } });
    expect(bench.tale()).toEqual(['13000 refused', '13000 spawn day-trader --cancel-only']);
  });

  it('a stop refused while the day trader was on its way to parked does not start it again', () => {
    const bench = running();
    bench.asks({ kind: 'park', id: 1, worker: TRADER });
    bench.asks({ kind: 'stop', id: 3, force: false, keepGuard: false });
    bench.dies(TRADER, 0);
    bench.tell({ kind: 'secured', secured: { ok: false, detail: 'ACME has no stop' } });
    bench.live(60_000);
    expect(bench.state.trader.status.is).toBe('parked');
    expect(bench.tale().filter(line => line.includes('spawn'))).toEqual([]);
  });

  it('a process of it that outlived the last supervisor is asked to end; then what it left is withdrawn', () => {
    const found = [
      { worker: GUARD, holder: { pid: 7, isWorker: true } },
      { worker: TRADER, holder: { pid: 8, isWorker: true } },
    ] as const;
    const bench = new Bench().start({ found, traderIsParked: true });
    bench.live(1_000);
    bench.dies(TRADER);
    bench.tell({ kind: 'withdrawal-owed', isOwed: true });
    expect(bench.tale()).toEqual(['0 SIGTERM day-trader 8', '1000 spawn day-trader --cancel-only']);
  });
});
