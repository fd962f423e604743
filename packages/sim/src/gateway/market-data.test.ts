import { BarSizeSetting, LocationCode, ScanCode, Instrument as ScanInstrument, WhatToShow } from '@stoqey/ib';
import { afterEach, describe, expect, test } from 'vitest';
import { openRoom, type Room } from './testing/gateway-room.js';
import { decodeErrors, type IbProbe, stock } from './testing/ib-probe.js';
import { ACME, at, calmOpening, print, quote } from './testing/scripted-market.js';

let room: Room;
afterEach(async () => {
  await room.close();
  expect(decodeErrors).toEqual([]);
});

/** Tick number → value, over all kinds of ticks of one request, newest last. */
const ticks = (client: IbProbe, requestId: number): Map<number, unknown> =>
  new Map(
    client.heard
      .filter(({ event, args }) => event.startsWith('tick') && event !== 'tickReqParams' && args[0] === requestId)
      .map(({ args }) => [Number(args[1]), args[2]]),
  );
const minutes = (client: IbProbe, event: string, clock: string): Promise<unknown> =>
  client.next(event, (second: number) => second * 1000 >= at(clock));

describe('contracts', () => {
  test('details: identity, tick, hours by the calendar', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    client.ib.reqContractDetails(1, stock('ACME'));
    await client.next('contractDetailsEnd', (id: number) => id === 1);
    const [, details] = client.all('contractDetails')[0] ?? [];
    expect(details).toMatchObject({
      contract: { conId: ACME.conId, symbol: 'ACME', secType: 'STK', exchange: 'SMART', primaryExch: 'NASDAQ', currency: 'USD' },
      minTick: 0.01,
      timeZoneId: 'US/Eastern',
      longName: 'ACME Ltd. – scripted',
      marketRuleIds: '26,26',
      validExchanges: 'SMART,NASDAQ',
    });
    const { liquidHours, tradingHours } = details as { liquidHours: string; tradingHours: string };
    expect(liquidHours.split(';').slice(0, 6)).toEqual([
      '20260309:0930-20260309:1600',
      '20260310:0930-20260310:1600',
      '20260311:0930-20260311:1600',
      '20260312:0930-20260312:1600',
      '20260313:0930-20260313:1600',
      '20260314:CLOSED',
    ]);
    expect(tradingHours).toMatch(/^20260309:0400-20260309:2000;/);
    client.ib.reqContractDetails(2, { conId: ACME.conId });
    await client.next('contractDetailsEnd', (id: number) => id === 2);
  });

  test('unknown ones are 200 without an end; rules and symbol search', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    client.ib.reqContractDetails(1, stock('NOPE'));
    await client.error(200, 1);
    client.ib.reqContractDetails(2, { ...stock('ACME'), exchange: 'LSE' });
    await client.error(200, 2);
    client.ib.reqMarketRule(26);
    expect(await client.next('marketRule')).toEqual([26, [{ lowEdge: 0, increment: 0.01 }]]);
    client.ib.reqMatchingSymbols(3, 'ac');
    const [, found] = await client.next('symbolSamples');
    expect(found).toMatchObject([{ contract: { symbol: 'ACME', conId: ACME.conId, primaryExch: 'NASDAQ' } }]);
    expect(client.all('contractDetailsEnd')).toEqual([]);
  });
});

