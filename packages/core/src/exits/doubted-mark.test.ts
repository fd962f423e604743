import { describe, expect, it } from 'vitest';
import { atTime, tradeDate } from '../calendar.js';
import { isSettled } from '../exit-manager.js';
import { epochMs, monoMs } from '../units.js';
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

  it('I3: the line dies without a word before the mark that would have contradicted it: nobody was heard, so nothing is believed (seed 15400507)', () => {
    const bench = doubted();
    bench.isMute = true;
    bench.run(8_000);
    expect([bench.working().some(({ order }) => order.role === 'exit'), isSettled(bench.state)]).toEqual([false, false]);
    bench.cut();
    bench.run(5_000);
    bench.isMute = false;
    bench.connect();
    bench.run(1_000);
    bench.mark(50);
    bench.run(5_000);
    expect(bench.position).toBe(100);
  });

  it('I3: the line only stood still, and the first word after it is not the mark: what comes right behind that word is heard too', () => {
    const bench = doubted();
    bench.isMute = true;
    bench.run(4_000);
    bench.isMute = false;
    bench.mark(50);
    bench.hear({ kind: 'tick', heardAt: monoMs(bench.mono - 4_000) });
    bench.deliver();
    bench.run(5_000);
    expect(bench.position).toBe(100);
  });

  it('I3: and with no such mark behind it, it is sold as soon as the broker answers again', () => {
    const bench = doubted();
    bench.isMute = true;
    bench.run(4_000);
    expect(bench.position).toBe(100);
    bench.isMute = false;
    bench.run(1_300);
    expect(bench.position).toBe(0);
  });

  it('I3: the broker has nothing to say of its own: asked for a word, it answers, and three seconds after the mark that ends the doubt', () => {
    const bench = doubted();
    bench.run(2_800);
    expect(bench.position).toBe(100);
    bench.run(200);
    expect(bench.position).toBe(0);
  });

  it('A6: a journal from before ticks told when the broker was heard: decided as it was then', () => {
    const bench = doubted();
    bench.isMute = true;
    for (let beat = 0; beat < 31; beat += 1) {
      bench.mono += 100;
      bench.hear({ kind: 'tick' });
    }
    expect(bench.state.care.get(1)?.exit).toMatchObject({ reason: 'stop' });
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
