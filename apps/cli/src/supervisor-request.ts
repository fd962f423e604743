import { tradeDateOf } from '@holdfast/core/calendar';
import type { CommandPayload } from '@holdfast/core/effects';
import { epochMs } from '@holdfast/core/units';
import { insertCommand, readAnswer } from '@holdfast/store/commands';
import type { Db } from '@holdfast/store/db';
import { readLease } from '@holdfast/store/leases';
import { attempt } from '@holdfast/store/refusal';
import { type Desk, exchangeNow, shownPath, storeProblem } from './desk.js';
import type { Machine } from './machine.js';
import { EXIT, type Problem } from './problem.js';

/** Longer than the supervisor may take for all stages of a stop together. */
const ANSWER_MS_MAX = 60_000;
/** Exchange time: a demo's runs fast. */
const EXPIRES_MS = 3_600_000;

export interface Asking {
  readonly machine: Machine;
  readonly db: Db;
  readonly desk: Desk;
}

export interface SupervisorRequest {
  readonly kind: 'stop' | 'park' | 'unpark' | 'restart';
  readonly payload: CommandPayload;
  /** Once it is done the supervisor ends, and whoever asked waits for that too. */
  readonly endsIt: boolean;
}

/** Leaves a command for the supervisor and waits for its answer; a problem when none is there or none comes. */
export async function askSupervisor({ machine, db, desk }: Asking, { kind, payload, endsIt }: SupervisorRequest) {
  const lease = attempt(() => readLease(db, 'supervisor'));
  const shown = shownPath(machine, desk.files.store);
  if (lease !== null && 'ok' in lease) return storeProblem(shown, lease.detail);
  if (lease === null || lease.holder === null || machine.isGone(lease.holder)) return nobodyThere();
  const { holder } = lease;
  const now = exchangeNow(machine, desk.files);
  const asked = insertCommand(db, {
    target: 'supervisor',
    kind,
    payload,
    tradeDate: tradeDateOf(now),
    expiresAt: epochMs(now + EXPIRES_MS),
    createdBy: 'cli',
    now,
  });
  if (!asked.ok) return storeProblem(shown, asked.detail);
  const until = machine.mono() + ANSWER_MS_MAX;
  while (machine.mono() < until) {
    const word = attempt(() => readAnswer(db, asked.id));
    if (word !== null && !('ok' in word) && word.status !== 'pending' && word.status !== 'taken') {
      // The answer is written just before the end: whoever reads "stopped" may start again at once.
      while (endsIt && word.status === 'done' && machine.mono() < until && !machine.isGone(holder)) await machine.sleep(20);
      return word;
    }
    if (machine.isGone(holder)) return nobodyThere();
    await machine.sleep(50);
  }
  return {
    code: EXIT.unavailable,
    happened: `The supervisor (pid ${holder.pid}) did not answer within ${ANSWER_MS_MAX / 1000} s.`,
    did: 'The request stays in the store until it expires; nothing else was done.',
    todo: 'Look at `./holdfast status`. If it hangs, end it with SIGKILL (the workers go on) and start it again.',
  } satisfies Problem;
}

const nobodyThere = (): Problem => ({
  code: EXIT.unavailable,
  happened: 'No supervisor is running with this desk.yaml.',
  did: 'Nothing was done.',
  todo: 'See `./holdfast status` for workers that are still alive; `./holdfast start` adopts them, then try again.',
});
