import { afterEach, describe, expect, test } from 'vitest';
import { openRoom, type Room } from './testing/gateway-room.js';
import { decodeErrors } from './testing/ib-probe.js';

let room: Room;
afterEach(async () => {
  await room.close();
  expect(decodeErrors).toEqual([]);
});

describe('logging in', () => {
  test('accounts, then the next id, then the farms, in the captured order', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    await client.next('info', (_text: string, code: number) => code === 2158);
    const order = client.heard.filter(one => ['managedAccounts', 'nextValidId', 'info'].includes(one.event)).map(one => one.event);
    expect(order).toEqual(['managedAccounts', 'nextValidId', 'info', 'info', 'info']);
    expect(client.all('managedAccounts')).toEqual([['DU1234567']]);
    expect(client.all('nextValidId')).toEqual([[1]]);
    expect(client.ib.serverVersion).toBe(193);
  });
});