describe('quotes', () => {
  test('live: everything at once, then what changes; halted and no quote are said', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    client.ib.reqMktData(1, stock('ACME'), '', false, false);
    await client.next('tickGeneric');
    expect(client.all('marketDataType')).toEqual([[1, 1]]);
    const first = ticks(client, 1);
    const seconds = String(at('09:30:01') / 1000);
    expect([...first].sort(([a], [b]) => a - b)).toEqual([
      [0, 1000],
      [1, 49.99],
      [2, 50.01],
      [3, 1000],
      [4, 50],
      [5, 100],
      [6, 50],
      [7, 50],
      [8, 100],
      [9, 50],
      [14, 50],
      [45, seconds],
      [49, 0],
    ]);
    room.soon(now => ({ at: now, conId: ACME.conId, halted: true }));
    await client.next('tickGeneric', (_id: number, _type: number, value: number) => value === 1);
    room.soon(now => quote(now, ACME.conId, [0, 50.02, 0, 700]));
    await client.next('tickPrice', (_id: number, type: number, price: number) => type === 1 && price === -1);
    await client.settled();
    expect(ticks(client, 1).get(2)).toBe(50.02);
    expect(ticks(client, 1).get(3)).toBe(700);
    const from = client.heard.length;
    client.ib.cancelMktData(1);
    room.soon(now => quote(now, ACME.conId, [49, 50]));
    client.ib.cancelMktData(1);
    await client.error(300, 1, from);
  });

  test('sampled, about four times a second', async () => {
    const busy = Array.from({ length: 200 }, (_unused, step) => quote(at('09:30:03', step * 10), ACME.conId, [40 + step / 100, 60]));
    room = await openRoom({ script: [...calmOpening(), ...busy], gateway: { speed: 10 } });
    const client = await room.connect(2);
    client.ib.reqMktData(1, stock('ACME'), '', false, false);
    await client.next('tickPrice', (_id: number, type: number, price: number) => type === 1 && price === 41.99);
    const bids = client.all('tickPrice').filter(([, type]) => type === 1);
    expect(bids.length).toBeGreaterThanOrEqual(8);
    expect(bids.length).toBeLessThanOrEqual(10);
  });

  test('snapshot: ticks, the end, and no subscription', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    client.ib.reqMktData(1, stock('BOLT'), '', true, false);
    await client.next('tickSnapshotEnd');
    expect(ticks(client, 1).get(4)).toBe(20);
    client.ib.cancelMktData(1);
    await client.error(300, 1);
  });

  test('without a subscription: 354, or 10167 and data a quarter of an hour old', async () => {
    const later = [print(at('09:40:00'), ACME.conId, 55), print(at('09:50:00'), ACME.conId, 60)];
    room = await openRoom({ script: [...calmOpening(), ...later], gateway: { liveData: false, start: '09:56' } });
    const client = await room.connect(2);
    client.ib.reqMktData(1, stock('ACME'), '', false, false);
    await client.error(354, 1);
    client.ib.reqMarketDataType(3);
    client.ib.reqMktData(2, stock('ACME'), '', false, false);
    await client.error(10167, 2);
    await client.next('tickPrice', (_id: number, type: number, price: number) => type === 68 && price === 55);
    expect(client.all('marketDataType')).toEqual([[2, 3]]);
    expect([...ticks(client, 2).keys()].every(type => type >= 66)).toBe(true);
    client.ib.reqRealTimeBars(3, stock('ACME'), 5, WhatToShow.TRADES, true);
    await client.error(420, 3);
    room.gateway.setSpeed(2_000);
    await client.next('tickPrice', (_id: number, type: number, price: number) => type === 68 && price === 60);
    expect(room.gateway.exchange.now).toBeGreaterThanOrEqual(at('10:05:00'));
  });

  test('a ticker id twice is 102, an unknown symbol 200, a data type that is none 321', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    client.ib.reqMktData(1, stock('ACME'), '', false, false);
    client.ib.reqMktData(1, stock('BOLT'), '', false, false);
    await client.error(102, 1);
    client.ib.reqMktData(2, stock('NOPE'), '', false, false);
    await client.error(200, 2);
    client.ib.reqMarketDataType(9 as never);
    await client.next('info', (_text: string, code: number) => code === 321);
  });
});

