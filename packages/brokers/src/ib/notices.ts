import type { OrderNoticeMeaning } from '@holdfast/core/events';

/**
 * What the broker's numbered messages mean, in one table. The same code may answer an order, a data request or nobody (id −1), so a row
 * says what it means for each. The library's own idea of "fatal" is not used: it takes 202, 404, 10148 and 10349 for failures.
 *
 * Sources: IB docs = TWS API "Message codes" page; the others as in the repository's notes on the broker's behaviour.
 */

/** `live`: the order was already working when the refused request was sent, so that request was a change to it. */
interface OrderContext {
  readonly live: boolean;
  readonly text: string;
}
type OrderMeaning = OrderNoticeMeaning | ((context: OrderContext) => OrderNoticeMeaning);
export type Severity = 'info' | 'warning' | 'error';
export type RequestMeaning = 'failed' | 'advisory';
type Connectivity = 'lost' | 'restored-data-lost' | 'restored';

interface Row {
  readonly order?: OrderMeaning;
  readonly request?: RequestMeaning;
  /** With id −1: the gateway's line to the broker … */
  readonly connectivity?: Connectivity;
  /** … or only something for the log. */
  readonly severity?: Severity;
}

/** A request the broker would not carry out: a new order is dead, a live one goes on as it was. */
const refused = ({ live }: OrderContext): OrderNoticeMeaning => (live ? 'modify-refused' : 'rejected');

/**
 * 10148 names the state. Only a final one settles the order; `PendingSubmit` says that the cancel came too early, `PendingCancel` that an
 * earlier one is on its way.
 */
function cannotBeCancelled({ text }: OrderContext): OrderNoticeMeaning {
  if (/state:\s*(Filled|Cancelled|ApiCancelled|Inactive)/i.test(text)) return 'already-final';
  return /state:\s*(PendingSubmit|ApiPending)/i.test(text) ? 'not-cancellable' : 'advisory';
}

