import type { AccountValues, BrokerPosition } from '@holdfast/core/events';
import { micros } from '@holdfast/core/units';
import type { Contract as IbContract } from '@stoqey/ib';
import { EventName } from '@stoqey/ib/dist/api/data/enum/event-name.js';
import type { ContractBook, ContractDesk } from './contracts.js';
import type { Session } from './session.js';
import { dollarsOf, positionOf } from './translate.js';
import { UnnumberedAsk } from './unnumbered-ask.js';

export interface AccountDesk {
  /** Subscribes account values and portfolio. */
  start(): void;
  /**
   * Asks for all positions anew (the subscription is given up and taken again: the broker sends a full list only to a new one) and
   * reports the complete answer. Pushed changes keep coming.
   */
  askPositions(answered: (positions: readonly BrokerPosition[]) => void): void;
  subscribePnl(conId: number): void;
  unsubscribePnl(conId: number): void;
  /** The gateway has lost every subscription (1101): account values are asked for anew, P&L streams count as never asked. */
  dataLost(): void;
}

/** The account's money, holdings and per-position P&L. */
export function accountDesk(session: Session, book: ContractBook, contracts: ContractDesk): AccountDesk {
  hearAccountValues(session);
  const pnl = pnlStreams(session, book);
  const start = (): void => session.pacer.ordinary(() => session.api.reqAccountUpdates(true, session.account));
  return {
    start,
    askPositions: positions(session, book, contracts),
    subscribePnl: pnl.subscribe,
    unsubscribePnl: pnl.unsubscribe,
    dataLost: () => {
      pnl.forgetAll();
      start();
    },
  };
}

const isOurs = (session: Session, account: string | undefined): boolean => !account || !session.account || account === session.account;

/** Which of the account's some sixty keys we use (IB docs, "Account value keys"). Suffixes for segments make other keys of them. */
const VALUE_OF: Readonly<Record<string, 'netLiquidation' | 'availableFunds' | 'buyingPower' | 'cash'>> = {
  NetLiquidation: 'netLiquidation',
  AvailableFunds: 'availableFunds',
  BuyingPower: 'buyingPower',
  TotalCashValue: 'cash',
};

function hearAccountValues(session: Session): void {
  let values: AccountValues = {};
  const flush = (): void => session.tell({ kind: 'account', account: session.account, values });
  const take = (change: AccountValues): void => {
    values = { ...values, ...change };
    session.gather(flush);
  };
  session.api.on(
    EventName.updateAccountValue,
    session.listen('account value', (key: string, value: string, currency: string, account: string) => {
      if (!isOurs(session, account)) return;
      if (key === 'AccountReady') return take({ ready: value === 'true' });
      const name = VALUE_OF[key];
      const amount = name && currency === 'USD' ? dollarsOf(Number.parseFloat(value)) : undefined;
      if (name && amount !== undefined) take({ [name]: amount });
    }),
  );
}

function positions(session: Session, book: ContractBook, contracts: ContractDesk): AccountDesk['askPositions'] {
  const { api, pacer } = session;
  let collected: Map<number, BrokerPosition> | undefined;
  let isSubscribed = false;
  const ask = new UnnumberedAsk(() => {
    if (isSubscribed) pacer.ordinary(() => api.cancelPositions());
    isSubscribed = true;
    pacer.ordinary(() => api.reqPositions());
  }, session.deps.mono);

  const take = (position: BrokerPosition): void => {
    collected?.set(position.contract.conId, position);
    session.tell({ kind: 'position', position });
  };
  api.on(
    EventName.position,
    session.listen('position', (account: string, told: IbContract, quantity: number, averageCost?: number) => {
      if (!isOurs(session, account)) return;
      const contract = book.of(told);
      const position = positionOf(account, contract, { quantity, averageCost });
      take(position);
      // Told at once, with a cent as its tick; told again should its details say otherwise.
      if (contract.secType === 'STK') {
        contracts.learn(contract.conId, exact => {
          if (exact.tick !== contract.tick || exact.primaryExchange !== contract.primaryExchange) take({ ...position, contract: exact });
        });
      }
    }),
  );
  api.on(
    EventName.positionEnd,
    session.listen('position end', () => ask.ended()),
  );

  session.api.on(
    EventName.updatePortfolio,
    session.listen('portfolio', (told: IbContract, quantity: number, marketPrice: number, ...rest: unknown[]) => {
      const account = rest[4];
      const price = dollarsOf(marketPrice);
      if (price === undefined || price <= 0 || (typeof account === 'string' && !isOurs(session, account))) return;
      session.tell({ kind: 'portfolio-mark', contract: book.of(told), quantity, price });
    }),
  );

  return answered =>
    ask.ask(
      () => {
        collected = new Map();
      },
      () => {
        const answer = collected;
        collected = undefined;
        if (answer) answered([...answer.values()]);
      },
    );
}

/** `reqPnLSingle`: about once a second while the value changes, without any market-data subscription (IB docs, "P&L"). */
function pnlStreams(session: Session, book: ContractBook) {
  const { api, pacer } = session;
  const conIdOf = new Map<number, number>();
  const streamOf = new Map<number, number>();

  const forget = (conId: number): number | undefined => {
    const wireId = streamOf.get(conId);
    streamOf.delete(conId);
    if (wireId !== undefined) conIdOf.delete(wireId);
    return wireId;
  };
  api.on(
    EventName.pnlSingle,
    session.listen('position P&L', (wireId: number, quantity: number, _daily, _unrealized, _realized, value: number | undefined) => {
      const conId = conIdOf.get(wireId);
      const worth = dollarsOf(value);
      // Unset until computed; a closed position has no price.
      if (conId === undefined || worth === undefined || !quantity) return;
      const multiplier = book.find(conId)?.multiplier ?? 1;
      session.tell({ kind: 'pnl-mark', conId, quantity, price: micros(Math.round(worth / (quantity * multiplier))) });
    }),
  );
  return {
    subscribe: (conId: number): void => {
      if (streamOf.has(conId)) return;
      const wireId = session.request({
        what: 'position P&L',
        failed: (code, text) => {
          forget(conId);
          session.tell({ kind: 'notice', code, text: `no P&L stream for contract ${conId}: ${text}`, severity: 'warning' });
        },
      });
      conIdOf.set(wireId, conId);
      streamOf.set(conId, wireId);
      pacer.ordinary(() => api.reqPnLSingle(wireId, session.account, '', conId));
    },
    unsubscribe: (conId: number): void => {
      const wireId = forget(conId);
      if (wireId === undefined) return;
      session.settle(wireId);
      pacer.ordinary(() => api.cancelPnLSingle(wireId));
    },
    forgetAll: (): void => {
      for (const [conId, wireId] of [...streamOf]) {
        forget(conId);
        session.settle(wireId);
      }
    },
  };
}
