import { cpSync, existsSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect } from 'vitest';
import type { Daemon, DaemonOptions, FollowOptions, SupervisorOptions } from '../../src/app/embed/index.js';
import { loadLibrary } from '../support/library.js';
import { hasExecuted, isAlive, untilDead } from '../support/processes.js';
import { libraryFile } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

const { createSupervisor, defineDaemon, isDaemonError, DaemonError } = loadLibrary();

type DaemonFailure = InstanceType<typeof DaemonError>;

function sleeper(home: TemporaryHome, options: Partial<DaemonOptions> = {}) {
  return defineDaemon({ name: 'acme', command: 'sleep', args: ['1000'], cwd: home.folder, home: home.path, ...options });
}

const bare = Object.create(null);
/** Of which nothing can be told, not even whether it is a list. */
const { proxy: gone, revoke } = Proxy.revocable({}, {});
revoke();
const [empty, list, circular]: [object, number[], Record<string, unknown>] = [{}, [1], {}];
circular.self = circular;
/** Of no use to an option, unless it is one of `fit`. */
const strange = [null, 5, empty, list, 10n, circular, Symbol('x'), bare, () => {}, new Date(), Number.NaN, gone];
const milliseconds = { fit: [5], unfit: ['5', -1, 2 ** 31] };
const path = { fit: [], unfit: ['', 'a\0b'] };
const word = { fit: [], unfit: ['x', ''] };

/** For each option there is: what of the strange it can be, and what else it can't. */
const options: {
  readonly [Option in keyof Required<DaemonOptions>]: { readonly fit: readonly unknown[]; readonly unfit: readonly unknown[] };
} = {
  name: { fit: [], unfit: [['acme']] },
  command: path,
  args: { fit: [], unfit: ['x', ['a\0b'], new Array(1)] },
  cwd: { ...path, fit: [null] },
  env: { fit: [empty, bare], unfit: ['x', { A: 5 }, { A: 'a\0b' }, { '': 'x' }, { 'A=B': 'x' }, { 'A\0': 'x' }, ['A=B'], [''], new Map()] },
  envFiles: { fit: [], unfit: ['x', [''], ['a\0b']] },
  passEnv: { fit: [], unfit: ['x', [''], ['A=B'], ['a\0b']] },
  cleanEnv: { fit: [], unfit: ['false'] },
  ready: { fit: [], unfit: ['soon', 'http:http://a\0', 'port:0'] },
  readyTimeoutMs: milliseconds,
  onTimeout: word,
  stopSignal: { fit: [], unfit: ['SIGFOO', 'toString'] },
  graceMs: milliseconds,
  socket: path,
  log: path,
  logMaxBytes: { fit: [5], unfit: [0, '1MB'] },
  logKeep: { fit: [5], unfit: [1.5, 1_001] },
  restart: word,
  restartDelayMs: milliseconds,
  restartMaxDelayMs: milliseconds,
  restartLimit: { fit: [5], unfit: [-1] },
  restartWindowMs: milliseconds,
  stableMs: milliseconds,
  successCodes: { fit: [list], unfit: [[256], ['1'], new Array(1)] },
  health: { fit: [], unfit: ['ping', { probe: 'x' }] },
  version: { fit: [null], unfit: ['', 'a\0b'] },
  onMismatch: word,
  protocol: { fit: [5], unfit: ['1', { min: 2, max: 1 }] },
  ownedBy: { fit: [], unfit: ['me', { pid: 1 }] },
  home: path,
  descriptor: path,
};

function failureOf(define: () => unknown): DaemonFailure {
  try {
    define();
  } catch (error) {
    return error as DaemonFailure;
  }
  throw new Error('it throws nothing');
}

