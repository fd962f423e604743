import type { Binding } from '@holdfast/store/binding';
import { describe, expect, it } from 'vitest';
import { configBoundTo } from './bound-config.js';
import { type Config, parseConfig } from './config.js';

const PAPER: Binding = { mode: 'paper', account: 'DU1234567' };

function config(yaml: string): Config {
  const parsed = parseConfig(yaml);
  if (!parsed.ok) throw new Error('the test has a bad configuration');
  return parsed.config;
}

describe('DESIGN §9: protection needs nothing but the matching account', () => {
  it.each<readonly [string, Binding | null, string]>([
    ['a store nobody bound yet', null, 'mode: observe'],
    ['no account named', PAPER, 'mode: paper'],
    ['both named and right', PAPER, 'mode: paper\naccount: DU1234567'],
  ])('%s: desk.yaml as it is, the last good one not asked', (_title, binding, yaml) => {
    const given = config(yaml);
    const lastGood = () => {
      throw new Error('asked');
    };
    expect(configBoundTo(binding, given, lastGood)).toEqual({ config: given, mismatch: null });
  });

  it.each([
    ['another mode', 'mode: observe', 'mode: paper'],
    ['another account', 'mode: paper\naccount: DU7654321', 'mode: paper\naccount: DU1234567'],
    ['live', 'mode: live\naccount: U1234567', 'mode: paper'],
  ])('%s: the last good one, where it belongs to the store', (_title, yaml, earlier) => {
    const lastGood = config(`${earlier}\ngateway: { port: 4711 }`);
    const { config: chosen, mismatch } = configBoundTo(PAPER, config(yaml), () => lastGood);
    expect(chosen).toBe(lastGood);
    expect(mismatch).toMatchObject({
      level: 'critical',
      code: 'CONFIGURATION_MISMATCH',
      happened: expect.stringContaining('paper, account DU1234567'),
    });
  });

  it.each<readonly [string, Config | null]>([
    ['none', null],
    ['one that does not belong either', config('mode: demo')],
  ])("%s to fall back on: desk.yaml's own rules under the store's mode and account", (_title, earlier) => {
    const given = config('mode: observe\nexits: { stopBps: 77 }');
    const { config: chosen, mismatch } = configBoundTo(PAPER, given, () => earlier);
    expect(chosen).toEqual({ ...given, mode: 'paper', account: 'DU1234567' });
    expect(mismatch?.happened).toContain('desk.yaml names mode observe and no account');
  });
});
