import { expect, it } from 'vitest';
import { workerEnvironment } from './worker-environment.js';

it('workers inherit what a process needs and our own settings, nothing of pm2 and no IPC channel', () => {
  const ours = { PATH: '/bin', HOME: '/h', TZ: 'UTC', LC_ALL: 'C', HOLDFAST_ACCOUNT: 'DU1', https_proxy: 'p' };
  const pm2 = { pm_id: '0', PM2_HOME: '/p', NODE_CHANNEL_FD: '3', NODE_APP_INSTANCE: '0', name: 'holdfast', status: 'launching' };
  expect(workerEnvironment({ ...ours, ...pm2 })).toEqual(ours);
});