describe.concurrent('defineDaemon', () => {
  test('touches nothing by itself', async ({ home }) => {
    expect(sleeper(home).name).toBe('acme');
    expect(existsSync(home.path)).toBe(false);
  });

  const mistakes: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ name: '../x' }, 'invalid-name'],
    [{ name: '' }, 'invalid-name'],
    [{ command: '' }, 'invalid-spec'],
    [{ command: undefined }, 'invalid-spec'],
    [{ ready: 'soon' }, 'invalid-spec'],
    [{ ready: 'log:(' }, 'invalid-spec'],
    [{ readyTimeoutMs: -1 }, 'invalid-spec'],
    [{ graceMs: Number.NaN }, 'invalid-spec'],
    [{ graceMs: 2 ** 31 }, 'invalid-spec'],
    [{ stopSignal: 'SIGFOO' }, 'invalid-spec'],
    [{ onTimeout: 'explode' }, 'invalid-spec'],
    [{ logMaxBytes: 0 }, 'invalid-spec'],
    [{ restartDelayMs: 200, restartMaxDelayMs: 100 }, 'invalid-spec'],
    [{ logKeep: 1.5 }, 'invalid-spec'],
    [{ socket: 'x'.repeat(120) }, 'invalid-spec'],
  ];
  test.for(mistakes.map(([options, code]) => ({ options, code, what: JSON.stringify(options).slice(0, 40) })))(
    'throws for $what',
    ({ options, code }, { home }) => {
      const define = () => sleeper(home, options as Partial<DaemonOptions>);
      expect(define).toThrow(expect.objectContaining({ name: 'DaemonError', code }));
    },
  );

  test.for([undefined, null, 5, 'x', [], Symbol('x'), empty, gone].map((value) => [inspect(value), value] as const))(
    'throws invalid-spec for %s instead of options',
    ([, value]) => {
      const failure = failureOf(() => defineDaemon(value as DaemonOptions));
      expect(failure).toMatchObject({ name: 'DaemonError', code: 'invalid-spec' });
    },
  );

  test.for(Object.entries(options))(
    'throws invalid-spec in one short line for whatever %s can not be',
    ([option, { fit, unfit }], { home }) => {
      for (const value of [...strange.filter((one) => !fit.includes(one)), ...unfit]) {
        const failure = failureOf(() => sleeper(home, { [option]: value }));
        expect(failure, inspect(value)).toMatchObject({ name: 'DaemonError', code: 'invalid-spec' });
        expect(failure.message).toMatch(new RegExp(`^invalid ${option}\\b.{1,250}$`));
      }
      for (const value of fit) expect(sleeper(home, { [option]: value }).name, inspect(value)).toBe('acme');
    },
  );

  test('throws invalid-spec for whatever a part of health can not be', ({ home }) => {
    for (const part of ['probe', 'intervalMs', 'timeoutMs', 'threshold', 'startGraceMs']) {
      for (const value of strange.filter((one) => part === 'probe' || one !== 5)) {
        const failure = failureOf(() => sleeper(home, { health: { probe: 'ping', [part]: value } }));
        expect(failure, `${part}: ${inspect(value)}`).toMatchObject({ code: 'invalid-spec', facts: { option: `health.${part}` } });
      }
    }
  });

  test('repeats little of what is long', ({ home }) => {
    const long = 'x'.repeat(100_000);
    const wrong = [
      { name: long },
      { ready: long },
      { ready: `log:${long}(` },
      { socket: `/${long}` },
      { stopSignal: [long] },
      { env: { A: [long] } },
    ];
    for (const options of wrong) {
      const { message, facts } = failureOf(() => sleeper(home, options as Partial<DaemonOptions>));
      expect([message, String(facts.allowed), String(facts.name ?? '')].map(({ length }) => length < 300)).toEqual([true, true, true]);
    }
  });

  test('tells names of variables, and no value, where one is wrong; and its facts can be written as JSON', ({ home }) => {
    const thrown = (wrong: object) => {
      try {
        defineDaemon({ ...wrong, name: 'x', command: 'x', home: home.path } as never);
      } catch (error) {
        return error as { message: string; facts: Record<string, unknown> };
      }
      throw new Error('it was taken');
    };
    const { message, facts } = thrown({ env: { TOKEN: 's3cr3t', BAD: 5 } });
    expect(facts).toMatchObject({ option: 'env', value: ['TOKEN', 'BAD'] });
    expect(message).not.toContain('s3cr3t');
    for (const args of [['--token', 's3cr3t', 5], ['s3cr3t\0'], '--token=s3cr3t', { token: 's3cr3t' }]) {
      const failure = thrown({ args });
      expect(failure).toMatchObject({ code: 'invalid-spec', facts: { option: 'args', allowed: 'it is a list of strings' } });
      expect(failure.message + JSON.stringify(failure.facts)).not.toContain('s3cr3t');
    }
    expect(thrown({ args: ['a', 5] })).toMatchObject({
      message: 'invalid args[1], a number: it is a list of strings',
      facts: { position: 1 },
    });
    for (const wrong of [{ args: circular }, { args: 10n }, { socket: ['x'.repeat(10_000_000)] }]) {
      expect(JSON.stringify(thrown(wrong).facts).length).toBeLessThan(20_000);
    }
  });

  test('takes what is unusual and good', ({ home }) => {
    const good = [
      { env: process.env },
      { env: { A: '' } },
      { args: [''] },
      { health: { probe: 'ping', threshold: 1 } },
      { cleanEnv: false },
    ];
    for (const options of good) expect(sleeper(home, options as Partial<DaemonOptions>).name).toBe('acme');
    expect(defineDaemon(Object.assign(Object.create(null), { name: 'acme', command: 'sleep' })).name).toBe('acme');
  });
});

