import { beforeEach, describe, expect, test } from 'vitest';
import { VirtualTimers } from './testing/virtual-timers.js';
import { UnnumberedAsk } from './unnumbered-ask.js';

let timers: VirtualTimers;
let story: string[];
let ask: UnnumberedAsk;

beforeEach(() => {
  timers = new VirtualTimers();
  story = [];
  ask = new UnnumberedAsk(() => story.push('put'), timers.mono);
});
const by = (name: string): void =>
  ask.ask(
    () => story.push(`${name} begins`),
    () => story.push(`${name} ends`),
  );

describe('a question without a request id', () => {
  test('is put again for whoever asks while it is open, so that each end marker has one owner', () => {
    by('A');
    by('B');
    ask.ended();
    ask.ended();
    expect(story).toEqual(['A begins', 'put', 'A ends', 'B begins', 'put', 'B ends']);
  });

  test('of several who wait, the newest is served', () => {
    by('A');
    by('B');
    by('C');
    ask.ended();
    ask.ended();
    expect(story).toEqual(['A begins', 'put', 'A ends', 'C begins', 'put', 'C ends']);
  });

  test('a mere refresh never takes the place of one who waits for the end', () => {
    by('A');
    by('B');
    ask.refresh();
    ask.ended();
    ask.ended();
    expect(story.at(-1)).toBe('B ends');
  });

  test('an end marker nobody asked for ends nothing', () => {
    ask.ended();
    expect(story).toEqual([]);
  });

  test('a question whose end never came may be put again after a while', () => {
    by('A');
    timers.advance(3_000);
    by('B');
    ask.ended();
    expect(story).toEqual(['A begins', 'put', 'B begins', 'put', 'B ends']);
  });
});