export const NOTICES: Readonly<Record<number, Row>> = {
  // Orders: refused (IB docs, Message codes; nothing below 399 is "a rejection" as a class: 200 answers any request)
  103: { order: refused }, // duplicate order id: never a second order; also a change sent before the last was acknowledged
  104: { order: 'modify-refused' }, // cannot modify a filled order
  105: { order: 'modify-refused' }, // contract or side differs from the order being changed
  110: { order: refused }, // price not on the tick: rejects a new order, leaves a changed one alone
  200: { order: refused, request: 'failed' }, // no security definition
  201: { order: 'rejected' }, // order rejected, reason in the text
  202: { order: 'cancelled' }, // cancelled, by us or by the exchange: no failure
  320: { order: refused, request: 'failed', severity: 'error' }, // the gateway could not read the request
  321: { order: refused, request: 'failed', severity: 'error' }, // validation failed, also Read-Only API
  329: { order: 'modify-refused' }, // type cannot be changed
  382: { order: refused }, // size beyond the precautionary presets
  383: { order: refused }, // size beyond the precautionary presets
  387: { order: refused }, // order type not supported there
  388: { order: refused }, // size below the exchange's minimum
  434: { order: refused }, // size zero
  435: { order: refused }, // no account given
  436: { order: refused }, // no allocation given
  451: { order: refused }, // price beyond the precautionary presets
  460: { order: refused }, // no trading permission
  10052: { order: refused }, // invalid time in force
  10224: { order: refused }, // OCA group mixes accounts
  10243: { order: refused }, // fractional size not allowed
  10326: { order: 'modify-refused' }, // OCA group of a live order cannot be revised
  2102: { order: 'modify-refused' }, // the order is still being processed

  // Orders: answers to a cancel
  135: { order: 'unknown-order' }, // can't find order with id
  161: { order: 'not-cancellable' }, // not in a cancellable state
  10147: { order: 'unknown-order' }, // not found: unknown, purged, or another client's
  10148: { order: cannotBeCancelled },

  // Orders: advice, the order lives
  399: { order: 'advisory', request: 'advisory' }, // "will not be placed at the exchange until …"
  404: { order: 'advisory' }, // held while shares are located
  2109: { order: 'advisory' }, // outsideRth ignored
  10349: { order: 'advisory' }, // time in force set by preset

  // Requests for data
  100: { order: refused, request: 'failed', severity: 'error' }, // more than 50 messages a second
  101: { request: 'failed' }, // more market-data lines than allowed
  102: { request: 'failed' }, // duplicate ticker id
  162: { request: 'failed' }, // historical data: no data, pacing, cancelled
  165: { request: 'advisory' }, // scanner note
  300: { request: 'advisory' }, // cancel of an unknown id
  322: { request: 'failed' }, // too many account summaries
  354: { request: 'failed' }, // not subscribed
  366: { request: 'advisory' }, // cancel of an unknown historical request
  420: { request: 'failed' }, // no real-time bars permission
  492: { request: 'advisory' }, // scanner: low precision
  10089: { request: 'failed' }, // needs another subscription
  10090: { request: 'advisory' }, // part not subscribed, the rest follows
  10091: { request: 'failed' }, // part not subscribed
  10167: { request: 'advisory' }, // delayed data instead
  10168: { request: 'failed' }, // not subscribed, delayed not enabled
  10189: { request: 'failed' }, // tick by tick: feed failed
  10190: { request: 'failed' }, // tick by tick: too many
  10197: { request: 'advisory', severity: 'warning' }, // another session of the same user has the data; orders still work

  // The gateway and its line to the broker (IB docs, "System message codes"); id −1
  1100: { connectivity: 'lost' },
  1101: { connectivity: 'restored-data-lost' },
  1102: { connectivity: 'restored' },
  2110: { connectivity: 'lost' }, // gateway ↔ server broken, restored by itself
  1300: { severity: 'error' }, // the port was changed: this socket is about to be dropped
  2100: { severity: 'warning' }, // account updates moved to another account
  2101: { severity: 'warning' }, // account updates refused: another account is subscribed
  2103: { severity: 'warning' }, // market-data farm broken
  2104: { severity: 'info' }, // market-data farm is OK
  2105: { severity: 'warning' }, // historical farm broken
  2106: { severity: 'info' }, // historical farm is OK
  2107: { severity: 'info' }, // historical farm dormant, wakes on demand
  2108: { severity: 'info' }, // market-data farm dormant, wakes on demand
  2119: { severity: 'info' }, // market-data farm connecting
  2157: { severity: 'warning' }, // security-definition farm broken
  2158: { severity: 'info' }, // security-definition farm is OK

  // Raised by the client library, not by the gateway
  326: { severity: 'error' }, // client id in use
  502: { severity: 'error' }, // cannot connect
  504: { severity: 'warning' }, // not connected
  505: { severity: 'error' }, // a message could not be decoded
  506: { severity: 'error' }, // unsupported version
  507: { severity: 'error' }, // broken stream
};

/** Texts with "Warning:" never end an order, whatever their number (IB docs, Message codes 399 and 21xx). */
const isWarning = (text: string): boolean => text.includes('Warning:');

/**
 * What a message on an order's id means for that order. A code the table lacks is advice: only a status, an execution or a known refusal
 * may end an order, and what really ended is also told by its status.
 */
export function orderMeaning(code: number, context: OrderContext): OrderNoticeMeaning {
  if (isWarning(context.text)) return 'advisory';
  const meaning = NOTICES[code]?.order ?? 'advisory';
  return typeof meaning === 'string' ? meaning : meaning(context);
}

/** Whether a message on a data request's id ended that request. Unknown codes do, but for the 21xx warnings: the request can be asked again. */
export function requestMeaning(code: number, text: string): RequestMeaning {
  if (isWarning(text)) return 'advisory';
  return NOTICES[code]?.request ?? (code >= 2100 && code < 3000 ? 'advisory' : 'failed');
}

export type SystemMeaning = { readonly connectivity: Connectivity } | { readonly severity: Severity };

/** What a message that concerns no request means (id −1). */
export function systemMeaning(code: number): SystemMeaning {
  const row = NOTICES[code];
  if (row?.connectivity) return { connectivity: row.connectivity };
  return { severity: row?.severity ?? 'warning' };
}

/** How loud a message is that leaves its data request alone. */
export const adviceSeverity = (code: number): Severity => NOTICES[code]?.severity ?? 'info';

/** Whether the table has a word about this code on an order. */
export const isKnownOnOrders = (code: number): boolean => NOTICES[code]?.order !== undefined;
