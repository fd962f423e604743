import { parseConfig } from '@holdfast/engine/config';
import { expect, it } from 'vitest';
import { supervisionPolicy } from './supervisor-policy.js';

function configOf(text: string) {
  const parsed = parseConfig(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

it("A2: desk.yaml's bounds become the policy's, in milliseconds", () => {
  const text = 'supervisor: { statusEverySeconds: 60, hangSeconds: 7, backoffSecondsMax: 12, parkAfterCrashes: 3, parkWindowMinutes: 2 }';
  expect(supervisionPolicy(configOf(text), undefined)).toMatchObject({
    statusEveryMs: 60_000,
    stillMsMax: 7_000,
    backoffMsMax: 12_000,
    parkAfterCrashes: 3,
    parkWindowMs: 120_000,
    guardSpacingMs: 250,
  });
});

it('a test may shorten single bounds, and only such as there are', () => {
  expect(supervisionPolicy(configOf(''), '{"stillMsMax":800}')).toMatchObject({ stillMsMax: 800, backoffFirstMs: 500 });
  expect(() => supervisionPolicy(configOf(''), '{"stilMsMax":800}')).toThrow('stilMsMax');
});
