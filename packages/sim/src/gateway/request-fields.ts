import { fromDollars, type Micros } from '@holdfast/core/units';
import { UNSET_DOUBLE, UNSET_INTEGER } from './wire.js';

/** A request that does not parse. Thrown while reading, turned into error 320 by the router, never out of it. */
export class MalformedRequest extends Error {}

/** Reads a request's fields in order. Empty and "unset" values both come out as undefined where a field is optional. */
export class RequestFields {
  #at = 0;
  readonly #fields: readonly string[];

  constructor(fields: readonly string[]) {
    this.#fields = fields;
  }

  text(): string {
    const value = this.#fields[this.#at];
    if (value === undefined) throw new MalformedRequest(`the request ends after ${this.#fields.length} fields`);
    this.#at += 1;
    return value;
  }

  integer(): number {
    const value = this.optionalNumber();
    if (value === undefined || !Number.isInteger(value)) throw new MalformedRequest(`field ${this.#at} must be a whole number`);
    return value;
  }

  optionalNumber(): number | undefined {
    const text = this.text();
    if (text === '' || text === UNSET_INTEGER || /^1\.7976931348623157e\+?308$/i.test(text) || text === UNSET_DOUBLE) return undefined;
    const value = Number(text);
    if (Number.isNaN(value)) throw new MalformedRequest(`field ${this.#at} must be a number, got ${JSON.stringify(text.slice(0, 40))}`);
    return value;
  }

  /** A price in dollars, as micro-dollars. */
  optionalPrice(): Micros | undefined {
    const dollars = this.optionalNumber();
    return dollars === undefined ? undefined : fromDollars(dollars);
  }

  /** Empty reads as false, as the real gateway reads it: an order without `transmit` is not transmitted. */
  flag(): boolean {
    const text = this.text();
    return text === '1' || text === 'true';
  }

  skip(count: number): void {
    for (let skipped = 0; skipped < count; skipped += 1) this.text();
  }

  get rest(): number {
    return this.#fields.length - this.#at;
  }
}
