import { cpSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect } from 'vitest';
import { isAlive } from '../support/processes.js';
import { fixture, libraryFile, packageRoot, serveFile } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';

function optionsOf(home: TemporaryHome) {
  const args = [fixture('serves.mjs'), serveFile, JSON.stringify({ version: '3.0.0' })];
  return { name: 'acme', command: process.execPath, args, ready: 'socket', home: home.path };
}

describe.concurrent('a host program', () => {
  test('that uses everything ends by itself, with a daemon running and a connection open, and prints nothing', async ({ home }) => {
    const host = [fixture('uses-everything.mjs'), libraryFile, JSON.stringify(optionsOf(home)), home.file('answers')];
    const end = await home.spawn(process.execPath, host).end();
    expect(end).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(JSON.parse(readFileSync(home.file('answers'), 'utf8'))).toEqual({
      before: 'stopped',
      ensured: 'started',
      again: 'already-running',
      version: '3.0.0',
      restarted: 'started',
      ping: true,
      log: true,
      failed: 'command-not-found',
      unready: 'ready-timeout',
      code: 0,
    });
    expect(isAlive(home.descriptor('acme').pid)).toBe(true);
  });

  test('that is CommonJS requires the library and what serves, and hears nothing of that', async ({ home }) => {
    const installed = home.file('node_modules/daemonry/dist');
    cpSync(dirname(libraryFile), installed, { recursive: true });
    cpSync(join(packageRoot, 'package.json'), home.file('node_modules/daemonry/package.json'));
    const daemon = home.file(
      'acmed.cjs',
      "require('daemonry/serve').serveDaemon({ version: '3.0.0', methods: { add: ([a, b]) => a + b } });",
    );
    const options = { ...optionsOf(home), args: [daemon] };
    const program = home.file(
      'acme.cjs',
      `const { defineDaemon } = require('daemonry');
      defineDaemon(${JSON.stringify(options)}).connect().then(async (connection) => console.log(JSON.stringify({ sum: await connection.request('add', [1, 2]) })));`,
    );
    const end = await home.spawn(process.execPath, [program]).end();
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.json).toEqual({ sum: 3 });
    expect(home.log('acme')).toBe('');
  });

  test('that only describes its daemon loads and touches nothing', async ({ home }) => {
    const script = `import(${JSON.stringify(libraryFile)}).then(({ defineDaemon }) => defineDaemon(${JSON.stringify(optionsOf(home))}))`;
    expect(await home.spawn(process.execPath, ['-e', script]).end()).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(existsSync(home.path)).toBe(false);
  });

  test('that ends in the middle of a start leaves no daemon off the record (F12)', async ({ home }) => {
    const options = { ...optionsOf(home), command: 'sleep', args: ['1000'], ready: 'notify' };
    const script = `import(${JSON.stringify(libraryFile)}).then(({ defineDaemon }) => {
      defineDaemon(${JSON.stringify(options)}).start();
      const watch = setInterval(() => { if (require('fs').existsSync(${JSON.stringify(home.at('acme', 'spec.json'))})) process.exit(3); }, 1);
    })`;
    expect((await home.spawn(process.execPath, ['-e', script]).end()).exitCode).toBe(3);
    const { pid, phase } = home.descriptor('acme');
    expect(phase).toBe('starting');
    for (const seen of home.processes()) expect(seen.pid).toBe(pid);
    expect((await home.cli(['stop', 'acme'])).exitCode).toBe(0);
    expect(home.processes()).toEqual([]);
  });

  test('whose working folder is gone is told so, unless its daemon has one of its own (F39)', async ({ home }) => {
    const script = `import(${JSON.stringify(libraryFile)}).then(async ({ defineDaemon }) => {
      const options = ${JSON.stringify({ ...optionsOf(home), command: 'sleep', args: ['1000'], ready: 'exec' })};
      const outcomes = {};
      for (const cwd of [undefined, 'relative', '/']) {
        const start = async () => (await defineDaemon({ ...options, cwd }).start()).outcome;
        outcomes[cwd ?? 'none'] = await start().catch(({ code }) => code);
      }
      console.log(JSON.stringify(outcomes));
    })`;
    const inGoneFolder = 'mkdir gone && cd gone && rmdir ../gone && exec "$0" -e "$1"';
    const end = await home.spawn('sh', ['-c', inGoneFolder, process.execPath, script]).end();
    expect(end.json).toEqual({ none: 'invalid-spec', relative: 'invalid-spec', '/': 'started' });
  });

  test("gives its daemon the program's own environment, and none of its descriptors", async ({ home }) => {
    const options = { ...optionsOf(home), command: 'sleep', args: ['1000'], ready: 'exec' };
    const script = `process.env.LATE = 'set by the program';
      import(${JSON.stringify(libraryFile)}).then(({ defineDaemon }) => defineDaemon(${JSON.stringify(options)}).start())`;
    expect((await home.spawn(process.execPath, ['-e', script]).end()).exitCode).toBe(0);
    const environment = readFileSync(`/proc/${home.descriptor('acme').pid}/environ`, 'utf8');
    expect(environment.split('\0')).toContain('LATE=set by the program');
  });

  test('that puts another object in the place of process.env gives its daemons what is in that, and finds them where they were', async ({
    home,
  }) => {
    const options = { name: 'acme', command: 'sleep', args: ['1000'] };
    const script = `import(${JSON.stringify(libraryFile)}).then(async ({ defineDaemon }) => {
      const mark = ({ pid }) => require('fs').readFileSync('/proc/' + pid + '/environ', 'utf8').split('\\0').find((one) => one.startsWith('MARK='));
      const before = process.env;
      const acme = defineDaemon(${JSON.stringify(options)});
      const marks = [mark(await acme.ensure())];
      process.env = { ...before, MARK: 'new', DAEMONRY_HOME: ${JSON.stringify(home.file('other-home'))} };
      marks.push(mark(await acme.restart()), mark(await defineDaemon({ ...${JSON.stringify(options)}, home: ${JSON.stringify(home.path)}, name: 'other' }).ensure()));
      console.log(JSON.stringify({ marks }));
    })`;
    const end = await home.spawn(process.execPath, ['-e', script], { env: { MARK: 'old' } }).end();
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.json.marks).toEqual(['MARK=old', 'MARK=new', 'MARK=new']);
    expect(home.descriptor('acme').phase).toBe('ready');
  });

  test('whose package is replaced on disk goes on using it, and so does its daemon (F52)', async ({ home }) => {
    const installed = home.file('node_modules/daemonry/dist');
    cpSync(dirname(libraryFile), installed, { recursive: true });
    home.file('node_modules/daemonry/package.json', '{"type":"module"}');
    const options = { ...optionsOf(home), args: [fixture('serves.mjs'), `${installed}/serve.js`] };
    const end = await home.spawn(process.execPath, [fixture('outlives-its-package.mjs'), installed, JSON.stringify(options)]).end();
    expect(end.json).toEqual({
      start: 'already-running',
      ensure: 'already-running',
      status: 'running',
      connect: 'answered',
      stop: 'stopped',
      startOther: 'started',
      restartOther: 'started',
      stopOther: 'stopped',
    });
  });
});
