import { shares } from '@holdfast/core/units';
import { afterEach, describe, expect, it } from 'vitest';
import { execIdParts, readExecutions, readExecutionsOfTrade } from './executions.js';
import { aFill, anEnter, anEntry, aPosition, booked, closeAll, MONDAY, openDesk, TUESDAY, usd } from './testing/desk.js';

const correction = (revision: string, quantity: number) => booked({ execId: `0001.0002.0003.${revision}`, shares: shares(quantity) }, null);
const sharesOf = (desk: ReturnType<typeof openDesk>) => readExecutionsOfTrade(desk.db, 'T-1').map(execution => execution.shares);

describe('executions', () => {
  afterEach(closeAll);

  it('come back as they were told', () => {
    const desk = openDesk();
    desk.commit([booked({ commission: usd(1.05) })]);
    expect(readExecutions(desk.db, MONDAY)).toEqual([{ ...aFill({ commission: usd(1.05) }), tradeId: 'T-1' }]);
  });

  it('B6: told again they are one; what was unknown is added, what was known is not lost', () => {
    const desk = openDesk();
    desk.commit([booked({}, null)]);
    desk.commit([{ do: 'write-commission', execId: aFill().execId, commission: usd(1), realizedPnl: usd(-3) }]);
    desk.commit([booked({}, 'T-1')]);
    desk.commit([booked({}, null)]);
    expect(readExecutions(desk.db, MONDAY)).toEqual([{ ...aFill({ commission: usd(1) }), tradeId: 'T-1' }]);
  });

  it('I6: a correction takes the place of the earlier word and its trade; the number decides, not the text', () => {
    const desk = openDesk();
    desk.commit([booked()]);
    desk.commit([correction('02', 60)]);
    expect(sharesOf(desk)).toEqual([60]);
    desk.commit([correction('10', 70)]);
    desk.commit([correction('9', 50)]);
    desk.commit([booked()]);
    expect(sharesOf(desk)).toEqual([70]);
  });

  it('a bust leaves nothing that counts', () => {
    const desk = openDesk();
    desk.commit([booked(), correction('02', 0)]);
    expect(sharesOf(desk)).toEqual([0]);
  });

  it('one told without a trade finds it by its order', () => {
    const desk = openDesk();
    desk.commit([{ do: 'write-order', order: anEntry() }]);
    desk.commit([booked({ orderRef: anEnter().order.orderRef }, null)]);
    expect(readExecutionsOfTrade(desk.db, 'T-1')).toHaveLength(1);
  });

  it('those of an open trade are read on later dates too, until it is closed', () => {
    const desk = openDesk();
    desk.commit([{ do: 'write-position', position: aPosition() }, booked(), booked({ execId: 'other.01' }, 'T-9')]);
    expect(readExecutions(desk.db, MONDAY)).toHaveLength(2);
    expect(readExecutions(desk.db, TUESDAY)).toMatchObject([{ tradeId: 'T-1' }]);
  });

  it.each([
    ['0001.0002.0003.01', '0001.0002.0003', 1],
    ['0001.0002.0003.010', '0001.0002.0003', 10],
    ['F-12345+1', 'F-12345+1', 0],
    ['', '', 0],
  ])('%j: root %j, revision %d', (execId, root, revision) => {
    expect(execIdParts(execId)).toEqual({ root, revision });
  });
});
