import { atTime } from '@holdfast/core/calendar';
import { epochMs } from '@holdfast/core/units';
import type { BrakeReason } from '@holdfast/sim/gateway/pace';
import { inCare } from './books.js';
import { checkStage, DayFailed, type Stage } from './stage.js';
import { workerState } from './workshop.js';

/** Machine time for both workers to be READY: generous for a busy machine. */
const READY_MS_MAX = 45_000;
const AFTER_CLOSE_MS = 3 * 60_000;
const LOOK_MS = 10;
const SHOW_MS = 250;

/** The exit manager first, then the day trader: the supervisor's order (A1). Exchange time runs at 1× meanwhile. */
export async function bothReady(stage: Stage): Promise<void> {
  const { machine, workshop } = stage;
  const began = machine.mono();
  for (;;) {
    checkStage(stage);
    const guard = workerState(machine, workshop, 'exit-manager');
    const trader = workerState(machine, workshop, 'day-trader');
    if (guard?.isReady && trader?.isReady) return;
    if (machine.mono() - began > READY_MS_MAX) {
      const late = [guard?.isReady ? '' : 'exit manager', trader?.isReady ? '' : 'day trader'].filter(name => name !== '').join(' and ');
      throw new DayFailed(`the ${late} did not become READY within ${READY_MS_MAX / 1000} s`);
    }
    await machine.sleep(50);
  }
}

/** Watches the day go by, to a few minutes after the close: the gateway moves exchange time by itself. */
export async function passDay(stage: Stage): Promise<void> {
  const { machine, run, exchange, chaos, close } = stage;
  const end = run.until === undefined ? epochMs(close + AFTER_CLOSE_MS) : atTime(run.day.source.date, run.until);
  const show = createShow(stage);
  while (exchange.now < end) {
    checkStage(stage);
    if (chaos?.isWaiting) chaos.look();
    show();
    await machine.sleep(LOOK_MS);
  }
}

function createShow({ machine, exchange, gateway, baseline, progress }: Stage): () => void {
  let shownAt = machine.mono();
  let shownExchange = exchange.now;
  let braked = gateway.truth().pace.brakedMs;
  return () => {
    const now = machine.mono();
    const elapsed = now - shownAt;
    if (elapsed < SHOW_MS) return;
    const lines = exchange.positions().filter(({ conId }) => conId !== baseline.conId);
    let pnl = 0;
    for (const { quantity, mark, averageCost, realizedToday } of lines) pnl += realizedToday + quantity * (mark - averageCost);
    const { brakedMs } = gateway.truth().pace;
    const brake = (Object.keys(brakedMs) as BrakeReason[]).find(reason => brakedMs[reason] - braked[reason] > elapsed / 2) ?? null;
    progress.show({
      at: exchange.now,
      speed: (exchange.now - shownExchange) / elapsed,
      brake,
      open: inCare(exchange, baseline).map(({ symbol }) => symbol),
      roundTrips: lines.filter(({ quantity }) => quantity === 0).length,
      pnl: pnl / 1e6,
    });
    shownAt = now;
    shownExchange = exchange.now;
    braked = brakedMs;
  };
}
