import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LinuxProcessInspector } from '../../../src/adapters/linux/linux-process-inspector.js';
import { findTool } from '../../../src/adapters/posix/find-executable.js';
import { isGate, spareArguments, spareScript } from '../../../src/adapters/posix/gate-script.js';
import { PosixProcessSpawner } from '../../../src/adapters/posix/posix-process-spawner.js';
import { specDefaults } from '../../../src/domain/daemon-spec.js';
import type { Launch } from '../../../src/domain/ports.js';
import { isAlive, untilDead } from '../../support/processes.js';
import { waitFor } from '../../support/wait-for.js';

const sh = findTool('sh', '/bin') ?? '/bin/sh';
const isDash = existsSync(sh) && basename(realpathSync(sh)) === 'dash';
const never = new AbortController().signal;

let folder = '';
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'daemonry-spare-')));
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const log = () => join(folder, 'log');

/** A shell that waits, as `SpareGate` starts it, and is told this; resolves to its exit code. */
async function told(script: string): Promise<number | null> {
  const child = spawn(sh, spareArguments, { cwd: '/', env: {}, stdio: ['pipe', 'ignore', 'ignore'] });
  children.push(child);
  child.stdin?.on('error', () => {});
  child.stdin?.end(script);
  return new Promise((resolve) => child.once('close', resolve));
}

function scriptFor(argv: readonly string[], env: Record<string, string>, cwd = folder) {
  return spareScript({ file: sh, argv, cwd, env }, { log: log(), notify: undefined }) as string;
}

/** All that a program can see of how it was started, each with a zero byte behind it. */
const tells = 'printf "%s\\0" "$0" "$@"; cat /proc/self/environ; printf "%s" "$(pwd)"; printf "%s" "$(readlink /proc/$$/fd/0)"';

describe.skipIf(!isDash)('a shell that waits (needs dash for sh)', () => {
  const name = fc.stringMatching(/^[A-Z_a-z][A-Za-z0-9_]{0,8}$/).map((text) => `X${text}`);
  // No program can be given a zero byte.
  const text = fc.string({ unit: 'binary', maxLength: 20 }).map((one) => one.replaceAll('\0', ''));

  test('hands arguments, variables and folder on as they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 4 }), fc.dictionary(name, text, { maxKeys: 4 }), async (argv, variables) => {
        rmSync(log(), { force: true });
        const env = { PATH: '/usr/bin:/bin', PWD: folder, ...variables };
        const script = spareScript({ file: sh, argv: ['-c', tells, ...argv], cwd: folder, env }, { log: log(), notify: undefined });
        if (script === undefined) {
          expect(Object.values(variables).some((value) => value.startsWith('() {'))).toBe(true);
          return;
        }
        expect(await told(script)).toBe(0);
        const words = readFileSync(log(), 'utf8').split('\0');
        const [program = sh, ...args] = argv;
        const after = words.splice(1 + args.length);
        expect(words).toEqual([program, ...args]);
        expect(after.pop()).toBe(`${folder}/dev/null`);
        expect(after.sort()).toEqual(
          Object.entries(env)
            .map(([key, value]) => `${key}=${value}`)
            .sort(),
        );
      }),
      { numRuns: 60, seed: 5 },
    );
  });

  test('does nothing at all where it was not told to the end', async () => {
    const ran = join(folder, 'ran');
    const script = scriptFor(['-c', `: >'${ran}'`], { PATH: '/usr/bin:/bin', A: "it's\n}\n" });
    // Every byte that may be the last: whoever tells it may be killed at any.
    await Promise.all(Array.from(script.slice(0, -2), (_, length) => told(script.slice(0, length))));
    expect([existsSync(ran), existsSync(log())]).toEqual([false, false]);
    expect(await told(script)).toBe(0);
    expect(existsSync(ran)).toBe(true);
  });

  test('has nothing of its own in an environment, not even the folder', async () => {
    const there = join(folder, 'a b');
    mkdirSync(there);
    expect(await told(scriptFor(['-c', 'exec cat /proc/self/environ'], {}, there))).toBe(0);
    // What a shell adds, this is one, that has become `cat` by way of another.
    expect(readFileSync(log(), 'utf8').split('\0').filter(Boolean)).toEqual([`PWD=${there}`]);
    rmSync(log());
    const printenv = findTool('printenv', '/usr/bin:/bin') as string;
    const script = spareScript({ file: printenv, argv: [], cwd: there, env: {} }, { log: log(), notify: undefined }) as string;
    expect(await told(script)).toBe(0);
    expect(readFileSync(log(), 'utf8')).toBe('');
  });

  test.each([
    ['a name that is no identifier', { 'a.b': '1' }],
    ['a name that dash obeys', { IFS: 'x' }],
    ['a library for the loader', { LD_PRELOAD: '/x.so' }],
    ['a function of bash', { F: '() { :; }' }],
    ['more than fits', { LONG: 'x'.repeat(70_000) }],
  ])('is not told of %s', (_, env) => {
    expect(
      spareScript({ file: sh, argv: [], cwd: '/', env: env as Record<string, string> }, { log: '/x', notify: undefined }),
    ).toBeUndefined();
  });

  test('is known for a gate', () => {
    expect(isGate([sh, ...spareArguments])).toBe(true);
    expect(isGate([sh, '-s', 'something else'])).toBe(false);
  });
});

