import { fromDollars, micros } from '@holdfast/core/units';
import { afterEach, describe, expect, test } from 'vitest';
import { AdapterProbe } from './testing/adapter-probe.js';
import { ACCOUNT, type Fields, ScriptedGateway, wellBehaved } from './testing/scripted-gateway.js';

/** What single messages become, sent as the gateway sends them (IBKR §1.4). */

const UNSET = '1.7976931348623157E308';
let gateway: ScriptedGateway;
let probe: AdapterProbe;

/** Connects, answers `request` (by message id) with what `answer` returns, everything else with nothing. */
async function start(answers: Record<string, (fields: readonly string[]) => readonly Fields[]> = {}): Promise<void> {
  gateway = await ScriptedGateway.open(wellBehaved(({ fields }, peer) => peer.send(...(answers[fields[0] ?? '']?.(fields) ?? []))));
  probe = new AdapterProbe({ port: gateway.port, clientId: 10 });
  probe.broker.connect();
  await probe.next('connected');
}
/** The gateway says these, and then the time, which is waited for. */
async function hear(...messages: readonly Fields[]): Promise<void> {
  gateway.script = wellBehaved(({ fields }, peer) => {
    if (fields[0] === '16') peer.send(...messages, [49, 1, 1_773_063_000]);
  });
  probe.broker.send({ do: 'request-open-orders' });
  await probe.next('time');
}
afterEach(async () => {
  probe.broker.close();
  await gateway.close();
});

const position = (quantity: number | string, more: { account?: string; secType?: string; localSymbol?: string } = {}): Fields => [
  61,
  3,
  more.account ?? ACCOUNT,
  101,
  'ACME',
  more.secType ?? 'STK',
  '',
  0,
  '',
  '',
  'NASDAQ',
  'USD',
  more.localSymbol ?? 'ACME',
  'ACME',
  quantity,
  49.987654,
];
const execution = (execId: string, account: string, size: number | string): Fields => [
  ...[
    11,
    -1,
    7,
    101,
    'ACME',
    'STK',
    '',
    0,
    '',
    '',
    'NASDAQ',
    'USD',
    'ACME',
    'ACME',
    execId,
    '20260309 09:30:01 US/Eastern',
    account,
    'NASDAQ',
  ],
  ...['SLD', size, 50.01, 9, 10, 0, 100, 50.01, 'HFX-20260309-1-1', '', '', '', 2, 0],
];
const details = (requestId: string, minTick: number): Fields => [
  ...[
    10,
    requestId,
    'ACME',
    'STK',
    '',
    '',
    0,
    '',
    'SMART',
    'USD',
    'ACME',
    'ACME',
    'ACME',
    101,
    minTick,
    '',
    'LMT',
    'SMART',
    1,
    0,
    'Acme Ltd.',
  ],
  ...['NASDAQ', '', '', '', '', 'US/Eastern', '', '20260309:0930-20260309:1600', '', 0, 0, 1, '', '', '26', '', 'COMMON', 1, 1, 100, 0],
];

