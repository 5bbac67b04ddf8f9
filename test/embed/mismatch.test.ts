import { readFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import type { DaemonOptions } from '../../src/app/embed/index.js';
import { loadLibrary } from '../support/library.js';
import { environmentOf, isAlive } from '../support/processes.js';
import { fixture, libraryFile, serveFile } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

const { defineDaemon } = loadLibrary();

function sleeper(home: TemporaryHome, options: Partial<DaemonOptions> = {}) {
  return defineDaemon({ name: 'acme', command: 'sleep', args: ['1000'], home: home.path, version: '1.0.0', ...options });
}

interface Serving {
  readonly version: string;
  readonly protocol?: unknown;
  readonly busy?: boolean;
}

function server(home: TemporaryHome, serving: Serving, options: Partial<DaemonOptions> = {}) {
  const args = [fixture('serves.mjs'), serveFile, JSON.stringify(serving)];
  return defineDaemon({
    name: 'acme',
    command: process.execPath,
    args,
    version: serving.version,
    cwd: null,
    home: home.path,
    ready: 'socket',
    ...options,
  });
}

describe.concurrent('ensure of a daemon that is defined otherwise', () => {
  test('replaces it, remembers a hash of the new definition only, and does not go back and forth (F50)', async ({ home }) => {
    const first = await sleeper(home, { env: { SECRET: 'first-s3cret' } }).ensure();
    const { fingerprint } = home.descriptor('acme');
    expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
    const second = await sleeper(home, { env: { SECRET: 'second-s3cret' } }).ensure();
    expect(second.outcome).toBe('replaced');
    expect([isAlive(first.pid), environmentOf(second.pid).SECRET]).toEqual([false, 'second-s3cret']);
    expect(home.descriptor('acme')).toMatchObject({ supersedes: [fingerprint] });
    expect(readFileSync(second.descriptor, 'utf8')).not.toContain('s3cret');
    for (const secret of ['first-s3cret', 'second-s3cret']) {
      expect(await sleeper(home, { env: { SECRET: secret } }).ensure()).toMatchObject({ outcome: 'already-running', pid: second.pid });
    }
    // By hand, either can be had again.
    await sleeper(home, { env: { SECRET: 'first-s3cret' } }).restart();
    expect(home.descriptor('acme').fingerprint).toBe(fingerprint);
  });

  test('does not count what is worth no restart, nor where it is called from', async ({ home }) => {
    const { pid } = await sleeper(home).ensure();
    const elsewhere = `import(${JSON.stringify(libraryFile)}).then(async ({ defineDaemon }) => {
      const options = ${JSON.stringify({ name: 'acme', command: 'sleep', args: ['1000'], home: home.path, version: '1.0.0' })};
      console.log(JSON.stringify(await defineDaemon(options).ensure()));
    })`;
    expect((await home.spawn(process.execPath, ['-e', elsewhere]).end()).json).toMatchObject({ outcome: 'already-running', pid });
    const same: Partial<DaemonOptions>[] = [
      { graceMs: 1 },
      { readyTimeoutMs: 99 },
      { logKeep: 1 },
      { successCodes: [1] },
      { stopSignal: 'SIGINT' },
      { ready: 'notify' },
      { env: {} },
      { env: 'inherit' },
    ];
    for (const options of same) expect(await sleeper(home, options).ensure()).toMatchObject({ outcome: 'already-running', pid });
    const { pid: next } = await sleeper(home, { cwd: '/' }).ensure();
    expect(next).not.toBe(pid);
  });

  test('one that a person has started is taken as it is, at the same version', async ({ home }) => {
    const { pid } = await home.start('acme', ['sleep', '999'], '--daemon-version', '1.0.0');
    expect(await sleeper(home).ensure()).toMatchObject({ outcome: 'already-running', pid });
    expect(await sleeper(home, { version: '1.0.1' }).ensure()).toMatchObject({ outcome: 'replaced' });
  });

  test('is done by the supervisor of one that has a policy, and is remembered over a crash', async ({ home }) => {
    const kept = (value: string) => sleeper(home, { restart: 'always', env: { GIVEN: value } });
    const first = await kept('one').ensure();
    const second = await kept('two').ensure();
    expect([first.outcome, second.outcome]).toEqual(['started', 'replaced']);
    process.kill(second.pid, 'SIGKILL');
    const third = await waitFor('its next run', () => {
      const { phase, pid } = home.descriptor('acme') ?? {};
      return phase === 'ready' && pid !== second.pid && pid;
    });
    expect(environmentOf(third).GIVEN).toBe('two');
    expect(await kept('one').ensure()).toMatchObject({ outcome: 'already-running', pid: third });
    await kept('two').stop();
  });

  test('fail says which runs, and changes nothing', async ({ home }) => {
    const { pid } = await sleeper(home).ensure();
    const strict = (version: string) => sleeper(home, { version, onMismatch: 'fail' });
    expect(await strict('1.0.0').ensure()).toMatchObject({ outcome: 'already-running', pid });
    for (const version of ['0.9.0', '1.1.0']) {
      const facts = { name: 'acme', pid, version: '1.0.0', wanted: version };
      await expect(strict(version).ensure()).rejects.toMatchObject({ code: 'version-mismatch', facts });
      await expect(strict(version).connect()).rejects.toMatchObject({ code: 'version-mismatch', facts });
    }
    expect(home.processes()).toMatchObject([{ pid }]);
  });

  test('an idle one is replaced, one that somebody uses is not, nor one that is busy', async ({ home }) => {
    const idle = { onMismatch: 'replace-if-newer-and-idle' } as const;
    const used = await server(home, { version: '1.0.0' }).connect();
    const { instanceId } = used.hello;
    expect(await server(home, { version: '1.1.0' }, idle).ensure()).toMatchObject({ outcome: 'already-running', instanceId });
    used.close();
    await new Promise<void>((resolve) => used.onClose(resolve));
    expect(await server(home, { version: '1.1.0', busy: true }, idle).ensure()).toMatchObject({ outcome: 'replaced', version: '1.1.0' });
    expect(await server(home, { version: '1.2.0' }, idle).ensure()).toMatchObject({ outcome: 'already-running', version: '1.1.0' });
    expect(await server(home, { version: '1.2.0' }).ensure()).toMatchObject({ outcome: 'replaced', version: '1.2.0' });
  });
});

describe.concurrent("a daemon's own protocol", () => {
  test('is the newest version that both sides speak, and both know it', async ({ home }) => {
    const connection = await server(home, { version: '1.0.0', protocol: { min: 2, max: 4 } }, { protocol: { min: 1, max: 3 } }).connect();
    expect([connection.protocol, connection.hello.speaks]).toEqual([3, { min: 2, max: 4 }]);
    expect(await connection.request('protocol')).toBe(3);
    connection.close();
    const plain = await server(home, { version: '1.0.0', protocol: { min: 2, max: 4 } }).connect();
    expect([plain.protocol, await plain.request('protocol')]).toEqual([null, null]);
    plain.close();
  });

  test.for([
    [{ min: 1, max: 2 }, 'program'],
    [7, 'daemon'],
  ] as const)(
    'is none where a program speaks only %j: the %s is too old, and it can be stopped all the same',
    async ([protocol, older], { home }) => {
      const daemon = server(home, { version: '1.0.0', protocol: { min: 3, max: 5 } }, { protocol });
      await expect(daemon.connect()).rejects.toMatchObject({
        code: 'protocol-error',
        message: expect.stringContaining(`the ${older} is too old`),
        facts: { name: 'acme', version: '1.0.0', speaks: { min: 3, max: 5 }, older },
      });
      expect(await daemon.stop()).toMatchObject({ outcome: 'stopped' });
    },
  );
});

describe.concurrent('its environment and folder', () => {
  test('a list of names is what it inherits, with PATH and HOME, and nothing else', async ({ home }) => {
    const script = `process.env.GIVEN = 'yes'; process.env.KEPT = 'no'; import(${JSON.stringify(libraryFile)}).then(({ defineDaemon }) =>
      defineDaemon(${JSON.stringify({ name: 'acme', command: 'sleep', args: ['1000'], cwd: null, home: home.path, env: ['GIVEN', 'UNSET'] })}).ensure())`;
    expect((await home.spawn(process.execPath, ['-e', script]).end()).exitCode).toBe(0);
    const names = Object.keys(environmentOf(home.descriptor('acme').pid)).filter((name) => !name.startsWith('DAEMONRY_'));
    expect(names.sort()).toEqual(['GIVEN', 'HOME', 'PATH', 'PWD']);
    expect(readFileSync(home.at('acme', 'spec.json'), 'utf8')).not.toContain('yes');
    expect(environmentOf(home.descriptor('acme').pid).PWD).toBe('/');
  });

  test.for([
    { env: 'everything' },
    { env: ['A', 1] },
    { env: { A: 1 } },
    { onMismatch: 'ask' },
    { protocol: '2' },
    { protocol: { min: 3, max: 1 } },
  ])('%j can not be meant', (options, { home }) => {
    expect(() => sleeper(home, options as Partial<DaemonOptions>)).toThrow(expect.objectContaining({ code: 'invalid-spec' }));
  });
});
