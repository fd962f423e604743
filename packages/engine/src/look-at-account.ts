import { isOurs } from '@holdfast/core/orders/order';
import type { BrokerListener, BrokerPort } from '@holdfast/core/ports';

/** What the broker says the account holds and works, from two complete answers that agreed. */
export interface AccountView {
  readonly account: string;
  readonly positions: readonly { readonly conId: number; readonly symbol: string; readonly quantity: number }[];
  /** Working orders under our prefix, whichever client placed them. */
  readonly ourOrders: number;
  readonly otherOrders: number;
  /** conIds that orders of ours work on, or traded today. */
  readonly ourInstruments: readonly number[];
}

export interface LookParts {
  readonly connect: (listener: BrokerListener) => BrokerPort;
  readonly mono: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** How long to wait for the two answers. */
  readonly giveUpMs: number;
}

/** Positions may lag a fill by seconds (reference/ibkr-behaviour.md §4): two answers this far apart must agree. */
const BETWEEN_ANSWERS_MS = 1_000;

/**
 * Looks at the account through a connection of its own that places nothing. Null when the broker gave no two agreeing answers in time:
 * then nothing is proved.
 */
export async function lookAtAccount({ connect, mono, sleep, giveUpMs }: LookParts): Promise<AccountView | null> {
  let account = '';
  let answers: { readonly at: number; readonly view: AccountView }[] = [];
  const broker = connect(body => {
    if (body.kind === 'connected') account = body.accounts[0] ?? '';
    if (body.kind === 'disconnected') answers = [];
    if (body.kind !== 'snapshot') return;
    const ours = body.openOrders.filter(({ orderRef }) => isOurs(orderRef)).length;
    const positions = body.positions
      .filter(({ quantity }) => quantity !== 0)
      .map(({ contract, quantity }) => ({ conId: contract.conId, symbol: contract.symbol, quantity }));
    positions.sort((a, b) => a.conId - b.conId);
    const touched = [...body.openOrders, ...body.executions].filter(({ orderRef }) => isOurs(orderRef)).map(({ conId }) => conId);
    const ourInstruments = [...new Set(touched)].sort((a, b) => a - b);
    answers.push({ at: mono(), view: { account, positions, ourOrders: ours, otherOrders: body.openOrders.length - ours, ourInstruments } });
  });
  broker.connect();
  const until = mono() + giveUpMs;
  let id = 0;
  let askedAt = Number.NEGATIVE_INFINITY;
  try {
    while (mono() < until) {
      if (broker.isUp && mono() - askedAt >= BETWEEN_ANSWERS_MS) {
        id += 1;
        askedAt = mono();
        broker.send({ do: 'request-snapshot', id });
      }
      const [last, before] = [answers.at(-1), answers.at(-2)];
      if (last && before && last.at - before.at >= BETWEEN_ANSWERS_MS / 2 && JSON.stringify(last.view) === JSON.stringify(before.view))
        return last.view;
      await sleep(20);
    }
    return null;
  } finally {
    broker.close();
  }
}