describe('positions', () => {
  test('a holding is told at once, with a cent as its tick, and again when its details say more', async () => {
    await start({
      61: () => [position(300), [62, 1]],
      9: fields => [details(fields[2] ?? '', 0.0001), [52, 1, fields[2] ?? '']],
    });
    probe.broker.send({ do: 'request-snapshot', id: 1 });
    await probe.until('both', () => probe.all('position').length === 2);
    expect(
      probe.all('position').map(({ position: { quantity, averageCost, contract } }) => [quantity, averageCost, contract.tick]),
    ).toEqual([
      [300, fromDollars(49.987654), micros(10_000)],
      [300, fromDollars(49.987654), micros(100)],
    ]);
    expect(gateway.requests.filter(({ fields }) => fields[0] === '9')).toHaveLength(1);
  });

  test('fractions and other instruments are told as they are; another account’s are not ours to tell', async () => {
    await start();
    await hear(position('0.5'), position(2, { secType: 'OPT', localSymbol: 'ACME  260320C00050000' }), position(7, { account: 'DU2' }));
    expect(probe.all('position').map(({ position: one }) => [one.contract.symbol, one.contract.secType, one.quantity])).toEqual([
      ['ACME', 'STK', 0.5],
      ['ACME  260320C00050000', 'OTHER', 2],
    ]);
  });

  test('P&L that is not computed yet is no mark, nor is that of a closed position', async () => {
    await start({
      94: fields => {
        const id = fields[1] ?? '';
        const row = (quantity: number, value: number | string): Fields => [95, id, quantity, 0, UNSET, UNSET, value];
        return [row(200, UNSET), row(0, 0), row(-200, -10_002), row(200, 10_002)];
      },
    });
    probe.broker.send({ do: 'subscribe-pnl', conId: 101 });
    await probe.until('two marks', () => probe.all('pnl-mark').length === 2);
    expect(probe.all('pnl-mark').map(({ quantity, price }) => [quantity, price])).toEqual([
      [-200, fromDollars(50.01)],
      [200, fromDollars(50.01)],
    ]);
  });
});

describe('executions', () => {
  test('ours once each; another account’s never; a fraction is said and not booked', async () => {
    await start();
    await hear(execution('a.01', ACCOUNT, 100), execution('b.01', 'DU2', 100), execution('c.01', ACCOUNT, '0.5'));
    expect(probe.all('execution').map(({ execution: one }) => one.execId)).toEqual(['a.01']);
    expect(probe.all('notice')).toMatchObject([{ severity: 'error', text: expect.stringContaining('c.01') }]);
  });

  test('a commission is told when it is known, with what was realized, if anything', async () => {
    await start();
    await hear(
      [59, 1, 'a.01', UNSET, 'USD', UNSET, UNSET, ''],
      [59, 1, 'a.01', 1.05, 'USD', UNSET, UNSET, ''],
      [59, 1, 'b.01', 1.1, 'USD', -12.34, UNSET, ''],
    );
    expect(probe.all('commission')).toEqual([
      { kind: 'commission', execId: 'a.01', commission: fromDollars(1.05), realizedPnl: null },
      { kind: 'commission', execId: 'b.01', commission: fromDollars(1.1), realizedPnl: fromDollars(-12.34) },
    ]);
  });
});

describe('quotes', () => {
  const acme = {
    conId: 101,
    symbol: 'ACME',
    secType: 'STK',
    exchange: 'SMART',
    primaryExchange: 'NASDAQ',
    currency: 'USD',
    tick: micros(10_000),
    multiplier: 1,
  } as const;

  test('the ticks of one read are one quote, and nothing that came after it overtakes it', async () => {
    await start({
      1: ([, , id = '']) => [
        [58, 1, id, 1],
        [1, 6, id, 1, 49.99, 300, 1],
        [1, 6, id, 2, 50.01, 400, 1],
        [1, 6, id, 4, 50, 100, 0],
        [2, 6, id, 8, 12_345],
        [49, 1, 1_773_063_000],
        [1, 6, id, 1, -1, 0, 1],
        [45, 6, id, 49, 2],
      ],
    });
    probe.broker.send({ do: 'subscribe-quotes', contract: acme });
    await probe.until('both quotes', () => probe.all('quote').length === 2);
    expect(probe.told.filter(({ kind }) => kind === 'quote' || kind === 'time').map(({ kind }) => kind)).toEqual([
      'quote',
      'time',
      'quote',
    ]);
    const [before, after] = probe.all('quote').map(({ quote }) => quote);
    expect(before).toMatchObject({
      bid: 49_990_000,
      bidSize: 300,
      ask: 50_010_000,
      askSize: 400,
      last: 50_000_000,
      volume: 12_345,
      delayed: false,
    });
    expect(after).toMatchObject({ bid: 0, bidSize: 0, ask: 50_010_000, halted: true });
  });

  test.each([
    ['frozen', 2, 1],
    ['delayed, as said', 3, 1],
    ['delayed, as numbered', 1, 66],
  ])('%s data is marked as delayed', async (_name, dataType, tick) => {
    await start({
      1: ([, , id = '']) => [
        [58, 1, id, dataType],
        [1, 6, id, tick, 49.99, 300, 1],
      ],
    });
    probe.broker.send({ do: 'subscribe-quotes', contract: acme });
    expect((await probe.next('quote', ({ quote }) => quote.bid > 0)).quote).toMatchObject({ bid: 49_990_000, bidSize: 300, delayed: true });
  });
});

