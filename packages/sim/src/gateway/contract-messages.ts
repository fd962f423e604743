import { atTime, sessionOf, tradeDateOf } from '@holdfast/core/calendar';
import { type EpochMs, type TradeDate, toDollars } from '@holdfast/core/units';
import type { Instrument } from '../exchange-types.js';
import type { Field } from './wire.js';
import { wireClock } from './wire-time.js';

/** Contract details, market rules and symbol samples. */

const DAY_MS = 86_400_000;
const HOURS_AHEAD_DAYS = 7;
const ORDER_TYPES = 'ACTIVETIM,AD,ADJUST,ALERT,ALLOC,AVGCOST,BASKET,COND,DAY,GTC,GTD,GTT,IOC,LMT,MKT,OCA,OPG,STP,STPLMT,WHATIF';

const compact = (date: TradeDate): string => date.replaceAll('-', '');
const hhmm = (at: EpochMs): string => wireClock(at).slice(0, 5).replace(':', '');
const dateAfter = (date: TradeDate): TradeDate => tradeDateOf((atTime(date, '12:00') + DAY_MS) as EpochMs);

/** `20260105:0400-20260105:2000;20260106:CLOSED`, for a week, from the session's calendar. */
export function hoursText(from: EpochMs, kind: 'trading' | 'liquid'): string {
  const days: string[] = [];
  for (let date = tradeDateOf(from); days.length < HOURS_AHEAD_DAYS; date = dateAfter(date)) {
    const session = sessionOf(date);
    const [opens, closes] = kind === 'trading' ? [session.preOpen, session.extendedClose] : [session.open, session.close];
    const day = compact(date);
    days.push(session.isTradingDay ? `${day}:${hhmm(opens)}-${day}:${hhmm(closes)}` : `${day}:CLOSED`);
  }
  return days.join(';');
}

/** Rule 26 is the cent; 635 the hundredth of a cent; others follow the tick, so that a client can look them up. */
export const marketRuleOf = (instrument: Instrument): number =>
  instrument.tick === 10_000 ? 26 : instrument.tick === 100 ? 635 : 100_000 + instrument.tick;

/** Message 10. One listing per exchange is not modelled: a stock is on SMART and on its primary exchange. */
export function contractDetailsMessage(
  requestId: number,
  instrument: Instrument,
  context: { readonly version: number; readonly now: EpochMs },
): Field[] {
  const { version, now } = context;
  const rule = marketRuleOf(instrument);
  return [
    10,
    ...(version < 164 ? [8] : []),
    requestId,
    instrument.symbol,
    'STK',
    '',
    ...(version >= 182 ? [''] : []), // lastTradeDate
    0,
    '',
    'SMART',
    'USD',
    instrument.symbol,
    instrument.symbol, // marketName
    instrument.symbol, // tradingClass
    instrument.conId,
    toDollars(instrument.tick),
    ...(version < 164 ? [1] : []), // mdSizeMultiplier
    '', // multiplier: empty for stocks
    ORDER_TYPES,
    `SMART,${instrument.primaryExchange}`,
    1, // priceMagnifier
    0, // underConId
    instrument.longName,
    instrument.primaryExchange,
    '', // contractMonth
    instrument.industry,
    instrument.industry, // category
    '', // subcategory
    'US/Eastern',
    hoursText(now, 'trading'),
    hoursText(now, 'liquid'),
    '', // evRule
    0, // evMultiplier
    0, // secIds
    1, // aggGroup
    '', // underSymbol
    '', // underSecType
    `${rule},${rule}`,
    '', // realExpirationDate
    instrument.industry === 'ETF' ? 'ETF' : 'COMMON',
    ...(version === 163 ? [1] : []), // sizeMinTick
    ...(version >= 164 ? [1, 1, 100] : []), // minSize, sizeIncrement, suggestedSizeIncrement
    ...(version >= 186 ? [0] : []), // ineligibility reasons
  ];
}

/** Message 93: one price band from zero. */
export const marketRuleMessage = (ruleId: number, instrument: Instrument): Field[] => [93, ruleId, 1, 0, toDollars(instrument.tick)];

/** Message 79. */
export const symbolSamplesMessage = (requestId: number, instruments: readonly Instrument[], version: number): Field[] => [
  79,
  requestId,
  instruments.length,
  ...instruments.flatMap(instrument => [
    instrument.conId,
    instrument.symbol,
    'STK',
    instrument.primaryExchange,
    'USD',
    0, // derivative types
    ...(version >= 176 ? [instrument.longName, ''] : []),
  ]),
];
