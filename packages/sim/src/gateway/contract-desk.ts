import { contractDetailsMessage, marketRuleMessage, marketRuleOf, symbolSamplesMessage } from './contract-messages.js';
import { matchInstruments, readContract } from './contract-request.js';
import type { Client, Floor } from './floor.js';
import type { RequestFields } from './request-fields.js';

/** Contract details, market rules and symbol search. */
export class ContractDesk {
  readonly #floor: Floor;

  constructor(floor: Floor) {
    this.#floor = floor;
  }

  /** `8 reqId contract… includeExpired secIdType secId [issuerId]`. No match: error 200 and no end message. */
  details(client: Client, fields: RequestFields): void {
    fields.skip(1);
    const requestId = fields.integer();
    const query = readContract(fields);
    const matches = matchInstruments(query, this.#floor.exchange.instruments);
    if (matches.length === 0) {
      client.error(requestId, 200, 'No security definition has been found for the request');
      return;
    }
    const context = { version: client.version, now: this.#floor.exchange.now };
    for (const instrument of matches) client.send(contractDetailsMessage(requestId, instrument, context));
    client.send([52, 1, requestId]);
  }

  marketRule(client: Client, fields: RequestFields): void {
    const ruleId = fields.integer();
    const instrument = this.#floor.exchange.instruments.find(one => marketRuleOf(one) === ruleId);
    if (!instrument) {
      client.error(-1, 321, `Error validating request.-'cf' : cause - Market rule ${ruleId} is unknown`);
      return;
    }
    client.send(marketRuleMessage(ruleId, instrument));
  }

  /** Symbols that begin with the pattern, then names that contain it. */
  matchingSymbols(client: Client, fields: RequestFields): void {
    const requestId = fields.integer();
    const pattern = fields.text().toUpperCase();
    const { instruments } = this.#floor.exchange;
    const bySymbol = instruments.filter(one => pattern !== '' && one.symbol.startsWith(pattern));
    const byName = instruments.filter(one => pattern !== '' && !bySymbol.includes(one) && one.longName.toUpperCase().includes(pattern));
    client.send(symbolSamplesMessage(requestId, [...bySymbol, ...byName].slice(0, 16), client.version));
  }
}