describe('the gateway’s own line', () => {
  test('A5: after 1101 the P&L stream of a position is asked for anew, and account values by the adapter itself', async () => {
    await start();
    const asked = (id: string) => gateway.requests.filter(({ fields }) => fields[0] === id).length;
    gateway.script = wellBehaved(({ fields }, peer) => {
      if (fields[0] === '16') peer.send([4, 2, -1, 1101, 'restored - data lost', ''], [49, 1, 1_773_063_000]);
      if (fields[0] === '94') peer.send([49, 1, 1_773_063_001]);
    });
    probe.broker.send({ do: 'subscribe-pnl', conId: 101 });
    await probe.next('time');
    probe.broker.send({ do: 'request-open-orders' });
    await probe.next('connectivity');
    probe.broker.send({ do: 'subscribe-pnl', conId: 101 });
    await probe.until('both streams', () => asked('94') === 2);
    expect(asked('6')).toBe(2);
  });

  test('1100, 1102, 1101 are connectivity; farm states are notices of their weight', async () => {
    await start();
    const notice = (code: number): Fields => [4, 2, -1, code, `text of ${code}`, ''];
    await hear(notice(1100), notice(1102), notice(1101), notice(2104), notice(2103));
    expect(probe.all('connectivity').map(({ state }) => state)).toEqual(['lost', 'restored', 'restored-data-lost']);
    expect(probe.all('notice').map(({ code, severity }) => [code, severity])).toEqual([
      [2104, 'info'],
      [2103, 'warning'],
    ]);
    expect(probe.broker.isUp).toBe(true);
  });

  test('a code the table lacks, on an order: advice, and a warning that says so', async () => {
    await start();
    await hear([4, 2, 7, 98_765, 'something new', '']);
    expect(probe.all('order-notice')).toMatchObject([{ orderId: 7, code: 98_765, meaning: 'advisory' }]);
    expect(probe.all('notice')).toMatchObject([{ code: 98_765, severity: 'warning' }]);
  });
});

describe('account values', () => {
  test('dollars only, merged into one event per read, readiness among them', async () => {
    await start();
    const value = (key: string, amount: string, currency: string): Fields => [6, 2, key, amount, currency, ACCOUNT];
    await hear(
      value('AccountReady', 'false', ''),
      value('NetLiquidation', '100000.10', 'USD'),
      value('NetLiquidation', '90000.00', 'EUR'),
      value('TotalCashValue', '55.5', 'USD'),
      value('BuyingPower', 'n/a', 'USD'),
    );
    expect(probe.all('account')).toEqual([
      { kind: 'account', account: ACCOUNT, values: { ready: false, netLiquidation: fromDollars(100_000.1), cash: fromDollars(55.5) } },
    ]);
  });
});

describe('a worker’s mistake in listening', () => {
  test('an exception on its side is a notice here, and the next message is heard', async () => {
    await start();
    let failed = false;
    probe.onTime = () => {
      if (!failed) {
        failed = true;
        throw new Error('worker bug');
      }
    };
    await hear([49, 1, 1], [49, 1, 2]);
    await probe.until('the last', () => probe.all('time').length === 3);
    expect(probe.all('notice')).toMatchObject([{ severity: 'error', text: expect.stringContaining('worker bug') }]);
  });
});