describe.concurrent('the options of a method', () => {
  const lines = [{ lines: -3 }, { lines: 'x' }, { lines: 1.5 }, { since: 'x' }, { since: new Date('x') }, { since: 5 }];
  const calls: readonly (readonly [string, (daemon: Daemon, options: never) => unknown, readonly object[]])[] = [
    ['start', (daemon, options) => daemon.start(options), [{ force: 'false' }]],
    ['ensure', (daemon, options) => daemon.ensure(options), []],
    ['stop', (daemon, options) => daemon.stop(options), [{ graceMs: '1' }, { graceMs: -1 }]],
    ['restart', (daemon, options) => daemon.restart(options), [{ graceMs: null }, { graceMs: 10n }]],
    ['status', (daemon, options) => daemon.status(options), []],
    ['connect', (daemon, options) => daemon.connect(options), [{ raw: 'yes' }, { raw: true, opening: 5 }, { timeoutMs: circular }]],
    ['logs', (daemon, options) => daemon.logs(options), lines],
  ];
  test.for(calls)('%s: rejects with invalid-spec for what it can not be given, and touches nothing', async ([, call, unfit], { home }) => {
    const daemon = sleeper(home);
    for (const options of [null, 5, 'x', [], Symbol('x'), gone, { signal: 5 }, { signal: gone }, { signal: {} }, ...unfit]) {
      const failure = await Promise.resolve(call(daemon, options as never)).catch((error) => error);
      expect(failure, inspect(options)).toMatchObject({ name: 'DaemonError', code: 'invalid-spec' });
    }
    expect(existsSync(home.path)).toBe(false);
  });

  test('logs that are followed: the loop throws', async ({ home }) => {
    for (const options of [...lines, { follow: 'yes' }, { signal: 5 }]) {
      const followed = sleeper(home).logs({ follow: true, ...options } as FollowOptions);
      await expect(followed[Symbol.asyncIterator]().next(), inspect(options)).rejects.toMatchObject({ code: 'invalid-spec' });
    }
  });

  test('of a supervisor within the program, and what it is to keep, are checked in the same way', async ({ home }) => {
    for (const options of [null, { home: 5 }, { home: '' }, { onEvent: 'x' }]) {
      expect(failureOf(() => createSupervisor(options as SupervisorOptions))).toMatchObject({ code: 'invalid-spec' });
    }
    const supervisor = createSupervisor({ home: home.path });
    const acme = { name: 'acme', command: 'sleep', restart: 'always' };
    for (const options of [
      null,
      5,
      { ...acme, restart: 10n },
      { ...acme, name: circular },
      { ...acme, signal: 5 },
      { ...acme, restart: 'never' },
    ]) {
      await expect(supervisor.start(options as never), inspect(options)).rejects.toMatchObject({ code: 'invalid-spec' });
      await expect(supervisor.ensure(options as never), inspect(options)).rejects.toMatchObject({ code: 'invalid-spec' });
    }
    const calls = [
      supervisor.stop(5 as never),
      supervisor.stop('acme', { graceMs: 'x' } as never),
      supervisor.restart('acme', null as never),
    ];
    for (const call of [...calls, supervisor.status(null as never)]) await expect(call).rejects.toMatchObject({ code: 'invalid-spec' });
    await supervisor.leave();
  });
});

