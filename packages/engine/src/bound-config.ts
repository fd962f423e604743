import type { Alert } from '@holdfast/core/effects';
import type { Binding } from '@holdfast/store/binding';
import type { Config } from './config.js';

export interface BoundConfig {
  /** The one to protect with: its mode and account are the store's. */
  readonly config: Config;
  /** Set when desk.yaml names another mode or account than the store belongs to. */
  readonly mismatch: Alert | null;
}

/**
 * What protection runs on when desk.yaml, though valid, names another mode or account than the positions it has to protect: the last
 * configuration that worked where that one belongs to them (its gateway does, too), else desk.yaml's with the store's mode and
 * account. A slip in a file must not end protection (DESIGN §9); the day trader takes a mismatch for a refusal.
 * `lastGood` is asked only then.
 */
export function configBoundTo(binding: Binding | null, config: Config, lastGood: () => Config | null): BoundConfig {
  if (binding === null || belongs(config, binding)) return { config, mismatch: null };
  const earlier = lastGood();
  if (earlier !== null && belongs(earlier, binding)) {
    return { config: earlier, mismatch: mismatchAlert(config, binding, 'the last configuration that worked') };
  }
  const { mode, account } = binding;
  return { config: { ...config, mode, account }, mismatch: mismatchAlert(config, binding, 'desk.yaml, but for its mode and account') };
}

const belongs = (config: Config, { mode, account }: Binding): boolean =>
  config.mode === mode && (config.account === null || config.account === account);

function mismatchAlert(config: Config, { mode, account }: Binding, standIn: string): Alert {
  const named = config.account === null ? 'no account' : `account ${config.account}`;
  return {
    level: 'critical',
    code: 'CONFIGURATION_MISMATCH',
    symbol: null,
    happened: `desk.yaml names mode ${config.mode} and ${named}; the store belongs to mode ${mode}, account ${account}.`,
    did: `Protection of ${account} goes on in mode ${mode}, with ${standIn}. The day trader does not start.`,
    todo: `Put mode ${mode} and account ${account} back into desk.yaml, or name another \`paths.var\` for another desk; then restart the exit manager.`,
  };
}
