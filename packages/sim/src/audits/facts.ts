import type { EpochMs, TradeDate } from '@holdfast/core/units';

export type JudgedWorker = 'exit-manager' | 'day-trader' | 'liquidator';
export type SentKind = 'place' | 'modify' | 'cancel' | 'global-cancel';

/**
 * What the referees may know besides the exchange: facts of the world, never of our tables. `processId` names one incarnation of a process
 * and is never used again. From the first `process` fact on, processes are believed and bare connections are not.
 */
export type WorldFact =
  /** stopped: it exists but does not run (SIGSTOP, a hang, a stalled disk). ended: gone for ever. */
  | {
      readonly fact: 'process';
      readonly processId: number;
      readonly worker: JudgedWorker;
      readonly state: 'started' | 'stopped' | 'resumed' | 'ended';
    }
  /** The phase its heartbeat tells. READY and MINIMAL are able to act. A liquidator is able while it is connected. */
  | { readonly fact: 'phase'; readonly processId: number; readonly phase: string }
  /** A session with the gateway, as the gateway sees it. Without a processId it is the old way: a client's socket. */
  | { readonly fact: 'link'; readonly clientId: number; readonly processId?: number; readonly up: boolean }
  /** Whether anybody can reach the exchange at all: outage, nightly restart, 1100 to 1101 or 1102. */
  | { readonly fact: 'broker'; readonly reachable: boolean }
  /** The whole machine is suspended, with every process on it: nothing can be blamed meanwhile. */
  | { readonly fact: 'machine'; readonly awake: boolean }
  /** A fault delays, loses, repeats or reorders messages to the exit manager; clean again once what was lost must have been asked for. */
  | { readonly fact: 'line'; readonly clean: boolean }
  /**
   * Marks to the exit manager are cut, frozen or crazy by a fault, of one instrument or (null) of all. Of all and not `comes`: none is told,
   * not even a false or a late one.
   */
  | { readonly fact: 'marks'; readonly conId: number | null; readonly flowing: boolean; readonly comes?: boolean }
  /** The right to act was taken in the store. The liquidator takes the exit manager's. */
  | { readonly fact: 'lease'; readonly worker: JudgedWorker; readonly leaseId: number; readonly processId: number }
  /**
   * A process has come to the call that sends a new order. Should it stand still in it (DESIGN §8, "between lease check and send"), the order leaves
   * when it goes on, and nothing that happened meanwhile can keep it back.
   */
  | { readonly fact: 'sending'; readonly processId: number; readonly orderRef: string }
  | SentFact
  /** An exit manager has decided to let a position go, and why in its own words: judged by what the exchange saw. */
  | { readonly fact: 'decided'; readonly conId: number; readonly reason: string }
  /** The gateway took a cancel or a modification. New orders are recognised by their orderRef. */
  | { readonly fact: 'arrived'; readonly processId: number; readonly what: SentKind; readonly orderRef: string }
  /** The gateway refused a new order before the exchange heard of it. */
  | { readonly fact: 'refused'; readonly clientId: number; readonly conId: number; readonly type: string }
  /** The gateway took an order, or a change of one, passed it to nobody and says nothing: only its silence can tell. */
  | { readonly fact: 'swallowed'; readonly clientId: number; readonly conId: number; readonly type: string }
  /** A person switched it: the row is committed, or the HALT file is there. */
  | { readonly fact: 'kill-switch'; readonly on: boolean }
  /** false: the quiet phase begins, in which the system must get well by itself. */
  | { readonly fact: 'faults'; readonly active: boolean }
  | { readonly fact: 'parked'; readonly worker: JudgedWorker; readonly parked: boolean }
  /** Whether a parked day trader is as it should be. */
  | { readonly fact: 'policy'; readonly mayPark: boolean }
  /** false: a person stopped it on purpose, so it need not be READY. */
  | { readonly fact: 'wanted'; readonly worker: JudgedWorker; readonly wanted: boolean }
  /** A new trading day, told before its first event. */
  | { readonly fact: 'session'; readonly session: { readonly open: EpochMs; readonly close: EpochMs }; readonly tradeDate: TradeDate }
  /** The store was lost or restored: levels of adopted positions may start anew from the mark. */
  | { readonly fact: 'store'; readonly lost: true }
  /** The operator said `adopt` or `release`. */
  | { readonly fact: 'scope'; readonly conId: number; readonly inCare: boolean }
  /** `liquidate-all --everything` with the account typed: hands need not be off meanwhile. */
  | { readonly fact: 'everything'; readonly active: boolean };

/** Bytes leave a process. */
export interface SentFact {
  readonly fact: 'sent';
  readonly clientId: number;
  readonly processId: number;
  /** null: sent without the store, where the client id is the lease. */
  readonly leaseId: number | null;
  readonly what: SentKind;
  /** Of the order placed, modified or cancelled; empty where it carries none. */
  readonly orderRef: string;
  readonly conId?: number;
  readonly role?: string;
  /** The order a cancel or modification is about. */
  readonly target?: { readonly clientId: number; readonly orderId: number };
}
