import { epochMs, fromDollars, micros } from '@holdfast/core/units';
import { beforeEach, describe, expect, test } from 'vitest';
import { ACME, at, OTHER, quoteOf, tradeOf } from './list-source.js';
import { createStage } from './testing/exchange-stage.js';

const stage = createStage();
const { begin, send, story, statusOf, held, advance } = stage;
const dollars = (amount: number) => fromDollars(amount);
const never = (): never => {
  throw new Error('the maker of updates left out its field');
};

beforeEach(() => begin());

describe('orders against the quote', () => {
  test('a market order tells the story a real gateway tells: PreSubmitted, execution, Filled', () => {
    send({});
    expect(story()).toEqual(['order 1 PreSubmitted 0/100', 'execution 1 100 @ 50.02', 'order 1 Filled 100/100', 'position 100']);
  });

  test('a market order larger than the display gets the rest from the next quote', () => {
    begin([quoteOf('10:00:05', 50, 50.05, 1000)]);
    send({ quantity: 500 });
    expect(story()).toEqual(['order 1 PreSubmitted 0/500', 'execution 1 300 @ 50.02', 'order 1 Submitted 300/500', 'position 300']);
    stage.events.length = 0;
    advance('10:00:04');
    expect(held()).toBe(300);
    advance('10:00:05');
    expect(held()).toBe(500);
    expect(stage.exchange.completedOrders()[0]?.averageFillPrice).toBe(dollars(50.032));
  });

  test('displayed size is used up by one order and not there for the next', () => {
    send({ quantity: 250 });
    send({ quantity: 250, tif: 'IOC' });
    expect(story().slice(-4)).toEqual(['execution 2 50 @ 50.02', 'order 2 Submitted 50/250', 'position 300', 'order 2 Cancelled 50/250']);
  });

  test.each([
    ['marketable limit fills at the quote, not at its limit', { type: 'LMT', limitPrice: dollars(51) }, 'Filled'],
    ['limit below the market rests', { type: 'LMT', limitPrice: dollars(49.9) }, 'Submitted'],
    ['limit IOC below the market dies', { type: 'LMT', limitPrice: dollars(49.9), tif: 'IOC' }, 'Cancelled'],
    ['fill-or-kill within the display fills', { type: 'LMT', limitPrice: dollars(50.02), tif: 'FOK', quantity: 300 }, 'Filled'],
    ['fill-or-kill beyond the display dies whole', { type: 'LMT', limitPrice: dollars(50.02), tif: 'FOK', quantity: 301 }, 'Cancelled'],
    ['stop not touched waits', { type: 'STP', side: 'SELL', stopPrice: dollars(49.5) }, 'PreSubmitted'],
    ['stop at the last price is touched', { type: 'STP', side: 'SELL', stopPrice: dollars(50.01) }, 'Filled'],
    ['stop already touched becomes a market order', { type: 'STP', side: 'SELL', stopPrice: dollars(50.05) }, 'Filled'],
    [
      'touched stop limit rests at its limit',
      { type: 'STP LMT', side: 'SELL', stopPrice: dollars(50.05), limitPrice: dollars(50.1) },
      'Submitted',
    ],
  ] as const)('%s', (_title, words, status) => {
    send(words);
    expect(statusOf(1)).toBe(status);
    for (const execution of stage.exchange.executions()) expect([dollars(50), dollars(50.02)]).toContain(execution.price);
    if (status !== 'Filled') expect(stage.exchange.executions()).toEqual([]);
  });

  test('a resting limit fills when the opposite quote reaches it', () => {
    begin([quoteOf('10:01:00', 50.9, 50.93, 300)]);
    send({ side: 'SELL', type: 'LMT', limitPrice: dollars(50.9) });
    advance('10:01:00');
    expect(story().slice(2)).toEqual(['execution 1 100 @ 50.90', 'order 1 Filled 100/100', 'position -100']);
  });

  test('a resting limit fills at its own price on a print the quote never showed, at most the printed volume', () => {
    begin([tradeOf('10:01:00', 50.4, 60)]);
    send({ side: 'SELL', type: 'LMT', limitPrice: dollars(50.4) });
    advance('10:01:00');
    expect(story().slice(2)).toEqual(['execution 1 60 @ 50.40', 'order 1 Submitted 60/100', 'position -60']);
  });

  test('a stop rests PreSubmitted, triggers on the last price and sells at the quote below: gaps through stops cost what they cost', () => {
    begin([
      {
        at: at('10:01:00'),
        conId: ACME.conId,
        quote: quoteOf('10:01:00', 48, 48.05, 300).quote ?? never(),
        trade: tradeOf('10:01:00', 48.02, 500).trade ?? never(),
      },
    ]);
    send({ side: 'SELL', type: 'STP', stopPrice: dollars(49.55) });
    advance('10:01:00');
    expect(story()).toEqual([
      'order 1 PreSubmitted 0/100',
      'order 1 Submitted 0/100',
      'execution 1 100 @ 48.00',
      'order 1 Filled 100/100',
      'position -100',
    ]);
  });

  test('a print more than half a per cent outside the quote triggers nothing', () => {
    begin([tradeOf('10:01:00', 49, 100)]);
    send({ side: 'SELL', type: 'STP', stopPrice: dollars(49.5) });
    advance('10:01:00');
    expect(statusOf(1)).toBe('PreSubmitted');
  });

  test('without an opposite quote a market order waits and an immediate one dies', () => {
    begin([quoteOf('09:59:00', 50, 0, 300), quoteOf('10:02:00', 50, 50.1, 300)]);
    send({});
    send({ tif: 'IOC' });
    expect([statusOf(1), statusOf(2)]).toEqual(['Submitted', 'Cancelled']);
    advance('10:02:00');
    expect(statusOf(1)).toBe('Filled');
  });
});

