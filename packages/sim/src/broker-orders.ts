import type { EventBody, OrderNoticeMeaning } from '@holdfast/core/events';
import type { Order } from '@holdfast/core/orders/order';
import type { BrokerSend } from '@holdfast/core/ports';
import type { MonoMs } from '@holdfast/core/units';
import type { GatewayClient } from './broker-client.js';
import { type FaultKind, type GatewayFaults, happens, type OnFault, type RejectCode } from './broker-faults.js';
import { requestOf } from './broker-translate.js';
import type { ExchangeOrder, ExchangePort } from './exchange-types.js';
import type { Random } from './random.js';

/** Who may cancel an order: the client that placed it, as the broker documents, or anybody, as one recorded gateway allowed (DESIGN §4). */
export type Ownership = 'own-only' | 'any-client';

const REJECT_TEXT: Record<RejectCode, string> = {
  201: 'Order rejected - reason:The exchange did not take it.',
  110: 'The price does not conform to the minimum price variation for this contract.',
  103: 'Duplicate order id',
};
/** Codes that leave an order under change as it was; of a new one nothing is left either way (reference §3). */
const LEAVES_OLD: readonly RejectCode[] = [110, 103];

interface Refusal {
  readonly code: number;
  readonly text: string;
  readonly meaning: OrderNoticeMeaning;
}

interface PendingCancel {
  readonly client: GatewayClient;
  readonly owner: number;
  readonly orderId: number;
  readonly dueAt: number;
}

export interface OrderWindowParts {
  readonly exchange: ExchangePort;
  readonly ownership: Ownership;
  readonly random: Random;
  readonly faults: GatewayFaults;
  readonly onFault: OnFault;
  readonly now: () => MonoMs;
}

/** The gateway's window for orders and cancels: what it refuses, forgets or passes on late. */
export class OrderWindow {
  /** Oldest first within one due time. */
  private pending: PendingCancel[] = [];

  constructor(private readonly parts: OrderWindowParts) {}

  nextDueAt(): number {
    return this.pending.reduce((least, { dueAt }) => Math.min(least, dueAt), Number.POSITIVE_INFINITY);
  }

  /** Cancels that had not left the gateway are gone with it. */
  clear(): void {
    this.pending = [];
  }

  place(client: GatewayClient, send: Extract<BrokerSend, { do: 'place' }>): void {
    const { order } = send;
    const refusal = this.refusalOf(client, order);
    if (refusal) this.rejected(client, order, refusal);
    else if (this.vanishes(client))
      this.parts.onFault('placement vanished', { clientId: client.clientId, orderId: order.orderId, orderRef: order.orderRef });
    else this.parts.exchange.place(requestOf(client.clientId, send));
  }

  private vanishes({ clientId }: GatewayClient): boolean {
    const { vanish } = this.parts.faults;
    return vanish !== null && (vanish.of === null || vanish.of === clientId) && happens(this.parts.random, vanish.odds);
  }

  /** A story's own refusal, or one by luck. The exchange may have others. */
  private refusalOf(client: GatewayClient, order: Order): Refusal | null {
    const { reject } = this.parts.faults;
    const asked = client.refuse?.(order);
    if (asked) return { ...asked, meaning: 'rejected' };
    if (reject === null || !happens(this.parts.random, reject.odds)) return null;
    const code = reject.codes[this.parts.random.below(reject.codes.length)];
    const isChange = this.find(client.clientId, order.orderId) !== undefined;
    if (code === undefined || (isChange && !LEAVES_OLD.includes(code))) return null;
    return { code, text: REJECT_TEXT[code], meaning: isChange ? 'modify-refused' : 'rejected' };
  }

  private rejected(client: GatewayClient, { orderId, orderRef }: Order, { code, text, meaning }: Refusal): void {
    const kind = REJECT_KINDS[code];
    if (kind) this.parts.onFault(kind, { clientId: client.clientId, orderId, orderRef });
    client.say({ kind: 'order-notice', orderId, code, meaning, text });
  }