describe.concurrent('start, status, stop and restart', () => {
  test('start tells all that is needed to find it again', async ({ home }) => {
    const running = await sleeper(home, { version: '1.2.3' }).start();
    const { pid, instanceId, socket } = home.descriptor('acme');
    expect(running).toEqual({
      name: 'acme',
      outcome: 'started',
      pid,
      instanceId,
      socket,
      log: home.at('acme', 'daemon.log'),
      descriptor: home.at('acme', 'daemon.json'),
      version: '1.2.3',
    });
    expect(isAlive(pid)).toBe(true);
  });

  test('a second start says already-running, and so does the command line', async ({ home }) => {
    const first = await sleeper(home).start();
    expect(await sleeper(home).start()).toEqual({ ...first, outcome: 'already-running' });
    expect((await home.cli(['start', 'acme', '--json'])).json).toMatchObject({ outcome: 'already-running', pid: first.pid });
    expect(home.processes()).toHaveLength(1);
  });

  test('status follows it from before its start to after its end', async ({ home }) => {
    const daemon = sleeper(home);
    const nothing = { name: 'acme', phase: null, pid: null, instanceId: null, socket: null, version: null };
    const places = { descriptor: home.at('acme', 'daemon.json'), log: home.at('acme', 'daemon.log') };
    expect(await daemon.status()).toEqual({ ...nothing, ...places, status: 'stopped', reason: 'no-descriptor' });
    expect(existsSync(home.path)).toBe(false);
    const { pid, instanceId, socket } = await daemon.start();
    expect(await daemon.status()).toEqual({
      ...nothing,
      ...places,
      status: 'running',
      phase: 'ready',
      pid,
      instanceId,
      socket,
      reason: 'alive',
    });
    process.kill(pid, 'SIGKILL');
    await untilDead(pid);
    expect(await daemon.status()).toMatchObject({ status: 'stale', pid, reason: expect.stringMatching(/^process-/) });
    await daemon.stop();
    expect(await daemon.status()).toEqual({ ...nothing, ...places, status: 'stopped', reason: 'no-descriptor' });
  });

  test('stop ends are return values', async ({ home }) => {
    const daemon = sleeper(home);
    expect(await daemon.stop()).toEqual({ name: 'acme', outcome: 'already-stopped', pid: null, escaped: [], beyondReach: [] });
    const { pid } = await daemon.start();
    expect(await daemon.stop()).toEqual({ name: 'acme', outcome: 'stopped', pid, escaped: [], beyondReach: [] });
    expect(isAlive(pid)).toBe(false);
    home.forge('acme');
    expect(await daemon.stop()).toMatchObject({ outcome: 'stale-cleaned' });
    const stubborn = sleeper(home, { command: 'sh', args: ['-c', 'trap "" TERM; echo up; while :; do sleep 1000; done'], ready: 'log:up' });
    await stubborn.start();
    expect(await stubborn.stop({ graceMs: 50 })).toMatchObject({ outcome: 'killed' });
    expect(home.processes()).toEqual([]);
  });

  test('restart replaces the instance, and starts one that is stopped', async ({ home }) => {
    const daemon = sleeper(home);
    const first = await daemon.restart();
    expect(first.outcome).toBe('started');
    const second = await daemon.restart();
    expect(second.outcome).toBe('started');
    expect([isAlive(first.pid), isAlive(second.pid)]).toEqual([false, true]);
  });

  test('restart applies the spec of the program, not the remembered one', async ({ home }) => {
    await sleeper(home).start();
    await sleeper(home, { args: ['999'] }).restart();
    expect(home.descriptor('acme').command).toEqual(['sleep', '999']);
  });

  test('logs gives the last lines, while it runs and after', async ({ home }) => {
    const daemon = sleeper(home, { command: 'sh', args: ['-c', 'echo one; echo two; echo three; exec sleep 1000'], ready: 'log:three' });
    expect(await daemon.logs()).toEqual([]);
    await daemon.start();
    expect(await daemon.logs({ lines: 2 })).toEqual(['two', 'three']);
    expect(await daemon.logs({ lines: Number.POSITIVE_INFINITY })).toEqual(['one', 'two', 'three']);
    await daemon.stop();
    expect(await daemon.logs()).toEqual(['one', 'two', 'three']);
  });

  test('a descriptor path of its own keeps all of its files beside it', async ({ home }) => {
    const descriptor = home.file('own/place/acme.json');
    const daemon = sleeper(home, { descriptor });
    const running = await daemon.start();
    expect(running).toMatchObject({ descriptor, log: home.file('own/place/acme.daemon.log') });
    expect(await sleeper(home, { descriptor }).status()).toMatchObject({ status: 'running', pid: running.pid });
    expect(readdirSync(dirname(descriptor)).every((file) => file.startsWith('acme.'))).toBe(true);
    expect(existsSync(home.path)).toBe(false);
    expect(await daemon.stop()).toMatchObject({ outcome: 'stopped' });
    expect(existsSync(descriptor)).toBe(false);
  });

  test('takes settings of a spec as the command line does', async ({ home }) => {
    const daemon = sleeper(home, { stopSignal: 'SIGINT', graceMs: 1_234, env: { A: '1' }, ready: 'exec', version: '4.0.0', logKeep: 2 });
    await daemon.start();
    expect(home.descriptor('acme')).toMatchObject({ stop: { signal: 'SIGINT', graceMs: 1_234 }, version: '4.0.0', ready: 'exec' });
    expect((await home.cli(['restart', 'acme', '--json'])).json.outcome).toBe('started');
    expect(home.descriptor('acme')).toMatchObject({ stop: { signal: 'SIGINT', graceMs: 1_234 }, version: '4.0.0' });
  });
});

