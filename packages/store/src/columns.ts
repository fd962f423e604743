import type { Contract } from '@holdfast/core/contract';
import { type EpochMs, fromDollars, fromIsoTime, isoTime, type Micros, toDollars } from '@holdfast/core/units';

/**
 * How values of the house stand in columns, and back: the store's door. Money is dollars (REAL), times are ISO-8601 UTC with milliseconds,
 * so that SQL stays readable; both round trips are exact.
 */

/** A value no column can hold without losing something. The row goes to `quarantined_rows`. */
export class Unstorable extends Error {
  override readonly name = 'Unstorable';
}

/** Exact up to 2^51 micro-dollars, about $2.2 billion. Throws `Unstorable` beyond, and for anything that is no whole number. */
export function moneyColumn(amount: Micros): number {
  const dollars = toDollars(amount);
  if (!Number.isSafeInteger(amount) || Math.round(dollars * 1e6) !== amount)
    throw new Unstorable(`no exact dollars for ${amount} micro-dollars`);
  return dollars;
}
export const moneyColumnOrNull = (amount: Micros | null): number | null => (amount === null ? null : moneyColumn(amount));
export const moneyOf = (dollars: number): Micros => fromDollars(dollars);
export const moneyOrNull = (dollars: number | null): Micros | null => (dollars === null ? null : fromDollars(dollars));

/** Throws `Unstorable` for what is no time (NaN, out of range). */
export function timeColumn(at: EpochMs): string {
  if (!Number.isInteger(at) || Math.abs(at) > 8.64e15) throw new Unstorable(`no time: ${at}`);
  return isoTime(at);
}
export const timeColumnOrNull = (at: EpochMs | null): string | null => (at === null ? null : timeColumn(at));
export const timeOf = (text: string): EpochMs => fromIsoTime(text);
export const timeOrNull = (text: string | null): EpochMs | null => (text === null ? null : fromIsoTime(text));

/** Whole numbers only: SQLite would refuse the fraction with a constraint error that names no reason. */
export function wholeColumn(value: number, what: string): number {
  if (!Number.isSafeInteger(value)) throw new Unstorable(`${what} must be whole, got ${value}`);
  return value;
}

/** Parsed contracts by their text: a desk sees a few dozen, thousands of times. */
const contracts = new Map<string, Contract>();

export const contractColumn = (contract: Contract): string => JSON.stringify(contract);
export function contractOf(text: string): Contract {
  let contract = contracts.get(text);
  if (!contract) {
    contract = Object.freeze(JSON.parse(text) as Contract);
    contracts.set(text, contract);
  }
  return contract;
}