describe.skipIf(!isDash || process.platform !== 'linux')('a spawner that keeps a spare (needs Linux, and dash for sh)', () => {
  const inspector = new LinuxProcessInspector({});
  const spawner = new PosixProcessSpawner({ env: process.env, inspector, strayDescriptors: () => [], keepsSpare: true });
  const launches: Launch[] = [];

  afterEach(async () => {
    for (const { identity } of launches.splice(0)) {
      if (!isAlive(identity.pid)) continue;
      process.kill(identity.pid, 'SIGKILL');
      await untilDead(identity.pid);
    }
  });

  afterAll(async () => {
    const waiting = await waitingShell();
    process.kill(waiting, 'SIGKILL');
    await untilDead(waiting);
  });

  async function launch(script: string, { env = {}, notify = false } = {}): Promise<Launch> {
    const spec = { ...specDefaults, command: [sh, '-c', script], cwd: folder };
    const command = spawner.resolve(spec, { PATH: '/usr/bin:/bin', ...env });
    const marks = { name: 'spared', instanceId: `i${launches.length}`, descriptor: join(folder, 'daemon.json'), socket: join(folder, 's') };
    const notifyFile = notify ? join(folder, `notify-${launches.length}`) : null;
    const launched = await spawner.spawn({ command, marks, log: log(), notifyFile });
    launches.push(launched);
    return launched;
  }

  /** Ours, and told nothing yet: there is one as soon as it is calm after a launch. */
  function waitingShell(): Promise<number> {
    const isWaiting = (pid: number) => commandOf(pid)[1] === spareArguments[0] && isGate(commandOf(pid));
    const find = () => inspector.survey().find(({ pid, parent, zombie }) => !zombie && parent === process.pid && isWaiting(pid))?.pid;
    return waitFor('a shell that waits', find) as Promise<number>;
  }

  /** With one that waits. */
  async function launchAgain(script: string, options: Parameters<typeof launch>[1] = {}): Promise<Launch> {
    await opened(await launch('exit 0'));
    const waiting = await waitingShell();
    const launched = await launch(script, options);
    expect(launched).toMatchObject({ identity: { pid: waiting }, waitedMs: expect.any(Number) });
    return launched;
  }

  async function opened(launched: Launch): Promise<number | null | undefined> {
    await launched.open();
    launched.release();
    return (await launched.ended(never))?.exitCode;
  }

  test('has the next launch wait already, and makes it the daemon under the same pid', async () => {
    const launched = await launchAgain('echo "$DAEMONRY_NAME $VALUE $$"; pwd; exit 4', { env: { VALUE: 'a b' } });
    expect(readFileSync(log(), 'utf8')).toBe('');
    expect(await opened(launched)).toBe(4);
    expect(readFileSync(log(), 'utf8')).toBe(`spared a b ${launched.identity.pid}\n${folder}\n`);
  });

  test('has it run nothing, and end, where it is not opened', async () => {
    const launched = await launchAgain('echo ran');
    await launched.abort();
    expect(isAlive(launched.identity.pid)).toBe(false);
    expect(readFileSync(log(), 'utf8')).toBe('');
  });

  test('gives it its notify descriptor', async () => {
    expect(await opened(await launchAgain('echo >&"$DAEMONRY_NOTIFY_FD"', { notify: true }))).toBe(0);
    expect(readFileSync(join(folder, 'notify-1'), 'utf8')).toBe('\n');
  });

  test('has a gate of its own for what the waiting shell can not be told, and where that was killed', async () => {
    await opened(await launch('exit 0'));
    const waiting = await waitingShell();
    const odd = await launch('exit 5', { env: { 'a.b': 'dotted' } });
    expect(odd.waitedMs).toBeUndefined();
    expect(await opened(odd)).toBe(5);
    process.kill(waiting, 'SIGKILL');
    await untilDead(waiting);
    expect(await opened(await launch('exit 6'))).toBe(6);
  });

  test('writes through a link as little as any other', async () => {
    await opened(await launch('exit 0'));
    await waitingShell();
    rmSync(log());
    symlinkSync(join(folder, 'elsewhere'), log());
    await expect(launch('echo ran')).rejects.toMatchObject({ code: 'unsafe-home' });
    expect(existsSync(join(folder, 'elsewhere'))).toBe(false);
  });
});

function commandOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}
