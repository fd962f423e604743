import Sqlite from 'better-sqlite3';
import { afterEach, expect, test } from 'vitest';
import { q, statement } from './statement.js';
import { closeAll, openDesk } from './testing/desk.js';

afterEach(closeAll);

const waiting = statement((p: { target: 'day-trader'; now: string }) =>
  q
    .selectFrom('commands')
    .select('id')
    .where('target', '=', p.target)
    .where('status', 'in', ['pending', 'taken'])
    .where('answer', '!=', "it's done")
    .where(eb => eb.exists(q.selectFrom('orders').select('order_ref').where('order_ref', '=', p.target).limit(2)))
    .orderBy('id')
    .limit(1),
);

test('a plan depends on no parameter: values known at build time are written out, parameters stand where the planner does not look', () => {
  expect(waiting.bind({ target: 'day-trader', now: '' })).toEqual(['day-trader', 'day-trader']);
  expect(waiting.sql).toBe(
    'select "id" from "commands" where "target" = likely(?) and "status" in (\'pending\', \'taken\') and "answer" != \'it\'\'s done\' ' +
      'and exists (select "order_ref" from "orders" where "order_ref" = likely(?) limit 2) order by "id" limit 1',
  );
});

test('what is inserted or set stays a parameter', () => {
  const write = q.updateTable('commands').set({ answer: 'no', status: 'refused' }).where('id', '=', 7).compile();
  expect(write.sql).toBe('update "commands" set "answer" = ?, "status" = ? where "id" = 7');
  expect(write.parameters).toEqual(['no', 'refused']);
});

test('an index serves a parameter that the planner does not look at', () => {
  waiting.bind({ target: 'day-trader', now: '' });
  const reader = new Sqlite(openDesk().path, { readonly: true });
  const plan = reader.prepare(`explain query plan ${waiting.sql}`).all('day-trader', 'day-trader');
  reader.close();
  expect(JSON.stringify(plan)).toContain('USING INDEX commands_waiting');
});
