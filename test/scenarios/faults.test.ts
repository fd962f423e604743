import { tradeDateOf } from '@holdfast/core/calendar';
import { epochMs, fromDollars, shares } from '@holdfast/core/units';
import { quoteOf } from '@holdfast/sim/list-source';
import { insertCommand, readAnswer } from '@holdfast/store/commands';
import { Db } from '@holdfast/store/db';
import { afterEach, describe, expect, it } from 'vitest';
import { Stage, type StageOptions } from './stage.js';

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
const sold = (s: Stage): number =>
  s.exchange
    .executions()
    .filter(({ side }) => side === 'SELL')
    .reduce((sum, { shares: count }) => sum + count, 0);
const alerts = (s: Stage): string => s.story.filter(line => line.includes(' alert ')).join('\n');

describe('faults on stage', () => {
  it('A7: three rejected sells quarantine the symbol, its stop stays at the broker, and it is sold when the broker accepts again', () => {
    const s = stage({
      market: [
        ...FALL,
        quoteOf('09:50:40', 49.48, 49.5, 5_000),
        quoteOf('09:51:30', 49.47, 49.5, 5_000),
        quoteOf('09:52:10', 49.47, 49.5, 5_000),
      ],
    });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:49:59');
    s.broker.refuse = order => (order.role === 'exit' ? { code: 201, text: 'Order rejected - reason: no' } : null);
    s.runTo('09:50:20');
    expect(alerts(s), s.story.join('\n')).toContain('SYMBOL_QUARANTINED');
    expect(sold(s)).toBeLessThanOrEqual(100);
    s.broker.refuse = null;
    s.runTo('09:52:30');
    expect(s.position(), s.story.join('\n')).toBe(0);
    expect(sold(s)).toBe(100);
    expect(s.referee.report()).toEqual([]);
  });

  it('A7: refusals that speak of the moment only are tried again with growing pauses, and quarantine nothing', () => {
    const s = stage({ market: FALL, rules: { protection: 'monitored' } });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:49:59');
    let left = 4;
    s.broker.refuse = order => {
      if (order.role !== 'exit' || left === 0) return null;
      left -= 1;
      return { code: 201, text: 'Order rejected - reason:The exchange is closed.' };
    };
    s.runTo('09:50:20');
    const sends = s.story.filter(line => line.includes('sends exit')).map(line => line.slice(6, 12));
    expect(sends, s.story.join('\n')).toEqual(['02.000', '03.000', '04.000', '05.000', '07.000']);
    expect(alerts(s)).not.toContain('SYMBOL_QUARANTINED');
    expect(s.position()).toBe(0);
    expect(sold(s)).toBe(100);
  });

  it('A7: a refusal of the moment that lasts beyond its deadline counts as failed, and a person is told', () => {
    const s = stage({ market: FALL, rules: { protection: 'monitored', transientDeadlineMs: 10_000 } });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:49:59');
    s.broker.refuse = order => (order.role === 'exit' ? { code: 201, text: 'Order rejected - reason:The exchange is closed.' } : null);
    s.runTo('09:50:10');
    expect(alerts(s), s.story.join('\n')).not.toContain('SYMBOL_QUARANTINED');
    s.runTo('09:50:59');
    expect(alerts(s), s.story.join('\n')).toContain('SYMBOL_QUARANTINED');
    expect(s.resting(), s.story.join('\n')).toContain('SELL 100 STP 49.55');
  });

  it('A7: a cancel that the broker refuses for the moment (161) is asked again at once, not only after two seconds', () => {
    const s = stage({ market: FALL, rules: { protection: 'monitored' } });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:50:01');
    let left = 2;
    s.broker.onSend = send => {
      if (send.do !== 'cancel' || left === 0) return true;
      left -= 1;
      s.broker.inject({ kind: 'order-notice', orderId: send.orderId, code: 161, meaning: 'not-cancellable', text: 'Cancel attempted' });
      return false;
    };
    s.runTo('09:50:04');
    expect(s.story.filter(line => line.includes('cancels') && line.endsWith('-1')).length, s.story.join('\n')).toBe(3);
    expect(alerts(s)).not.toContain('CANCEL_UNANSWERED');
    expect(s.position(), s.story.join('\n')).toBe(0);
  });

  it('I1: an exit that is never answered is asked about and not sent again', () => {
    const s = stage({ market: FALL, rules: { protection: 'monitored' } });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:50:01');
    // The target's cancel is answered, then the line goes dead both ways before the sale.
    s.broker.refuse = order => {
      if (order.role === 'exit') s.broker.isDeaf = true;
      return null;
    };
    s.runTo('09:50:08');
    const sends = s.story.filter(line => line.includes('sends exit')).length;
    expect(sends, s.story.join('\n')).toBe(1);
    s.broker.refuse = null;
    s.broker.isDeaf = false;
    s.runTo('09:50:40');
    expect(sold(s), s.story.join('\n')).toBeLessThanOrEqual(100);
    expect(s.referee.report().filter(({ invariant }) => invariant === 'I1')).toEqual([]);
  });

  it('I1: sold by hand while our target fills too: what overshot is bought back at once', () => {
    const s = stage({ market: [...CALM, quoteOf('09:46:00', 50.95, 50.97, 5_000)] });
    s.run(1_000);
    s.buys(100, 50.05);
    s.run(1_000);
    s.broker.isMute = true;
    s.exchange.manualTrade(101, 'SELL', 100);
    s.runTo('09:46:01');
    expect(s.position()).toBe(-100);
    s.broker.isMute = false;
    s.run(6_000);
    expect(s.position(), s.story.join('\n')).toBe(0);
    expect(s.closedToday().length).toBe(1);
  });

  it('A8: shares that vanish without an execution are gone after two answers ten seconds apart, and not before', () => {
    const s = stage({ market: CALM });
    s.run(1_000);
    s.buys(100, 50.05);
    // Two minutes after the connect position answers are believed sooner.
    s.run(125_000);
    s.broker.distort = position => ({ ...position, quantity: 0 });
    s.broker.inject({
      kind: 'position',
      position: {
        account: 'DU1234567',
        contract: {
          conId: 101,
          symbol: 'ACME',
          secType: 'STK',
          exchange: 'SMART',
          primaryExchange: 'NASDAQ',
          currency: 'USD',
          tick: fromDollars(0.01),
          multiplier: 1,
        },
        quantity: 0,
        averageCost: fromDollars(0),
      },
    });
    s.run(5_000);
    expect(s.closedToday()).toEqual([]);
    s.run(20_000);
    expect(s.closedToday(), s.story.join('\n')).toEqual([{ symbol: 'ACME', reason: 'vanished' }]);
    expect(alerts(s)).toContain('POSITION_VANISHED');
  });

  it('B6: an execution repeated is counted once, a corrected one replaces the first', () => {
    const s = stage({ market: CALM });
    s.run(1_000);
    s.buys(100, 50.05);
    s.run(1_000);
    const first = s.exchange.executions()[0];
    if (!first) throw new Error('no execution');
    const told = {
      execId: first.execId,
      at: first.at,
      conId: 101,
      symbol: 'ACME',
      side: 'BUY' as const,
      shares: shares(100),
      price: first.price,
      orderRef: first.orderRef,
      permId: first.permId,
      clientId: 2,
      orderId: first.orderId,
    };
    s.broker.inject({ kind: 'execution', execution: told });
    s.broker.inject({ kind: 'execution', execution: told });
    s.run(500);
    expect(s.resting()).toContain('SELL 100 LMT 50.90');
    s.broker.inject({ kind: 'execution', execution: { ...told, execId: first.execId.replace(/\.01$/, '.02'), price: fromDollars(49.9) } });
    s.run(500);
    expect(s.resting(), s.story.join('\n')).toContain('SELL 100 LMT 50.80');
  });

  it('I3: the database is locked by a stranger while the stop is touched: sold all the same, and on record afterwards', () => {
    const s = stage({ market: FALL });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:49:59');
    const stranger = new Db(s.reader.path, { busyTimeoutMs: 0, synchronous: 'OFF' });
    stranger.pragma('locking_mode = NORMAL');
    stranger.exec('BEGIN IMMEDIATE');
    s.runTo('09:50:06');
    expect(s.position(), s.story.join('\n')).toBe(0);
    stranger.exec('ROLLBACK');
    stranger.close();
    s.run(4_000);
    expect(s.closedToday(), s.story.join('\n')).toEqual([{ symbol: 'ACME', reason: 'stop' }]);
    expect(s.referee.report()).toEqual([]);
  });

  it('DESIGN §1: a process that stood still reconciles before it acts', () => {
    const s = stage({ market: FALL });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:50:01');
    s.runTo('09:50:05', { alive: false });
    s.run(3_000);
    expect(alerts(s), s.story.join('\n')).toContain('LOOP_PAUSED');
    expect(s.position()).toBe(0);
    expect(sold(s)).toBe(100);
  });

  it('A10: a claim that the day trader releases is forgotten, and the symbol stays free', () => {
    const s = stage({ market: CALM });
    s.run(1_000);
    const order = s.buys(100, 40, {});
    s.run(2_000);
    expect(s.resting()).toEqual(['BUY 100 LMT 40.00']);
    s.runTo('09:46:40');
    s.book(order);
    s.run(500);
    expect(s.exitManager.state.care.get(101)?.status).toBe('CLAIMED');
    s.release(order);
    s.run(500);
    expect(s.exitManager.state.care.size).toBe(0);
    expect(() => s.buys(100, 40)).not.toThrow();
  });

  it('I6: the day trader died before it wrote its fill: the position is closed all the same', () => {
    const s = stage({ market: FALL });
    s.run(1_000);
    s.buys(100, 50.05, { books: false });
    s.runTo('09:50:08');
    expect(s.position(), s.story.join('\n')).toBe(0);
    expect(s.closedToday(), s.story.join('\n')).toEqual([{ symbol: 'ACME', reason: 'stop' }]);
  });

  it('DESIGN §4: a parked day trader never ends a partly filled entry: closed once its time is over and the broker does not know it', () => {
    const s = stage({
      market: [
        quoteOf('09:45:00', 49.98, 50.0, 40),
        quoteOf('09:45:10', 49.98, 50.2, 5_000),
        quoteOf('09:46:40', 49.5, 49.52, 5_000),
        quoteOf('09:46:42', 49.49, 49.51, 5_000),
      ],
    });
    s.run(1_000);
    s.buys(100, 50.05, { books: false });
    s.runTo('09:47:00');
    expect(s.position(), s.story.join('\n')).toBe(0);
    expect(s.closedToday()).toEqual([]);
    s.runTo('09:49:30');
    expect(s.position(), s.story.join('\n')).toBe(0);
    expect(s.closedToday(), s.story.join('\n')).toEqual([{ symbol: 'ACME', reason: 'stop' }]);
  });

  it('A14: liquidate-all waits for an exit manager that starts: it sells what the reconcile has yet to bring', () => {
    const s = stage({ market: [...CALM, quoteOf('09:46:05', 49.99, 50.01, 5_000)] });
    s.run(1_000);
    s.killExitManager();
    s.exchange.manualTrade(101, 'BUY', 40);
    const now = s.exchangeTime;
    const id = insertCommand(s.reader, {
      target: 'exit-manager',
      kind: 'liquidate-all',
      payload: {},
      tradeDate: tradeDateOf(now),
      expiresAt: epochMs(now + 60_000),
      createdBy: 'story',
      now,
    });
    if (!id.ok) throw new Error(id.detail);
    s.startExitManager();
    s.run(10_000);
    expect(readAnswer(s.reader, id.id)).toMatchObject({ status: 'done', answer: '1 position(s) on the way out: ACME' });
    expect(s.position(), s.story.join('\n')).toBe(0);
    expect(s.closedToday()).toEqual([{ symbol: 'ACME', reason: 'liquidate' }]);
  });

  it('A17: a socket that died and has not said so is not hammered, neither with new orders nor with changes', () => {
    const s = stage({ market: CALM });
    s.run(1_000);
    s.broker.isDead = true;
    s.buys(100, 50.05);
    s.run(2_000);
    const tries = s.story.filter(line => line.includes('sends target')).length;
    expect(tries, s.story.join('\n')).toBeGreaterThanOrEqual(1);
    expect(tries).toBeLessThan(12);
    s.broker.isDead = false;
    s.run(1_000);
    expect(s.resting()).toContain('SELL 100 LMT 50.90');
    s.broker.isDead = true;
    s.exchange.manualTrade(101, 'SELL', 30);
    s.run(2_000);
    expect(s.story.filter(line => line.includes('changes target')).length).toBeLessThan(12);
    s.broker.isDead = false;
    s.run(2_000);
    expect(s.resting(), s.story.join('\n')).toContain('SELL 70 LMT 50.90');
  });

  it('A5: bought by hand in a symbol that is claimed: one position, protected as a whole', () => {
    const s = stage({ market: [...CALM, quoteOf('09:45:20', 49.97, 50.0, 5_000), quoteOf('09:45:25', 49.98, 50.0, 5_000)] });
    s.run(1_000);
    s.buys(100, 40);
    s.exchange.manualTrade(101, 'BUY', 40);
    s.runTo('09:45:30');
    expect(
      s
        .resting()
        .filter(line => line.startsWith('SELL'))
        .map(line => line.replace(/ [\d.]+$/, '')),
      s.story.join('\n'),
    ).toEqual(['SELL 40 LMT', 'SELL 40 STP']);
  });

  it('I7: what nobody would buy before the close is told to a person after it', () => {
    const s = stage({
      market: [quoteOf('15:40:00', 49.98, 50.0, 5_000), { at: quoteOf('15:44:00', 0, 0, 0).at, conId: 101, halted: true }],
      from: '15:40:00',
    });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('16:01:30');
    expect(alerts(s), s.story.join('\n')).toContain('CARRIED_OVERNIGHT');
    expect(s.position()).toBe(100);
  });

  it('A14: a fill that is on record without its position (the row was lost, another process booked it first) is taken into care', () => {
    const s = stage({ market: CALM });
    s.run(1_000);
    s.killExitManager();
    const order = s.buysUnseen(100, 50.05);
    s.forgetRow(order);
    s.startExitManager();
    s.run(1_000);
    expect(s.resting(), s.story.join('\n')).toEqual(['SELL 100 LMT 50.90', 'SELL 100 STP 49.10']);
  });
});
