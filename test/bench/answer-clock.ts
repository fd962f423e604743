import type { WireMessage } from '@holdfast/sim/gateway/gateway';
import { machineNow } from '@holdfast/sim/gateway/machine-time';

/** What a client answered to one message, in milliseconds since that message's bytes went to the socket. */
export interface Answer {
  readonly ms: number;
  readonly kind: 'cancel' | 'order';
  /** When it was read, on the machine's clock. */
  readonly readAt: number;
}

/** Message ids of the TWS protocol; what comes in is text, what goes out is not yet. */
const PLACE_ORDER = 3;
const CANCEL_ORDER = 4;
const REQUEST_PNL_SINGLE = 94;
const PNL_SINGLE = 95;
const ORDER_STATUS = 3;

/** What starts the clock: one of the messages the client is sent. Asked once per message, in order. */
export type Start = (message: WireMessage) => boolean;

interface Armed {
  readonly clientId: number;
  readonly starts: readonly Start[];
  readonly answers: Answer[];
  startedAt: number | 'with this write' | null;
  readonly done: (answers: readonly Answer[]) => void;
}

/**
 * Times a client's answers from the gateway's side: each start sets the clock going when that message is handed to the socket, and the
 * client's next order or cancel, once read here, stops it. One client is timed at a time.
 */
export function createAnswerClock() {
  /** Which instrument a client's P&L request is about. */
  const conIds = new Map<string, number>();
  /** Clients with messages on their way out in this turn. */
  const corked = new Set<number>();
  let armed: Armed | null = null;

  /**
   * A session corks its socket at the first message of a turn and lets everything go in the next tick. Asked for at the same message, but before
   * it, our tick comes right before that write, so that what the exchange still does in its turn is not the client's time.
   */
  function beforeWrite(clientId: number): void {
    if (corked.has(clientId)) return;
    corked.add(clientId);
    process.nextTick(() => {
      corked.delete(clientId);
      if (armed?.clientId === clientId && armed.startedAt === 'with this write') armed.startedAt = machineNow();
    });
  }

  function sent(message: WireMessage): void {
    beforeWrite(message.clientId);
    if (armed === null || armed.startedAt !== null || message.clientId !== armed.clientId) return;
    if (armed.starts[armed.answers.length]?.(message)) armed.startedAt = 'with this write';
  }

  function received({ clientId, fields, machineAt }: WireMessage): void {
    const id = Number(fields[0]);
    if (id === REQUEST_PNL_SINGLE) conIds.set(`${clientId} ${fields[1]}`, Number(fields[4]));
    if ((id !== PLACE_ORDER && id !== CANCEL_ORDER) || armed === null || clientId !== armed.clientId) return;
    if (typeof armed.startedAt !== 'number') {
      if (armed.answers.length === 0) finish(armed);
      return;
    }
    armed.answers.push({ ms: machineAt - armed.startedAt, kind: id === CANCEL_ORDER ? 'cancel' : 'order', readAt: machineAt });
    armed.startedAt = null;
    if (armed.answers.length === armed.starts.length) finish(armed);
  }

  function finish({ done, answers }: Armed): void {
    armed = null;
    done(answers);
  }

  return {
    onMessage: (message: WireMessage): void => (message.direction === 'out' ? sent(message) : received(message)),
    /** Resolves with an answer for every start, in their order; with none when the client acted before the first: something else moved it. */
    time(clientId: number, starts: readonly Start[]): Promise<readonly Answer[]> {
      if (armed) throw new Error('one client is timed at a time');
      return new Promise(done => {
        armed = { clientId, starts, answers: [], startedAt: null, done };
      });
    },
    disarm: (): void => {
      armed = null;
    },
    /** The second price of this instrument at or below the stop; `told` counts such prices. */
    secondBreach(conId: number, stop: number): { readonly start: Start; readonly told: () => number } {
      let told = 0;
      const start: Start = ({ clientId, fields }) => {
        if (Number(fields[0]) !== PNL_SINGLE || conIds.get(`${clientId} ${fields[1]}`) !== conId) return false;
        if (Number(fields[6]) / Number(fields[2]) > stop) return false;
        told += 1;
        return told === 2;
      };
      return { start, told: () => told };
    },
    /** The word that this order is cancelled. */
    cancelled:
      (orderId: number): Start =>
      ({ fields }) =>
        Number(fields[0]) === ORDER_STATUS && Number(fields[1]) === orderId && fields[2] === 'Cancelled',
  };
}