describe.concurrent('failures', () => {
  test('are DaemonErrors with a code, the facts and a cause', async ({ home }) => {
    const failure = await sleeper(home, { command: 'no-such-command' })
      .start()
      .catch((error) => error);
    expect(failure).toBeInstanceOf(DaemonError);
    expect(failure).toMatchObject({ name: 'DaemonError', code: 'command-not-found', facts: { command: 'no-such-command' } });
    expect(existsSync(home.path)).toBe(false);
  });

  test('carry the last words and the exit code of a daemon that ended too soon', async ({ home }) => {
    const daemon = sleeper(home, { command: 'sh', args: ['-c', 'echo sorry; exit 9'], ready: 'notify' });
    await expect(daemon.start()).rejects.toMatchObject({
      code: 'ended-before-ready',
      facts: { exitCode: 9, signal: null, logTail: ['sorry'] },
    });
    expect(await daemon.status()).toMatchObject({ status: 'stopped' });
  });

  test('are none where a slow start is to go on: it is starting, then ready', async ({ home }) => {
    const latch = home.latch('latch');
    const args = ['-c', `read _ < ${latch.path}; echo > "$DAEMONRY_NOTIFY_FILE"; exec sleep 1000`];
    const daemon = sleeper(home, { command: 'sh', args, ready: 'notify', readyTimeoutMs: 50, onTimeout: 'keep' });
    const { outcome, pid } = await daemon.ensure();
    expect(outcome).toBe('starting');
    expect(await daemon.status()).toMatchObject({ status: 'running', phase: 'starting', pid });
    latch.open();
    await waitFor('it to be ready', async () => (await daemon.status()).phase === 'ready');
    expect(await daemon.ensure()).toMatchObject({ outcome: 'already-running', pid });
  });

  test('tell a time-out from an end', async ({ home }) => {
    const daemon = sleeper(home, { ready: 'notify', readyTimeoutMs: 50 });
    await expect(daemon.start()).rejects.toMatchObject({ code: 'ready-timeout' });
    expect(home.processes()).toEqual([]);
  });

  test('leave a record alone that can not be judged, until they are told to forget it', async ({ home }) => {
    const forged = home.forge('acme', { host: 'elsewhere' });
    const daemon = sleeper(home);
    for (const attempt of [daemon.start(), daemon.stop(), daemon.restart(), daemon.ensure()]) {
      await expect(attempt).rejects.toMatchObject({ code: 'unknown-daemon', facts: { reason: 'other-host' } });
    }
    expect(home.descriptor('acme')).toEqual(forged);
    expect(await daemon.start({ force: true })).toMatchObject({ outcome: 'started' });
  });

  test('are recognised by another installed copy', async ({ home }) => {
    cpSync(dirname(libraryFile), home.file('copy'), { recursive: true });
    home.file('copy/package.json', '{"type": "module"}');
    const copy = loadLibrary(home.file('copy/index.js'));
    const failure = await sleeper(home, { command: 'no-such-command' })
      .start()
      .catch((error) => error);
    expect(copy.DaemonError).not.toBe(DaemonError);
    expect(failure).not.toBeInstanceOf(copy.DaemonError);
    expect([copy.isDaemonError(failure), isDaemonError(failure)]).toEqual([true, true]);
    expect(isDaemonError(new Error('another'))).toBe(false);
    expect(failure[Symbol.for('daemonry.DaemonError')]).toBe(true);
  });
});

