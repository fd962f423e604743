import type { Client } from './floor.js';
import { MalformedRequest, RequestFields } from './request-fields.js';

/** One request the gateway understands. */
export interface Route {
  readonly name: string;
  /** Where the request's own id stands among the fields, the message id being field 0; absent when it has none. */
  readonly idAt?: number;
  readonly run: (client: Client, fields: RequestFields) => void;
}

export type Routes = ReadonlyMap<number, Route>;

/** Requests the real gateway knows and this one does not simulate, with where their id stands: refused by name, never met with silence. */
const NOT_SIMULATED: ReadonlyMap<number, readonly [name: string, idAt?: number]> = new Map<number, readonly [string, number?]>([
  [10, ['reqMktDepth', 2]],
  [11, ['cancelMktDepth', 2]],
  [12, ['reqNewsBulletins']],
  [13, ['cancelNewsBulletins']],
  [18, ['requestFA']],
  [19, ['replaceFA']],
  [21, ['exerciseOptions', 2]],
  [52, ['reqFundamentalData', 2]],
  [53, ['cancelFundamentalData', 2]],
  [54, ['calculateImpliedVolatility', 2]],
  [55, ['calculateOptionPrice', 2]],
  [67, ['queryDisplayGroups', 2]],
  [74, ['reqPositionsMulti', 2]],
  [75, ['cancelPositionsMulti', 2]],
  [76, ['reqAccountUpdatesMulti', 2]],
  [77, ['cancelAccountUpdatesMulti', 2]],
  [78, ['reqSecDefOptParams', 1]],
  [79, ['reqSoftDollarTiers', 1]],
  [80, ['reqFamilyCodes']],
  [82, ['reqMktDepthExchanges']],
  [83, ['reqSmartComponents', 1]],
  [84, ['reqNewsArticle', 1]],
  [85, ['reqNewsProviders']],
  [86, ['reqHistoricalNews', 1]],
  [87, ['reqHeadTimestamp', 1]],
  [88, ['reqHistogramData', 1]],
  [96, ['reqHistoricalTicks', 1]],
  [97, ['reqTickByTickData', 1]],
  [98, ['cancelTickByTickData', 1]],
  [100, ['reqWshMetaData', 1]],
  [102, ['reqWshEventData', 1]],
  [104, ['reqUserInfo', 1]],
]);

const idIn = (fields: readonly string[], idAt: number | undefined): number => {
  const id = idAt === undefined ? -1 : Number(fields[idAt]);
  return Number.isInteger(id) ? id : -1;
};

/** Hands a message to its desk. A request that does not parse, is unknown or not simulated gets an error; nothing gets silence. */
export function route(routes: Routes, client: Client, fields: readonly string[]): void {
  const messageId = Number(fields[0]);
  const known = routes.get(messageId);
  if (!known) {
    const [name, idAt] = NOT_SIMULATED.get(messageId) ?? [];
    if (name === undefined) client.error(-1, 320, `Error reading request. Unknown message id ${JSON.stringify(fields[0]?.slice(0, 20))}`);
    else client.error(idIn(fields, idAt), 321, `Error validating request.-'sim' : cause - ${name} is not simulated by this gateway`);
    return;
  }
  try {
    known.run(client, new RequestFields(fields.slice(1)));
  } catch (problem) {
    if (!(problem instanceof MalformedRequest)) throw problem;
    client.error(idIn(fields, known.idAt), 320, `Error reading request. ${known.name}: ${problem.message}`);
  }
}
