import { describe, expect, test } from 'vitest';
import { readGatewayCommand } from './gateway-command.js';

const read = (line: string) => readGatewayCommand(line.split(' ').filter(Boolean));

describe('the command line', () => {
  test('defaults', () => {
    expect(read('')).toMatchObject({
      port: 4002,
      controlPort: 4003,
      seed: 1,
      speed: 1,
      account: 'DU1234567',
      cash: 100_000,
      holding: [],
      liveData: true,
    });
  });

  test('everything', () => {
    const line =
      '--port 0 --control-port 0 --seed 7 --data d --date 2025-11-14 --symbols wulf,RGTI --speed 60 --start 09:25 --account DU7 --cash 5000.5 ' +
      '--holding aapl:40 --holding SPY:-2 --delayed-data --wait-for 2,10 --json';
    expect(read(line)).toMatchObject({
      port: 0,
      controlPort: 0,
      seed: 7,
      data: 'd',
      date: '2025-11-14',
      symbols: ['WULF', 'RGTI'],
      speed: 60,
      start: '09:25',
      account: 'DU7',
      cash: 5000.5,
      holding: [
        ['AAPL', 40],
        ['SPY', -2],
      ],
      liveData: false,
      waitFor: [2, 10],
      json: true,
    });
  });

  test.each([
    ['--port 70000', 'from 0 to 65535'],
    ['--speed 0', 'above 0'],
    ['--start 9:30', 'HH:MM'],
    ['--account U1234567', 'paper account'],
    ['--holding AAPL', 'SYMBOL:SHARES'],
    ['--wait-for 2,x', 'whole number'],
    ['--symbols ,', 'name symbols'],
    ['--live-data --delayed-data', 'not both'],
    ['--nonsense', 'unknown option'],
  ])('%s is refused, saying what is possible', (line, words) => {
    expect(() => read(line)).toThrow(words);
  });
});
