import { describe, expect, it } from 'vitest';
import { EventQueue } from './event-queue.js';

const taken = (queue: EventQueue<number>): readonly number[] => {
  const all: number[] = [];
  for (let event = queue.take(); event !== undefined; event = queue.take()) all.push(event);
  return all;
};

describe('events that wait', () => {
  it.each<readonly [string, (queue: EventQueue<number>) => void, readonly number[]]>([
    ['come in the order in which they were put', queue => [1, 2, 3].map(event => queue.put(event)), [1, 2, 3]],
    ['come after one that was put first', queue => [queue.put(2), queue.put(3), queue.putFirst(1)], [1, 2, 3]],
    ['one that is put first may be alone', queue => queue.putFirst(1), [1]],
    ['are as many after some were taken', queue => [queue.put(1), queue.put(2), queue.take(), queue.put(3), queue.putFirst(0)], [0, 2, 3]],
    ['begin anew once all were taken', queue => [queue.put(1), queue.take(), queue.take(), queue.put(2)], [2]],
    ['are none after they were cleared', queue => [queue.put(1), queue.clear()], []],
  ])('%s', (_title, fill, expected) => {
    const queue = new EventQueue<number>();
    fill(queue);
    expect(queue.length).toBe(expected.length);
    expect(taken(queue)).toEqual(expected);
    expect(queue.length).toBe(0);
  });
});
