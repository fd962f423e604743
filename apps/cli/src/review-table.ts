import { type Micros, toCents, toDollars } from '@holdfast/core/units';
import type { DayReview, RoundTrip } from '@holdfast/store/reports';
import { clockTime } from './clock-time.js';
import { type Column, countOf, dollars, formatTable, paintGain, type Stream, signedDollars, signedPercent } from './screen.js';

/** A day's review for people and for `--json`. Dollars here; the store's sums are micro-dollars. */

const dollarsOrNull = (amount: Micros | null): number | null => (amount === null ? null : toDollars(amount));
const centsOrNull = (amount: Micros | null): number | null => (amount === null ? null : toCents(amount));

/** The words `--json` uses for a round trip, in the review and in the demo alike. */
export const roundTripJson = (trip: RoundTrip) => ({
  symbol: trip.symbol,
  side: trip.side === 1 ? ('LONG' as const) : ('SHORT' as const),
  quantity: trip.quantity,
  entryPrice: dollarsOrNull(trip.entryPrice),
  exitPrice: dollarsOrNull(trip.exitPrice),
  exitReason: trip.exitReason,
  pnl: centsOrNull(trip.pnl),
});

export const reviewJson = (review: DayReview) => ({
  date: review.date,
  roundTrips: review.roundTrips.map(roundTripJson),
  trades: review.totals.trades,
  wins: review.totals.wins,
  losses: review.totals.losses,
  winRate: review.totals.winRate,
  pnl: toCents(review.totals.pnl),
  commission: toCents(review.totals.commission),
  startEquity: centsOrNull(review.totals.startEquity),
  percentOfEquity: review.totals.percentOfEquity,
  sumOfTradePercents: review.totals.sumOfTradePercents,
  rejections: review.rejections,
  restarts: review.restarts,
  alerts: review.alerts.map(({ level, code, symbol, times, happened }) => ({ level, code, symbol, times, happened })),
});

const COLUMNS = (paint: Stream['paint']): readonly Column<RoundTrip>[] => [
  { title: 'symbol', cell: trip => trip.symbol },
  { title: 'side', cell: trip => (trip.side === 1 ? 'long' : 'short') },
  { title: 'qty', align: 'right', cell: trip => String(trip.quantity) },
  { title: 'entry', align: 'right', cell: trip => dollars(dollarsOrNull(trip.entryPrice)) },
  { title: 'exit', align: 'right', cell: trip => dollars(dollarsOrNull(trip.exitPrice)) },
  { title: 'in', cell: trip => (trip.entryAt === null ? '-' : clockTime(trip.entryAt).slice(0, 5)) },
  { title: 'out', cell: trip => (trip.exitAt === null ? '-' : clockTime(trip.exitAt).slice(0, 5)) },
  { title: 'reason', cell: trip => trip.exitReason },
  {
    title: 'P&L',
    align: 'right',
    cell: trip => signedDollars(centsOrNull(trip.pnl)),
    paint: (text, trip) => paintGain(paint, text, trip.pnl),
  },
  { title: '%', align: 'right', cell: trip => signedPercent(trip.percent).replace(' %', '') },
];

/** The table with its totals; P&L is net of commissions. */
export function formatReview(review: DayReview, paint: Stream['paint']): string {
  const { roundTrips, totals } = review;
  const title = paint.bold(`Review of ${review.date}`);
  if (roundTrips.length === 0) return `${title}\nNo round trip on this date.${formatRest(review, paint)}`;
  const pnl = toCents(totals.pnl);
  const share = totals.percentOfEquity === null ? '' : `, ${signedPercent(totals.percentOfEquity)} of start-of-day equity`;
  const rate = totals.winRate === null ? '' : `, win rate ${totals.winRate.toFixed(0)} %`;
  return (
    [
      title,
      formatTable(COLUMNS(paint), roundTrips, paint),
      `Total ${paintGain(paint, signedDollars(pnl), pnl)} net${share}`,
      `${countOf(totals.trades, 'round trip')}: ${totals.wins} won, ${totals.losses} lost${rate}; commissions ${dollars(toCents(totals.commission))}`,
    ].join('\n') + formatRest(review, paint)
  );
}

function formatRest({ restarts, rejections, alerts }: DayReview, paint: Stream['paint']): string {
  const lines = [`Restarts: exit manager ${restarts.exitManager}, day trader ${restarts.dayTrader}`];
  const [first, ...others] = rejections.map(({ code, times }) => `${code} ${times}`);
  if (first !== undefined) lines.push(`Entries not made: ${[first, ...others.slice(0, 4)].join(', ')}${others.length > 4 ? ', …' : ''}`);
  for (const { at, code, happened, todo } of alerts.filter(({ level }) => level === 'critical'))
    lines.push(`${paint.red('critical')} ${clockTime(at)} ${code}`, `  ${happened}`, `  ${todo}`);
  return `\n${lines.join('\n')}`;
}
