import { readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { freePort } from '../support/free-port.js';
import { isAlive, untilDead } from '../support/processes.js';
import { commandLine, fixture, packageRoot, serveFile } from '../support/suite.js';
import { type AnyJson, type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

/** A daemon that says in a file of the test's when it is started, and when it is asked to end; its ready word is in its log. */
const noting = (name: string) =>
  `[sh, -c, 'trap "echo down ${name} >>events; exit 0" TERM; echo up ${name} >>events; echo up; while :; do sleep 1000 & wait; done']`;

function write(home: TemporaryHome, lines: readonly string[]): string {
  return home.file('daemonry.yaml', `project: shop\ndaemons:\n${lines.map((line) => `  ${line}\n`).join('')}`);
}

const events = (home: TemporaryHome) => readFileSync(home.file('events'), 'utf8').trimEnd().split('\n');
const outcomes = (json: AnyJson) => Object.fromEntries(json.results.map(({ name, outcome }: AnyJson) => [name, outcome]));
const chain = [
  `web: { command: ${noting('web')}, ready: 'log:^up', depends_on: [api], groups: [front] }`,
  `api: { command: ${noting('api')}, ready: 'log:^up', depends_on: { db: ready } }`,
  `db: { command: ${noting('db')}, ready: 'log:^up' }`,
];

describe.concurrent('up', () => {
  test('starts what a file names in the order of its dependencies, and says so', async ({ home }) => {
    write(home, chain);
    const end = await home.cli(['up']);
    const pid = (name: string) => home.descriptor(`shop.${name}`).pid;
    expect(end).toMatchObject({
      exitCode: 0,
      stdout: `shop.db started (pid ${pid('db')})\nshop.api started (pid ${pid('api')})\nshop.web started (pid ${pid('web')})\n`,
      stderr: '',
    });
    expect(events(home)).toEqual(['up db', 'up api', 'up web']);
  });

  test('answers with a result for each, in JSON as start does', async ({ home }) => {
    const file = write(home, ['db: { command: sleep 1000 }', 'api: { command: sleep 1000, depends_on: [db] }']);
    const end = await home.cli(['up', '--json']);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(Object.keys(end.json)).toEqual(['schema', 'results']);
    const { pid, instanceId, socket } = home.descriptor('shop.db');
    expect(end.json.results[0]).toEqual({
      name: 'shop.db',
      outcome: 'started',
      status: 'running',
      pid,
      instanceId,
      socket,
      log: home.at('shop.db', 'daemon.log'),
      descriptor: home.at('shop.db', 'daemon.json'),
    });
    expect(JSON.parse(readFileSync(home.at('shop.db', 'spec.json'), 'utf8'))).toMatchObject({ project: file, cwd: home.folder });
    const again = await home.cli(['up', '--json', 'api']);
    expect(outcomes(again.json)).toEqual({ 'shop.db': 'already-running', 'shop.api': 'already-running' });
  });

  test('of some brings what they depend on, by key, full name or group, from any folder below', async ({ home }) => {
    write(home, [...chain, 'cache: { command: sleep 1000 }']);
    home.file('a/b/x', '');
    expect(outcomes((await home.cli(['up', 'shop.api', '--json'], { cwd: home.file('a/b') })).json)).toEqual({
      'shop.db': 'started',
      'shop.api': 'started',
    });
    expect(Object.keys(outcomes((await home.cli(['up', '--group', 'front', '--json'])).json))).toEqual(['shop.db', 'shop.api', 'shop.web']);
    const unknown = await home.cli(['up', 'nope', '--json']);
    expect([unknown.exitCode, unknown.json.error.code]).toEqual([1, 'not-found']);
  });

  test('of many is as quiet as of one', async ({ home }) => {
    write(
      home,
      Array.from(
        { length: 12 },
        (_, index) => `d${index}: { command: sleep 1000, ready: 'log:^never', ready_timeout: 50ms, on_timeout: keep }`,
      ),
    );
    const end = await home.cli(['up', '--json']);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(new Set(Object.values(outcomes(end.json)))).toEqual(new Set(['starting']));
    expect((await home.cli(['down'])).stderr).toBe('');
  });

  test('skips what depends on a failure, goes on with the rest, and exits with the worst', async ({ home }) => {
    write(home, [
      "db: { command: [sh, -c, 'echo no tables; exit 3'], ready: 'log:^up' }",
      'api: { command: sleep 1000, depends_on: [db] }',
      'web: { command: sleep 1000, depends_on: [api] }',
      'cache: { command: sleep 1000 }',
      'typo: { command: [nodee-nope] }',
    ]);
    const end = await home.cli(['up', '--json']);
    expect(end.exitCode).toBe(5);
    expect(outcomes(end.json)).toEqual({
      'shop.db': 'failed',
      'shop.cache': 'started',
      'shop.typo': 'failed',
      'shop.api': 'skipped',
      'shop.web': 'skipped',
    });
    const of = (name: string) => end.json.results.find((one: AnyJson) => one.name === name);
    expect(of('shop.db').error).toMatchObject({ code: 'ended-before-ready', exitCode: 3, logTail: ['no tables'] });
    expect(of('shop.web')).toEqual({ name: 'shop.web', outcome: 'skipped', because: 'shop.api was skipped' });
    const said = await home.cli(['up', 'web']);
    expect(said.stdout).toContain('shop.api skipped: shop.db failed\n');
    expect(said.stderr).toContain('  | no tables\n');
  });

  test('waits for the good end of a task, clears its record, and runs it again only for what is started', async ({ home }) => {
    write(home, [
      "migrate: { command: [sh, -c, 'echo migrate >>events'] }",
      `api: { command: ${noting('api')}, depends_on: { migrate: exited } }`,
    ]);
    const first = await home.cli(['up', '--json']);
    expect(outcomes(first.json)).toEqual({ 'shop.migrate': 'exited', 'shop.api': 'started' });
    expect((await home.cli(['status', 'shop.migrate', '--json'])).json.status).toBe('stopped');
    expect(outcomes((await home.cli(['up', '--json'])).json)).toEqual({ 'shop.migrate': 'kept', 'shop.api': 'already-running' });
    await home.logSays('shop.api', 'up');
    expect(events(home)).toEqual(['migrate', 'up api']);
    await home.cli(['up', 'migrate']);
    expect(events(home)).toEqual(['migrate', 'up api', 'migrate']);
  });

  test('starts nothing that waits for the end of a task that fails', async ({ home }) => {
    write(home, ["migrate: { command: [sh, -c, 'exit 3'] }", 'api: { command: sleep 1000, depends_on: { migrate: exited } }']);
    const end = await home.cli(['up', '--json']);
    expect([end.exitCode, outcomes(end.json)]).toEqual([1, { 'shop.migrate': 'failed', 'shop.api': 'skipped' }]);
    expect(home.processes()).toEqual([]);
  });

  test('waits for a task that a supervisor may restart', async ({ home }) => {
    const gate = home.latch('gate');
    const script = 'if [ -f tried ]; then exit 0; fi; echo go; read -r _ <gate; : >tried; exit 1';
    write(home, [
      `migrate: { command: [sh, -c, '${script}'], ready: 'log:^go', restart: on-failure }`,
      'api: { command: sleep 1000, depends_on: { migrate: exited } }',
    ]);
    const program = home.spawnCli(['up', '--json']);
    await waitFor('the first run', () => home.descriptor('shop.migrate')?.phase === 'ready');
    gate.open();
    expect(outcomes((await program.end()).json)).toEqual({ 'shop.migrate': 'exited', 'shop.api': 'started' });
  });

  test.for(['command', 'port', 'ping'])('waits until a dependency is healthy, by %s', async (kind, { home }) => {
    const port = await freePort();
    const probe = { command: 'command:test -f well', port: `port:${port}`, ping: 'ping' }[kind];
    const command =
      kind === 'ping'
        ? [process.execPath, fixture('serves.mjs'), serveFile]
        : ['sh', '-c', 'until [ -f well ]; do read -r _ <gate; done; exec sleep 1000'];
    const health = `health: { probe: '${probe}', interval: 10ms }`;
    if (kind === 'port') {
      const script = `require('net').createServer().listen(${port}, '127.0.0.1')`;
      write(home, [
        `db: { command: ['${process.execPath}', -e, "${script}"], ${health} }`,
        'api: { command: sleep 1000, depends_on: { db: healthy } }',
      ]);
    } else {
      home.latch('gate');
      write(home, [`db: { command: ${JSON.stringify(command)}, ${health} }`, 'api: { command: sleep 1000, depends_on: { db: healthy } }']);
    }
    const program = home.spawnCli(['up', '--json']);
    if (kind === 'command') {
      await waitFor('the start of db', () => home.descriptor('shop.db')?.phase === 'ready');
      expect(home.descriptor('shop.api')).toBeUndefined();
      home.file('well', '');
    }
    expect(outcomes((await program.end()).json)).toEqual({ 'shop.db': 'started', 'shop.api': 'started' });
  });

  test('gives up on health after the ready time-out', async ({ home }) => {
    write(home, [
      "db: { command: sleep 1000, health: { probe: 'command:false' }, ready_timeout: 200ms }",
      'api: { command: sleep 1000, depends_on: { db: healthy } }',
    ]);
    const end = await home.cli(['up', '--json']);
    expect([end.exitCode, outcomes(end.json)]).toEqual([124, { 'shop.db': 'failed', 'shop.api': 'skipped' }]);
  });

  test('gives up on health at once where there is nobody to get healthy', async ({ home }) => {
    home.latch('gate');
    write(home, [
      "db: { command: [sh, -c, 'read -r _ <gate'], health: { probe: 'command:echo >gate; false' }, ready_timeout: 1h }",
      'api: { command: sleep 1000, depends_on: { db: healthy } }',
    ]);
    const end = await home.cli(['up', '--json']);
    expect([end.exitCode, outcomes(end.json)]).toEqual([1, { 'shop.db': 'failed', 'shop.api': 'skipped' }]);
    expect(end.json.results[0].error.message).toBe('shop.db ended before it was healthy');
  });

  test('leaves what is ready when it is interrupted, ends what is not, and says so', async ({ home }) => {
    write(home, [
      'db: { command: sleep 1000 }',
      'api: { command: sleep 1000, ready: notify, depends_on: [db] }',
      'web: { command: sleep 1000, depends_on: [api] }',
    ]);
    const program = home.spawnCli(['up']);
    await waitFor('the start of api', () => home.descriptor('shop.api')?.phase === 'starting');
    const { pid } = home.descriptor('shop.api');
    program.kill('SIGINT');
    const end = await program.end();
    expect(end.exitCode).toBe(1);
    expect(end.stderr).toBe('warning: cancelled; left running: shop.db\n');
    expect(end.stdout).toContain('shop.api cancelled\nshop.web cancelled\n');
    await untilDead(pid);
    expect(isAlive(home.descriptor('shop.db').pid)).toBe(true);
  });

  test('touches nothing of the same name that another file, or nobody, started', async ({ home }) => {
    const { pid } = await home.startSleeper('shop.db');
    write(home, ['db: { command: sleep 1000 }']);
    for (const verb of ['up', 'apply', 'down']) {
      const end = await home.cli([verb, '--json']);
      const error = end.json.error ?? end.json.results[0].error;
      expect([verb, end.exitCode, error.code]).toEqual([verb, 1, 'other-project']);
    }
    expect(isAlive(pid)).toBe(true);
    home.file('other/daemonry.yaml', 'project: shop\ndaemons: { api: { command: sleep 1000 } }\n');
    await home.cli(['up', '--file', 'other/daemonry.yaml']);
    write(home, ['api: { command: sleep 1000 }']);
    const end = await home.cli(['up']);
    expect(end.stderr).toBe(
      `daemonry: shop.api runs from ${home.file('other/daemonry.yaml')}, which is the project shop too; give one of them another name, as project: in its file\n`,
    );
  });

  test('on a terminal shows a line for each daemon that changes in place, then what came of them', async ({ home }) => {
    write(home, ['db: { command: sleep 1000 }', 'api: { command: sleep 1000, depends_on: [db] }']);
    const quoted = [process.execPath, commandLine, 'up'].map((word) => `'${word}'`).join(' ');
    const { stdout } = await home
      .spawn('script', ['--quiet', '--return', '--command', quoted, '/dev/null'], { env: { TERM: 'xterm', NO_COLOR: '1' } })
      .end();
    const esc = String.fromCharCode(27);
    expect(stdout).toContain('shop.api waiting\r\n');
    expect(stdout).toContain(`${esc}[2A\r${esc}[0J`);
    const afterBoard = stdout.slice(stdout.lastIndexOf(`${esc}[0J`) + 4);
    expect(afterBoard).toMatch(/^shop\.db started \(pid \d+\)\r\nshop\.api started \(pid \d+\)\r\n$/);
  });
});

describe.concurrent('down', () => {
  test('stops in the other order, and all of it', async ({ home }) => {
    write(home, chain);
    await home.cli(['up']);
    write(home, chain.slice(0, 0).concat(chain));
    const end = await home.cli(['down', '--json']);
    expect([end.exitCode, outcomes(end.json)]).toEqual([0, { 'shop.web': 'stopped', 'shop.api': 'stopped', 'shop.db': 'stopped' }]);
    expect(events(home).slice(3)).toEqual(['down web', 'down api', 'down db']);
    expect(outcomes((await home.cli(['down', '--json'])).json)['shop.db']).toBe('already-stopped');
  });

  test('of one stops what depends on it first, and nothing else', async ({ home }) => {
    write(home, chain);
    await home.cli(['up']);
    expect(Object.keys(outcomes((await home.cli(['down', 'api', '--json'])).json))).toEqual(['shop.web', 'shop.api']);
    expect(isAlive(home.descriptor('shop.db').pid)).toBe(true);
  });

  test('stops what the file has forgotten, too', async ({ home }) => {
    write(home, ['db: { command: sleep 1000 }', 'old: { command: sleep 1000 }']);
    await home.cli(['up']);
    write(home, ['db: { command: sleep 1000 }']);
    expect(outcomes((await home.cli(['down', '--json'])).json)).toEqual({ 'shop.db': 'stopped', 'shop.old': 'stopped' });
  });
});

describe.concurrent('apply', () => {
  test('starts, replaces and stops what differs, as it said, and then there is nothing to do', async ({ home }) => {
    write(home, ['db: { command: sleep 1000 }', 'api: { command: sleep 1000 }', 'old: { command: sleep 1000 }']);
    await home.cli(['up']);
    const before = Object.fromEntries(['db', 'api'].map((key) => [key, home.descriptor(`shop.${key}`).pid]));
    const stranger = await home.startSleeper('shop.stranger');
    write(
      home,
      [
        'api: { command: sleep 2000, env: { A: 1 } }',
        'db: { command: [sleep, 1000] }',
        'new: { command: sleep 1000, depends_on: [api] }',
      ].map((line) => line.replace('[sleep, 1000]', 'sleep   1000')),
    );
    const dry = await home.cli(['apply', '--dry-run', '--json']);
    expect(dry.json).toEqual({
      schema: 1,
      plan: [
        { name: 'shop.old', action: 'stop', why: 'no longer in the file' },
        { name: 'shop.api', action: 'replace', why: 'command, env differ' },
        { name: 'shop.db', action: 'keep', why: 'as in the file' },
        { name: 'shop.new', action: 'start', why: 'not running' },
      ],
    });
    expect(home.descriptor('shop.old')).toBeDefined();
    expect(outcomes((await home.cli(['apply', '--json'])).json)).toEqual({
      'shop.old': 'stopped',
      'shop.api': 'replaced',
      'shop.db': 'kept',
      'shop.new': 'started',
    });
    expect(home.descriptor('shop.db').pid).toBe(before.db);
    expect(isAlive(before.api)).toBe(false);
    expect(isAlive(stranger.pid)).toBe(true);
    const again = await home.cli(['apply', '--dry-run', '--json']);
    expect(again.json.plan.map(({ action }: AnyJson) => action)).toEqual(['keep', 'keep', 'keep']);
    expect((await home.cli(['apply', '--dry-run'])).stdout).toMatch(/^ACTION +NAME +WHY\nkeep +shop\.api +as in the file\n/);
  });

  test('leaves a daemon running whose new command can not be found', async ({ home }) => {
    write(home, ['db: { command: sleep 1000 }']);
    await home.cli(['up']);
    const { pid } = home.descriptor('shop.db');
    write(home, ['db: { command: nodee-nope }']);
    expect((await home.cli(['apply', '--json'])).exitCode).toBe(5);
    expect(isAlive(pid)).toBe(true);
  });

  test('hands what is to be restarted to the supervisor, and takes it back', async ({ home }) => {
    write(home, ['db: { command: sleep 1000 }']);
    await home.cli(['up']);
    write(home, ['db: { command: sleep 1000, restart: always }']);
    expect((await home.cli(['apply', '--dry-run', '--json'])).json.plan[0].why).toBe('restart differs');
    expect(outcomes((await home.cli(['apply', '--json'])).json)).toEqual({ 'shop.db': 'replaced' });
    const { pid, supervisedBy } = home.descriptor('shop.db');
    expect(supervisedBy).not.toBeNull();
    process.kill(pid, 'SIGKILL');
    await waitFor('the next run', () => home.descriptor('shop.db').pid !== pid && home.descriptor('shop.db').phase === 'ready');
    expect(outcomes((await home.cli(['down', '--json'])).json)).toEqual({ 'shop.db': 'stopped' });
  });
});

describe.concurrent('validate', () => {
  test('says that a file is in order, and what is in it', async ({ home }) => {
    const file = write(home, chain);
    const end = await home.cli(['validate', '--json']);
    expect(end.json).toMatchObject({
      schema: 1,
      valid: true,
      file,
      daemons: [{ name: 'shop.web', wave: 2 }, { name: 'shop.api' }, { name: 'shop.db', wave: 0 }],
    });
    expect(await home.cli(['validate'])).toMatchObject({ exitCode: 0, stdout: `${file} is valid: project shop, 3 daemons\n`, stderr: '' });
  });

  test('tells all errors with line and column, as compilers do', async ({ home }) => {
    const file = write(home, ['db: { comand: x }', 'api: { command: a | b }']);
    const end = await home.cli(['validate']);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toMatch(
      new RegExp(
        `^daemonry: ${file} has 3 errors\n${file}:3:3: daemons.db has no command: .*\n${file}:3:9: unknown key "comand" .*\n${file}:4:19: .* is a pipe, .*\n$`,
      ),
    );
    const { error } = (await home.cli(['up', '--json'])).json;
    expect(error).toMatchObject({ code: 'invalid-project', file });
    expect(error.errors[2]).toEqual({
      line: 4,
      column: 19,
      path: ['daemons', 'api', 'command'],
      message: expect.stringContaining('is a pipe'),
    });
    expect(home.processes()).toEqual([]);
  });

  test('says a single error in one line', async ({ home }) => {
    const file = write(home, ['db: { command: a | b }']);
    const { stderr, exitCode } = await home.cli(['validate', '--file', 'daemonry.yaml']);
    expect([exitCode, stderr.split('\n').length]).toEqual([2, 2]);
    expect(stderr).toContain(`daemonry: ${file}:3:18: daemons.db.command is a | b: | is a pipe`);
  });

  test('needs a file', async ({ home }) => {
    const end = await home.cli(['validate', '--json']);
    expect([end.exitCode, end.json.error.code]).toEqual([1, 'not-found']);
    expect((await home.cli(['validate', '--file', 'nope.yaml'])).exitCode).toBe(1);
    expect((await home.cli(['validate', 'nope.yaml', '--json'])).exitCode).toBe(2);
  });
});

describe.concurrent('the other verbs', () => {
  test('load nothing of what reads project files', async ({ home }) => {
    await home.startSleeper('clock');
    // Named by a preloaded file as the program ends: every file of ours that it has read.
    const preload = home.file('loaded.cjs', "process.on('exit', () => console.error(Object.keys(require.cache).join('\\n')));");
    const loaded = async (...args: string[]) => {
      const { stderr } = await home.spawn(process.execPath, ['--require', preload, '--', commandLine, ...args]).end();
      return stderr.split('\n').flatMap((path) => /dist\/cli\/(.*)\.cjs$/.exec(path)?.[1] ?? []);
    };
    expect(await loaded('status', 'clock')).toEqual(['entry']);
    expect(await loaded('stop', 'clock')).not.toContain('project-verbs');
    write(home, []);
    expect(await loaded('validate')).toContain('project-verbs');
  });

  test('are served by files without a parser of YAML', () => {
    const require = createRequire(import.meta.url);
    const file = (name: string) => readFileSync(require.resolve(join(packageRoot, 'dist', 'cli', `${name}.cjs`)), 'utf8');
    expect(file('project-verbs')).toContain('Unresolved alias');
    for (const name of ['entry', 'acting', 'run-verb', 'more-verbs']) expect(file(name)).not.toContain('Unresolved alias');
  });
});

describe.concurrent('a project whose file is gone', () => {
  test('is still stopped by name', async ({ home }) => {
    rmSync(write(home, []));
    write(home, ['db: { command: sleep 1000 }']);
    await home.cli(['up']);
    rmSync(home.file('daemonry.yaml'));
    expect((await home.cli(['stop', 'shop.db'])).exitCode).toBe(0);
  });
});