describe('time in force and sessions', () => {
  test('DAY orders wait for the open with advisory 399 and meet the opening quote', () => {
    begin([], {}, '09:00:00');
    send({});
    send({ type: 'LMT', limitPrice: dollars(49) });
    expect(story()).toEqual(['order 1 PreSubmitted 0/100', 'notice 1 399', 'order 2 PreSubmitted 0/100', 'notice 2 399']);
    stage.events.length = 0;
    advance('09:45:00');
    expect(story()).toEqual([
      'order 1 Submitted 0/100',
      'order 2 Submitted 0/100',
      'execution 1 100 @ 50.02',
      'order 1 Filled 100/100',
      'position 100',
    ]);
  });

  test('outsideRth lets a limit trade before the open, but not a market order', () => {
    begin([quoteOf('08:00:00', 50, 50.02, 300)], {}, '09:00:00');
    send({ type: 'LMT', limitPrice: dollars(50.02), outsideRth: true });
    send({ outsideRth: true });
    expect([statusOf(1), statusOf(2)]).toEqual(['Filled', 'PreSubmitted']);
  });

  test.each([
    ['DAY', { tif: 'DAY' }, '16:00:00', 'Cancelled'],
    ['GTC', { tif: 'GTC' }, '16:30:00', 'Submitted'],
    ['GTD', { tif: 'GTD', goodTill: at('10:01:30') }, '10:01:30', 'Cancelled'],
    ['GTD a moment earlier', { tif: 'GTD', goodTill: at('10:01:30') }, '10:01:29', 'Submitted'],
  ] as const)('%s lives as long as it should', (_title, words, clock, status) => {
    send({ type: 'LMT', limitPrice: dollars(40), ...words });
    advance(clock);
    expect(statusOf(1)).toBe(status);
  });

  test.each(['16:00:00', '16:10:00'])('an order at %s is queued for the next day', clock => {
    advance(clock);
    send({});
    advance('19:00:00');
    expect(statusOf(1)).toBe('PreSubmitted');
    expect(stage.events.find(event => event.kind === 'notice')).toMatchObject({
      code: 399,
      text: expect.stringContaining('2026-03-10 09:30:00'),
    });
  });

  test('an order that dies at the very moment of a quote it could have had does not get it', () => {
    begin([quoteOf('10:01:00', 49, 49.02, 300)]);
    send({ type: 'LMT', limitPrice: dollars(49.5), tif: 'GTD', goodTill: at('10:01:00') });
    advance('10:01:00');
    expect([statusOf(1), held()]).toEqual(['Cancelled', 0]);
  });

  test('market-on-open fills whole at the opening print; limit-on-open below it dies; too late is refused', () => {
    begin([tradeOf('09:30:00', 49.5, 5000)], {}, '09:20:00');
    send({ tif: 'OPG', quantity: 2000 });
    send({ tif: 'OPG', type: 'LMT', limitPrice: dollars(49) });
    advance('09:28:00');
    send({ tif: 'OPG' });
    advance('09:30:00');
    expect([statusOf(1), statusOf(2), statusOf(3)]).toEqual(['Filled', 'Cancelled', 'Inactive']);
    expect(stage.exchange.executions().map(execution => [execution.shares, execution.price])).toEqual([[2000, dollars(49.5)]]);
    expect(story()).toContain('rejected 3 201');
  });

  test('market-on-open without a print dies two minutes after the open', () => {
    begin([], {}, '09:20:00');
    send({ tif: 'OPG' });
    advance('09:32:00');
    expect(statusOf(1)).toBe('Cancelled');
  });

  test('in a halt nothing fills, orders stay and may be cancelled; the reopening fills what is left', () => {
    begin([
      { at: at('10:01:00'), conId: ACME.conId, halted: true },
      { at: at('10:06:00'), conId: ACME.conId, halted: false, quote: quoteOf('10:06:00', 48, 48.1, 300).quote ?? never() },
    ]);
    advance('10:01:00');
    expect(stage.exchange.isTrading(ACME.conId)).toBe(false);
    send({ side: 'SELL' });
    send({ side: 'SELL', tif: 'IOC' });
    send({ side: 'SELL', type: 'LMT', limitPrice: dollars(50) });
    expect(stage.exchange.cancel(2, 3)).toBe('accepted');
    advance('10:05:59');
    expect([statusOf(1), statusOf(2), statusOf(3)]).toEqual(['Submitted', 'Cancelled', 'Cancelled']);
    advance('10:06:00');
    expect(statusOf(1)).toBe('Filled');
    expect(stage.exchange.executions()[0]?.price).toBe(dollars(48));
  });
});

