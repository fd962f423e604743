import { expect, it } from 'vitest';
import { epochMs } from '../units.js';
import { ExitBench } from './testing/exit-bench.js';

const ELEVEN = epochMs(Date.UTC(2026, 2, 9, 15, 0));
const ENTRY = 'HFD-20260309-1-1';

it('I1, I6: without a row, the target’s fill is heard before the answer that tells of its entry: one trade, nothing is sold again (seed 12200646)', () => {
  const bench = new ExitBench({ at: ELEVEN });
  bench.deliver();
  bench.byHand(100, 50);
  const bought = bench.executions.at(-1);
  if (!bought) throw new Error('nothing was bought');
  bench.executions[bench.executions.length - 1] = { ...bought, orderRef: ENTRY, clientId: 2, orderId: 1 };
  bench.deliver(waiting => {
    const body = waiting.shift();
    return body?.kind === 'execution' ? { ...body, execution: { ...body.execution, orderRef: ENTRY, clientId: 2, orderId: 1 } } : body;
  });
  bench.mark(50);
  bench.run(1_000);
  const target = bench.working().find(({ order }) => order.role === 'target');
  if (!target) throw new Error('nothing rests');
  // The store is lost, and so is the exit manager; meanwhile the target fills.
  bench.cut();
  bench.fill(target, 100, 50.9);
  for (const rows of Object.values(bench.rows)) rows.clear();
  const sold = bench.executions.at(-1);
  if (!sold) throw new Error('nothing was sold');
  bench.restart();
  let isTold = false;
  bench.deliver(waiting => {
    if (isTold || bench.state.link.phase !== 'RECONCILING') return waiting.shift();
    isTold = true;
    return { kind: 'execution', execution: sold };
  });
  bench.run(3_000);
  expect(isTold).toBe(true);
  expect([bench.position, bench.reach()]).toEqual([0, 0]);
  expect([...bench.rows.executions.values()].map(({ side, tradeId }) => [side, tradeId])).toEqual([
    ['SELL', ENTRY],
    ['BUY', ENTRY],
  ]);
});
