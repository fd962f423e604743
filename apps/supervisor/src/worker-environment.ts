/**
 * What workers inherit. pm2 pours its whole record of the supervisor into the environment, an IPC channel among it: a worker that took
 * that over would count as pm2's own process.
 */
const INHERITED =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TZ|TMPDIR|NODE_OPTIONS|NODE_EXTRA_CA_CERTS|HOLDFAST_.*|(https?|no|all)_proxy)$/i;

export const workerEnvironment = (environment: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => INHERITED.test(name)));
