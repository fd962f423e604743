import type { Screen } from './screen.js';

/** How a command ends. The numbers above 63 are those of sysexits.h, so that scripts can tell them apart. */
export const EXIT = {
  ok: 0,
  /** It ran, and the answer is no: an invariant was broken, a stop was refused, the desk is not all right. */
  no: 1,
  /** The file named is not one of ours, or damaged. */
  badFile: 2,
  usage: 64,
  /** Something that must be there is not: the store, the gateway, data, a free port, the build. */
  unavailable: 69,
  bug: 70,
  configuration: 78,
  /** 128 + SIGINT. */
  interrupted: 130,
} as const;

export const EXIT_CODES_TEXT = `Exit codes:
  0    done
  1    it ran and the answer is no: an invariant was broken, not flat,
       a stop was refused or left something open by force, the exit
       manager is not READY, a replay decided something else
  2    the file to replay is no journal, or damaged
  64   wrong usage
  69   something is not there (store, gateway, market data, a free port)
  70   a bug of ours
  78   desk.yaml is wrong
  130  interrupted`;

/** A complaint a person can act on: what happened, what was done about it, what to do now. */
export interface Problem {
  readonly code: number;
  readonly happened: string;
  readonly did: string;
  readonly todo: string;
}

export const isProblem = (value: object): value is Problem => 'happened' in value && 'todo' in value;

/** Says it on stderr, in three lines, and gives the exit code. */
export function complain(screen: Screen, problem: Problem): number {
  const { paint } = screen.err;
  screen.err.line(`${paint.red('holdfast:')} ${problem.happened}`);
  screen.err.line(`  ${problem.did}`);
  screen.err.line(`  ${problem.todo}`);
  return problem.code;
}

export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
