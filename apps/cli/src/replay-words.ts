import type { Effect, Write } from '@holdfast/core/effects';
import type { Event } from '@holdfast/core/events';
import type { Order } from '@holdfast/core/orders/order';
import { type Micros, toDollars } from '@holdfast/core/units';

/** A journal told for a person: events and effects in words. Many of them name an instrument or an order by number only, so names are learned on the way. */
export interface Narrator {
  /** Takes the names out of a head, an event or an effect. */
  learn(value: unknown): void;
  event(event: Event): string;
  effect(effect: Effect): string;
  /** Every symbol a step is about. */
  symbolsOf(event: Event, effects: readonly Effect[]): ReadonlySet<string>;
}

/** These carry nothing but numbers of one instrument, and there are hundreds of thousands. */
const NAMELESS: ReadonlySet<string> = new Set(['tick', 'quote', 'bar', 'pnl-mark']);
/** These list everything there is, whatever moved them: what a step with one is about, its effects say. */
const WHOLESALE: ReadonlySet<string> = new Set(['store-changed', 'snapshot', 'scanner']);

const price = (amount: Micros | null): string => (amount === null ? 'no price' : toDollars(amount).toFixed(2));

export function createNarrator(): Narrator {
  const byConId = new Map<number, string>();
  const byRef = new Map<string, string>();
  const byOrderId = new Map<number, string>();

  function learn(value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    if ('kind' in value && NAMELESS.has(String(value.kind))) return;
    const { symbol, conId, orderRef, orderId, contract } = value as Record<string, unknown>;
    if (typeof symbol === 'string' && typeof conId === 'number') byConId.set(conId, symbol);
    const name = typeof symbol === 'string' ? symbol : symbolIn(contract);
    if (name !== null && typeof orderRef === 'string') byRef.set(orderRef, name);
    if (name !== null && typeof orderId === 'number') byOrderId.set(orderId, name);
    for (const inner of Object.values(value)) learn(inner);
  }

  const named = (conId: number): string => byConId.get(conId) ?? `instrument ${conId}`;
  const ref = (orderRef: string): string => [byRef.get(orderRef), orderRef].filter(Boolean).join(' ');

  function collect(value: unknown, found: Set<string>): void {
    if (typeof value !== 'object' || value === null) return;
    const { symbol, conId, orderRef, orderId } = value as Record<string, unknown>;
    const names = [
      symbol,
      typeof conId === 'number' ? byConId.get(conId) : null,
      typeof orderRef === 'string' ? byRef.get(orderRef) : null,
      typeof orderId === 'number' ? byOrderId.get(orderId) : null,
    ];
    for (const name of names) if (typeof name === 'string') found.add(name);
    for (const inner of Object.values(value)) collect(inner, found);
  }

  return {
    learn,
    event: event => eventWords(event, { named, ref }),
    effect: effect => effectWords(effect, { named, ref }),
    symbolsOf(event, effects) {
      const found = new Set<string>();
      if (!WHOLESALE.has(event.kind)) collect(event, found);
      collect(effects, found);
      return found;
    },
  };
}

const symbolIn = (contract: unknown): string | null =>
  typeof contract === 'object' && contract !== null && 'symbol' in contract ? String(contract.symbol) : null;

interface Names {
  named(conId: number): string;
  ref(orderRef: string): string;
}

function eventWords(event: Event, { named, ref }: Names): string {
  switch (event.kind) {
    case 'tick':
      return 'the clock';
    case 'paused':
      return `this process stood still for ${event.ms} ms`;
    case 'connected':
      return `connected, session ${event.session}, accounts ${event.accounts.join(', ') || 'none'}, next order id ${event.nextOrderId}`;
    case 'disconnected':
      return `disconnected: ${event.reason}`;
    case 'connect-failed':
      return `no connection: ${event.reason}`;
    case 'connectivity':
      return `line to the broker ${event.state}: ${event.text}`;
    case 'open-order': {
      const { symbol, side, quantity, type, status, orderId } = event.order;
      return `broker: order ${orderId} ${side} ${quantity} ${symbol} ${type} is ${status}`;
    }
    case 'order-status':
      return `broker: order ${event.orderId} is ${event.status}, filled ${event.filled}, remaining ${event.remaining}`;
    case 'order-notice':
      return `broker: order ${event.orderId} ${event.meaning} (${event.code} ${event.text})`;
    case 'execution': {
      const { side, shares, symbol, price: paid, clientId } = event.execution;
      return `fill: ${side} ${shares} ${symbol} @ ${price(paid)} (client ${clientId})`;
    }
    case 'commission':
      return `commission ${price(event.commission)} of fill ${event.execId}`;
    case 'position':
      return `broker: position ${event.position.quantity} ${event.position.contract.symbol}`;
    case 'pnl-mark':
      return `mark of ${named(event.conId)} ${price(event.price)}`;
    case 'portfolio-mark':
      return `portfolio: ${event.quantity} ${event.contract.symbol} at ${price(event.price)}`;
    case 'account':
      return 'account values';
    case 'snapshot':
      return `answer ${event.id}: ${event.openOrders.length} open orders, ${event.executions.length} executions, ${event.positions.length} positions`;
    case 'executions-end':
      return `all executions of request ${event.id} told`;
    case 'contract':
      return `contract of ${event.contract.symbol}`;
    case 'contract-unknown':
    case 'history-failed':
      return `request ${event.requestId} failed: ${event.text}`;
    case 'quote':
      return `quote of ${named(event.conId)} ${price(event.quote.bid)} / ${price(event.quote.ask)}`;
    case 'bar':
      return `bar of ${named(event.conId)}, close ${price(event.bar.close)}`;
    case 'history':
      return `history ${event.requestId}: ${event.bars.length} bars`;
    case 'scanner':
      return `scan: ${event.rows.length} rows`;
    case 'notice':
      return `broker: ${event.code} ${event.text}`;
    case 'store-changed':
      return 'another process wrote to the store';
    case 'command':
      return `command ${event.command.kind} ${JSON.stringify(event.command.payload)}`;
    case 'sent':
      return `sent ${ref(event.orderRef)}`;
    case 'not-sent':
      return `not sent ${ref(event.orderRef)}: ${event.code} ${event.detail}`;
    case 'exit-refused':
      return `the store refused ${ref(event.orderRef)}: ${event.code} ${event.detail}`;
    case 'entry-refused':
      return `entry of ${event.symbol} refused: ${event.code} ${event.detail}`;
    case 'entry-claimed':
      return `entry of ${event.order.contract.symbol} claimed`;
  }
}