  cancel(client: GatewayClient, orderId: number): void {
    const { faults, random, onFault } = this.parts;
    const { clientId } = client;
    if (this.pending.some(one => one.client.clientId === clientId && one.orderId === orderId)) {
      this.say(client, orderId, cannotBeCancelled(orderId, 'PendingCancel'));
      return;
    }
    const order = this.find(clientId, orderId) ?? this.foreign(orderId);
    const about = { clientId, orderId, orderRef: order?.request.orderRef ?? null };
    if (order && happens(random, faults.refuseCancel)) {
      onFault('cancel 161', about);
      this.say(client, orderId, {
        code: 161,
        meaning: 'not-cancellable',
        text: `Cancel attempted when order is not in a cancellable state. Order permId = ${order.permId}`,
      });
      return;
    }
    if (order && faults.slowCancel !== null && happens(random, faults.slowCancel.odds)) {
      const dueAt = this.parts.now() + random.between(faults.slowCancel.lowMs, faults.slowCancel.highMs);
      this.pending.push({ client, owner: order.request.clientId, orderId, dueAt });
      onFault('slow cancel', about);
      const { permId, filled, remaining } = order;
      client.say({ kind: 'order-status', clientId: order.request.clientId, orderId, permId, status: 'PendingCancel', filled, remaining });
      return;
    }
    this.passOn(client, order?.request.clientId ?? clientId, orderId);
  }

  /** Machine time has moved: late cancels reach the exchange, if the broker can be reached. */
  advance(now: MonoMs, isBrokerLost: boolean): void {
    if (this.pending.length === 0) return;
    const due = this.pending.filter(({ dueAt }) => dueAt <= now);
    if (due.length === 0) return;
    this.pending = this.pending.filter(({ dueAt }) => dueAt > now);
    if (isBrokerLost) return;
    for (const { client, owner, orderId } of due) {
      if (this.passOn(client, owner, orderId) === 'Filled') {
        this.parts.onFault('fill won the race', { clientId: client.clientId, orderId, orderRef: null });
      }
    }
  }

  /** Returns the final word that the cancel met, if it met one. */
  private passOn(client: GatewayClient, owner: number, orderId: number): string | undefined {
    const answer = this.parts.exchange.cancel(owner, orderId);
    if (answer === 'accepted') return undefined;
    const isUnknown = answer === 'unknown' || answer === 'foreign';
    const isPurged = !isUnknown && happens(this.parts.random, this.parts.faults.purge);
    const notice = isUnknown || isPurged ? notFound(orderId) : cannotBeCancelled(orderId, answer.final);
    this.parts.onFault(notice.code === 10147 ? 'cancel 10147' : 'cancel 10148', { clientId: client.clientId, orderId, orderRef: null });
    this.say(client, orderId, notice);
    return isUnknown ? undefined : answer.final;
  }

  /** A working order of this client; an id is an address within its client. */
  private find(clientId: number, orderId: number): ExchangeOrder | undefined {
    return this.parts.exchange.openOrders().find(({ request }) => request.orderId === orderId && request.clientId === clientId);
  }

  private foreign(orderId: number): ExchangeOrder | undefined {
    if (this.parts.ownership === 'own-only') return undefined;
    return this.parts.exchange.openOrders().find(({ request }) => request.orderId === orderId);
  }

  private say(client: GatewayClient, orderId: number, notice: CancelNotice): void {
    client.say({ kind: 'order-notice', orderId, ...notice });
  }
}

type CancelNotice = Omit<Extract<EventBody, { kind: 'order-notice' }>, 'kind' | 'orderId'>;

/** Refusals that count as faults, whoever made them: the gateway, the exchange or a story. */
export const REJECT_KINDS: Readonly<Record<number, FaultKind>> = { 201: 'rejected 201', 110: 'rejected 110', 103: 'rejected 103' };

const notFound = (orderId: number): CancelNotice => ({
  code: 10147,
  meaning: 'unknown-order',
  text: `OrderId ${orderId} that needs to be cancelled is not found.`,
});

/** Only a final state settles the order: `PendingCancel` says that an earlier cancel is on its way (`brokers/ib/notices.ts`). */
const cannotBeCancelled = (orderId: number, state: string): CancelNotice => ({
  code: 10148,
  meaning: state === 'PendingCancel' ? 'advisory' : 'already-final',
  text: `OrderId ${orderId} that needs to be cancelled cannot be cancelled, state: ${state}.`,
});
