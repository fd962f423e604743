import type { BrokerPort, BrokerSend } from '@holdfast/core/ports';
import { EventName } from '@stoqey/ib/dist/api/data/enum/event-name.js';
import { accountDesk } from './account.js';
import { barDesk } from './bars.js';
import { Connection } from './connection.js';
import { ContractBook, contractDesk } from './contracts.js';
import { executionDesk } from './executions.js';
import { marketDataDesk } from './market-data.js';
import { adviceSeverity, requestMeaning, systemMeaning } from './notices.js';
import { orderDesk } from './orders.js';
import { scannerDesk } from './scanner.js';
import { type IbDeps, type IbOptions, isRequestId, type Session } from './session.js';
import { snapshotDesk } from './snapshot.js';

export type { IbDeps, IbOptions } from './session.js';

/**
 * The Interactive Brokers door: TWS or IB Gateway over TCP. Everything learned comes through `deps.onEvent`, in the order of arrival;
 * quotes and account values are merged per socket read. Subscriptions and requests end with their connection: after `connected` the caller asks anew.
 * Only account values are subscribed by the adapter itself.
 */
export function createIbBroker(options: IbOptions, deps: IbDeps): BrokerPort {
  const book = new ContractBook();
  const desks = new WeakMap<Session, Desks>();
  const connection: Connection = new Connection(options, deps, session => {
    desks.set(session, openDesks(session, book));
  });

  const withDesks = (perform: (open: Desks) => void): boolean => {
    const session = connection.up;
    const open = session && desks.get(session);
    if (!open) return false;
    perform(open);
    return true;
  };

  return {
    connect: () => connection.connect(),
    close: () => connection.close(),
    get isUp() {
      return connection.up !== undefined;
    },
    send: send => withDesks(open => perform(open, send, connection.sessionNumber)),
    acknowledgeTime: () => {
      if (options.paced) withDesks(open => open.time.acknowledge());
    },
  };
}

type Desks = ReturnType<typeof openDesks>;

function openDesks(session: Session, book: ContractBook) {
  const orders = orderDesk(session);
  const executions = executionDesk(session);
  const contracts = contractDesk(session, book);
  const account = accountDesk(session, book, contracts);
  const desks = {
    orders,
    executions,
    contracts,
    account,
    quotes: marketDataDesk(session),
    bars: barDesk(session),
    scan: scannerDesk(session),
    snapshot: snapshotDesk(session, { orders, executions, account }),
    time: exchangeTime(session),
    requestExecutions: (id: number): void => executions.ask(() => session.tell({ kind: 'executions-end', id })),
  };
  hearMessages(session, { orderNotice: desks.orders.notice, dataLost: account.dataLost });
  session.onReady(() => account.start());
  return desks;
}

/** Errors and notices: by id they concern a request of ours, an order, or nobody. */
function hearMessages(
  session: Session,
  { orderNotice, dataLost }: { orderNotice: (orderId: number, code: number, text: string) => void; dataLost: () => void },
): void {
  const system = (code: number, text: string): void => {
    const meaning = systemMeaning(code);
    // Before it is told: who hears of it subscribes anew, and must not be taken for somebody who has.
    if ('connectivity' in meaning && meaning.connectivity === 'restored-data-lost') dataLost();
    if ('connectivity' in meaning) session.tell({ kind: 'connectivity', state: meaning.connectivity, text });
    else session.tell({ kind: 'notice', code, text, severity: meaning.severity });
  };
  session.api.on(
    EventName.error,
    session.listen('error', (error: Error, code: number, id: number) => {
      if (!(id > 0)) return system(code, error.message);
      if (!isRequestId(id)) return orderNotice(id, code, error.message);
      const isOver = requestMeaning(code, error.message) === 'failed';
      const request = isOver ? session.settle(id) : session.openRequest(id);
      if (isOver && request) return request.failed(code, error.message);
      session.tell({
        kind: 'notice',
        code,
        text: `${request?.what ?? 'an earlier request'}: ${error.message}`,
        severity: adviceSeverity(code),
      });
    }),
  );
  // What carries no id comes as `info`, connectivity and farm states among it.
  session.api.on(
    EventName.info,
    session.listen('info', (text: string, code: number) => system(code, text)),
  );
}

/** The gateway's clock, and in paced mode our word that everything up to it has been worked off. */
function exchangeTime(session: Session): { acknowledge(): void } {
  let told = 0;
  let acknowledged = 0;
  session.api.on(
    EventName.currentTime,
    session.listen('time', (seconds: number) => {
      told = Math.max(told, seconds);
      session.tell({ kind: 'time', seconds });
    }),
  );
  // The first word comes right behind `connected`: a worker decides nothing before it knows the exchange's time.
  session.onReady(() => session.api.reqCurrentTime());
  return {
    acknowledge: () => {
      if (told <= acknowledged) return;
      acknowledged = told;
      // Not counted against the message limit: only a simulated gateway is paced, and a fast one hears this hundreds of times a second.
      session.api.reqCurrentTime();
    },
  };
}

function perform(desks: Desks, send: BrokerSend, session: number): void {
  switch (send.do) {
    case 'place':
      desks.orders.place(send.order);
      break;
    case 'cancel':
      desks.orders.cancel(send.orderId);
      break;
    case 'request-snapshot':
      desks.snapshot(send.id, session);
      break;
    case 'request-executions':
      desks.requestExecutions(send.id);
      break;
    case 'request-open-orders':
      desks.orders.refreshOpenOrders();
      break;
    case 'subscribe-pnl':
      desks.account.subscribePnl(send.conId);
      break;
    case 'unsubscribe-pnl':
      desks.account.unsubscribePnl(send.conId);
      break;
    case 'request-contract':
      desks.contracts.request(send.requestId, send.symbol);
      break;
    case 'subscribe-bars':
      desks.bars.subscribe(send.contract);
      break;
    case 'unsubscribe-bars':
      desks.bars.unsubscribe(send.conId);
      break;
    case 'subscribe-quotes':
      desks.quotes.subscribe(send.contract);
      break;
    case 'unsubscribe-quotes':
      desks.quotes.unsubscribe(send.conId);
      break;
    case 'request-history':
      desks.bars.history(send);
      break;
    case 'subscribe-scanner':
      desks.scan(send.requestId, send.scan);
      break;
    default:
      neverSent(send);
  }
}

/** The compiler's proof that every send has a case. */
function neverSent(send: never): never {
  throw new Error(`no case for ${JSON.stringify(send)}`);
}
