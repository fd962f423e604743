import { epochMs, monoMs } from '@holdfast/core/units';
import { describe, expect, test } from 'vitest';
import { Pace } from './pace.js';

const START = 1_000_000_000_000;

/** Drives a pace by hand: machine time, exchange time, and pushes as the gateway would make them. */
function drive(speed: number, waitFor: readonly number[]) {
  let machine = 0;
  let exchange = START;
  const pace = new Pace({ speed, waitFor }, monoMs(machine));
  const pushAll = (): void => {
    for (const clientId of waitFor) pace.pushed(clientId, Math.floor(exchange / 1000));
  };
  return {
    pace,
    pushAll,
    /** Lets machine time pass in steps of a millisecond; returns how far exchange time went. */
    pass(ms: number, inFlight = 0, stepMs = 1): number {
      const before = exchange;
      for (let passed = 0; passed < ms; passed += stepMs) {
        machine += stepMs;
        exchange = pace.target(epochMs(exchange), monoMs(machine), inFlight);
        pushAll();
      }
      return exchange - before;
    },
  };
}

describe('exchange time', () => {
  test('runs at the speed asked for when nobody is waited for', () => {
    expect(drive(1, []).pass(500)).toBe(500);
    expect(drive(60, []).pass(500)).toBe(30_000);
    expect(drive(0.5, []).pass(500)).toBe(250);
  });

  test('a missing client: 1×, never stopped', () => {
    const day = drive(300, [2, 10]);
    expect(day.pass(200)).toBe(200);
    day.pace.connected(2);
    expect(day.pass(200)).toBe(200);
    expect(day.pace.report().brakedMs['not connected']).toBe(400);
  });

  test('connected but not yet acknowledging: 1×; every acknowledgement lets it run a second further', () => {
    const day = drive(300, [2]);
    day.pace.connected(2);
    expect(day.pass(1500)).toBe(1500);
    expect(day.pace.acknowledge(2)).toBe(true);
    // Half a second of the current second and the one after it, then 1× again.
    expect(day.pass(20)).toBeLessThan(1_050);
    expect(day.pass(20)).toBe(20);
    expect(day.pace.acknowledge(2)).toBe(true);
    expect(day.pass(10)).toBeGreaterThan(900);
  });

  test('acknowledging each second at once holds nearly the full speed', () => {
    const day = drive(300, [2]);
    day.pace.connected(2);
    day.pass(1100);
    let moved = 0;
    for (let turn = 0; turn < 400; turn += 1) {
      day.pace.acknowledge(2);
      moved += day.pass(1);
    }
    expect(moved / 400).toBeGreaterThan(240);
  });

  test('the slowest client decides; a disconnect brakes at once', () => {
    const day = drive(300, [2, 10]);
    for (const clientId of [2, 10]) day.pace.connected(clientId);
    day.pass(1100);
    day.pace.acknowledge(2);
    expect(day.pass(100)).toBe(100);
    day.pace.acknowledge(10);
    day.pace.acknowledge(2);
    day.pace.disconnected(10);
    expect(day.pass(100)).toBe(100);
  });

  test('an order in flight: 1×, at once', () => {
    const day = drive(300, []);
    expect(day.pass(100, 1)).toBe(100);
    expect(day.pass(10)).toBe(3000);
    expect(day.pace.report().brakedMs['in flight']).toBe(100);
  });

  test('nothing outstanding is nothing acknowledged: the gateway answers instead', () => {
    const day = drive(300, [2]);
    expect(day.pace.acknowledge(2)).toBe(false);
    day.pace.connected(2);
    expect(day.pace.acknowledge(2)).toBe(false);
    day.pushAll();
    expect(day.pace.acknowledge(2)).toBe(true);
    expect(day.pace.acknowledge(2)).toBe(false);
    expect(day.pace.acknowledge(99)).toBe(false);
  });

  test('a loop that was held up makes fast time late, not wild, and never takes a client past its limit', () => {
    expect(drive(300, []).pass(2_000, 0, 2_000)).toBe(50 * 300);
    const day = drive(300, [2]);
    day.pace.connected(2);
    day.pass(1100);
    day.pace.acknowledge(2);
    expect(day.pass(40, 0, 40)).toBeLessThanOrEqual(1_001);
  });

  test('pushes are for fast or waited-for time; plain time is a plain gateway', () => {
    expect(drive(1, []).pace.pushes).toBe(false);
    expect(drive(1, [2]).pace.pushes).toBe(true);
    expect(drive(5, []).pace.pushes).toBe(true);
  });
});
