import { anOrder, MONDAY, NOW } from '@holdfast/store/testing/desk';
import { expect, it } from 'vitest';
import { createEmergencyFile, EMERGENCY_FILE_BYTES, type PendingStep } from './emergency-file.js';
import { createMemoryFile } from './random-file.js';

const step = (counter: number): PendingStep => ({
  at: NOW,
  tradeDate: MONDAY,
  writes: [{ do: 'write-intent', order: anOrder({ orderRef: `HFX-20260309-1-${counter}`, reason: 'ü — two bytes and three' }) }],
});

it('keeps steps in order, over a reopening too', () => {
  const file = createMemoryFile(EMERGENCY_FILE_BYTES);
  const first = createEmergencyFile(file);
  first.append(step(1));
  first.append(step(2));
  const second = createEmergencyFile(file);
  second.append(step(3));
  expect(second.read()).toEqual({ steps: [step(1), step(2), step(3)], torn: 0 });
});

it('is empty after the wipe, and usable again', () => {
  const file = createEmergencyFile(createMemoryFile(EMERGENCY_FILE_BYTES));
  for (let counter = 0; counter < 5; counter++) file.append(step(counter));
  expect(file.wipe()).toEqual({ ok: true });
  file.append(step(9));
  expect(file.read()).toEqual({ steps: [step(9)], torn: 0 });
});

it('a torn last line costs that line', () => {
  const memory = createMemoryFile(EMERGENCY_FILE_BYTES);
  const file = createEmergencyFile(memory);
  file.append(step(1));
  memory.write(Buffer.byteLength(memory.read().split('\0')[0] ?? ''), '{"at":17730');
  expect(createEmergencyFile(memory).read()).toEqual({ steps: [step(1)], torn: 1 });
});

it('full: says so, and what was in it stays readable', () => {
  const file = createEmergencyFile(createMemoryFile(1_000));
  expect(file.append(step(1))).toEqual({ ok: true });
  expect(file.append(step(2))).toMatchObject({ ok: false, detail: expect.stringContaining('no room') });
  expect(file.read()).toEqual({ steps: [step(1)], torn: 0 });
});
