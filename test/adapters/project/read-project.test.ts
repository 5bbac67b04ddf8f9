import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { FileIssue } from '../../../src/adapters/project/located-yaml.js';
import { parseProject, readProject } from '../../../src/adapters/project/read-project.js';
import { isDaemonError } from '../../../src/domain/daemon-error.js';
import { specDefaults } from '../../../src/domain/daemon-spec.js';
import { goodFiles, subtleFiles, withDaemon } from './project-files.js';

const file = '/srv/shop/daemonry.yaml';
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'daemonry-project-')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function failure(work: () => unknown): { readonly code: string; readonly message: string; readonly errors: readonly FileIssue[] } {
  try {
    work();
  } catch (error) {
    if (!isDaemonError(error)) throw error;
    return { code: error.code, message: error.message, errors: (error.facts.errors ?? []) as readonly FileIssue[] };
  }
  throw new Error('nothing is wrong with it');
}

const specOf = (text: string, key = 'api') => parseProject(text, file).daemons.find((one) => one.key === key)?.spec;

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('a project file', () => {
  test('with one command is all defaults', () => {
    expect(parseProject(withDaemon('command: node x'), file)).toEqual({
      name: 'shop',
      file,
      daemons: [
        {
          key: 'api',
          name: 'shop.api',
          spec: { ...specDefaults, command: ['node', 'x'], cwd: '/srv/shop', project: file },
          dependsOn: {},
          groups: [],
        },
      ],
    });
  });

  test('with everything is understood', () => {
    const text = withDaemon(
      'command: [a, b c]',
      'cwd: sub',
      'env: { B: 2, A: x }',
      'env_file: [.env, /e]',
      'pass_env: [P]',
      'clean_env: true',
      'ready: port:80',
      'ready_timeout: 1s',
      'on_timeout: keep',
      'stop: { signal: int, grace: 2s }',
      'socket: s',
      'log: l',
      'logs: { max_size: 1KB, keep: 1 }',
      'health: { probe: ping, interval: 1s, timeout: 2s, threshold: 4, start_grace: 5s }',
      'restart: { policy: always, delay: 1s, max_delay: 2s, limit: 3, window: 4s, stable_after: 5s, success_codes: [6] }',
      'groups: [g]',
      'version: "7"',
    );
    expect(parseProject(text, file).daemons[0]).toMatchObject({
      groups: ['g'],
      spec: {
        command: ['a', 'b c'],
        cwd: '/srv/shop/sub',
        env: { A: 'x', B: '2' },
        envFiles: ['/srv/shop/.env', '/e'],
        passEnv: ['P'],
        cleanEnv: true,
        ready: { kind: 'port', port: 80 },
        readyTimeoutMs: 1_000,
        onTimeout: 'keep',
        stopSignal: 'SIGINT',
        graceMs: 2_000,
        socket: '/srv/shop/s',
        log: '/srv/shop/l',
        logMaxBytes: 1_024,
        logKeep: 1,
        health: { probe: { kind: 'ping' }, intervalMs: 1_000, timeoutMs: 2_000, threshold: 4, startGraceMs: 5_000 },
        restart: 'always',
        restartDelayMs: 1_000,
        restartMaxDelayMs: 2_000,
        restartLimit: 3,
        restartWindowMs: 4_000,
        stableMs: 5_000,
        successCodes: [6],
        version: '7',
        project: file,
      },
    });
  });

  test.each(goodFiles)('is in order: %j', (text) => {
    expect(parseProject(text, text.startsWith('{"') ? '/srv/shop/daemonry.json' : file).file).toContain('/srv/shop/');
  });

  test.each(subtleFiles)('%j is wrong at line %i, column %i: %s', (text, line, column, message) => {
    const { code, errors, message: first } = failure(() => parseProject(text, file));
    expect({ code, errors }).toEqual({
      code: 'invalid-project',
      errors: [{ line, column, path: expect.anything(), message: expect.stringContaining(message) }],
    });
    expect(first).toBe(`${file}:${line}:${column}: ${errors[0]?.message}`);
  });

  test('tells all that is wrong with it at once, in order', () => {
    const text = withDaemon(
      'comand: x',
      'ready: prt:1',
      'env: { A: }',
      'env: {}',
      'restart: allways',
      'depends_on: [dp, api]',
      'logs: { keep: x }',
    );
    const { message, errors } = failure(() => parseProject(`${text}  db: { command: a && b }\nx: 1\n`, file));
    expect(message).toBe(`${file} has 10 errors`);
    expect(errors.map(({ line, column, path }) => [line, column, path.join('.')])).toEqual([
      [3, 3, 'daemons.api.command'],
      [4, 5, 'daemons.api.comand'],
      [5, 12, 'daemons.api.ready'],
      [7, 5, 'daemons.api.env'],
      [8, 14, 'daemons.api.restart'],
      [9, 5, 'daemons.api.depends_on'],
      [9, 18, 'daemons.api.depends_on.0'],
      [10, 19, 'daemons.api.logs.keep'],
      [11, 18, 'daemons.db.command'],
      [12, 1, 'x'],
    ]);
    expect(errors[1]?.message).toMatch(/^unknown key "comand" in daemons\.api \(command\?\): allowed are command, cwd, env, /);
  });

  test('numbers and such in env are the texts that stand there', () => {
    const env = 'env: { A: 3.10, B: 0755, C: 1e3, D: 0x10, E: true, F: 12345678901234567890, G: .5, H: "" }';
    expect(Object.entries(specOf(withDaemon('command: x', env))?.env ?? {})).toEqual(
      Object.entries({ A: '3.10', B: '0755', C: '1e3', D: '0x10', E: 'true', F: '12345678901234567890', G: '.5', H: '' }),
    );
  });

  test('in another order is no other spec', () => {
    const env = (text: string) => JSON.stringify(specOf(withDaemon('command: x', `env: ${text}`))?.env);
    expect(env('{ B: 1, A: 2 }')).toBe(env('{ A: 2, B: 1 }'));
  });

  test('has defaults, over which a daemon goes, mappings key by key', () => {
    const defaults = 'defaults: { env: { A: 1.0, B: 1 }, stop: { signal: INT, grace: 1s }, restart: always, groups: [g], pass_env: [P] }\n';
    const spec = specOf(
      `${defaults}daemons: { api: { command: x, env: { B: 2.0 }, stop: { grace: 2s }, restart: { delay: 3s }, pass_env: [Q] } }`,
    );
    expect(spec).toMatchObject({
      env: { A: '1.0', B: '2.0' },
      stopSignal: 'SIGINT',
      graceMs: 2_000,
      restart: 'always',
      restartDelayMs: 3_000,
      passEnv: ['Q'],
    });
  });

  test('with anchors and merge keys is what they mean', () => {
    const text =
      'daemons:\n  a: &a { command: x, env: &e { A: 1.0, B: 1 }, cwd: a }\n  api: { <<: *a, env: { <<: *e, B: 2 } }\n  c: { <<: [{ cwd: c }, *a] }';
    expect(specOf(text)).toMatchObject({ command: ['x'], env: { A: '1.0', B: '2' }, cwd: '/srv/shop/a' });
    expect(specOf(text, 'c')).toMatchObject({ cwd: '/srv/shop/c', env: { A: '1.0', B: '1' } });
  });

  test('names its dependencies in a list or with what must be so of them', () => {
    const text =
      'daemons: { a: { command: x }, b: { command: x, depends_on: [a] }, c: { command: x, depends_on: { a: started, b: exited } } }';
    expect(parseProject(text, file).daemons.map(({ dependsOn }) => dependsOn)).toEqual([{}, { a: 'ready' }, { a: 'started', b: 'exited' }]);
  });

  test.each([
    [
      'a fork of aliases',
      `a0: &a0 [x]\n${Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`).join('\n')}`,
      'larger than anybody could mean',
    ],
    ['long texts, over and over', `a: &a ${'x'.repeat(100_000)}\nb: [${'*a, '.repeat(200)}]`, 'larger than anybody could mean'],
    ['an alias within its own anchor', 'a: &a [*a]', 'nested deeper than 50 levels'],
    ['lists without end', '['.repeat(300_000), 'nested deeper than 50 levels'],
    ['mappings without end', '{a: '.repeat(100_000), 'nested deeper than 50 levels'],
    ['lists that do end', `a: ${'['.repeat(60)}${']'.repeat(60)}`, 'nested deeper than 50 levels'],
    [
      'more daemons than anybody runs',
      `daemons:\n${Array.from({ length: 1_001 }, (_, i) => `  d${i}: { command: x }`).join('\n')}`,
      '1000 at the most',
    ],
    ['a second document', 'daemons: {}\n---\ndaemons: {}', 'a second document begins here'],
    ['a tag of its own', 'daemons: { a: { command: !run x } }', 'unresolved tag: !run'],
    ['a tab for an indent', 'daemons:\n\ta: x', 'tabs are not allowed as indentation'],
  ])('of %s gets one clear line', (_what, text, why) => {
    const { code, message, errors } = failure(() => parseProject(text, file));
    expect([code, errors.length]).toEqual(['invalid-project', 1]);
    expect(message).toMatch(new RegExp(`^${file}:\\d+:\\d+: `));
    expect(message).toContain(why);
  });

  test('tells no more than somebody reads', () => {
    expect(failure(() => parseProject(`{${'a, '.repeat(5_000)}}`, file))).toMatchObject({
      message: `${file} has 100 errors or more`,
      errors: { length: 100 },
    });
  });

  test('in JSON is strict JSON, and wrong where it is', () => {
    const json = '/srv/shop/daemonry.json';
    expect(failure(() => parseProject('{\n  "daemons": {"a": {"command": "x"},}\n}', json)).message).toMatch(
      /daemonry\.json:2:\d+: this is YAML, and no JSON/,
    );
    expect(failure(() => parseProject('{\n\t"daemons": {\n\t\t"a": {"command": "x", "rstart": 1}}}', json)).message).toMatch(
      /json:3:25: unknown key "rstart"/,
    );
  });
});

describe('reading a project file', () => {
  const good = 'daemons: { a: { command: x } }';

  test('finds it from the working folder upwards, by any of its names', () => {
    const project = join(folder, 'found');
    mkdirSync(join(project, 'a', 'b'), { recursive: true });
    for (const name of ['daemonry.yml', 'daemonry.json', 'daemonry.yaml']) {
      writeFileSync(join(project, name), name.endsWith('json') ? '{"daemons": {}}' : good);
      expect(readProject({ from: join(project, 'a', 'b') })).toMatchObject({ file: join(project, name), name: 'found' });
      rmSync(join(project, name));
    }
    expect(failure(() => readProject({ from: join(project, 'a') }))).toMatchObject({ code: 'not-found' });
  });

  test('does not choose between two', () => {
    const project = join(folder, 'two');
    mkdirSync(project);
    for (const name of ['daemonry.yml', 'daemonry.yaml']) writeFileSync(join(project, name), good);
    expect(failure(() => readProject({ from: project }))).toMatchObject({
      code: 'invalid-project',
      message: expect.stringContaining('daemonry.yaml and daemonry.yml'),
    });
  });

  test('knows it by its real path, however it is named', () => {
    const path = write('real.yaml', good);
    symlinkSync(path, join(folder, 'link.yaml'));
    expect(readProject({ file: join(folder, 'link.yaml') }).file).toBe(path);
  });

  test('takes a byte order mark and line ends of Windows', () => {
    const { daemons } = readProject({ file: write('bom.yaml', '\uFEFFproject: a\r\ndaemons:\r\n  a:\r\n    command: [x]\r\n') });
    expect(daemons[0]?.spec.command).toEqual(['x']);
    const wrong = failure(() =>
      readProject({ file: write('bom.yaml', '\uFEFFproject: a\r\ndaemons:\r\n  a:\r\n    command: [x]\r\n    cmd: 1\r\n') }),
    );
    expect(wrong.errors[0]).toMatchObject({ line: 5, column: 5 });
  });

  test('wants a name where the folder has none that would do', () => {
    mkdirSync(join(folder, 'my shop'));
    const { errors } = failure(() => readProject({ file: write('my shop/daemonry.yaml', good) }));
    expect(errors).toEqual([{ line: 1, column: 1, path: [], message: expect.stringContaining('write project: … here') }]);
  });

  test('answers with one line for what is no such file', () => {
    const big = write('big.yaml', '');
    truncateSync(big, 1024 ** 3);
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    const cases: [string, string, string][] = [
      [big, 'invalid-project', 'is larger than 1 MB'],
      [join(folder, 'fifo'), 'invalid-project', 'is not a regular file'],
      [folder, 'invalid-project', 'is not a regular file'],
      ['/dev/zero', 'invalid-project', 'is not a regular file'],
      [
        write(
          'binary',
          Uint8Array.from({ length: 256 }, (_, index) => index),
        ),
        'invalid-project',
        'is not a text in UTF-8',
      ],
      [write('utf-16', Buffer.from(good, 'utf16le')), 'invalid-project', 'is not a text in UTF-8'],
      [join(folder, 'nope'), 'not-found', 'there is no file'],
      [join(big, 'nope'), 'not-found', 'there is no file'],
    ];
    for (const [path, code, why] of cases) {
      expect(failure(() => readProject({ file: path }))).toMatchObject({ code, message: expect.stringContaining(why) });
    }
  });

  test('a longest delay that is below the first is told where the file says so, of the defaults once', () => {
    const file = '/srv/daemonry.yaml';
    const read = (text: string) => failure(() => parseProject(`project: shop\n${text}`, file)).errors;
    const own = read('daemons:\n  a:\n    command: x\n    restart: { policy: always, delay: 2s, max_delay: 1s }\n');
    expect(own).toMatchObject([{ line: 5, path: ['daemons', 'a', 'restart', 'max_delay'] }]);
    const half = read('defaults: { restart: { policy: always, max_delay: 1s } }\ndaemons: { a: { command: x, restart: { delay: 2s } } }\n');
    expect(half).toMatchObject([{ line: 3, path: ['daemons', 'a', 'restart', 'delay'] }]);
    const usual = 'defaults: { restart: { policy: always, delay: 2s, max_delay: 1s } }\n';
    const errors = read(`${usual}daemons: { a: { command: x }, b: { command: x } }\n`);
    expect(errors).toMatchObject([
      { line: 2, path: ['defaults', 'restart', 'max_delay'], message: expect.stringContaining('max_delay 1s is below delay 2s') },
    ]);
  });
});
