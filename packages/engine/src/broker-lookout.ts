import type { BrokerListener } from '@holdfast/core/ports';

/** The same reason again is worth a line only after so long. */
const SAY_AGAIN_MS = 10_000;

export interface LookoutParts {
  /** `127.0.0.1:4002`: where the broker should be. */
  readonly at: string;
  readonly mono: () => number;
  readonly say: (line: string) => void;
}

/** What one emergency has learned about whether the broker can be reached, over all its connections. */
export interface BrokerLookout {
  /** Every connection's events go through here; says a failure at once, once, and again when it changes or after ten seconds. */
  hear(body: Parameters<BrokerListener>[0]): void;
  /** Somebody here got through, by whatever connection: nothing is held against the broker any more. */
  reached(): void;
  /** Why the last attempt failed, in a sentence that names host and port; null when it did not. */
  unreachable(): string | null;
}

export function createBrokerLookout({ at, mono, say }: LookoutParts): BrokerLookout {
  let reason: string | null = null;
  let said = { reason: '', at: Number.NEGATIVE_INFINITY };
  const sentence = (): string => `the broker could not be reached at ${at}: ${reason}`;
  function reached(): void {
    if (said.reason !== '') say(`the broker answers at ${at}`);
    reason = null;
    said = { reason: '', at: Number.NEGATIVE_INFINITY };
  }
  return {
    reached,
    hear(body) {
      if (body.kind === 'connected') reached();
      else if (body.kind === 'connect-failed') {
        reason = plain(body.reason);
        if (reason === said.reason && mono() - said.at < SAY_AGAIN_MS) return;
        say(`${sentence()}; trying on`);
        said = { reason, at: mono() };
      }
    },
    unreachable: () => (reason === null ? null : sentence()),
  };
}

/** The operating system's words for the two commonest failures are codes; people look for words. */
const plain = (reason: string): string =>
  reason.includes('ECONNREFUSED') ? 'connection refused' : reason.includes('ETIMEDOUT') ? 'no answer from that address' : reason;
