import { epochMs, monoMs } from '@holdfast/core/units';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createExchangeClock } from './clock.js';

const machineAt = (start: { mono: number; wall: number }) => {
  let passed = 0;
  return {
    pass: (ms: number) => {
      passed += ms;
    },
    mono: () => monoMs(start.mono + passed),
    wall: () => epochMs(start.wall + passed),
  };
};

it('is the wall clock until the gateway speaks, then the gateway, even if that is years earlier', () => {
  const machine = machineAt({ mono: 5_000, wall: 1_800_000_000_000 });
  const clock = createExchangeClock(machine);
  expect(clock.exchange()).toBe(1_800_000_000_000);
  clock.told(1_700_000_000);
  expect(clock.exchange()).toBe(1_700_000_000_000);
  machine.pass(400);
  expect(clock.exchange()).toBe(1_700_000_000_400);
});

it('at 1× a late word does not pull the clock back', () => {
  const machine = machineAt({ mono: 0, wall: 0 });
  const clock = createExchangeClock(machine);
  clock.told(100);
  machine.pass(1_300); // the word "101" was 300 ms late
  clock.told(101);
  expect(clock.exchange()).toBe(101_300);
});

it('at 60× every word raises it', () => {
  const machine = machineAt({ mono: 0, wall: 0 });
  const clock = createExchangeClock(machine);
  for (let second = 1_000; second < 1_060; second++) {
    clock.told(second);
    expect(clock.exchange()).toBe(second * 1000);
    machine.pass(16);
  }
});

it('is not behind what a predecessor wrote, whose clock the gateway told its time too; what lies far ahead of it is no such word', () => {
  const machine = machineAt({ mono: 5_000, wall: 1_800_000_000_000 });
  const clock = createExchangeClock(machine);
  clock.written(epochMs(1_700_000_000_193));
  expect(clock.exchange()).toBe(1_800_000_000_000);
  clock.told(1_700_000_000);
  clock.written(epochMs(1_700_000_000_193));
  expect(clock.exchange()).toBe(1_700_000_000_193);
  clock.written(epochMs(1_699_999_999_000));
  clock.written(epochMs(1_700_000_060_000));
  expect(clock.exchange()).toBe(1_700_000_000_193);
});

it('never goes back, whatever it is told', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 1_000, max: 2_000 }))), words => {
      const machine = machineAt({ mono: 77, wall: 0 });
      const clock = createExchangeClock(machine);
      clock.told(1_000);
      let last = clock.exchange();
      for (const [wait, word] of words) {
        machine.pass(wait);
        clock.told(word);
        expect(clock.exchange()).toBeGreaterThanOrEqual(last);
        last = clock.exchange();
      }
    }),
  );
});
