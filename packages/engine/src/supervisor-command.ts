import type { SupervisorCommand } from '@holdfast/core/supervision/state';

/** A command row as core knows it, or null for what nobody here understands. */
export function commandOf(id: number, kind: string, payload: Readonly<Record<string, unknown>>): SupervisorCommand | null {
  const worker = payload.worker ?? 'day-trader';
  if (kind === 'stop') return { kind, id, force: payload.force === true, keepGuard: payload.keepExitManager === true };
  if (kind === 'status') return { kind, id };
  const isWorker = worker === 'day-trader' || worker === 'exit-manager';
  if ((kind === 'park' || kind === 'unpark' || kind === 'restart') && isWorker) return { kind, id, worker };
  return null;
}
