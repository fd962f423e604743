import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { keepLastGood, loadConfig, readWatchlist } from './config-file.js';
import { deskFiles } from './desk-files.js';
import { dayTraderRulesOf, exitRulesOf, sendPolicyOf } from './rules-of-config.js';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
function deskWith(yaml: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-config-'));
  folders.push(folder);
  const path = join(folder, 'desk.yaml');
  writeFileSync(path, yaml);
  return path;
}
const load = (path: string, mayFallBack = true) => loadConfig({ path, environment: {}, mayFallBack });

it('the exit manager goes on with the last configuration that worked, and can say why', () => {
  const path = deskWith('exits:\n  stopBps: 77');
  expect(keepLastGood(deskFiles(path, 'var'))).toEqual({ ok: true });
  writeFileSync(path, 'exits:\n  stopBps: minus ninety');
  expect(load(path)).toMatchObject({
    ok: true,
    config: { exits: { stopBps: 77 } },
    fallbackBecause: expect.stringContaining('exits.stopBps: got "minus ninety"'),
  });
});

it('the day trader does not', () => {
  const path = deskWith('mode: paper');
  keepLastGood(deskFiles(path, 'var'));
  writeFileSync(path, 'mode: papr');
  expect(load(path, false)).toMatchObject({
    ok: false,
    detail: expect.stringContaining('mode: got "papr"; allowed: demo, observe, paper, live'),
  });
});

it('a first configuration that is broken is refused with every problem', () => {
  const loaded = load(deskWith('mode: papr\ngateway:\n  port: 0'));
  expect(loaded).toMatchObject({
    ok: false,
    detail: expect.stringMatching(/mode: got "papr"[\s\S]*gateway\.port: got 0[\s\S]*no earlier one/),
  });
});

it('a missing file is named', () =>
  expect(load('/nowhere/desk.yaml', false)).toMatchObject({ ok: false, detail: expect.stringContaining('/nowhere/desk.yaml') }));

it('a watchlist file adds to the list; what is no symbol is told by its line', () => {
  const path = deskWith('entries:\n  watchlist: [SPY]\n  watchlistFile: symbols.txt');
  writeFileSync(join(path, '..', 'symbols.txt'), '# my favourites\nAAPL  # apple\n\nspy\nnot a symbol at all\n');
  const loaded = load(path);
  if (!loaded.ok) throw new Error(loaded.detail);
  const { symbols, problems } = readWatchlist(loaded.config, loaded.files);
  expect(problems).toEqual(['line 5: "NOT A SYMBOL AT ALL" is no symbol']);
  expect(dayTraderRulesOf(loaded.config, symbols).watchlist).toEqual(['SPY', 'AAPL']);
});

it('a watchlist file that is missing is told, and the rest followed', () => {
  const loaded = load(deskWith('entries:\n  watchlistFile: nowhere.txt'));
  expect(loaded.ok && readWatchlist(loaded.config, loaded.files)).toMatchObject({
    symbols: [],
    problems: [expect.stringContaining('nowhere.txt')],
  });
});

it('A5: the rules get what desk.yaml says, in their own units', () => {
  const loaded = load(deskWith('exits:\n  stopBps: 100\n  staleMarkSeconds: 20'));
  expect(loaded.ok && exitRulesOf(loaded.config)).toMatchObject({
    targetBps: 180,
    stopBps: 100,
    disasterStopBps: 200,
    blindMs: 20_000,
    cancelAnswerMs: 2_000,
  });
});

it.each([
  ['demo', null, null],
  ['paper', null, null],
  ['live', null, 'LIVE_NOT_ARMED'],
  ['observe', 'OBSERVE_MODE', 'OBSERVE_MODE'],
] as const)('B11, A18: mode %s', (mode, orders, entries) => {
  const policy = sendPolicyOf({ mode });
  expect([policy.orders?.code ?? null, policy.entries?.code ?? null]).toEqual([orders, entries]);
});
