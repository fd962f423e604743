import { decodeExact, encodeGraph } from '@holdfast/engine/exact-json';
import type { Head } from '@holdfast/engine/journal-lines';
import type { Replayed } from '@holdfast/engine/replay';

/** Rules whose state is written and read back every so many steps, as a journal does at midnight and after a gap: it must make no difference. */
export function resumed({ begin, step, state }: Replayed, every: number): Replayed {
  let head: Head | null = null;
  let steps = 0;
  return {
    state,
    begin(given) {
      head = given;
      begin(given);
    },
    step(event) {
      steps += 1;
      if (head && steps % every === 0) begin({ ...head, because: 'gap', given: decodeExact(encodeGraph(state())) });
      return step(event);
    },
  };
}
