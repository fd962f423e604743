import type { Write } from '@holdfast/core/effects';
import { isFinal, type Order } from '@holdfast/core/orders/order';
import type { EpochMs, TradeDate } from '@holdfast/core/units';
import { writeAlert } from './alerts.js';
import { writeBaseline } from './baseline.js';
import { addCommandRow, answerCommand } from './commands.js';
import { writeEquity } from './daily.js';
import type { Db } from './db.js';
import { writeDecision } from './decisions.js';
import { bookCommission, bookExecution } from './executions.js';
import { holdsLease, type Lease, refuseLostLease, writePhase } from './leases.js';
import { insertOrder, knownQuantity, orderIsKnown, upsertOrder } from './orders.js';
import { quarantine, symbolOf, unstorableReason } from './quarantine.js';
import { attempt, type Refusal, refuse } from './refusal.js';
import { exceedsHolding } from './sellable.js';
import { closeTrade, releaseClaim, writePosition } from './trades.js';

export interface StepCommit {
  readonly lease: Lease;
  readonly writes: readonly Write[];
  readonly now: EpochMs;
  readonly tradeDate: TradeDate;
  /** Must survive a power cut before this returns (executions). An exit's intent need not: send it, then `db.makeDurable()`. */
  readonly durable: boolean;
  /**
   * Merging the emergency file, with each record's own `now` and `tradeDate`: its intents have been sent and are recorded as facts, and what
   * the store has heard since is left alone. A record merged twice does no harm.
   */
  readonly replay?: boolean;
  /** Records of earlier steps that waited for this commit, oldest first, each with its own time. */
  readonly earlier?: readonly EarlierRecords[];
}

/** What somebody may read later and nobody acts on, as it was when it was told. */
export interface EarlierRecords {
  readonly writes: readonly Write[];
  readonly at: EpochMs;
  readonly tradeDate: TradeDate;
}

/** One write the store would not do, while the others of its step stand. No order named in one may be placed or changed. */
export interface RefusedWrite extends Omit<Refusal, 'ok'> {
  readonly write: Write;
}

export type CommitResult = { readonly ok: true; readonly refused: readonly RefusedWrite[] } | Refusal;

/**
 * All writes of one step, with the lease check, in one immediate transaction.
 *
 * Refused as a whole, nothing written: LEASE_LOST, and failures of the world (STORE_BUSY, STORE_FULL, STORE_IO, STORE_CORRUPT, STORE_READONLY).
 * Refused one by one, in `refused` and with an alert, because the facts beside them must not be lost with them: intents
 * (EXIT_EXCEEDS_HOLDING, ALREADY_INTENDED, ENTRY_NEEDS_CLAIM, NOT_THE_EXIT_MANAGER), changes that raise an exit beyond the holding (also
 * EXIT_EXCEEDS_HOLDING), claims that may not be released (CLAIM_HAS_FILLS, ENTRY_MAY_LIVE) and rows no column can hold (ROW_QUARANTINED).
 * Bugs throw and roll everything back.
 */
export function commitStep(db: Db, step: StepCommit): CommitResult {
  return attempt(() =>
    db.withSynchronous(step.durable ? 'FULL' : 'NORMAL', () =>
      db.immediate(() => {
        if (!holdsLease(db, step.lease)) return refuseLostLease(step.lease);
        const refused: RefusedWrite[] = [];
        for (const { writes, at, tradeDate } of step.earlier ?? [])
          applyAll(db, writes, { step: { ...step, now: at, tradeDate }, refused });
        applyAll(db, step.writes, { step, refused });
        return { ok: true as const, refused };
      }),
    ),
  );
}

function applyAll(db: Db, writes: readonly Write[], { step, refused }: { step: StepCommit; refused: RefusedWrite[] }): void {
  for (const write of factsFirst(writes)) {
    const refusal = applyGuarded(db, write, step);
    if (refusal) refused.push({ write, code: refusal.code, detail: refusal.detail });
  }
}

/**
 * An intent is judged by all its step knows: fills come first, then the given order, then words about living exits (a raised quantity is
 * judged too), then intents with the words about them.
 */
function factsFirst(writes: readonly Write[]): readonly Write[] {
  if (writes.length < 2) return writes;
  const intended = new Set(writes.map(write => (write.do === 'write-intent' ? write.order.orderRef : null)));
  const rank = (write: Write): number => {
    if (write.do === 'write-execution') return 0;
    if (write.do === 'write-intent') return 3;
    if (write.do !== 'write-order') return 1;
    return intended.has(write.order.orderRef) ? 3 : isLivingExit(write.order) ? 2 : 1;
  };
  // Of several words about one order in a step only the last holds; sorting must not let an earlier one win.
  const lastWord = new Map<string, Write>();
  for (const write of writes) if (write.do === 'write-order') lastWord.set(write.order.orderRef, write);
  const standing = writes.filter(write => write.do !== 'write-order' || lastWord.get(write.order.orderRef) === write);
  return standing.toSorted((a, b) => rank(a) - rank(b));
}

