import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_SUPERVISION } from './supervision/policy.js';
import { Bench, type Body, GUARD, running, TRADER } from './supervision/testing/supervisor-bench.js';
import { pidOf } from './supervision/watch.js';
import { decide, newSupervisor } from './supervisor.js';
import { monoMs, type TradeDate } from './units.js';

describe('the start', () => {
  it('A1: exit manager first, day trader when it is READY', () => {
    const bench = new Bench().start();
    expect(bench.tale()).toEqual(['0 spawn exit-manager']);
    bench.pass(100);
    bench.beats(GUARD, 'RECONCILING');
    bench.pass(100);
    expect(bench.tale()).toEqual([]);
    bench.beats(GUARD, 'READY');
    expect(bench.tale()).toEqual(['200 spawn day-trader']);
  });

  it('A4: living workers are adopted, not started again', () => {
    const bench = new Bench().start({
      found: [
        { worker: GUARD, holder: { pid: 7, isWorker: true } },
        { worker: TRADER, holder: { pid: 8, isWorker: true } },
      ],
    });
    bench.live(3_000);
    expect(bench.tale()).toEqual([]);
    bench.tell({ kind: 'gone', worker: GUARD, exit: { pid: 7, code: null, signal: null }, holder: null });
    expect(bench.tale()).toEqual(['3000 alert EXIT_MANAGER_CRASHED', '3000 spawn exit-manager']);
  });

  it('a parked day trader stays parked through a restart of the supervisor', () => {
    const bench = new Bench().start({ traderIsParked: true });
    bench.live(3_000);
    expect(bench.tale()).toEqual(['0 spawn exit-manager']);
    bench.asks({ kind: 'unpark', id: 1, worker: TRADER });
    expect(bench.tale()).toContain('3000 spawn day-trader');
  });

  it('while the emergency tool holds the lease nothing is started under it', () => {
    const bench = new Bench().start({ found: [{ worker: GUARD, holder: { pid: 9, isWorker: false } }] });
    bench.pass(5_000);
    expect(bench.tale()).toEqual([]);
    bench.tell({ kind: 'lease-free', worker: GUARD });
    expect(bench.tale()).toEqual(['5000 spawn exit-manager']);
  });
});

describe('hangs', () => {
  it('A2: a counter that stands still for 5 s is killed, and its successor waits until it is gone', () => {
    const bench = running();
    const pid = pidOf(bench.state.guard);
    for (let ms = 0; ms < 8_000; ms += 200) {
      bench.beats(TRADER);
      bench.pass(200);
    }
    const tale = bench.tale();
    expect(tale[0]).toBe(`6800 SIGKILL exit-manager ${pid}`); // last beat at 1 800
    expect(tale.filter(line => line.includes('spawn'))).toEqual([]);
    bench.dies(GUARD);
    expect(bench.tale()).toEqual(['10000 alert EXIT_MANAGER_CRASHED', '10000 spawn exit-manager']);
  });

  it('a worker that never gives a first heartbeat is killed after 10 s', () => {
    const bench = new Bench().start();
    bench.pass(9_950);
    expect(bench.tale()).toEqual(['0 spawn exit-manager']);
    bench.pass(50);
    expect(bench.tale()).toEqual(['10000 SIGKILL exit-manager 101']);
  });

  it('after a pause of its own the supervisor blames nobody', () => {
    const bench = running();
    bench.mono += 60_000; // the machine was suspended, or this process stopped
    bench.tell({ kind: 'paused', ms: 60_000 });
    bench.pass(4_900);
    expect(bench.tale()).toEqual([]);
    bench.pass(100);
    expect(bench.tale()).toHaveLength(2); // now both have been silent for 5 s under its eyes
  });

  it('alive but not READY (the gateway is down) is told, never killed', () => {
    const bench = running();
    for (let ms = 0; ms < 200_000; ms += 200) {
      bench.beats(GUARD, 'BROKER-LOST');
      bench.beats(TRADER, 'BROKER-LOST');
      bench.pass(200);
    }
    expect(bench.tale()).toEqual([]);
  });

  it('a heartbeat file left by an earlier process keeps nobody alive', () => {
    const bench = running();
    for (let ms = 0; ms < 6_000; ms += 200) {
      bench.beats(TRADER);
      bench.tell({ kind: 'beat', worker: GUARD, beat: { pid: 1, counter: ms, phase: 'READY' } });
      bench.pass(200);
    }
    expect(bench.tale()[0]).toMatch(/SIGKILL exit-manager/);
  });
});

