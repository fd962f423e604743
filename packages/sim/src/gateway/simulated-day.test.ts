import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openSimulatedDay } from './simulated-day.js';

const DATA = fileURLToPath(new URL('../../../../../shared/data/us-equity', import.meta.url));
const reason = (options: Parameters<typeof openSimulatedDay>[0]): string => {
  const day = openSimulatedDay(options);
  return day.ok ? 'opened' : `${day.code}: ${day.detail}`;
};

describe('opening a day', () => {
  test('synthetic by default, with a baseline at the previous close', () => {
    const day = openSimulatedDay({ seed: 3, holdings: [['aapl', 40]], cash: 5_000, account: 'DU77' });
    if (!day.ok) throw new Error(day.detail);
    const aapl = day.exchange.instruments.find(({ symbol }) => symbol === 'AAPL');
    expect(day.source.name).toBe('synthetic seed 3');
    expect(day.exchange.accountId).toBe('DU77');
    expect(day.exchange.positions()).toMatchObject([{ symbol: 'AAPL', quantity: 40, averageCost: aapl?.previousClose }]);
    expect(day.exchange.account().cash).toBe(5_000_000_000);
  });

  test.each([
    [{ date: '2026-02-30' }, 'BAD_DATE: '],
    [{ date: 'monday' }, 'an example is 2026-03-09'],
    [{ date: '2026-03-08' }, 'NO_SESSION: 2026-03-08 has no session (weekend): choose a trading day'],
    [{ symbols: ['AAPL'] }, 'add --data'],
    [{ holdings: [['NOPE', 1]] as const }, 'UNKNOWN_HOLDING: no NOPE in this market; there are SPY, AAPL'],
    [{ data: '/nowhere' }, 'NO_DATE: '],
    [{ data: '/nowhere', date: '2025-11-14' }, '/nowhere'],
  ])('%j is refused, saying what to do', (options, words) => {
    expect(reason(options)).toContain(words);
  });

  test.skipIf(!existsSync(DATA))('recorded data (skipped where ../shared/data is absent)', () => {
    const day = openSimulatedDay({ data: DATA, date: '2025-11-14' });
    if (!day.ok) throw new Error(day.detail);
    expect(day.report.length).toBeGreaterThan(10);
    expect(reason({ data: DATA, date: '2025-11-14', symbols: ['NOPE'] })).toContain('no prints of NOPE on 2025-11-14');
  });
});
