import { LineCounter, parseDocument } from 'yaml';
import { allowedAt, keysAt, nearest } from './config-keys.js';
import { type Desk, deskSchema } from './config-schema.js';

export type Config = Desk;

/** One thing wrong with the configuration. `key` is the dotted path; empty when the file itself cannot be read. */
export interface ConfigProblem {
  readonly key: string;
  readonly value: unknown;
  readonly message: string;
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** What the environment may say. Secrets come from here and never from the file. */
export interface ConfigEnvironment {
  readonly HOLDFAST_ACCOUNT?: string | undefined;
}

/** Parses desk.yaml into one frozen, complete object, or names every problem at once with its key, its value and what is allowed. */
export function parseConfig(text: string, environment: ConfigEnvironment = {}): ConfigResult {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  if (document.errors.length > 0) {
    const problems = document.errors.map(error => {
      const { line, col } = lines.linePos(error.pos[0]);
      return { key: '', value: null, message: `line ${line}, column ${col}: ${error.message}` };
    });
    return { ok: false, problems };
  }
  const content: unknown = document.toJS() ?? {};
  const account = environment.HOLDFAST_ACCOUNT;
  const withEnvironment = account && isRecord(content) ? { ...content, account } : content;
  const parsed = deskSchema.safeParse(withEnvironment);
  if (!parsed.success) return { ok: false, problems: parsed.error.issues.flatMap(issue => problemsOf(issue, withEnvironment)) };
  const problems = contradictions(parsed.data);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, config: deepFreeze(parsed.data) };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly keys?: readonly string[];
}

function problemsOf(issue: Issue, content: unknown): ConfigProblem[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys' && issue.keys) {
    return issue.keys.map(name => {
      const meant = nearest(name, keysAt(path));
      const hint = meant ? `did you mean ${[...path, meant].join('.')}?` : `known here: ${keysAt(path).join(', ')}`;
      return { key: [...path, name].join('.'), value: valueAt(content, [...path, name]), message: `unknown key; ${hint}` };
    });
  }
  return [{ key: path.join('.'), value: valueAt(content, path), message: `allowed: ${allowedAt(path)}` }];
}

const valueAt = (content: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, key) => (isRecord(value) || Array.isArray(value) ? Reflect.get(value, key) : undefined), content);

/** What is wrong only together. */
function contradictions(desk: Desk): ConfigProblem[] {
  const { mode, account, exits, session } = desk;
  const problems: ConfigProblem[] = [];
  const isPaper = account?.startsWith('DU') ?? false;
  if ((mode === 'demo' || mode === 'paper') && account !== null && !isPaper) {
    problems.push({ key: 'account', value: account, message: `mode ${mode} sends only to paper accounts, which start with DU` });
  }
  if (mode === 'live' && account === null)
    problems.push({ key: 'account', value: null, message: 'mode live needs the account to be named' });
  if (mode === 'live' && isPaper)
    problems.push({ key: 'account', value: account, message: 'a DU account is a paper account: use mode paper' });
  const disaster = disasterStopBps(desk);
  if (exits.protection === 'guarded' && disaster <= exits.stopBps) {
    const message = `the disaster stop must lie beyond stopBps (${exits.stopBps}), or protection must be another`;
    problems.push({ key: 'exits.disasterStopBps', value: exits.disasterStopBps ?? disaster, message });
  }
  if (session.noEntriesMinutesBeforeClose < session.flatMinutesBeforeClose) {
    const message = `must be at least flatMinutesBeforeClose (${session.flatMinutesBeforeClose}): nothing is bought while everything is sold`;
    problems.push({ key: 'session.noEntriesMinutesBeforeClose', value: session.noEntriesMinutesBeforeClose, message });
  }
  return problems;
}

/** Twice the stop, at most 3 %, unless stated. */
export const disasterStopBps = ({ exits }: Pick<Desk, 'exits'>): number => exits.disasterStopBps ?? Math.min(2 * exits.stopBps, 300);

/** `exits.stopBps: got -5; allowed: a whole number from 1 to 2000` */
export const describeProblem = ({ key, value, message }: ConfigProblem): string =>
  key === '' ? message : `${key}: got ${value === undefined ? 'nothing' : JSON.stringify(value)}; ${message}`;

/** The configuration for logs and screens: the account keeps its last three digits. */
export function printRedacted(config: Config): string {
  const account = config.account && `${config.account.slice(0, 2)}…${config.account.slice(-3)}`;
  return JSON.stringify({ ...config, account });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