describe('crashes', () => {
  it('A2: the exit manager is started at once, then 250 ms apart, minimal from the third crash', () => {
    const bench = running();
    for (let n = 0; n < 4; n++) {
      bench.dies(GUARD);
      bench.pass(250);
    }
    expect(bench.tale().filter(line => line.includes('spawn'))).toEqual([
      '2000 spawn exit-manager',
      '2250 spawn exit-manager',
      '2500 spawn exit-manager --minimal',
      '2750 spawn exit-manager --minimal',
    ]);
  });

  it('two starts of the exit manager lie 250 ms apart even when it dies at once', () => {
    const bench = new Bench().start();
    for (let n = 0; n < 3; n++) {
      bench.dies(GUARD);
      bench.pass(50);
      bench.dies(GUARD);
      bench.pass(200);
    }
    expect(bench.spawned.map(({ at }) => at)).toEqual([0, 250, 500, 750]);
  });

  it('A2: a parked day trader leaves the exit manager alone, and starts again only when released', () => {
    const bench = running();
    for (let n = 0; n < 5; n++) {
      bench.dies(TRADER);
      bench.live(35_000);
    }
    expect(bench.tale().at(-1)).toMatch(/alert DAY_TRADER_PARKED/);
    bench.live(900_000);
    expect(bench.tale()).toEqual([]);
    bench.asks({ kind: 'unpark', id: 5, worker: TRADER });
    expect(bench.tale().map(line => line.replace(/^\d+ /, ''))).toEqual(['done', 'spawn day-trader']);
  });

  it('no guard, no entry: a day trader due while the exit manager is down waits for it', () => {
    const bench = running();
    bench.dies(TRADER);
    bench.dies(GUARD);
    bench.tale();
    bench.pass(3_000);
    expect(bench.tale()).toEqual([]);
    bench.beats(GUARD, 'READY');
    expect(bench.tale()).toEqual(['5000 spawn day-trader']);
  });
});

describe('what a person asks', () => {
  it('A4: stop ends the day trader, secures the positions, ends the exit manager, then itself', () => {
    const bench = running();
    bench.asks({ kind: 'stop', id: 3, force: false, keepGuard: false });
    expect(bench.tale()).toEqual(['2000 SIGTERM day-trader 102']);
    bench.dies(TRADER, 0);
    expect(bench.tale()).toEqual(['2000 secure-positions']);
    bench.tell({ kind: 'secured', secured: { ok: true, detail: '' } });
    expect(bench.tale()).toEqual(['2000 SIGTERM exit-manager 101']);
    bench.dies(GUARD, 0);
    expect(bench.tale()).toEqual(['2000 done', '2000 end']);
    bench.pass(60_000);
    expect(bench.tale()).toEqual([]);
  });

  it('A4: without a confirmed resting stop for every position the stop is refused and trading goes on', () => {
    const bench = running();
    bench.asks({ kind: 'stop', id: 3, force: false, keepGuard: false });
    bench.dies(TRADER, 0);
    bench.tale();
    bench.beats(GUARD);
    bench.tell({ kind: 'secured', secured: { ok: false, detail: 'ACME has no stop' } });
    expect(bench.tale()).toEqual(['2000 refused', '2000 spawn day-trader']);
  });

  it('A4: an exit manager that does not answer refuses the stop too; --force goes on', () => {
    const outcome = (force: boolean) => {
      const bench = running();
      bench.asks({ kind: 'stop', id: 3, force, keepGuard: false });
      bench.dies(TRADER, 0);
      bench.tale();
      for (let ms = 0; ms < 16_000; ms += 200) {
        bench.beats(GUARD);
        bench.pass(200);
      }
      return bench.tale().map(line => line.replace(/^\d+ /, ''));
    };
    expect(outcome(false)).toEqual(['refused', 'spawn day-trader']);
    expect(outcome(true)).toEqual(['alert STOPPED_UNSECURED', 'SIGTERM exit-manager 101']);
  });

  it('the exit manager may be left on guard: then nothing needs to be secured', () => {
    const bench = running();
    bench.asks({ kind: 'stop', id: 3, force: false, keepGuard: true });
    bench.dies(TRADER, 0);
    expect(bench.tale()).toEqual(['2000 SIGTERM day-trader 102', '2000 done', '2000 end']);
    bench.live(20_000);
    expect(bench.tale()).toEqual([]);
  });

  it('a second stop joins the first: with force it goes through, and both get an answer', () => {
    const bench = running();
    bench.asks({ kind: 'stop', id: 3, force: false, keepGuard: false });
    bench.asks({ kind: 'stop', id: 4, force: true, keepGuard: false });
    bench.dies(TRADER, 0);
    bench.tell({ kind: 'secured', secured: { ok: false, detail: 'ACME has no stop' } });
    expect(bench.tale().map(line => line.replace(/^2000 /, ''))).toEqual([
      'SIGTERM day-trader 102',
      'done',
      'secure-positions',
      'alert STOPPED_UNSECURED',
      'SIGTERM exit-manager 101',
    ]);
  });

  it('a worker that does not end when asked is killed after 10 s', () => {
    const bench = running();
    bench.asks({ kind: 'stop', id: null, force: false, keepGuard: false });
    bench.live(10_000);
    expect(bench.tale()).toEqual(['2000 SIGTERM day-trader 102', '12000 SIGKILL day-trader 102']);
  });

  it('an exit manager that crashes during a stop is restarted until its turn comes', () => {
    const bench = running();
    bench.asks({ kind: 'stop', id: 3, force: false, keepGuard: false });
    bench.dies(GUARD);
    expect(bench.tale()).toContain('2000 spawn exit-manager');
  });

  it('the exit manager is never parked; both are restarted on request', () => {
    const bench = running();
    bench.asks({ kind: 'park', id: 1, worker: GUARD });
    expect(bench.tale()).toEqual(['2000 refused']);
    bench.asks({ kind: 'restart', id: 2, worker: GUARD });
    bench.dies(GUARD, 0);
    expect(bench.tale()).toEqual(['2000 SIGTERM exit-manager 101', '2000 done', '2000 spawn exit-manager']);
    bench.asks({ kind: 'park', id: 3, worker: TRADER });
    bench.dies(TRADER, 0);
    bench.live(60_000);
    expect(bench.state.trader.status).toEqual({ is: 'parked', why: 'a person asked for it' });
  });
});

