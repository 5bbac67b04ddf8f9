import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { freePort } from '../support/free-port.js';
import { installExample, runReadme } from '../support/packed.js';
import { isAlive } from '../support/processes.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

const hasCurl = spawnSync('curl', ['--version']).status === 0;

interface Worker {
  readonly name: string;
  readonly status: string;
  readonly phase: string;
  readonly pid: number;
}

async function workersAt(port: number): Promise<readonly [mail: Worker, resize: Worker]> {
  const response = await fetch(`http://127.0.0.1:${port}/workers`);
  return (await response.json()) as [Worker, Worker];
}

/** Waits for one that is ready, and another process than it was. */
function anotherMail(port: number, before: Worker): Promise<Worker> {
  return waitFor('another process', async () => {
    const [mail] = await workersAt(port);
    return mail.phase === 'ready' && mail.pid !== before.pid ? mail : undefined;
  }) as Promise<Worker>;
}

async function installed(home: TemporaryHome): Promise<{ readonly folder: string; readonly port: number }> {
  const folder = home.file('workers');
  await installExample('workers', folder);
  return { folder, port: await freePort() };
}

describe.concurrent('examples/workers', () => {
  test.skipIf(!hasCurl)(
    `does what its README says, in a clean folder with the packed daemonry${hasCurl ? '' : ' (there is no curl)'}`,
    async ({ home }) => {
      const { folder, port } = await installed(home);
      const app = runReadme(home, 'workers', folder, { port });
      await app.says(`http://127.0.0.1:${port}/workers`);
      const end = await runReadme(home, 'workers', folder, { port, block: 1 }).end();
      expect(end).toMatchObject({ exitCode: 0, stderr: '' });
      expect(end.stdout).toMatch(
        new RegExp(
          [
            String.raw`^\[{"name":"app-mail","status":"running","phase":"ready","pid":(\d+)},{"name":"app-resize","status":"running",.*}\]`,
            String.raw`app-mail is running \(pid (\d+)\)\n`,
          ].join(''),
        ),
      );
      expect(end.stdout).toMatch(/pid \d+ crashed \(SIGKILL\) after .*: restarted at once/);
      expect(end.stdout).toMatch(/{"name":"app-resize","pid":\d+}/);
      // Ctrl-C reaches the whole foreground; here it is the app alone.
      process.kill(home.descriptor('app-mail').supervisedBy.pid, 'SIGINT');
      expect(await app.end()).toMatchObject({ exitCode: 0, stderr: '' });
      expect(home.processes()).toEqual([]);
    },
  );

  test('restarts a worker that crashes, leaves them when it is killed, takes them over, and stops them when it is closed', async ({
    home,
  }) => {
    const { folder, port } = await installed(home);
    const start = async () => {
      const app = home.spawn(process.execPath, [join(folder, 'app.js')], { cwd: folder, env: { PORT: String(port) } });
      await app.says('/workers');
      return app;
    };
    const killed = await start();
    const [mail, resize] = await workersAt(port);
    process.kill(mail.pid, 'SIGKILL');
    const restarted = await anotherMail(port, mail);
    expect(await fetch(`http://127.0.0.1:${port}/workers/nobody/restart`, { method: 'POST' })).toMatchObject({ status: 404 });

    killed.kill('SIGKILL');
    await killed.end();
    expect([restarted.pid, resize.pid].map(isAlive)).toEqual([true, true]);

    const closed = await start();
    expect((await workersAt(port)).map(({ pid }) => pid)).toEqual([restarted.pid, resize.pid]);
    process.kill(restarted.pid, 'SIGKILL');
    await anotherMail(port, restarted);
    closed.kill('SIGTERM');
    expect(await closed.end()).toMatchObject({ exitCode: 0, stderr: '' });
    expect(home.processes()).toEqual([]);
    expect(home.log('app-mail')).toMatch(/app-mail ends after \d+ jobs\n$/);
  });
});
