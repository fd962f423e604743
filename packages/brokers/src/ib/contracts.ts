import type { Contract } from '@holdfast/core/contract';
import type { SessionHours } from '@holdfast/core/events';
import type { ContractDetails, Contract as IbContract } from '@stoqey/ib';
import { EventName } from '@stoqey/ib/dist/api/data/enum/event-name.js';
import type { Session } from './session.js';
import { contractFromDetails, contractFromMessage, stockQuery } from './translate.js';
import { parseGatewayTime } from './zoned-time.js';

const ANSWER_MS_MAX = 10_000;

/**
 * What contract details have taught us about instruments, by conId. Facts, not answers: kept from one connection to the next, so that a
 * position told after a reconnect carries its tick at once.
 */
export class ContractBook {
  readonly #known = new Map<number, Contract>();

  of(message: IbContract): Contract {
    return contractFromMessage(message, this.find(message.conId));
  }

  find(conId: number | undefined): Contract | undefined {
    return conId === undefined ? undefined : this.#known.get(conId);
  }

  learn(contract: Contract): void {
    this.#known.set(contract.conId, contract);
  }
}

export interface ContractDesk {
  /** Asks for a US stock by ticker; answered by `contract` or `contract-unknown` under the caller's request id. */
  request(requestId: number, symbol: string): void;
  /** Learns one instrument by conId, quietly; `learned` runs if and when its details are in. */
  learn(conId: number, learned: (contract: Contract) => void): void;
}

interface Answer {
  readonly rows: ContractDetails[];
  readonly ended: (rows: readonly ContractDetails[]) => void;
}

export function contractDesk(session: Session, book: ContractBook): ContractDesk {
  const { api, pacer } = session;
  const answers = new Map<number, Answer>();
  const beingLearned = new Set<number>();

  api.on(
    EventName.contractDetails,
    session.listen('contract details', (wireId: number, details: ContractDetails) => answers.get(wireId)?.rows.push(details)),
  );
  api.on(
    EventName.contractDetailsEnd,
    session.listen('contract details end', (wireId: number) => {
      const answer = answers.get(wireId);
      answers.delete(wireId);
      if (session.settle(wireId)) answer?.ended(answer.rows);
    }),
  );

  const ask = (query: IbContract, ended: Answer['ended'], failed: (text: string) => void): void => {
    const wireId = session.request({
      what: 'contract details',
      deadlineMs: ANSWER_MS_MAX,
      failed: (_code, text) => {
        answers.delete(wireId);
        failed(text);
      },
    });
    answers.set(wireId, { rows: [], ended });
    pacer.ordinary(() => api.reqContractDetails(wireId, query));
  };

  const tellContract = (requestId: number, symbol: string, rows: readonly ContractDetails[]): void => {
    const reading = onlyContract(symbol, rows);
    if (!reading.ok) {
      session.tell({ kind: 'contract-unknown', requestId, text: reading.detail });
      return;
    }
    const { contract, details } = reading;
    const liquidHours = parseHours(details.liquidHours ?? '', details.timeZoneId ?? '');
    if (!liquidHours.ok) session.complain(`${symbol}: ${liquidHours.detail}`);
    book.learn(contract);
    session.tell({ kind: 'contract', requestId, contract, liquidHours: liquidHours.ok ? liquidHours.hours : [] });
  };

  return {
    request: (requestId, symbol) =>
      ask(
        stockQuery(symbol),
        rows => tellContract(requestId, symbol, rows),
        text => session.tell({ kind: 'contract-unknown', requestId, text: `${symbol}: ${text}` }),
      ),
    learn: (conId, learned) => {
      if (beingLearned.has(conId) || book.find(conId)) return;
      beingLearned.add(conId);
      const ended = (rows: readonly ContractDetails[]): void => {
        const row = rows.find(({ contract }) => contract.exchange === 'SMART') ?? rows[0];
        const contract = row && contractFromDetails(row);
        if (!contract) return;
        book.learn(contract);
        learned(contract);
      };
      // A refusal leaves what the position message said; the set keeps us from asking again on every push of this connection.
      ask({ conId, exchange: 'SMART' }, ended, text => session.complain(`no contract details for ${conId}: ${text}`));
    },
  };
}

type ContractReading =
  | { readonly ok: true; readonly contract: Contract; readonly details: ContractDetails }
  | { readonly ok: false; readonly detail: string };

/** The one instrument an answer is about. Two different ones are refused rather than guessed between. */
function onlyContract(symbol: string, rows: readonly ContractDetails[]): ContractReading {
  const refuse = (detail: string): ContractReading => ({ ok: false, detail });
  const conIds = new Set(rows.map(row => row.contract.conId));
  const details = rows[0];
  if (!details) return refuse(`the broker lists no US stock ${symbol}`);
  if (conIds.size > 1) return refuse(`${symbol} is ambiguous: ${conIds.size} different US listings (${[...conIds].join(', ')})`);
  const contract = contractFromDetails(details);
  return contract ? { ok: true, contract, details } : refuse(`the details of ${symbol} lack a contract id or a price step`);
}

export type HoursReading = { readonly ok: true; readonly hours: readonly SessionHours[] } | { readonly ok: false; readonly detail: string };

/** Reads `20260105:0930-20260105:1600;20260106:CLOSED`, local times of the exchange (IB docs, ContractDetails.liquidHours). */
export function parseHours(text: string, zone: string): HoursReading {
  const hours: SessionHours[] = [];
  for (const part of text.split(/[;,]/).filter(Boolean)) {
    if (part.endsWith(':CLOSED')) continue;
    const [from = '', to = ''] = part.split('-');
    const open = parseHour(from, zone);
    const close = parseHour(to, zone);
    if (open === undefined || close === undefined)
      return { ok: false, detail: `can't read the hours ${JSON.stringify(part)} in zone ${JSON.stringify(zone)}` };
    hours.push({ open, close });
  }
  return { ok: true, hours };
}

const parseHour = (text: string, zone: string) => {
  const match = /^(\d{8}):(\d{2})(\d{2})$/.exec(text);
  return match ? parseGatewayTime(`${match[1]} ${match[2]}:${match[3]}:00 ${zone}`, zone) : undefined;
};