it('A13: the first trading date told and every later one reset the day, the same one never twice', () => {
  const bench = running();
  for (const date of ['2026-03-09', '2026-03-09', '2026-03-10']) bench.tell({ kind: 'trade-date', date: date as TradeDate });
  const resets = bench.tale().filter(line => line.includes('daily-reset'));
  expect(resets).toEqual(['2000 daily-reset 2026-03-09', '2000 daily-reset 2026-03-10']);
});

it('A3: the status block comes every five minutes and soon after a change, but not with every crash of a row', () => {
  const shown: number[] = [];
  let state = newSupervisor(DEFAULT_SUPERVISION);
  const tell = (body: Body, mono: number) => {
    const step = decide(state, { ...body, mono: monoMs(mono) });
    state = step.state;
    if (step.effects.some(effect => effect.do === 'show-status')) shown.push(mono);
  };
  tell({ kind: 'tick' }, 0);
  tell({ kind: 'tick' }, 299_000);
  tell({ kind: 'tick' }, 300_000);
  tell({ kind: 'started', found: [{ worker: GUARD, holder: { pid: 1, isWorker: true } }], traderIsParked: true }, 300_100);
  tell({ kind: 'tick' }, 300_900);
  tell({ kind: 'tick' }, 301_000);
  expect(shown).toEqual([300_000, 301_000]);
});

describe('whatever happens', () => {
  const happening = fc.oneof(
    { weight: 4, arbitrary: fc.record({ what: fc.constant('pass' as const), ms: fc.constantFrom(50, 200, 1_000, 6_000, 31_000) }) },
    {
      weight: 3,
      arbitrary: fc.record({ what: fc.constant('beat' as const), worker: fc.constantFrom(GUARD, TRADER), ready: fc.boolean() }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        what: fc.constant('die' as const),
        worker: fc.constantFrom(GUARD, TRADER),
        code: fc.constantFrom(null, 0, 1, 3, 70, 78),
      }),
    },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('pause' as const), ms: fc.constantFrom(1_500, 90_000) }) },
    {
      weight: 1,
      arbitrary: fc.record({ what: fc.constantFrom('park', 'unpark', 'restart'), worker: fc.constantFrom(GUARD, TRADER) }),
    },
  );

  it('A2: the exit manager is alive, being killed or being started within the longest retry, and no two of it live at once', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), events => {
        const bench = new Bench().start();
        for (const event of events) {
          if (event.what === 'pass') bench.pass(event.ms);
          if (event.what === 'beat') bench.beats(event.worker, event.ready ? 'READY' : 'RECONCILING');
          if (event.what === 'die') bench.dies(event.worker, event.code);
          if (event.what === 'pause') {
            bench.mono += event.ms;
            bench.tell({ kind: 'paused', ms: event.ms });
          }
          if (event.what === 'park' || event.what === 'unpark' || event.what === 'restart') {
            bench.asks({ kind: event.what, id: null, worker: event.worker });
          }
          const { status } = bench.state.guard;
          expect(['alive', 'killed', 'ending', 'due']).toContain(status.is);
          if (status.is === 'due') expect(status.at - bench.mono).toBeLessThanOrEqual(DEFAULT_SUPERVISION.configRetryMsMax);
        }
        const starts = bench.spawned.filter(({ worker }) => worker === GUARD).map(({ at }) => at);
        for (const [n, at] of starts.slice(1).entries()) expect(at - (starts[n] ?? 0)).toBeGreaterThanOrEqual(250);
      }),
      { numRuns: 300 },
    );
  });
});