const orderWords = ({ side, quantity, contract, type, limitPrice, stopPrice, tif, role, orderRef }: Order): string =>
  [
    `${role} ${side} ${quantity} ${contract.symbol} ${type}`,
    ...(limitPrice === null ? [] : [price(limitPrice)]),
    ...(stopPrice === null ? [] : [price(stopPrice)]),
    `${tif} (${orderRef})`,
  ].join(' ');

function effectWords(effect: Effect, { named, ref }: Names): string {
  switch (effect.do) {
    case 'place':
      return `send ${orderWords(effect.order)}`;
    case 'enter':
      return `claim and send ${orderWords(effect.order)}`;
    case 'cancel':
      return `cancel ${ref(effect.orderRef)}`;
    case 'say':
      return `say ${effect.event} ${JSON.stringify(effect.fields)}`;
    case 'later':
      return `${writeWords(effect.write)}, after the sends`;
    case 'reconnect':
      return `connect anew: ${effect.reason}`;
    case 'request-snapshot':
      return `ask for open orders, executions and positions (${effect.id})`;
    case 'request-executions':
      return `ask for all executions (${effect.id})`;
    case 'request-open-orders':
      return 'ask for the open orders';
    case 'subscribe-pnl':
    case 'unsubscribe-pnl':
    case 'unsubscribe-bars':
    case 'unsubscribe-quotes':
      return `${effect.do.replace('-', ' ')} of ${named(effect.conId)}`;
    case 'subscribe-bars':
    case 'subscribe-quotes':
    case 'request-history':
      return `${effect.do.replace('-', ' ')} of ${effect.contract.symbol}`;
    case 'request-contract':
      return `ask for the contract of ${effect.symbol}`;
    case 'subscribe-scanner':
      return `subscribe scan ${effect.scan}`;
    default:
      return writeWords(effect);
  }
}

function writeWords(write: Write): string {
  switch (write.do) {
    case 'write-intent':
      return `intend ${orderWords(write.order)}`;
    case 'write-order':
      return `order ${ref(write.order)} is ${write.order.status}, filled ${write.order.filled}`;
    case 'write-execution':
      return `book ${write.execution.side} ${write.execution.shares} ${write.execution.symbol} @ ${price(write.execution.price)} for ${write.tradeId ?? 'nobody'}`;
    case 'write-commission':
      return `book commission ${price(write.commission)}`;
    case 'write-position': {
      const { contract, status, quantity, targetPrice, stopPrice, metadata } = write.position;
      const exit = metadata.exit === null ? '' : `, exit: ${metadata.exit.reason}`;
      return `position ${contract.symbol} is ${status}, ${quantity} shares, target ${price(targetPrice)}, stop ${price(stopPrice)}${exit}`;
    }
    case 'close-position': {
      const { contract, exitReason, exitPrice, pnl } = write.trade;
      return `close ${contract.symbol}: ${exitReason} at ${price(exitPrice)}, P&L ${pnl === null ? 'unknown' : price(pnl)}`;
    }
    case 'release-claim':
      return `give back the claim on ${write.symbol}: ${write.reason}`;
    case 'write-baseline':
      return `baseline: ${write.holdings.map(({ quantity, contract }) => `${quantity} ${contract.symbol}`).join(', ') || 'nothing held'}`;
    case 'write-phase':
      return `phase ${write.phase}: ${write.detail}`;
    case 'write-command':
      return `command to the ${write.target}: ${write.kind} ${JSON.stringify(write.payload)}`;
    case 'answer-command':
      return `answer command ${write.id}: ${write.status}, ${write.answer}`;
    case 'write-decision': {
      const { symbol, strategy, verdict, code, detail } = write.decision;
      return `decision ${verdict} ${symbol} (${strategy}): ${code} ${detail}`;
    }
    case 'write-alert':
      return `alert ${write.alert.code}: ${write.alert.happened} ${write.alert.did}`;
    case 'write-equity':
      return `net liquidation ${price(write.netLiquidation)}`;
  }
}

const ref = ({ orderRef, contract }: Order): string => `${contract.symbol} ${orderRef}`;
