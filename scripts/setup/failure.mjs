/** A set-up problem that a person can do something about; anything else thrown is a bug in the scripts. */
export class SetupFailure extends Error {
  /** `happened`, `did` and `todo` are sentences for the operator; `detail` is what the failing tool printed. */
  constructor({ happened, did, todo, detail }) {
    super(happened);
    this.did = did;
    this.todo = todo;
    this.detail = detail;
  }

  toString() {
    const lines = [`What happened: ${this.message}`, `What was done: ${this.did}`, `What to do:    ${this.todo}`];
    if (this.detail) lines.push('', 'What the tool said:', ...digest(this.detail).map(line => `  ${line}`));
    return lines.join('\n');
  }
}

const UNTOUCHED = 'nothing that worked before was changed; a second run starts where this one stopped.';

/** First match wins, so the causes stand before the symptoms they also print. */
const CAUSES = [
  [
    /ENOSPC|no space left|disk quota/i,
    'the disk is full',
    'free about 1 GB where this folder lies (and where npm keeps its cache), then run it again.',
  ],
  [/EROFS|read-only file system/i, 'the disk is read-only', 'put this folder on a disk that can be written, then run it again.'],
  [
    /EACCES|EPERM|permission denied/i,
    'a file or folder may not be written',
    'make this folder and the home folder writable for the user who runs it (never mix root and a normal user), then run it again.',
  ],
  [
    /E401|E403|ERR_PNPM_FETCH_40[13]|unauthori[sz]ed|authentication/i,
    'the package registry refused to serve us',
    'log in to the registry that npm is set to use (`npm config get registry`), then run it again.',
  ],
  [
    /ERR_PNPM_OUTDATED_LOCKFILE|frozen-lockfile.*(not up to date|outdated)|lockfile is not up to date/i,
    'pnpm-lock.yaml does not fit the package.json files',
    'run `.runtime/bin/pnpm install`, look at what it changed and commit it.',
  ],
  [
    /EINTEGRITY|ERR_PNPM_TARBALL_INTEGRITY|integrity check/i,
    'a downloaded package is not the one that was published',
    'run `npm cache verify` and try again; if it stays, do not trust this registry or the network between.',
  ],
  [
    /ERR_PNPM_NO_OFFLINE|ENOTCACHED/i,
    'a package is not in the local cache and --offline forbids fetching it',
    'run it once without --offline while the registry can be reached.',
  ],
  [
    /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT|connection refused|tcp connect|dns error|timed? ?out|error sending request|network/i,
    'the package registry does not answer',
    'check the network, the proxy and `npm config get registry`, then run it again. If the packages were fetched here before: `npm run setup -- --offline`.',
  ],
  [
    /ETARGET|E404|ERR_PNPM_FETCH_404|ERR_PNPM_NO_MATCHING_VERSION|No matching version/i,
    'the package registry does not have a pinned version',
    'use a registry that carries it (`npm config get registry` shows yours); a private mirror may need to be told to fetch it.',
  ],
];

/** Turns a failed tool's output into words. `doing` names the step, e.g. "fetching Node 24". */
export function failureFrom(doing, output) {
  for (const [pattern, cause, todo] of CAUSES) {
    if (pattern.test(output)) return new SetupFailure({ happened: `${doing} failed: ${cause}.`, did: UNTOUCHED, todo, detail: output });
  }
  return new SetupFailure({
    happened: `${doing} failed.`,
    did: UNTOUCHED,
    todo: 'read the lines below; if they do not help, delete .runtime and node_modules and run it again.',
    detail: output,
  });
}

/** Lines that only surround the reason: stack frames, pointers to log files, warnings and announced retries. */
const NOISE =
  /^\s*at |^npm (error )?\s*(at |A complete log|errno|syscall|address|port|type|requiredBy|[{}]|$)|npm warn|\[WARN\]|Will retry|^Progress:/;

/** What matters of a tool's output: its first and last words, with passwords in addresses blotted out. */
function digest(text) {
  const lines = text.split('\n').map(line => line.trimEnd());
  const telling = lines.filter(line => line !== '' && !NOISE.test(line));
  const kept = telling.length > 0 ? telling : lines.filter(line => line !== '');
  const chosen = kept.length > 9 ? [...kept.slice(0, 4), '…', ...kept.slice(-4)] : kept;
  return chosen.map(line => line.replace(/\/\/[^/\s@]*@/g, '//***@').slice(0, 300));
}
