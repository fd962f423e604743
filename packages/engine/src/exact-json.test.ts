import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeExact, encodeExact, encodeGraph } from './exact-json.js';

/** Whatever the rules may hold or hear: also what JSON alone loses. */
const value = fc.letrec(tie => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(undefined, null, true, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    fc.double(),
    fc.integer(),
    fc.string(),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.constantFrom('$', 'v', 'kind', '10', '__proto__x'), fc.string()), tie('any'), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
    fc.array(fc.tuple(fc.oneof(fc.integer(), fc.string()), tie('any')), { maxLength: 3 }).map(pairs => new Map(pairs)),
    fc.uniqueArray(fc.oneof(fc.integer(), fc.string()), { maxLength: 3 }).map(items => new Set(items)),
  ),
})).any;

describe('JSON that loses nothing', () => {
  it('gives every value back as it was', () => {
    fc.assert(
      fc.property(value, given => {
        expect(decodeExact(encodeExact(given))).toStrictEqual(given);
        expect(decodeExact(encodeGraph(given))).toStrictEqual(given);
      }),
    );
  });

  it('is plain JSON where JSON suffices', () => {
    expect(encodeExact({ a: [1.5, 'x', null, true] })).toBe('{"a":[1.5,"x",null,true]}');
  });

  it('a graph keeps what is one object one object, in maps, sets and nested', () => {
    const inner = { price: 1 };
    const row = { inner };
    const back = decodeExact(encodeGraph({ byId: new Map([[1, row]]), list: [row, { inner }], all: new Set([row]) })) as {
      byId: Map<number, typeof row>;
      list: (typeof row)[];
      all: Set<typeof row>;
    };
    const again = back.byId.get(1);
    expect(back.list[0]).toBe(again);
    expect([...back.all][0]).toBe(again);
    expect(back.list[1]?.inner).toBe(again?.inner);
  });

  it.each([[() => 1], [new Date(0)], [Symbol('x')], [10n], [{ when: new Date(0) }]])('refuses what is no value: %s', given => {
    expect(() => encodeExact(given)).toThrow(/cannot be journaled/);
  });

  it('refuses tags it does not know', () => {
    expect(() => decodeExact('{"$":"row","v":3}')).toThrow(/no value of this format/);
    expect(() => decodeExact('{"$":"mop","v":[]}')).toThrow(/no value of this format/);
  });
});
