import type { BrokerPort } from '@holdfast/core/ports';

/**
 * Test-only: the instant between an order's committed intent and its first byte, made certain. With `place:3` (from
 * HOLDFAST_TEST_KILL_AT, read in main.ts) the third order to be placed is not sent: the process dies instead, as kill −9 would end it.
 * Without it the broker is given back as it is. Throws for words it does not know: a test that kills nothing proves nothing.
 */
export function killAt(broker: BrokerPort, instant: string | undefined, die: () => void): BrokerPort {
  if (instant === undefined) return broker;
  const wanted = Number(/^place:(\d+)$/.exec(instant)?.[1] ?? Number.NaN);
  if (!(wanted > 0)) throw new Error(`HOLDFAST_TEST_KILL_AT: got ${instant}; allowed place:N with N from 1`);
  let placed = 0;
  return {
    connect: () => broker.connect(),
    close: () => broker.close(),
    get isUp() {
      return broker.isUp;
    },
    send(send) {
      if (send.do === 'place') placed += 1;
      if (send.do === 'place' && placed === wanted) {
        die();
        return false;
      }
      return broker.send(send);
    },
    acknowledgeTime: () => broker.acknowledgeTime(),
  };
}