describe('bars', () => {
  test('real-time: five seconds each, dated by their start, flat with volume 0 where nothing traded', async () => {
    const prints = [
      [3, 51, 100],
      [6, 52, 100],
      [7, 53, 300],
    ].map(([second, price, volume]) => print(at(`09:30:0${second}`), ACME.conId, price ?? 0, volume));
    room = await openRoom({ script: [...calmOpening(), ...prints] });
    const client = await room.connect(2);
    client.ib.reqRealTimeBars(1, stock('ACME'), 5, WhatToShow.TRADES, true);
    client.ib.reqRealTimeBars(2, stock('ACME'), 5, WhatToShow.MIDPOINT, false);
    await client.settled();
    room.gateway.setSpeed(20);
    await minutes(client, 'currentTime', '09:30:16');
    const trades = client.all('realtimeBar').filter(([id]) => id === 1);
    const start = at('09:30:00') / 1000;
    expect(trades.slice(0, 3)).toEqual([
      [1, start, 50, 51, 50, 51, 200, 50.5, 2],
      [1, start + 5, 52, 53, 52, 53, 400, 52.75, 2],
      [1, start + 10, 53, 53, 53, 53, 0, 53, 0],
    ]);
    expect(
      client
        .all('realtimeBar')
        .find(([id]) => id === 2)
        ?.slice(2, 7),
    ).toEqual([50, 50, 50, 50, -1]);
    client.ib.cancelRealTimeBars(1);
    client.ib.cancelRealTimeBars(1);
    await client.error(300, 1);
  });

  test.each([
    ['30 secs of half an hour, as epoch seconds', BarSizeSetting.SECONDS_THIRTY, '1800 S', 2, 60, String(at('09:00:30') / 1000)],
    ['5 secs of a minute, as text', BarSizeSetting.SECONDS_FIVE, '60 S', 1, 12, '20260309 09:29:05 US/Eastern'],
    ['hours of two trading days', BarSizeSetting.HOURS_ONE, '2 D', 1, undefined, '20260306 04:00:00 US/Eastern'],
  ] as const)('history: %s', async (_what, size, duration, format, count, first) => {
    room = await openRoom();
    const client = await room.connect(2);
    client.ib.reqHistoricalData(1, stock('ACME'), '', duration, size, WhatToShow.TRADES, 0, format, false);
    await client.next('historicalData', (_id: number, date: string) => date.startsWith('finished'));
    const bars = client.all('historicalData').slice(0, -1);
    if (count !== undefined) expect(bars).toHaveLength(count);
    expect(bars[0]).toEqual([1, first, 50, 50.5, 49.5, 50.25, 1000, 10, 50.1, undefined]);
  });

  test('history: days end with the day so far; regular hours only on wish; kept up to date', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    client.ib.reqHistoricalData(1, stock('ACME'), '', '3 D', BarSizeSetting.DAYS_ONE, WhatToShow.TRADES, 1, 1, false);
    await client.next('historicalData', (id: number, date: string) => id === 1 && date.startsWith('finished'));
    const days = client.all('historicalData').slice(0, -1);
    expect(days.at(-1)?.slice(0, 7)).toEqual([1, '20260309', 50, 50, 50, 50, 100]);
    client.ib.reqHistoricalData(2, stock('ACME'), '', '600 S', BarSizeSetting.SECONDS_THIRTY, WhatToShow.MIDPOINT, 1, 2, true);
    await client.next('historicalData', (id: number, date: string) => id === 2 && date.startsWith('finished'));
    const regular = client.all('historicalData').filter(([id, date]) => id === 2 && !String(date).startsWith('finished'));
    expect(regular.map(([, date, , , , , volume]) => [date, volume])).toEqual([[String(at('09:30:00') / 1000), -1]]);
    room.gateway.setSpeed(20);
    const [, date, open, high, low, close] = await client.next('historicalDataUpdate');
    expect([date, open, high, low, close]).toEqual([String(at('09:30:00') / 1000), 50, 50.5, 49.5, 50.25]);
    client.ib.cancelHistoricalData(2);
    await client.error(162, 2);
    client.ib.cancelHistoricalData(2);
    await client.error(366, 2);
  });

  test.each([
    ['a bar size that is none', '7 secs', '60 S', '', 321],
    ['a duration that is none', '30 secs', 'a day', '', 321],
    ['an end that is none', '30 secs', '60 S', 'yesterday', 321],
    ['small bars over a long time', '5 secs', '2 D', '', 162],
    ['a time without data', '1 min', '60 S', '20260309 09:30:30 XYZ', 321],
  ] as const)('history refuses %s', async (_what, size, duration, end, code) => {
    room = await openRoom();
    const client = await room.connect(2);
    client.ib.reqHistoricalData(1, stock('ACME'), end, duration, size as BarSizeSetting, WhatToShow.TRADES, 1, 1, false);
    await client.error(code, 1);
  });
});

describe('scanner', () => {
  test('ranked, limited, repeated every 30 seconds', async () => {
    const moves = [print(at('09:30:01', 500), 102, 22, 900), print(at('09:30:01', 500), 103, 10.5, 50)];
    room = await openRoom({ script: [...calmOpening(), ...moves] });
    const client = await room.connect(2);
    const scan = { numberOfRows: 10, instrument: ScanInstrument.STK, locationCode: LocationCode.STK_US_MAJOR };
    client.ib.reqScannerSubscription(1, { ...scan, scanCode: ScanCode.TOP_PERC_GAIN });
    await client.next('scannerDataEnd', (id: number) => id === 1);
    const names = (id: number): unknown[] =>
      client
        .all('scannerData')
        .flatMap(([on, rank, details]) => (on === id ? [[rank, (details as { contract: { symbol: string } }).contract.symbol]] : []));
    expect(names(1)).toEqual([
      [0, 'BOLT'],
      [1, 'CORE'],
      [2, 'ACME'],
    ]);
    client.ib.reqScannerSubscription(2, { ...scan, scanCode: ScanCode.MOST_ACTIVE, abovePrice: 15, numberOfRows: 1 });
    await client.next('scannerDataEnd', (id: number) => id === 2);
    expect(names(2)).toEqual([[0, 'BOLT']]);
    const from = client.heard.length;
    room.gateway.setSpeed(500);
    await client.next('scannerDataEnd', (id: number) => id === 1, from);
    expect(room.gateway.exchange.now).toBeGreaterThanOrEqual(at('09:30:30'));
    client.ib.cancelScannerSubscription(1);
    client.ib.reqScannerSubscription(3, { ...scan, scanCode: ScanCode.HIGH_DIVIDEND_YIELD_IB ?? ScanCode.TOP_PRICE_RANGE });
    await client.error(162, 3);
    client.ib.reqScannerParameters();
    const [xml] = await client.next('scannerParameters');
    expect(String(xml)).toMatch(/^<\?xml version/);
  });
});

describe('what is not simulated', () => {
  test('gets an error on its own id, never silence', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    client.ib.reqHeadTimestamp(11, stock('ACME'), WhatToShow.TRADES, true, 1);
    client.ib.reqMktDepth(12, stock('ACME'), 5, false);
    client.ib.reqSecDefOptParams(13, 'ACME', '', 'STK' as never, ACME.conId);
    client.ib.reqPositionsMulti(14, 'DU1234567', '');
    for (const id of [11, 12, 13, 14]) await client.error(321, id);
  });
});
