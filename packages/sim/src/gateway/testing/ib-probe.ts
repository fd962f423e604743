import { type Contract, EventName, IBApi, type Order, OrderAction, OrderType, SecType } from '@stoqey/ib';

/**
 * The unmodified client library, connected to a gateway under test. Keeps everything it emits in order, so that tests can wait for events
 * and look at their sequence. Every layout mistake of the gateway shows as error 505, which `decodeErrors` collects over all probes.
 */

export interface Heard {
  readonly event: string;
  readonly args: readonly unknown[];
}

/** Decoding problems of all probes since the process began; tests assert that it stays empty. */
export const decodeErrors: string[] = [];

/** Events the library emits about itself, which no test asks for. */
const NOISE: ReadonlySet<string> = new Set(['sent', 'received']);

export class IbProbe {
  readonly heard: Heard[] = [];
  readonly ib: IBApi;
  #listeners: (() => void)[] = [];

  constructor(port: number, clientId: number) {
    this.ib = new IBApi({ host: '127.0.0.1', port, clientId, maxReqPerSec: 10_000 });
    this.ib.on(EventName.all, (event: string, args: readonly unknown[]) => {
      if (!NOISE.has(event)) this.#hear(event, args);
    });
  }

  /** Connects and waits until it may send. */
  static async ready(port: number, clientId: number): Promise<IbProbe> {
    const probe = new IbProbe(port, clientId);
    probe.ib.connect();
    await probe.next('nextValidId');
    return probe;
  }

  #hear(event: string, args: readonly unknown[]): void {
    if (event === 'error' && (args[1] === 505 || String(args[0]).includes('Underrun'))) decodeErrors.push(String(args[0]));
    this.heard.push({ event, args });
    for (const listener of [...this.#listeners]) listener();
  }

  all(event: string): readonly (readonly unknown[])[] {
    return this.heard.filter(one => one.event === event).map(one => one.args);
  }

  /** The first event of this name from position `from` on that fits, waiting for it if need be. */
  async next(event: string, fits: (...args: never[]) => boolean = () => true, from = 0): Promise<readonly unknown[]> {
    const find = (): Heard | undefined =>
      this.heard.slice(from).find(one => one.event === event && (fits as (...args: readonly unknown[]) => boolean)(...one.args));
    const found = find();
    if (found) return found.args;
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#listeners = this.#listeners.filter(one => one !== listener);
      };
      const timer = setTimeout(() => {
        stop();
        const last = this.heard.slice(-12).map(one => `${one.event} ${one.args.map(String).join(' ')}`);
        reject(new Error(`no ${event} within 3 s; last heard:\n${last.join('\n')}`));
      }, 3_000);
      const listener = (): void => {
        const now = find();
        if (!now) return;
        stop();
        resolve(now.args);
      };
      this.#listeners.push(listener);
    });
  }

  /** Waits for an error or notice with this code, on this id if given. */
  async error(code: number, id?: number, from = 0): Promise<string> {
    const [problem] = await this.next(
      'error',
      (_error: Error, is: number, on: number) => is === code && (id === undefined || on === id),
      from,
    );
    return String(problem);
  }

  /** Everything the gateway has sent so far has been heard: it answers in order. */
  async settled(): Promise<void> {
    const from = this.heard.length;
    this.ib.reqCurrentTime();
    await this.next('currentTime', undefined, from);
  }

  close(): void {
    this.ib.disconnect();
  }
}

export const stock = (symbol: string): Contract => ({ symbol, secType: SecType.STK, exchange: 'SMART', currency: 'USD' });

export const order = (side: 'BUY' | 'SELL', quantity: number, more: Partial<Order> = {}): Order => ({
  action: side === 'BUY' ? OrderAction.BUY : OrderAction.SELL,
  totalQuantity: quantity,
  orderType: OrderType.MKT,
  tif: 'DAY',
  transmit: true,
  ...more,
});
