import type { BrokerListener } from '@holdfast/core/ports';
import { epochMs, monoMs } from '@holdfast/core/units';
import { bindStore, readBinding } from '@holdfast/store/binding';
import { storeFailure } from '@holdfast/store/faults';
import { readLease } from '@holdfast/store/leases';
import { anOrder, aPosition, closeAll, MONDAY, NOW, openDesk } from '@holdfast/store/testing/desk';
import { afterEach, describe, expect, it } from 'vitest';
import type { Unwritten } from './boot.js';
import { createExchangeClock } from './clock.js';
import { parseConfig } from './config.js';
import { silentLog } from './log.js';
import { type BrainStart, chooseAccount, createShell } from './shell.js';
import { notingBroker, scriptedBrain } from './testing/stand.js';
import type { Stop } from './worker.js';

afterEach(closeAll);

const SPEAKS_AT = 1_741_527_000; // a replayed day of 2025
const connected = (accounts: readonly string[] = ['DU1234567']) => ({ kind: 'connected' as const, nextOrderId: 1, accounts, session: 1 });

interface ShellOptions {
  readonly isDamaged?: () => boolean;
  readonly unwritten?: Unwritten | null;
}

function shellOn(yaml: string, boundAccount: string | null = null, { isDamaged = () => false, unwritten = null }: ShellOptions = {}) {
  const parsed = parseConfig(yaml);
  if (!parsed.ok) throw new Error('the test has a bad configuration');
  const desk = openDesk({
    faults: {
      before({ kind }) {
        if (isDamaged() && kind === 'read') throw storeFailure('corrupt');
      },
      afterCommit: () => undefined,
    },
  });
  if (boundAccount !== null) bindStore(desk.db, { mode: parsed.config.mode, account: boundAccount, now: NOW });
  const broker = notingBroker();
  const starts: BrainStart[] = [];
  const stops: Stop[] = [];
  const heard: Parameters<typeof scriptedBrain>[1] = [];
  let tell: BrokerListener = () => undefined;
  const shell = createShell({
    name: 'exit-manager',
    config: parsed.config,
    booted: { ok: true, db: desk.db, lease: desk.exitManager, binding: readBinding(desk.db), unwritten },
    brain: scriptedBrain({}, heard).brain,
    createState: start => starts.push(start),
    clock: createExchangeClock({ mono: () => monoMs(5), wall: () => epochMs(1_800_000_000_000) }),
    connect: listener => {
      tell = listener;
      return broker;
    },
    emergency: null,
    log: silentLog,
    alerts: [],
    onStop: stop => stops.push(stop),
  });
  return { shell, desk, broker, starts, stops, heard, tell: (body: Parameters<BrokerListener>[0]) => tell(body) };
}

