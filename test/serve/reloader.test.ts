import { expect, test } from 'vitest';
import { Reloader } from '../../src/app/serve/reloader.js';

test('Reloader: one at a time, and whoever asks during one shares the next', async () => {
  const finish: (() => void)[] = [];
  let running = 0;
  const reloader = new Reloader(async () => {
    expect(++running).toBe(1);
    await new Promise<void>((resolve) => finish.push(resolve));
    running--;
  });
  const first = reloader.run();
  const during = [reloader.run(), reloader.run(), reloader.run()];
  await Promise.resolve();
  expect(finish).toHaveLength(1);
  finish[0]?.();
  await first;
  await new Promise((resolve) => setImmediate(resolve));
  expect(finish).toHaveLength(2);
  finish[1]?.();
  await Promise.all(during);
  expect(finish).toHaveLength(2);
});

test('Reloader: one that fails, even at once, fails for those that shared it, and not the next', async () => {
  let count = 0;
  const reloader = new Reloader(() => {
    count++;
    if (count < 3) throw new Error(`failure ${count}`);
  });
  const both = await Promise.allSettled([reloader.run(), reloader.run(), reloader.run()]);
  expect(both.map((one) => (one as PromiseRejectedResult).reason.message)).toEqual(['failure 1', 'failure 2', 'failure 2']);
  await reloader.run();
  expect(count).toBe(3);
});
