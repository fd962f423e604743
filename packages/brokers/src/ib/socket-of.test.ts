import { describe, expect, test } from 'vitest';
import { FrameBounds } from './socket-of.js';

const frame = (length: number, payload = Buffer.alloc(Math.max(0, length))): Buffer => {
  const header = Buffer.alloc(4);
  header.writeInt32BE(length);
  return Buffer.concat([header, payload]);
};

describe('frame boundaries', () => {
  const stream = Buffer.concat([frame(5), frame(1), frame(70_000), frame(12)]);

  test.each([1, 3, 4, 7, 1_460, stream.length])('good frames in pieces of %i bytes', size => {
    const bounds = new FrameBounds();
    for (let at = 0; at < stream.length; at += size) expect(bounds.follow(stream.subarray(at, at + size))).toBe(true);
  });

  test.each([0, -1, -4, -2_147_483_648, 0x1_00_00_00])('a length of %i ends the trust, wherever it comes', length => {
    expect(new FrameBounds().follow(frame(length))).toBe(false);
    const later = new FrameBounds();
    expect(later.follow(frame(9))).toBe(true);
    const bad = frame(length, Buffer.alloc(0));
    expect(later.follow(bad.subarray(0, 2))).toBe(true);
    expect(later.follow(bad.subarray(2))).toBe(false);
  });
});
