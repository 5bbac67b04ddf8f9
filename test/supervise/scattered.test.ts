import { expect } from 'vitest';
import { isAlive } from '../support/processes.js';
import { test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';
import { killNow, killSupervisor, startKept } from './support/supervised.js';

test('killed while the next run gets ready: who had left the group of the run before is ended by the next stop', async ({ home }) => {
  const latch = home.latch('latch');
  const script = `setsid sleep 1000 & echo "child $!"; read -r _ <'${latch.path}'; echo up; exec sleep 1000`;
  latch.open();
  const { pid, instanceId } = await startKept(home, 'scatters', ['sh', '-c', script], '--ready', 'log:up', '--restart-delay', '0s');
  const child = Number(/child (\d+)/.exec(home.log('scatters'))?.[1]);
  expect(isAlive(child)).toBe(true);
  await killNow(pid);
  await waitFor(
    'the next run',
    () => home.descriptor('scatters')?.instanceId !== instanceId && home.descriptor('scatters')?.phase === 'starting',
  );
  await killSupervisor(home);
  latch.open();
  expect((await home.cli(['stop', 'scatters'])).exitCode).toBe(0);
  expect(isAlive(child)).toBe(false);
});
