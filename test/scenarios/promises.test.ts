import { fromDollars } from '@holdfast/core/units';
import { ACME, quoteOf } from '@holdfast/sim/list-source';
import { readCommands } from '@holdfast/store/commands';
import { afterEach, describe, expect, it } from 'vitest';
import { Stage, type StageOptions } from './stage.js';

/** Promises that a review found nothing would notice the breaking of. */

const CALM = [quoteOf('09:45:00', 49.98, 50.0, 5_000)];
const FALL = [...CALM, quoteOf('09:50:00', 49.5, 49.52, 5_000), quoteOf('09:50:02', 49.49, 49.51, 5_000)];
const stages: Stage[] = [];
const stage = (options: StageOptions): Stage => {
  const made = new Stage(options);
  stages.push(made);
  return made;
};
afterEach(() => {
  for (const made of stages.splice(0)) made.close();
});
const linesWith = (s: Stage, text: string): string[] => s.story.filter(line => line.includes(text));

describe('promises', () => {
  it('DESIGN §4: a mark that cannot be shown to be live rests the stop at its real level, and a live one takes it back', () => {
    const live = Array.from({ length: 40 }, (_, index) =>
      quoteOf(`09:48:${String(index).padStart(2, '0')}`, 49.98 + (index % 2) * 0.01, 50.01, 5_000),
    );
    const s = stage({ market: [...CALM, ...live] });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:47:30');
    expect(linesWith(s, 'MARK_NOT_LIVE'), s.story.join('\n')).toHaveLength(1);
    expect(s.resting()).toContain('SELL 100 STP 49.55');
    s.runTo('09:48:40');
    expect(s.resting(), s.story.join('\n')).toContain('SELL 100 STP 49.10');
  });

  it('DESIGN §4: an exit first asks the day trader to withdraw what still works of the entry, and the position stays CLOSING until it is', () => {
    const s = stage({
      market: [
        quoteOf('09:45:00', 49.98, 50.0, 40),
        quoteOf('09:45:05', 49.98, 50.2, 5_000),
        quoteOf('09:45:20', 48.8, 50.2, 5_000),
        quoteOf('09:45:22', 48.79, 50.2, 5_000),
      ],
    });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:45:30');
    const asked = readCommands(s.reader, 'day-trader', s.exchangeTime).map(({ kind, payload }) => [kind, payload.symbol]);
    expect(asked, s.story.join('\n')).toEqual([['withdraw-entry', 'ACME']]);
    expect(s.position()).toBe(0);
    expect(s.exitManager.state.care.get(ACME.conId)?.status).toBe('CLOSING');
    expect(s.closedToday()).toEqual([]);
  });

  it('DESIGN §4: somebody else’s working sell leaves only the rest to be protected', () => {
    const s = stage({ market: CALM, rules: { reconcileEveryMs: 5_000 } });
    s.run(1_000);
    s.buys(100, 50.05);
    s.exchange.place({
      clientId: 0,
      orderId: -77,
      conId: ACME.conId,
      side: 'SELL',
      quantity: 40,
      type: 'LMT',
      limitPrice: fromDollars(55),
      tif: 'DAY',
      transmit: true,
    });
    s.run(7_000);
    expect(
      s.resting().filter(line => !line.includes('55.00')),
      s.story.join('\n'),
    ).toEqual(['SELL 60 LMT 50.90', 'SELL 60 STP 49.10']);
  });

  it('A7: the disaster stop is cancelled last, after the target’s own last word', () => {
    const s = stage({ market: FALL });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:50:01');
    const orders = [...s.exitManager.state.orders.values()].map(({ order }) => [order.role, order.orderRef] as const);
    const refOf = (role: string): string => orders.find(([known]) => known === role)?.[1] ?? 'none';
    s.broker.isDeaf = true;
    s.run(1_500);
    expect(
      linesWith(s, 'cancels').map(line => line.split(' ').at(-1)),
      s.story.join('\n'),
    ).toEqual([refOf('target')]);
    s.broker.isDeaf = false;
    s.run(8_000);
    expect(linesWith(s, `cancels ${refOf('disaster-stop')}`), s.story.join('\n')).toHaveLength(1);
    expect(s.position()).toBe(0);
  });

  it('A5: an exit that nobody answers is asked about after ten seconds, and the connection is made anew after ten more', () => {
    const s = stage({ market: FALL, rules: { protection: 'monitored' } });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:50:01');
    const asked: string[] = [];
    s.broker.onSend = send => {
      if (send.do === 'request-snapshot') asked.push(send.do);
      return send.do !== 'request-snapshot' && !(send.do === 'place' && send.order.role === 'exit');
    };
    s.runTo('09:50:14');
    expect(asked, s.story.join('\n')).toEqual(['request-snapshot']);
    expect(linesWith(s, 'sends exit')).toHaveLength(1);
    s.runTo('09:50:26');
    expect(linesWith(s, 'reconnects'), s.story.join('\n')).toHaveLength(1);
  });

  it('A4: rest-stops is answered when the broker works the stop at its real level, not before', () => {
    const s = stage({ market: CALM });
    s.run(1_000);
    s.buys(100, 50.05);
    s.run(1_000);
    s.broker.isDeaf = true;
    s.command('rest-stops');
    s.run(3_000);
    expect(readCommands(s.reader, 'exit-manager', s.exchangeTime)).toHaveLength(1);
    s.broker.isDeaf = false;
    s.run(6_000);
    expect(s.resting(), s.story.join('\n')).toContain('SELL 100 STP 49.55');
    expect(readCommands(s.reader, 'exit-manager', s.exchangeTime)).toEqual([]);
  });

  it('DESIGN §5: a gateway that serves another account is told to a person, and nothing is sent to it', () => {
    const s = stage({ market: CALM });
    s.run(1_000);
    s.buys(100, 50.05);
    s.broker.cut('another login');
    const sent: string[] = [];
    s.broker.onSend = send => {
      sent.push(send.do);
      return true;
    };
    s.broker.inject({ kind: 'connected', nextOrderId: 50, accounts: ['DU7654321'], session: 2 });
    s.run(3_000);
    expect(linesWith(s, 'WRONG_ACCOUNT'), s.story.join('\n')).toHaveLength(1);
    expect(sent).toEqual([]);
    expect(s.exitManager.facts().phase).not.toBe('READY');
  });
});
