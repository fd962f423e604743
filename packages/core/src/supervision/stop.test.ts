import { describe, expect, it } from 'vitest';
import type { SupervisorCommand } from './state.js';
import { leavesOpen } from './stop.js';
import { type Bench, GUARD, running, TRADER } from './testing/supervisor-bench.js';

describe('A4: a stop while an entry of the day trader still rests', () => {
  const ENTRY = 'an entry of ACME may still fill';
  const STOP = { kind: 'stop', id: 3, force: false, keepGuard: false } as const;

  /** The stop is asked for and the day trader has ended; its entry works at the broker. */
  const stopping = (stop: Partial<Extract<SupervisorCommand, { kind: 'stop' }>> = {}): Bench => {
    const bench = running();
    bench.working = ENTRY;
    bench.asks({ ...STOP, ...stop });
    bench.dies(TRADER, 0);
    return bench;
  };
  const toldBy = (bench: Bench): string[] => bench.tale().map(line => line.replace(/^\d+ /, ''));
  const UNTIL_WITHDRAWING = ['SIGTERM day-trader 102', 'spawn day-trader --cancel-only'];

  it('a cancel-only process withdraws it; only then positions are secured and the exit manager ends', () => {
    const bench = stopping();
    bench.live(3_000);
    expect(toldBy(bench)).toEqual(UNTIL_WITHDRAWING);
    bench.working = null;
    bench.dies(TRADER, 0);
    expect(toldBy(bench)).toEqual(['secure-positions']);
    bench.tell({ kind: 'secured', secured: { ok: true, detail: '' } });
    bench.dies(GUARD, 0);
    expect(toldBy(bench)).toEqual(['SIGTERM exit-manager 101', 'done', 'end']);
  });

  it('with the exit manager kept on guard the entry is withdrawn all the same', () => {
    const bench = stopping({ keepGuard: true });
    bench.live(3_000);
    bench.working = null;
    bench.dies(TRADER, 0);
    expect(toldBy(bench)).toEqual([...UNTIL_WITHDRAWING, 'done', 'end']);
  });

  it('not withdrawn within 10 s: asked to end, looked again, refused; the day trader is started again, the exit manager was never touched', () => {
    const bench = stopping();
    bench.live(9_800);
    expect(toldBy(bench)).toEqual(UNTIL_WITHDRAWING);
    bench.live(200);
    expect(bench.tale()).toEqual(['12000 SIGTERM day-trader 103']);
    bench.dies(TRADER, 0);
    bench.live(200);
    expect(toldBy(bench)).toEqual(['refused', 'spawn day-trader']);
  });

  it('withdrawn at the very last moment counts', () => {
    const bench = stopping();
    bench.live(10_000);
    bench.working = null;
    bench.dies(TRADER, 0);
    expect(toldBy(bench).slice(UNTIL_WITHDRAWING.length)).toEqual(['SIGTERM day-trader 103', 'secure-positions']);
  });

  it('with --force the stop goes on with an alert, also where force is asked for meanwhile and where the exit manager stays', () => {
    const endOf = (bench: Bench): string[] => {
      bench.tale();
      bench.dies(TRADER, 0);
      return toldBy(bench);
    };
    expect(endOf(stopping({ force: true }))).toEqual(['alert STOPPED_WITH_ENTRY', 'secure-positions']);
    const hurried = stopping();
    hurried.asks({ ...STOP, id: 4, force: true });
    expect(endOf(hurried)).toEqual(['alert STOPPED_WITH_ENTRY', 'secure-positions']);
    expect(endOf(stopping({ force: true, keepGuard: true }))).toEqual(['alert STOPPED_WITH_ENTRY', 'done', 'end']);
  });

  it('what force left open is told in the answer, so that whoever asked can see it', () => {
    const ended = (bench: Bench, isSecured: boolean): string => {
      bench.dies(TRADER, 0);
      if (!bench.tale().some(line => line.endsWith('done'))) {
        bench.tell({ kind: 'secured', secured: { ok: isSecured, detail: isSecured ? '' : 'ACME has no confirmed stop' } });
        bench.dies(GUARD, 0);
      }
      return bench.answers.at(-1) ?? '';
    };
    expect(leavesOpen(ended(stopping({ force: true }), true))).toBe(true);
    expect(leavesOpen(ended(stopping({ force: true, keepGuard: true }), true))).toBe(true);
    const withdrawn = stopping({ force: true });
    withdrawn.working = null;
    expect(leavesOpen(ended(withdrawn, false))).toBe(true);
    const clean = stopping({ force: true });
    clean.working = null;
    expect(leavesOpen(ended(clean, true))).toBe(false);
  });

  it.each([null, 0, 3, 70, 78])('ended by %s it is not started again: what the store shows then decides', code => {
    const bench = stopping();
    bench.tale();
    bench.dies(TRADER, code);
    bench.live(200);
    expect(toldBy(bench)).toEqual(['refused', 'spawn day-trader']);
    const lucky = stopping();
    lucky.tale();
    lucky.working = null;
    lucky.dies(TRADER, code);
    expect(toldBy(lucky)).toEqual(['secure-positions']);
  });

  it('one that hangs is killed, and the stop waits until it is gone', () => {
    const bench = stopping();
    bench.tale();
    for (let ms = 0; ms < 12_000; ms += 200) {
      bench.beats(GUARD);
      bench.pass(200);
    }
    expect(new Set(toldBy(bench))).toEqual(new Set(['SIGKILL day-trader 103']));
    bench.dies(TRADER);
    bench.live(200);
    expect(toldBy(bench)).toEqual(['refused', 'spawn day-trader']);
  });

  it('one that cannot be started refuses the stop too, and the next start is a normal one', () => {
    const bench = running();
    bench.working = ENTRY;
    bench.cannotStart = true;
    bench.asks(STOP);
    bench.dies(TRADER, 0);
    expect(toldBy(bench)).toEqual([...UNTIL_WITHDRAWING, 'alert SPAWN_FAILED', 'refused', 'spawn day-trader', 'alert SPAWN_FAILED']);
    bench.cannotStart = false;
    bench.live(30_000);
    expect(toldBy(bench)).toEqual(['spawn day-trader']);
  });

  it('a parked day trader withdraws too, and after a refusal is parked as before', () => {
    const bench = running();
    bench.asks({ kind: 'park', id: 1, worker: TRADER });
    bench.dies(TRADER, 0);
    bench.tale();
    bench.working = ENTRY;
    bench.asks(STOP);
    bench.dies(TRADER, 0);
    bench.live(1_000);
    expect(toldBy(bench)).toEqual(['spawn day-trader --cancel-only', 'refused']);
    expect(bench.state.trader.status).toEqual({ is: 'parked', why: 'a person asked for it' });
  });
});
