import type { WorldFact } from '@holdfast/sim/audits/facts';

/** Messages that were held up are dealt with this long after they were let go. */
const AFTERMATH_MS = 500;

/**
 * What is wrong with the way to the exchange, for the referees: while the broker cannot be reached, or messages are late, nobody can react
 * in time. Troubles of one kind overlap; it is over when the last one is.
 */
export function createTroubles(tell: (fact: WorldFact) => void) {
  const current = { broker: new Set<NodeJS.Timeout>(), line: new Set<NodeJS.Timeout>() };
  const endings = new Map<NodeJS.Timeout, () => void>();
  const say = (kind: keyof typeof current, isWell: boolean): void =>
    tell(kind === 'broker' ? { fact: 'broker', reachable: isWell } : { fact: 'line', clean: isWell });

  function finish(kind: keyof typeof current, timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    endings.get(timer)?.();
    endings.delete(timer);
    current[kind].delete(timer);
    if (current[kind].size === 0) say(kind, true);
  }

  return {
    /** `undo` is called when it is over. */
    begin(kind: keyof typeof current, ms: number, undo: () => void = () => undefined): void {
      if (current[kind].size === 0) say(kind, false);
      const timer = setTimeout(() => finish(kind, timer), ms + AFTERMATH_MS);
      current[kind].add(timer);
      endings.set(timer, undo);
    },
    /** All of it is over now. */
    end(): void {
      for (const kind of ['broker', 'line'] as const) for (const timer of [...current[kind]]) finish(kind, timer);
    },
  };
}
