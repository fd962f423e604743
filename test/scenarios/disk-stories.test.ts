import { Db } from '@holdfast/store/db';
import { afterEach, describe, expect, it } from 'vitest';
import { CALM } from './desk-market.js';
import { endStages, onDesk } from './desk-stage.js';

/** The store and the disk under it fail while something must be sold. Lost, damaged and restored files: test/e2e/store-loss.test.ts. */

afterEach(endStages);
const FALLS = [...CALM, ['09:33:00', 49.4] as const];

describe('the store', () => {
  it('A13, I3, I6: a stranger holds the write lock while the stop is touched: sold all the same, and on record when the lock ends', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.runTo('09:32:50');
    const stranger = new Db(s.world.operator.path, { busyTimeoutMs: 0, synchronous: 'OFF' });
    stranger.exec('BEGIN IMMEDIATE');
    s.world.say('story', 'a stranger locks the store');
    s.world.faults.lasts(30_000, () => stranger.close());
    s.runTo('09:33:15');
    expect(s.position()).toBe(0);
    s.runTo('09:36:00');
    expect(s.told('ACME', 'story', 'STORE')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:32:50 story  a stranger locks the store
      09:33:03 exit-manager  cancels X-1
      09:33:03 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:03 exit-manager  store-not-answering {"why":"STORE_BUSY: SQLITE_BUSY: database is locked"}
      09:33:03 exit-manager  cancels X-2
      09:33:03 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:03 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:03 exchange  fills SELL 99 ACME @ 49.39 (X-3)
      09:33:03 exit-manager  closes ACME: stop
    `);
  });

  it('A13, I5, I6: SQLITE_BUSY for six seconds around the signal: no entry without a committed claim, and one as soon as it can be', () => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'] });
    s.at('09:30:58', () => s.disk('busy', 6_000));
    s.runTo('09:36:00');
    expect(s.told('ACME', 'store')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 fault  store busy
      09:31:01 fault  store busy
      09:31:02 fault  store busy
      09:31:03 fault  store busy
      09:31:04 fault  store busy
      09:31:05 fault  store busy
      09:32:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-2)
      09:32:00 exchange  fills BUY 99 ACME @ 50.01 (D-2)
      09:32:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:32:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
    `);
  });

  it('A13, I3, I6: the disk is full while the stop is touched: the intent goes to the emergency file, the books follow', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:32:50', () => s.disk('full', 12_000));
    s.runTo('09:36:00');
    expect(s.told('ACME', 'answer')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:33:03 exit-manager  cancels X-1
      09:33:03 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:03 exit-manager  store-not-answering {"why":"STORE_FULL: SQLITE_FULL: database or disk is full (injected)"}
      09:33:03 exit-manager  cancels X-2
      09:33:03 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:03 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:03 exchange  fills SELL 99 ACME @ 49.39 (X-3)
      09:33:03 exit-manager  closes ACME: stop
      09:33:11 exit-manager  store-answers-again {}
    `);
    expect(s.sold()).toBe(99);
  });

  it('A13, I1, I6: the disk is full, and the exit manager dies after it has sold: the emergency file is merged first, nothing is sold again', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:32:50', () => {
      s.disk('full', 12_000);
      s.ambush({ worker: 'exit-manager', kind: 'send', side: 'after', act: 'kill', what: 'place' });
    });
    s.runTo('09:36:00');
    expect(s.told('ACME', 'answer', 'lease-not', 'kill')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:33:03 exit-manager  cancels X-1
      09:33:03 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:03 exit-manager  store-not-answering {"why":"STORE_FULL: SQLITE_FULL: database or disk is full (injected)"}
      09:33:03 exit-manager  cancels X-2
      09:33:03 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:03 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:03 exchange  fills SELL 99 ACME @ 49.39 (X-3)
      09:33:03 fault  kill after send: exit-manager after send of place
      09:33:03 exit-manager  lease-not-written {"why":"STORE_FULL: SQLITE_FULL: database or disk is full (injected)"}
      09:33:03 exit-manager  info RECONCILED: The broker's answer differed from the store in 2 point(s): SELL 99 ACME at 49.39 (X-3); X-3: INTENT is FILLED.
      09:33:03 exit-manager  closes ACME: stop
      09:33:11 exit-manager  store-answers-again {}
    `);
    expect(s.sold()).toBe(99);
  });

  it('A13, I6: the store is locked for six seconds, and the exit manager dies right after its sale: what its successor learned meanwhile is the last word', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:32:59', () => {
      s.disk('busy', 6_000);
      s.ambush({ worker: 'exit-manager', kind: 'send', side: 'after', act: 'kill', what: 'place' });
    });
    s.runTo('09:36:00');
    expect(s.told('ACME', 'answer', 'lease-not', 'kill')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:33:03 exit-manager  cancels X-1
      09:33:03 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:03 exit-manager  store-not-answering {"why":"STORE_BUSY: SQLITE_BUSY: database is locked (injected)"}
      09:33:03 exit-manager  cancels X-2
      09:33:03 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:03 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:03 exchange  fills SELL 99 ACME @ 49.39 (X-3)
      09:33:03 fault  kill after send: exit-manager after send of place
      09:33:03 exit-manager  lease-not-written {"why":"STORE_BUSY: SQLITE_BUSY: database is locked (injected)"}
      09:33:03 exit-manager  info RECONCILED: The broker's answer differed from the store in 2 point(s): SELL 99 ACME at 49.39 (X-3); X-3: INTENT is FILLED.
      09:33:03 exit-manager  closes ACME: stop
      09:33:05 exit-manager  store-answers-again {}
    `);
    expect(s.sold()).toBe(99);
  });

  it('A13, I6: one call in three fails on a bad disk, of store and emergency file alike, while the stop is touched: sold at once, and once', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:32:50', () => s.disk('io', 20_000));
    s.runTo('09:36:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:33:03 exit-manager  cancels X-1
      09:33:03 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:03 exit-manager  cancels X-2
      09:33:03 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:03 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:03 exchange  fills SELL 99 ACME @ 49.39 (X-3)
      09:33:03 exit-manager  closes ACME: stop
    `);
    expect(s.sold()).toBe(99);
  });

  it('A13, I1, I6: commits are done and reported as failed, through entry and stop: bought and sold once', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:30:58', () => s.disk('unsure', 200_000));
    s.runTo('09:38:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:33:03 exit-manager  cancels X-1
      09:33:03 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:03 exit-manager  cancels X-2
      09:33:03 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:03 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:03 exchange  fills SELL 99 ACME @ 49.39 (X-3)
      09:33:03 exit-manager  closes ACME: stop
    `);
    expect(s.sold()).toBe(99);
  });
});