describe('from the first dial to the brain', () => {
  it('nothing is decided before the exchange has told its time', () => {
    const stand = shellOn('mode: demo');
    stand.tell(connected());
    stand.tell({ kind: 'notice', code: 2104, text: 'ok', severity: 'info' });
    stand.shell.beat();
    expect(stand.starts).toEqual([]);
    expect(stand.shell.facts().phase).toBe('CONNECTING');

    stand.tell({ kind: 'time', seconds: SPEAKS_AT });
    expect(stand.starts).toMatchObject([{ account: 'DU1234567', at: SPEAKS_AT * 1000, hasBaseline: false, lease: 1 }]);
    expect(stand.heard.map(({ kind }) => kind)).toEqual(['connected', 'notice']);
  });

  it('why there is no connection stands in the lease, for the status', () => {
    const stand = shellOn('mode: demo');
    const failed = (reason: string) => stand.tell({ kind: 'connect-failed', code: 326, reason });
    const detail = () => readLease(stand.desk.db, 'exit-manager');
    failed('client id is already in use');
    expect(detail()).toMatchObject({ phase: 'CONNECTING', detail: 'client id is already in use' });
    failed('ECONNREFUSED');
    expect(detail()).toMatchObject({ phase: 'CONNECTING', detail: 'ECONNREFUSED' });
  });

  it('what a lost connection said is forgotten', () => {
    const stand = shellOn('mode: demo');
    stand.tell(connected());
    stand.tell({ kind: 'disconnected', reason: 'x' });
    stand.tell({ kind: 'time', seconds: SPEAKS_AT });
    expect(stand.starts).toEqual([]);
    stand.tell(connected());
    expect(stand.heard.map(({ kind }) => kind)).toEqual(['connected']);
  });

  it('I6: a worker does not begin behind what is on record: its words would look older than its predecessor’s, and be dropped at a merge', () => {
    const stand = shellOn('mode: demo', 'DU1234567');
    const updatedAt = epochMs(SPEAKS_AT * 1000 + 193);
    stand.desk.commit([{ do: 'write-position', position: aPosition({ account: 'DU1234567', updatedAt }) }]);
    stand.tell(connected());
    stand.tell({ kind: 'time', seconds: SPEAKS_AT });
    expect(stand.starts).toMatchObject([{ at: updatedAt }]);
  });

  it('the first start binds the store to mode and account', () => {
    const stand = shellOn('mode: paper');
    stand.tell(connected());
    stand.tell({ kind: 'time', seconds: SPEAKS_AT });
    expect(readBinding(stand.desk.db)).toMatchObject({ mode: 'paper', account: 'DU1234567' });
  });

  it('I12: an account whose baseline waits to be written is met already, and no other', () => {
    const holdings = [{ contract: anOrder().contract, quantity: 110 }];
    const unwrittenFor = (account: string): Unwritten => ({
      why: 'the disk is full',
      steps: [{ at: NOW, tradeDate: MONDAY, writes: [{ do: 'write-baseline', account, holdings }] }],
      record: () => ({ ok: true }),
    });
    const startWith = (unwritten: Unwritten) => {
      const stand = shellOn('mode: demo', 'DU1234567', { unwritten });
      stand.tell(connected());
      stand.tell({ kind: 'time', seconds: SPEAKS_AT });
      return stand.starts[0];
    };
    expect(startWith(unwrittenFor('DU1234567'))).toMatchObject({ hasBaseline: true, view: { baseline: holdings } });
    expect(startWith(unwrittenFor('DU7654321'))).toMatchObject({ hasBaseline: false });
  });

  it('a real account behind a paper configuration: nothing is sent or bound, the process ends with 78', () => {
    const stand = shellOn('mode: paper');
    stand.tell(connected(['U1234567']));
    stand.tell({ kind: 'time', seconds: SPEAKS_AT });
    expect(stand.stops).toMatchObject([{ code: 78, why: expect.stringContaining('paper accounts (DU…) only') }]);
    expect(stand.broker).toMatchObject({ sends: [], isUp: false });
    expect(readBinding(stand.desk.db)).toBeNull();
  });

  it("another mode than the store's is refused", () => {
    const stand = shellOn('mode: paper\naccount: DU1234567', 'DU7654321');
    stand.tell(connected(['DU1234567']));
    stand.tell({ kind: 'time', seconds: SPEAKS_AT });
    expect(stand.stops).toMatchObject([{ code: 78, why: expect.stringContaining('DU7654321') }]);
  });

  it('DESIGN §5: a damaged page met before anything was decided ends it with code 6, and does not wait for the store to answer', () => {
    let isDamaged = false;
    const stand = shellOn('mode: paper', 'DU1234567', { isDamaged: () => isDamaged });
    isDamaged = true;
    stand.tell(connected());
    stand.tell({ kind: 'time', seconds: SPEAKS_AT });
    expect(stand.stops).toMatchObject([{ code: 6, why: expect.stringContaining('STORE_CORRUPT') }]);
    expect(stand.shell.facts().phase).toBe('STOPPING');
    expect(stand.broker.isUp).toBe(false);
  });

  it('a graceful stop before the first connection ends it too', () => {
    const stand = shellOn('mode: demo');
    stand.shell.stop();
    stand.tell(connected());
    expect(stand.stops).toMatchObject([{ code: 0 }]);
  });
});

describe('which account', () => {
  it.each<readonly [string, { mode: 'paper' | 'live'; account: string | null }, string | null, readonly string[], string | RegExp]>([
    ["desk.yaml's", { mode: 'paper', account: 'DU2' }, null, ['DU1', 'DU2'], 'DU2'],
    ["the store's", { mode: 'paper', account: null }, 'DU1', ['DU1', 'DU2'], 'DU1'],
    ['the only one', { mode: 'paper', account: null }, null, ['DU1'], 'DU1'],
    ['none of several', { mode: 'paper', account: null }, null, ['DU1', 'DU2'], /serves DU1, DU2: name one/],
    ['not the one it serves', { mode: 'paper', account: 'DU3' }, null, ['DU1'], /serves DU1, not DU3/],
    ['a real one in live', { mode: 'live', account: 'U1' }, null, ['U1'], 'U1'],
    ['a real one in paper', { mode: 'paper', account: null }, null, ['U1'], /paper accounts/],
  ])('%s', (_title, config, bound, served, expected) => {
    const chosen = chooseAccount(config, bound, served);
    expect(chosen.ok ? chosen.account : chosen.detail).toMatch(expected);
  });
});
