import type { Alert } from '../effects.js';
import { type MonoMs, monoMs } from '../units.js';
import type { SupervisorEffect, SupervisorState, SupervisorStep } from './state.js';
import { isReady } from './watch.js';

/** The store as the supervisor believes it to be. Only the supervisor restores it (DESIGN §5). */
export type StoreCondition =
  | { readonly is: 'well' }
  /** `restoring`: asked for, the word on it is awaited. `tries`: so many attempts have failed. */
  | { readonly is: 'lost'; readonly why: string; readonly tries: number; readonly nextTryAt: MonoMs; readonly isRestoring: boolean };

export const STORE_WELL: StoreCondition = { is: 'well' };

/** What stands in the store's place now. */
export interface Restored {
  /** What it was made from, in words: the open connection, a backup and its time, or nothing. */
  readonly from: string;
  /** What may be missing, in words. */
  readonly missing: string;
  /** Where the lost or damaged files are; none were left when the list is empty. */
  readonly setAside: readonly string[];
}

/** The disk may be full: tried again for ever, calmly. */
const TRY_AGAIN_MS = 5_000;
/** An attempt that fails is told the first time, and every twelfth. */
const TELL_EVERY = 12;

/** Whoever saw it first: this supervisor's look at the file, or a worker that ended because of it. Told again it changes nothing. */
export function onStoreLost(state: SupervisorState, why: string, now: MonoMs): SupervisorStep {
  if (state.store.is === 'lost') return { state, effects: [] };
  return restore(state, { why, tries: 0 }, now);
}

/** Asks for the restoration, when its time has come again. */
export function keepRestoring(state: SupervisorState, now: MonoMs): SupervisorStep {
  const { store } = state;
  if (store.is !== 'lost' || store.isRestoring || now < store.nextTryAt) return { state, effects: [] };
  return restore(state, store, now);
}

function restore(state: SupervisorState, { why, tries }: { readonly why: string; readonly tries: number }, now: MonoMs): SupervisorStep {
  const lost: StoreCondition = { is: 'lost', why, tries, nextTryAt: monoMs(now + TRY_AGAIN_MS), isRestoring: true };
  return { state: { ...state, store: lost }, effects: [{ do: 'restore-store', why }] };
}

export function onStoreRestored(state: SupervisorState, restored: Restored): SupervisorStep {
  const why = state.store.is === 'lost' ? state.store.why : 'it was lost';
  const isGuarded = isReady(state.guard);
  return { state: { ...state, store: STORE_WELL }, effects: [{ do: 'alert', alert: restoredAlert(why, { ...restored, isGuarded }) }] };
}

export function onStoreNotRestored(state: SupervisorState, detail: string, now: MonoMs): SupervisorStep {
  const { store } = state;
  if (store.is !== 'lost') return { state, effects: [] };
  const tries = store.tries + 1;
  const effects: SupervisorEffect[] = tries % TELL_EVERY === 1 ? [{ do: 'alert', alert: notRestoredAlert(store.why, detail) }] : [];
  const waiting: StoreCondition = { ...store, tries, isRestoring: false, nextTryAt: monoMs(now + TRY_AGAIN_MS) };
  return { state: { ...state, store: waiting }, effects };
}

/** The reason of the kill switch begins so; as long as it stands, the blocks of the day are completed at every READY of the exit manager. */
export const RESTORED_REASON = 'the store was restored';

const GUARDED = 'The exit manager went on protecting and puts what it knows into it';
const UNGUARDED =
  'No exit manager was READY at that moment: only what rests at the broker protected. The next one reads its emergency file, asks the ' +
  'broker for positions, orders and executions, and puts what it learns into it';

/** `isGuarded`: an exit manager was READY when the store was restored. */
export const restoredAlert = (why: string, { from, missing, setAside, isGuarded }: Restored & { readonly isGuarded: boolean }): Alert => ({
  level: 'critical',
  code: 'STORE_RESTORED',
  symbol: null,
  happened: `The store was lost: ${why}.`,
  did:
    `It was restored from ${from}${setAside.length === 0 ? '' : `; what was there is ${setAside.join(', ')}`}. ` +
    `${isGuarded ? GUARDED : UNGUARDED}; the kill switch is on.`,
  todo: `${missing} Compare \`holdfast positions\` with TWS and find out why the file was lost; then \`holdfast resume\`.`,
});

const notRestoredAlert = (why: string, detail: string): Alert => ({
  level: 'critical',
  code: 'STORE_NOT_RESTORED',
  symbol: null,
  happened: `The store was lost (${why}) and could not be restored: ${detail}.`,
  did: 'It is tried again every 5 s. A running exit manager goes on protecting from memory; a new one cannot start, and nothing is entered.',
  todo: 'Free disk space or mend the folder of the store now. To sell without it: `holdfast liquidate-all`.',
});