const isLivingExit = (order: Order): boolean => order.role !== 'entry' && !isFinal(order);

/** One insert, all or nothing by itself. They are two writes of five, and a savepoint costs as much as the insert. */
const isOneStatement = (write: Write): boolean => write.do === 'write-decision';

/** Each write in a savepoint of its own: one that cannot be stored takes back its own rows only. */
function applyGuarded(db: Db, write: Write, step: StepCommit): Refusal | null {
  try {
    const refusal = isOneStatement(write) ? apply(db, write, step) : db.immediate(() => apply(db, write, step));
    if (refusal) alertRefusal(db, write, { refusal, step });
    return refusal;
  } catch (error) {
    const reason = unstorableReason(error);
    if (reason === null) throw error;
    quarantine(db, write, { reason, worker: step.lease.name, tradeDate: step.tradeDate, now: step.now });
    return refuse('ROW_QUARANTINED', reason);
  }
}

function apply(db: Db, write: Write, { lease, now, tradeDate, replay = false }: StepCommit): Refusal | null {
  const when = { now, tradeDate, replay };
  const by = { worker: lease.name, now, tradeDate, replay };
  switch (write.do) {
    case 'write-intent':
      return writeIntent(db, write.order, { lease, tradeDate, replay });
    case 'write-order':
      return writeOrder(db, write.order, { tradeDate, replay });
    case 'write-execution':
      bookExecution(db, write);
      return null;
    case 'write-commission':
      bookCommission(db, write);
      return null;
    case 'write-position':
      writePosition(db, write.position, when);
      return null;
    case 'close-position':
      closeTrade(db, write.trade, when);
      return null;
    case 'release-claim': {
      const released = releaseClaim(db, { tradeId: write.tradeId, reason: write.reason, now });
      return released.ok ? null : released;
    }
    case 'write-baseline':
      writeBaseline(db, { account: write.account, holdings: write.holdings, now, replay });
      return null;
    case 'write-phase':
      // A phase told through the emergency file was somebody else's, long ago.
      if (!replay) writePhase(db, lease, write);
      return null;
    case 'write-command':
      addCommandRow(db, { ...write, tradeDate, createdBy: lease.name, now });
      return null;
    case 'answer-command':
      answerCommand(db, { ...write, now });
      return null;
    case 'write-decision':
      writeDecision(db, write.decision, by);
      return null;
    case 'write-alert':
      writeAlert(db, write.alert, by);
      return null;
    case 'write-equity':
      writeEquity(db, { ...write, now });
      return null;
  }
}

/**
 * The newest word about an order is kept in any case: it may be the broker's. Where it raises an exit beyond what the trade holds, that is said,
 * and the engine must not send the change.
 */
function writeOrder(db: Db, order: Order, { tradeDate, replay }: { tradeDate: TradeDate; replay: boolean }): Refusal | null {
  const before = replay || !isLivingExit(order) ? null : knownQuantity(db, order.orderRef);
  upsertOrder(db, order, { tradeDate, replay });
  return before !== null && order.quantity > before ? exceedsHolding(db, order) : null;
}

/** An exit that is about to be sent. Entries come in by `claimEntry` alone. */
function writeIntent(
  db: Db,
  order: Order,
  { lease, tradeDate, replay }: { lease: Lease; tradeDate: TradeDate; replay: boolean },
): Refusal | null {
  const known = orderIsKnown(db, order.orderRef);
  if (replay) {
    if (!known) insertOrder(db, order, tradeDate);
    return null;
  }
  if (order.role === 'entry') return refuse('ENTRY_NEEDS_CLAIM', `${order.orderRef} is an entry: it needs a claim in the same transaction`);
  if (lease.name !== 'exit-manager')
    return refuse('NOT_THE_EXIT_MANAGER', `${order.orderRef} reduces a position: only the holder of the exit manager's lease may write it`);
  if (known) return refuse('ALREADY_INTENDED', `${order.orderRef} is on record: reconcile it, never send it again`);
  const refusal = exceedsHolding(db, order);
  if (!refusal) insertOrder(db, order, tradeDate);
  return refusal;
}

function alertRefusal(db: Db, write: Write, { refusal, step }: { refusal: Refusal; step: StepCommit }): void {
  writeAlert(
    db,
    {
      level: 'critical',
      code: refusal.code,
      symbol: symbolOf(write),
      happened: `the store refused a ${write.do}: ${refusal.detail}`,
      did: 'wrote everything else of that step; what was refused is not sent',
      todo: 'compare this symbol with the broker; if it does not settle by itself, act there by hand',
    },
    { worker: step.lease.name, tradeDate: step.tradeDate, now: step.now },
  );
}