describe.concurrent('an AbortSignal', () => {
  test('ends the start under way, and the daemon with it', async ({ home }) => {
    const controller = new AbortController();
    const daemon = sleeper(home, { ready: 'notify' });
    const start = daemon.start({ signal: controller.signal });
    start.catch(() => {});
    const pid = await waitFor('the daemon', () => home.descriptor('acme')?.pid as number);
    await waitFor('the command', () => hasExecuted(pid));
    controller.abort();
    await expect(start).rejects.toMatchObject({ code: 'cancelled' });
    expect(isAlive(pid)).toBe(false);
    expect(await daemon.status()).toMatchObject({ status: 'stopped' });
  });

  test('ends the wait for whoever holds the lock, and nothing else', async ({ home }) => {
    const patient = sleeper(home, { ready: 'notify' });
    const holder = new AbortController();
    const first = patient.start({ signal: holder.signal });
    first.catch(() => {});
    const pid = await waitFor('the daemon', () => home.descriptor('acme')?.pid as number);
    await waitFor('the command', () => hasExecuted(pid));
    const waiter = new AbortController();
    const second = sleeper(home).start({ signal: waiter.signal });
    second.catch(() => {});
    waiter.abort();
    await expect(second).rejects.toMatchObject({ code: 'cancelled' });
    expect(isAlive(pid)).toBe(true);
    holder.abort();
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('that is aborted already starts nothing', async ({ home }) => {
    await expect(sleeper(home).start({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
    expect(home.processes()).toEqual([]);
    expect(home.descriptor('acme')).toBeUndefined();
  });
});
