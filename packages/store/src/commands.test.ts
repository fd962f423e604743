import { epochMs } from '@holdfast/core/units';
import { afterEach, describe, expect, it } from 'vitest';
import { insertCommand, readAnswer, readCommands, takeCommand } from './commands.js';
import { resetDaily } from './daily.js';
import { closeAll, type Desk, later, MONDAY, NOW, openDesk, TUESDAY } from './testing/desk.js';
import { loadView } from './view.js';

const halt = { target: 'exit-manager', kind: 'exit', payload: { symbol: 'ACME' }, tradeDate: MONDAY, createdBy: 'cli', now: NOW } as const;
const ask = ({ db }: Desk, expiresAt = later(60_000)): number => {
  const asked = insertCommand(db, { ...halt, expiresAt });
  if (!asked.ok) throw new Error(asked.detail);
  return asked.id;
};

describe('commands', () => {
  afterEach(closeAll);

  it('reach their target alone, oldest first', () => {
    const desk = openDesk();
    const ids = [ask(desk, later(2)), ask(desk, later(1))];
    const view = loadView(desk.db, { worker: 'exit-manager', tradeDate: MONDAY, now: NOW });
    expect(view.commands.map(({ id, kind, payload }) => [id, kind, payload])).toEqual(ids.map(id => [id, 'exit', { symbol: 'ACME' }]));
    expect(readCommands(desk.db, 'day-trader', NOW)).toEqual([]);
  });

  it('the same words twice are one command', () => {
    const desk = openDesk();
    expect(ask(desk)).toBe(ask(desk));
    expect(readCommands(desk.db, 'exit-manager', NOW)).toHaveLength(1);
  });

  it('are taken once, by the holder of a lease', () => {
    const desk = openDesk();
    const id = ask(desk);
    const take = (lease = desk.exitManager) => takeCommand(desk.db, { lease, id, now: NOW });
    expect(take({ name: 'exit-manager', leaseId: 99 })).toMatchObject({ ok: false, code: 'LEASE_LOST' });
    expect(take()).toEqual({ ok: true });
    expect(take()).toMatchObject({ ok: false, code: 'COMMAND_GONE' });
    expect(readCommands(desk.db, 'exit-manager', NOW)).toEqual([]);
  });

  it('the first answer stands', () => {
    const desk = openDesk();
    const id = ask(desk);
    desk.commit([{ do: 'answer-command', id, status: 'done', answer: 'sold 100' }]);
    desk.commit([{ do: 'answer-command', id, status: 'refused', answer: 'too late' }]);
    expect(readAnswer(desk.db, id)).toEqual({ status: 'done', answer: 'sold 100' });
    expect(readAnswer(desk.db, 999)).toBeNull();
  });

  it('Friday’s order never runs on Monday: past their time they are dead, and marked so', () => {
    const desk = openDesk();
    const id = ask(desk, later(60_000));
    expect(takeCommand(desk.db, { lease: desk.exitManager, id, now: later(60_000) })).toMatchObject({ code: 'COMMAND_GONE' });
    expect(loadView(desk.db, { worker: 'exit-manager', tradeDate: MONDAY, now: later(60_000) }).commands).toEqual([]);
    expect(readAnswer(desk.db, id)?.status).toBe('expired');

    const other = ask(desk, later(90_000));
    resetDaily(desk.db, TUESDAY, epochMs(NOW + 86_400_000));
    expect(readAnswer(desk.db, other)?.status).toBe('expired');
  });
});
