import { DEFAULT_SUPERVISION, type SupervisionPolicy } from '@holdfast/core/supervision/policy';
import type { Config } from '@holdfast/engine/config';

/**
 * desk.yaml's `supervisor` section as core's policy. `override` is for tests alone: some of the policy's fields as JSON, so that a test need
 * not wait ten minutes for a window to pass. Throws on an override that names no field of the policy.
 */
export function supervisionPolicy({ supervisor }: Pick<Config, 'supervisor'>, override: string | undefined): SupervisionPolicy {
  const policy: SupervisionPolicy = {
    ...DEFAULT_SUPERVISION,
    stillMsMax: supervisor.hangSeconds * 1_000,
    backoffMsMax: supervisor.backoffSecondsMax * 1_000,
    parkAfterCrashes: supervisor.parkAfterCrashes,
    parkWindowMs: supervisor.parkWindowMinutes * 60_000,
    statusEveryMs: supervisor.statusEverySeconds * 1_000,
  };
  if (override === undefined || override === '') return policy;
  const changes: unknown = JSON.parse(override);
  for (const [key, value] of Object.entries(Object(changes))) {
    if (!(key in policy) || typeof value !== 'number') throw new Error(`no number of the supervision policy is called "${key}"`);
  }
  return { ...policy, ...Object(changes) };
}
