import { beforeEach, describe, expect, test } from 'vitest';
import { HARD_MESSAGES_PER_SECOND_MAX, ORDINARY_MESSAGES_PER_SECOND_MAX, Pacer } from './pacing.js';
import { VirtualTimers } from './testing/virtual-timers.js';

let timers: VirtualTimers;
let pacer: Pacer;
let sent: { readonly name: string; readonly at: number }[];

beforeEach(() => {
  timers = new VirtualTimers();
  pacer = new Pacer({ timers, mono: timers.mono });
  sent = [];
});

const message = (name: string) => () => {
  sent.push({ name, at: timers.mono() });
};
const ask = (count: number): void => {
  for (let n = 0; n < count; n += 1) pacer.ordinary(message(`ask ${n}`));
};
/** The most messages that fall into any one second. */
const busiestSecond = (): number => Math.max(...sent.map(({ at }) => sent.filter(other => other.at >= at && other.at < at + 1000).length));

describe('pacing', () => {
  test('an order leaves at once behind a hundred waiting requests', () => {
    ask(100);
    pacer.urgent(message('order'));
    expect(sent).toHaveLength(ORDINARY_MESSAGES_PER_SECOND_MAX + 1);
    expect(sent.at(-1)).toEqual({ name: 'order', at: timers.mono() });
  });

  test('requests wait in line and all leave in order, never above their share of a second', () => {
    ask(130);
    timers.advance(10_000);
    expect(sent.map(({ name }) => name)).toEqual(Array.from({ length: 130 }, (_, n) => `ask ${n}`));
    expect(busiestSecond()).toBe(ORDINARY_MESSAGES_PER_SECOND_MAX);
    expect(timers.waiting).toBe(0);
  });

  test('orders stop at the broker’s limit, and go on before any request that waited longer', () => {
    ask(60);
    for (let n = 0; n < 30; n += 1) pacer.urgent(message(`order ${n}`));
    expect(sent).toHaveLength(HARD_MESSAGES_PER_SECOND_MAX);
    timers.advance(1_000);
    expect(sent.slice(HARD_MESSAGES_PER_SECOND_MAX, HARD_MESSAGES_PER_SECOND_MAX + 20).every(({ name }) => name.startsWith('order'))).toBe(
      true,
    );
    timers.advance(5_000);
    expect(sent).toHaveLength(90);
    expect(busiestSecond()).toBeLessThanOrEqual(HARD_MESSAGES_PER_SECOND_MAX);
  });

  test('what waited when the connection ended is never sent', () => {
    ask(60);
    pacer.close();
    pacer.urgent(message('order'));
    timers.advance(10_000);
    expect(sent).toHaveLength(ORDINARY_MESSAGES_PER_SECOND_MAX);
    expect(timers.waiting).toBe(0);
  });
});