describe('the account', () => {
  test('average cost carries commissions, the sale realizes net of both, cash follows', () => {
    begin([quoteOf('10:01:00', 50.9, 50.93, 300)]);
    send({});
    expect(stage.exchange.positions()[0]?.averageCost).toBe(dollars(50.03));
    advance('10:01:00');
    send({ side: 'SELL' });
    const [bought, sold] = stage.exchange.executions();
    expect([bought?.commission, bought?.realizedPnl]).toEqual([dollars(1), undefined]);
    expect([sold?.commission, sold?.realizedPnl]).toEqual([dollars(1), dollars(86)]); // (50.90 − 50.02) × 100 − 2 × 1.00
    expect(stage.exchange.account().cash).toBe(dollars(100_086));
    expect(stage.exchange.account().realizedToday).toBe(dollars(86));
    expect(stage.exchange.positions()[0]).toMatchObject({ quantity: 0, averageCost: 0 });
  });

  test('the broker lets an oversell open a short, and values it', () => {
    send({});
    send({ side: 'SELL', quantity: 150 });
    expect(held()).toBe(-50);
    const last = stage.exchange.executions().at(-1);
    expect(last?.realizedPnl).toBe(micros(-3_666_667)); // 100 × (50.00 − 50.02) − 1.00 − 100/150 of 1.00
  });

  test('holdings from before are there, cost no cash, and buying power is four times what is free of them', () => {
    begin([], { holdings: [{ conId: OTHER.conId, quantity: 200, averageCost: dollars(90) }] });
    const account = stage.exchange.account();
    expect(stage.exchange.positions()).toEqual([
      { conId: OTHER.conId, symbol: 'OTHR', quantity: 200, averageCost: dollars(90), mark: dollars(100), realizedToday: 0 },
    ]);
    expect(account).toMatchObject({ cash: dollars(100_000), netLiquidation: dollars(120_000), grossPositionValue: dollars(20_000) });
    expect(account).toMatchObject({ unrealized: dollars(2_000), buyingPower: dollars(460_000) });
  });

  test('a trade by hand is of client 0, fills whole whatever is displayed, and rests when nobody quotes', () => {
    const order = stage.exchange.manualTrade(ACME.conId, 'BUY', 1000);
    expect(order).toMatchObject({ status: 'Filled', filled: 1000, request: { clientId: 0, orderId: -1 } });
    expect(stage.exchange.manualTrade(OTHER.conId, 'SELL', 5).status).toBe('Submitted');
  });
});

describe('time', () => {
  test('never goes back, not even from a listener', () => {
    expect(() => stage.exchange.advanceTo(epochMs(stage.exchange.now - 1))).toThrow('never goes back');
    let caught = '';
    stage.exchange.subscribe(() => {
      try {
        stage.exchange.advanceTo(stage.exchange.now);
      } catch (error) {
        caught = String(error);
      }
    });
    send({});
    expect(caught).toContain('must not advance');
  });

  test('a listener may place and cancel: its events follow those it heard', () => {
    stage.exchange.subscribe(event => {
      if (event.kind === 'execution' && event.execution.clientId === 2)
        send({ clientId: 10, orderId: 1, side: 'SELL', type: 'LMT', limitPrice: dollars(51) });
    });
    send({});
    expect(story()).toEqual([
      'order 1 PreSubmitted 0/100',
      'execution 1 100 @ 50.02',
      'order 1 Filled 100/100',
      'position 100',
      'order 1 PreSubmitted 0/100',
      'order 1 Submitted 0/100',
    ]);
  });

  test('nextEventAt names the next update, expiry or opening', () => {
    begin([quoteOf('11:00:00', 50, 50.02, 100)]);
    expect(stage.exchange.nextEventAt()).toBe(at('11:00:00'));
    send({ type: 'LMT', limitPrice: dollars(40), tif: 'GTD', goodTill: at('10:30:00') });
    expect(stage.exchange.nextEventAt()).toBe(at('10:30:00'));
  });
});
