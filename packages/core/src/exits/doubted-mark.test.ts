import { describe, expect, it } from 'vitest';
import { atTime, tradeDate } from '../calendar.js';
import { isSettled } from '../exit-manager.js';
import { epochMs } from '../units.js';
import { ExitBench } from './testing/exit-bench.js';

/** 11:00 in New York. */
const ELEVEN = epochMs(Date.UTC(2026, 2, 9, 15, 0));

/** 100 shares with a stop at 49.55, seen at 50; then one mark below it. */
function doubted(): ExitBench {
  const bench = new ExitBench({ at: ELEVEN });
  bench.deliver();
  bench.byHand(100, 50);
  bench.run(1_000);
  bench.mark(50);
  bench.run(2_000);
  bench.mark(25);
  bench.deliver();
  expect(bench.position).toBe(100);
  return bench;
}

describe('a breach that one mark has shown', () => {
  it('A6: nobody contradicts it for three seconds: believed', () => {
    const bench = doubted();
    bench.run(3_100);
    expect(bench.position).toBe(0);
  });

  it('I3: the connection breaks before the mark that would have contradicted it: the silence is no proof (seed 4000269)', () => {
    const bench = doubted();
    bench.cut();
    bench.run(20_000);
    bench.connect();
    bench.run(1_000);
    bench.mark(50);
    bench.run(5_000);
    expect(bench.position).toBe(100);
  });

  it('I3: the line to the broker is lost, and comes back: nor is that', () => {
    const bench = doubted();
    bench.hear({ kind: 'connectivity', state: 'lost', text: '1100' });
    bench.run(20_000);
    bench.hear({ kind: 'connectivity', state: 'restored', text: '1102' });
    bench.run(1_000);
    bench.mark(50);
    bench.run(5_000);
    expect(bench.position).toBe(100);
  });

  it('I3: this process stood still: what waits to be heard is heard first', () => {
    const bench = doubted();
    bench.mono += 20_000;
    bench.at = epochMs(bench.at + 20_000);
    bench.hear({ kind: 'paused', ms: 20_000 });
    bench.hear({ kind: 'tick' });
    bench.deliver();
    bench.hear({ kind: 'tick' });
    bench.mark(50);
    bench.run(5_000);
    expect(bench.position).toBe(100);
  });

  it('I3: it still stands on the new connection: sold, at the second mark or after three seconds', () => {
    for (const says of [true, false]) {
      const bench = doubted();
      bench.cut();
      bench.run(20_000);
      bench.connect();
      if (says) bench.mark(25);
      bench.run(says ? 200 : 3_300);
      expect(bench.position).toBe(0);
    }
  });

  it('I3: the gateway’s clock leaps before the mark that would have contradicted it: that is no silence either', () => {
    const bench = doubted();
    bench.at = epochMs(bench.at + 20_000);
    bench.run(1_000);
    expect(bench.position).toBe(100);
    bench.mark(50);
    bench.run(5_000);
    expect(bench.position).toBe(100);
  });

  it('I3: nobody contradicts it after the leap: sold three seconds of machine time after it was seen, and until then the exchange may not run ahead', () => {
    const bench = doubted();
    expect(isSettled(bench.state)).toBe(false);
    bench.at = epochMs(bench.at + 20_000);
    bench.run(2_800);
    expect(bench.position).toBe(100);
    bench.run(300);
    expect(bench.position).toBe(0);
  });

  it('and contradicted, nothing is owed any more', () => {
    const bench = doubted();
    bench.mark(50);
    bench.run(200);
    expect(isSettled(bench.state)).toBe(true);
  });

  it('I3: the bell rings before it is contradicted: the first mark of the morning is not its second', () => {
    const bench = new ExitBench({ at: atTime(tradeDate('2026-03-09'), '15:59:58'), rules: { flatMinutesBeforeClose: 0 } });
    bench.deliver();
    bench.byHand(100, 50);
    bench.run(500);
    bench.mark(50);
    bench.run(1_000);
    bench.mark(49.4);
    bench.run(2_000);
    expect([bench.position, isSettled(bench.state)]).toEqual([100, true]);
    const night = atTime(tradeDate('2026-03-10'), '09:30:01') - bench.at;
    bench.at = epochMs(bench.at + night);
    bench.mono += night;
    bench.mark(49.3);
    bench.run(1_000);
    expect(bench.position).toBe(100);
    bench.mark(50);
    bench.run(5_000);
    expect(bench.position).toBe(100);
  });
});
