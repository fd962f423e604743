import { CLIENT_ID } from '@holdfast/core/orders/order';
import { type GatewayFaults, type LineFaults, noGatewayFaults } from '../broker-faults.js';
import type { Line } from '../line.js';
import type { OrderState } from './counts.js';
import type { Act } from './fault-acts.js';
import { haltEntries } from './hand-acts.js';
import type { World } from './world.js';

/** What brings an order into a state that a fault waits for, where chance alone would take weeks. */
interface Lure {
  readonly gateway?: Partial<GatewayFaults>;
  /** Whoever waits for word of an order waits longer, where a whole seed is about that state. */
  readonly slow?: 'day-trader' | 'exit-manager';
  /** Done as soon as an order is in the state beside it. */
  readonly next?: { readonly aim: OrderState; readonly act: Act };
}

const SLOW_WORDS: LineFaults['delay'] = { lanes: ['order', 'order-notice'], odds: [1, 1], lowMs: 500, highMs: 4_000 };
const SLOW_MS = 2_000;
const SLOWLY: Lure['gateway'] = { slowCancel: { odds: [1, 1], lowMs: 500, highMs: 5_000 } };

const LURES: Readonly<Partial<Record<OrderState, Lure>>> = {
  'entry INTENT': { slow: 'day-trader' },
  'exit INTENT': { slow: 'exit-manager' },
  'entry CANCELLING': { gateway: SLOWLY, next: { aim: 'entry SUBMITTED', act: haltEntries } },
  'exit CANCELLING': { gateway: SLOWLY },
  'entry LOST': { gateway: { vanish: { odds: [1, 2], of: CLIENT_ID['day-trader'] } } },
  'exit LOST': { gateway: { vanish: { odds: [1, 3], of: CLIENT_ID['exit-manager'] } }, slow: 'exit-manager' },
};

export interface Laid {
  readonly next: Lure['next'] | null;
  /** Takes it away. */
  readonly end: () => void;
}

/** Lays what brings about that state, if anything does; whoever lays it takes it away. */
export function layLure(world: World, aim: OrderState): Laid {
  const { gateway } = world.gateway;
  const lure = LURES[aim];
  if (!lure) return { next: null, end: () => undefined };
  const slowed = world.options.focused && lure.slow ? world.gateway.broker(lure.slow) : null;
  Object.assign(gateway.faults, lure.gateway);
  if (slowed) slowed.line.faults.delay = SLOW_WORDS;
  const off = noGatewayFaults();
  return {
    next: lure.next ?? null,
    end: () => {
      for (const key of Object.keys(lure.gateway ?? {}) as (keyof GatewayFaults)[]) Object.assign(gateway.faults, { [key]: off[key] });
      // What strikes finds the order still waiting.
      if (slowed) world.faults.lasts(SLOW_MS, () => endSlowness(slowed.line));
    },
  };
}

function endSlowness({ faults }: Line): void {
  if (faults.delay === SLOW_WORDS) faults.delay = null;
}
