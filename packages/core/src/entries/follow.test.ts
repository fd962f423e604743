import { describe, expect, it, test } from 'vitest';
import { tradeDate } from '../calendar.js';
import { epochMs, fromDollars, micros } from '../units.js';
import { watchedOf } from './desk.js';
import { ACME, calmPast, claimOf, clock, command, contractOf, DAY, quote, TraderBench, tale } from './testing/trader-bench.js';

const REF = 'HFD-20260309-7-1';
/** The last decision, as verdict and code. */
const last = (b: TraderBench): string => {
  const row = b.decisions.at(-1);
  return row ? `${row.verdict} ${row.code}` : 'none';
};

describe('A9: entries', () => {
  test('A9, A11: a standard signal becomes one claim with a resting limit order that dies by itself', () => {
    const b = new TraderBench().ready();
    const effects = b.bar30(50.1);
    // $100,000 × 0.25 at 50.12 + 10 bps, up to the tick: 50.18 → 498 shares.
    expect(tale(effects)).toEqual(['enter BUY 498 ACME LMT 50.18 GTD until 10:01:00']);
    expect(b.decisions.at(-1)).toMatchObject({ verdict: 'enter', code: 'STANDARD', symbol: 'ACME' });
    const enter = effects.find(effect => effect.do === 'enter');
    expect(enter).toMatchObject({
      tradeDate: DAY,
      claim: { tradeId: REF, status: 'CLAIMED', quantity: 0, agentName: 'day-trader' },
      order: { orderRef: REF, tradeId: REF, orderId: 1, clientId: 2, role: 'entry', status: 'INTENT' },
    });
  });

  test('A9: gap-and-go below VWAP, within half an hour of the open', () => {
    const b = new TraderBench({ at: '09:40:00' }, 47);
    b.ready();
    b.bar30(50);
    expect(b.decisions.at(-1)).toMatchObject({ verdict: 'enter', code: 'GAP_AND_GO' });
    expect(b.decisions.at(-1)?.numbers['gap >= 500 bps']).toBeCloseTo(638.3, 1);
  });

  test('A9: the gap is told by the quote where history is missing', () => {
    const b = new TraderBench({ at: '09:40:00' });
    b.connect();
    for (let tries = 0; tries < 9 && b.state.watch.some(({ stage }) => stage !== 'live'); tries += 1) {
      const watched = watchedOf(b.state, 'ACME');
      const id = watched?.request?.id ?? -1;
      if (watched?.stage === 'contract') b.hear({ kind: 'contract', requestId: id, contract: ACME, liquidHours: [] });
      else b.hear({ kind: 'history-failed', requestId: id, text: '162 pacing violation' });
      b.pass(20_000, 0);
    }
    b.hear({ kind: 'quote', conId: 1, quote: quote(50.1, 50.12, { close: fromDollars(47), open: fromDollars(50) }) });
    for (let i = 0; i < 16; i += 1) {
      b.hear({ kind: 'quote', conId: 1, quote: quote(50.1, 50.12, { close: fromDollars(47), open: fromDollars(50) }) });
      b.bar30(i % 2 === 0 ? 50 : 49.9);
    }
    expect(b.decisions.slice(0, 2).map(({ verdict, code }) => `${verdict} ${code}`)).toEqual(['hold NOT_READY', 'enter GAP_AND_GO']);
  });

  test('immediate style: marketable IOC without a good-till time', () => {
    const b = new TraderBench({ rules: { entryStyle: 'immediate' } }).ready();
    expect(tale(b.bar30(50.1))).toEqual(['enter BUY 498 ACME LMT 50.18 IOC']);
  });

  test('a refusal by the rules is recorded once, with its numbers, until the reason changes', () => {
    const b = new TraderBench().ready();
    for (let i = 0; i < 5; i += 1) b.bar30(49.5);
    expect(b.decisions.map(({ code }) => code)).toEqual(['RULE_FAILED']);
    expect(Object.keys(b.decisions[0]?.numbers ?? {})).toContain('RSI < 60');
  });

  it.each([
    ['a normal day', '2026-03-09', '15:44:00', 1],
    ['a normal day', '2026-03-09', '15:44:30', 0],
    ['a half day', '2026-11-27', '12:44:00', 1],
    ['a half day', '2026-11-27', '12:44:30', 0],
    ['before the open', '2026-03-09', '09:29:00', 0],
  ] as const)('A12: %s, %s, the bar that began at %s: %i entries', (_title, date, at, entries) => {
    const past = () => calmPast(clock('10:30', tradeDate(date))).map(one => ({ ...one, at: epochMs(one.at - 3_600_000) }));
    const b = new TraderBench({ at, date: tradeDate(date) }).ready(at < '09:30' ? past : undefined);
    b.bar30(50.1);
    expect(b.placed).toHaveLength(entries);
  });

  test('A12: an entry shortly before 15:45 lives until then at most', () => {
    const b = new TraderBench({ at: '15:43:30' }).ready();
    expect(tale(b.bar30(50.1))).toEqual(['enter BUY 498 ACME LMT 50.18 GTD until 15:45:00']);
  });
});

