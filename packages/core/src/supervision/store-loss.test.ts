import { expect, it } from 'vitest';
import { type Bench, GUARD, running, TRADER } from './testing/supervisor-bench.js';

/** Who restores a lost store, when, and what is said about it (DESIGN §5). */

const lose = (bench: Bench, why = 'its file is gone'): void => bench.tell({ kind: 'store-lost', why });
const RESTORED = { kind: 'store-restored', from: 'a backup', missing: 'Something.', setAside: ['/x'] } as const;

it('is restored at once, however many tell of it, and well again afterwards', () => {
  const bench = running();
  bench.tale();
  lose(bench);
  lose(bench, 'told by a worker too');
  expect(bench.tale()).toEqual(['2000 restore-store']);
  bench.tell(RESTORED);
  expect(bench.tale()).toEqual(['2000 alert STORE_RESTORED']);
  expect(bench.state.store).toEqual({ is: 'well' });
  bench.live(60_000);
  expect(bench.tale()).toEqual([]);
});

it.each([
  ['READY', false, 'The exit manager went on protecting'],
  ['dead at that moment', true, 'No exit manager was READY at that moment: only what rests at the broker protected.'],
])('with the exit manager %s it says who protected', (_, isDead, words) => {
  const bench = running();
  lose(bench);
  if (isDead) bench.dies(GUARD, 6);
  bench.tell(RESTORED);
  const alert = bench.alerts.find(({ code }) => code === 'STORE_RESTORED');
  expect(alert?.did).toContain(words);
  expect(alert?.did).toContain('the kill switch is on.');
});

it('what fails is tried again every 5 s for ever, and told the first time and once a minute', () => {
  const bench = running();
  bench.tale();
  lose(bench);
  const told: string[] = [];
  for (let seconds = 0; seconds < 125; seconds += 5) {
    bench.tell({ kind: 'store-not-restored', detail: 'the disk is full' });
    bench.live(5_000);
    told.push(...bench.tale());
  }
  expect(told.filter(line => line.endsWith('restore-store'))).toHaveLength(26);
  expect(told.filter(line => line.endsWith('alert STORE_NOT_RESTORED'))).toEqual([
    '2000 alert STORE_NOT_RESTORED',
    '62000 alert STORE_NOT_RESTORED',
    '122000 alert STORE_NOT_RESTORED',
  ]);
});

it('until it is back no day trader is started; the exit manager is, for ever: a file may be there that only we could not replace', () => {
  const bench = running();
  bench.tale();
  lose(bench);
  bench.dies(GUARD, 6);
  bench.dies(TRADER, 6);
  bench.tell({ kind: 'store-not-restored', detail: 'the disk is full' });
  bench.live(3_000);
  expect(bench.tale().filter(line => line.includes('spawn'))).toEqual(['2000 spawn exit-manager']);
  bench.tell(RESTORED);
  bench.live(200);
  expect(bench.tale().filter(line => line.includes('spawn'))).toEqual(['5000 spawn day-trader']);
});

it('a second loss is another one', () => {
  const bench = running();
  lose(bench);
  bench.tell(RESTORED);
  bench.tale();
  lose(bench);
  expect(bench.tale()).toEqual(['2000 restore-store']);
});

it('a worker that ended because of it has not crashed: no alert, no minimal mode, no parking', () => {
  const bench = running();
  bench.tale();
  for (let times = 0; times < 8; times += 1) {
    bench.dies(GUARD, 6);
    bench.dies(TRADER, 6);
    bench.pass(1_000);
    bench.live(200);
  }
  expect(bench.tale().filter(line => line.includes('alert') || line.includes('minimal'))).toEqual([]);
  expect(bench.state.guard.crashes).toEqual([]);
  expect(bench.state.trader).toMatchObject({ crashes: [], parking: null, status: { is: 'alive' } });
});

it('the day begins with a copy, after the reset', () => {
  const bench = running();
  bench.tale();
  bench.tell({ kind: 'trade-date', date: '2026-03-10' as never });
  expect(bench.tale()).toEqual(['2000 daily-reset 2026-03-10', '2000 back-up-store']);
  bench.tell({ kind: 'trade-date', date: '2026-03-10' as never });
  expect(bench.tale()).toEqual([]);
});
