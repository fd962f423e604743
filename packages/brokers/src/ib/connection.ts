import { CLIENT_ID_IN_USE, redialWaitMs } from '@holdfast/core/redial';
import { EventName } from '@stoqey/ib/dist/api/data/enum/event-name.js';
import { type IbDeps, type IbOptions, Session } from './session.js';
import { guardSocket, socketOf } from './socket-of.js';
import { Watchdog } from './watchdog.js';

const HANDSHAKE_MS_DEFAULT = 4_000;
/** The library's code for "could not connect". */
const CONNECT_FAIL = 502;

interface Handshake {
  nextOrderId: number | undefined;
  accounts: readonly string[];
  /** Why this attempt is failing, as far as the gateway or the socket has said. */
  code: number;
  reason: string;
}

/**
 * Keeps one connection to the gateway: dials, shakes hands, watches for life, and starts over with a fresh Session whenever it is lost.
 * "Connected" means nextValidId and managed accounts are in; the library's own `connected` fires before a duplicate client id is refused.
 */
export class Connection {
  readonly #options: IbOptions;
  readonly #deps: IbDeps;
  readonly #equip: (session: Session) => void;
  #session: Session | undefined;
  #watchdog: Watchdog | undefined;
  #wanted = false;
  #sessionNumber = 0;
  /** Attempts in a row that came to nothing. */
  #failures = 0;
  #cancelTimer: (() => void) | undefined;

  /** `equip` attaches the listeners of a new session; it runs before the socket opens, so that no message is missed. */
  constructor(options: IbOptions, deps: IbDeps, equip: (session: Session) => void) {
    this.#options = options;
    this.#deps = deps;
    this.#equip = equip;
  }

  /** The session requests may be made on, if there is one. */
  get up(): Session | undefined {
    return this.#session?.isReady ? this.#session : undefined;
  }

  /** Counts connections, from 1. */
  get sessionNumber(): number {
    return this.#sessionNumber;
  }

  connect(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#failures = 0;
    this.#dial();
  }

  close(): void {
    this.#wanted = false;
    this.#stopTimer();
    if (this.#session) this.#drop('closed by us');
  }

  #dial(): void {
    const session = new Session(this.#options, this.#deps);
    this.#session = session;
    const handshake: Handshake = { nextOrderId: undefined, accounts: [], code: CONNECT_FAIL, reason: 'the gateway closed the connection' };
    this.#hearHandshake(session, handshake);
    this.#equip(session);
    const deadlineMs = this.#options.connectTimeoutMs ?? HANDSHAKE_MS_DEFAULT;
    this.#startTimer(deadlineMs, () => {
      handshake.reason = `no complete handshake within ${deadlineMs} ms (missing: ${missingParts(handshake)})`;
      this.#attemptFailed(handshake);
    });
    try {
      session.api.connect();
    } catch (error) {
      // A port that no socket can have throws at once.
      this.#attemptFailed({ code: CONNECT_FAIL, reason: error instanceof Error ? error.message : String(error) });
      return;
    }
    this.#openUpSocket(session);
  }

  #openUpSocket(session: Session): void {
    const socket = socketOf(session.api);
    // Without this, Nagle's algorithm holds the second of two back-to-back orders for milliseconds.
    socket?.setNoDelay(true);
    const isGuarded =
      socket !== undefined &&
      guardSocket(socket, why => {
        session.complain(`${why}; the connection is dropped and made anew, everything is asked again`);
        this.#lost(session, why);
      });
    if (!isGuarded) session.complain('the client library hides its socket: orders may leave late, and malformed messages are not caught');
  }

  #hearHandshake(session: Session, handshake: Handshake): void {
    const { api } = session;
    api.on(
      EventName.nextValidId,
      session.listen('nextValidId', (orderId: number) => {
        handshake.nextOrderId ??= orderId;
        this.#readyIfComplete(session, handshake);
      }),
    );
    api.on(
      EventName.managedAccounts,
      session.listen('managedAccounts', (list: string) => {
        handshake.accounts = list
          .split(',')
          .map(account => account.trim())
          .filter(Boolean);
        this.#readyIfComplete(session, handshake);
      }),
    );
    api.on(
      EventName.info,
      session.listen('info', (text: string, code: number) => {
        if (code !== CLIENT_ID_IN_USE || session.isReady) return;
        Object.assign(handshake, { code, reason: text });
      }),
    );
    api.on(
      EventName.error,
      session.listen('error', (error: Error, code: number) => {
        if (!session.isReady && code >= 500 && code < 510) Object.assign(handshake, { code, reason: error.message });
      }),
    );
    api.on(
      EventName.disconnected,
      session.listen('disconnected', () => {
        if (session.isReady) this.#lost(session, 'the gateway closed the connection');
        else this.#attemptFailed(handshake);
      }),
    );
  }

  #readyIfComplete(session: Session, { nextOrderId, accounts }: Handshake): void {
    // Right after a gateway restart the list of accounts may be empty: not ready yet.
    if (session.isReady || nextOrderId === undefined || accounts.length === 0) return;
    const account = this.#options.account ?? accounts[0] ?? '';
    if (!accounts.includes(account)) {
      this.#attemptFailed({ code: 0, reason: `the gateway serves ${accounts.join(', ')}, this desk is bound to ${account}` });
      return;
    }
    session.account = account;
    this.#stopTimer();
    this.#failures = 0;
    this.#sessionNumber += 1;
    this.#watchdog = new Watchdog(session, silentMs =>
      this.#lost(session, `no sign of life from the gateway for ${Math.round(silentMs)} ms`),
    );
    session.ready({ kind: 'connected', nextOrderId, accounts, session: this.#sessionNumber });
  }

  #attemptFailed({ code, reason }: Pick<Handshake, 'code' | 'reason'>): void {
    this.#discard();
    this.#deps.onEvent({ kind: 'connect-failed', code, reason });
    this.#retry(code);
  }

  #lost(session: Session, reason: string): void {
    if (session !== this.#session) return;
    if (session.isReady) {
      this.#drop(reason);
      this.#retry(null);
    } else {
      this.#attemptFailed({ code: CONNECT_FAIL, reason });
    }
  }

  #drop(reason: string): void {
    const wasUp = this.#session?.isReady ?? false;
    this.#discard();
    if (wasUp) this.#deps.onEvent({ kind: 'disconnected', reason });
  }

  #discard(): void {
    this.#stopTimer();
    this.#watchdog?.stop();
    this.#watchdog = undefined;
    this.#session?.end();
    this.#session = undefined;
  }

  #retry(code: number | null): void {
    // The listener may have called close() or connect() meanwhile.
    if (!this.#wanted || this.#session) return;
    const waitMs = redialWaitMs(this.#failures, code);
    this.#failures += 1;
    this.#startTimer(waitMs, () => this.#dial());
  }

  #startTimer(ms: number, run: () => void): void {
    this.#stopTimer();
    this.#cancelTimer = this.#deps.timers.after(ms, () => {
      this.#cancelTimer = undefined;
      run();
    });
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}

const missingParts = ({ nextOrderId, accounts }: Handshake): string =>
  [nextOrderId === undefined ? 'next order id' : '', accounts.length === 0 ? 'accounts' : ''].filter(Boolean).join(' and ');