describe('the gate', () => {
  const position = {
    ...claimOf({ tradeId: 'x', contract: ACME, createdAt: clock('09:31') }),
    status: 'OPEN' as const,
  };
  const other = (conId: number) => ({ ...position, tradeId: `t${conId}`, contract: contractOf(`S${conId}`, conId) });
  it.each<readonly [string, string, (b: TraderBench) => void]>([
    ['kill switch', 'KILL_SWITCH', b => b.storeTells({ killSwitch: { on: true, reason: 'test' } })],
    ['halt command', 'KILL_SWITCH', b => b.hear({ kind: 'command', command: command(0, 'halt') })],
    ['the exit manager is not READY', 'EXIT_MANAGER_NOT_READY', b => b.storeTells({ guard: { phase: 'RECONCILING', alive: true } })],
    ['the exit manager is dead', 'EXIT_MANAGER_NOT_READY', b => b.storeTells({ guard: { phase: 'READY', alive: false } })],
    ['active already', 'ALREADY_ACTIVE', b => b.storeTells({ positions: [position] })],
    ['A10: closed today', 'CLOSED_TODAY', b => b.storeTells({ closedToday: [{ symbol: 'ACME', closeDate: DAY, exitReason: 'stop' }] })],
    ['held before Holdfast came', 'BASELINE', b => b.storeTells({ baseline: [{ contract: contractOf('ACME', 1), quantity: 10 }] })],
    ['four positions', 'MAX_POSITIONS', b => b.storeTells({ positions: [other(11), other(12), other(13), other(14)] })],
    ['halted', 'HALTED', b => b.hear({ kind: 'quote', conId: 1, quote: quote(50.1, 50.12, { halted: true }) })],
    [
      'A11: delayed data, not allowed',
      'DELAYED_DATA',
      b => b.hear({ kind: 'quote', conId: 1, quote: quote(50.1, 50.12, { delayed: true }) }),
    ],
    ['spread above a third of the stop', 'SPREAD_TOO_WIDE', b => b.hear({ kind: 'quote', conId: 1, quote: quote(49.9, 50.12) })],
    ['no ask', 'NO_QUOTE', b => b.hear({ kind: 'quote', conId: 1, quote: quote(50.1, 0) })],
    ['an old quote', 'STALE_QUOTE', b => b.waits(30_000)],
    ['no money', 'NO_MONEY', b => b.hear({ kind: 'account', account: 'DU1', values: { buyingPower: micros(0) } })],
    [
      'one share is too dear',
      'ZERO_SHARES',
      b => b.hear({ kind: 'account', account: 'DU1', values: { netLiquidation: fromDollars(190) } }),
    ],
    ['account values not valid', 'ACCOUNT_NOT_READY', b => b.hear({ kind: 'account', account: 'DU1', values: { ready: false } })],
    ['reconciling', 'NOT_READY', b => b.hear({ kind: 'paused', ms: 3_000 })],
  ])('%s: %s', (_title, code, happens) => {
    const b = new TraderBench().ready();
    happens(b);
    const effects = b.bar30(50.1);
    expect([last(b), effects.filter(effect => effect.do === 'enter').length]).toEqual([`reject ${code}`, 0]);
  });

  test('B11: not armed, every signal is recorded with what it would have bought, and nothing is claimed', () => {
    const b = new TraderBench({ rules: { entriesEnabled: false } }).ready();
    b.bar30(50.1);
    b.hear({ kind: 'quote', conId: 1, quote: quote(50.1, 50.12) });
    b.bar30(50.1);
    expect(b.decisions.map(({ code, detail }) => `${code} ${detail}`)).toEqual(
      Array(2).fill('NOT_ARMED entries are not armed; would buy 498 at 50.18 at most'),
    );
    expect(b.effects.some(({ do: what }) => what === 'enter' || what === 'place')).toBe(false);
  });

  test('A11: without live data there are no bars: delayed quotes make them, and their own age is no reason to refuse', () => {
    const b = new TraderBench({ rules: { delayedDataAllowed: true } });
    b.connect();
    b.analyse(() => calmPast(epochMs(b.at - 15 * 60_000)));
    for (let i = 0; i < 14; i += 1) {
      const last = fromDollars(i % 2 === 0 ? 50.1 : 50.2);
      b.hear({ kind: 'quote', conId: 1, quote: quote(50.1, 50.12, { delayed: true, last, volume: 1_000 + i }) });
      b.waits(2_500);
    }
    expect(last(b)).toBe('enter STANDARD');
  });

  test('A11: delayed data drive entries where that is allowed', () => {
    const b = new TraderBench({ rules: { delayedDataAllowed: true } }).ready();
    b.hear({ kind: 'quote', conId: 1, quote: quote(50.1, 50.12, { delayed: true }) });
    b.bar30(50.1);
    expect(last(b)).toBe('enter STANDARD');
  });

  test('I9: entries under way take from buying power and count as positions before any row is read again', () => {
    const watchlist = ['ACME', 'BOLT', 'CORE'];
    const b = new TraderBench({ rules: { watchlist, maxPositions: 2 } }).ready();
    b.hear({ kind: 'account', account: 'DU1', values: { buyingPower: fromDollars(30_000) } });
    for (const conId of [2, 3]) b.hear({ kind: 'quote', conId, quote: quote(50.1, 50.12) });
    const start = b.at;
    const mono = b.mono;
    for (const conId of [1, 2, 3]) {
      b.at = start;
      b.mono = mono;
      b.bar30(50.1, conId);
    }
    // 498 × 50.18 = 24,989.64 is spoken for; 5,010.36 are left.
    expect(b.placed.map(({ contract, quantity }) => `${contract.symbol} ${quantity}`)).toEqual(['ACME 498', 'BOLT 99']);
    expect(last(b)).toBe('reject MAX_POSITIONS');
  });
});

describe('the store says no', () => {
  it.each(['ALREADY_ACTIVE', 'KILL_SWITCH', 'EXIT_MANAGER_NOT_READY', 'INTENT_TOO_OLD'])(
    '%s: recorded, and looked at again at the next bar',
    code => {
      const b = new TraderBench().ready();
      b.refusal = { code, detail: 'says the store' };
      b.bar30(50.1);
      expect(last(b)).toBe(`reject ${code}`);
      expect(b.isSettled).toBe(true);
      b.refusal = null;
      b.hear({ kind: 'quote', conId: 1, quote: quote(50.1, 50.12) });
      b.bar30(50.1);
      expect(b.placed).toHaveLength(1);
    },
  );

  test('A10: CLOSED_TODAY is not asked again today', () => {
    const b = new TraderBench().ready();
    b.refusal = { code: 'CLOSED_TODAY', detail: 'ACME was closed today (target)' };
    b.bar30(50.1);
    b.refusal = null;
    for (let i = 0; i < 4; i += 1) {
      b.hear({ kind: 'quote', conId: 1, quote: quote(50.1, 50.12) });
      b.bar30(50.1);
    }
    expect(b.effects.filter(effect => effect.do === 'enter')).toHaveLength(1);
  });
});
