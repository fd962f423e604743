import { type Draft, edit, emit, mayAct, NO_SIGHT } from './desk.js';

/** A stream that has not said a single word for this long (machine time) is asked for anew: the request, or its answer, was lost. */
const ASK_AGAIN_MS = 10_000;

/** Asks for the P&L stream of a position: what its stop is watched by, and what an adopted one takes its levels from (A6). */
export function askPrices(d: Draft, conId: number): void {
  emit(d, { do: 'subscribe-pnl', conId });
  edit(d, 'sights').set(conId, { ...(d.s.sights.get(conId) ?? NO_SIGHT), pricesAskedAt: d.mono });
}

/** The stream has answered: from now on its silence means that the price does not move. */
export function pricesHeard(d: Draft, conId: number): void {
  const sight = d.s.sights.get(conId);
  if (sight && sight.pricesAskedAt !== null) edit(d, 'sights').set(conId, { ...sight, pricesAskedAt: null });
}

/** Ended first, because a connection asks the broker only for a stream that it does not believe to have. */
export function askPricesAgain(d: Draft, conId: number): void {
  const askedAt = d.s.sights.get(conId)?.pricesAskedAt ?? null;
  if (askedAt === null || !mayAct(d) || d.mono - askedAt < ASK_AGAIN_MS) return;
  emit(d, { do: 'unsubscribe-pnl', conId });
  askPrices(d, conId);
}
