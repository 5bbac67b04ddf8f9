import { dirname } from 'node:path';
import { expect } from 'vitest';
import {
  type ContractSubject,
  describeContract,
  eventually,
  isRunning,
  launch,
  launchUntil,
  spawnGated,
  specFor,
  untilEnded,
  untilPrinted,
} from './contract-machine.js';

export function describeProcessSpawnerContract(subject: ContractSubject): void {
  describeContract('ProcessSpawner', subject, (test) => {
    test('resolve: an absent command fails as command-not-found, and names it', async ({ machine, programs }) => {
      await expect((async () => machine.spawner.resolve(specFor(programs.absent)))()).rejects.toMatchObject({
        code: 'command-not-found',
        facts: { command: programs.absent[0] },
      });
    });

    test('resolve: a file that may not be executed fails as not-executable, and names it', async ({ machine, programs }) => {
      await expect((async () => machine.spawner.resolve(specFor(programs.notExecutable)))()).rejects.toMatchObject({
        code: 'not-executable',
        facts: { path: programs.notExecutable[0] },
      });
    });

    test('resolve: an absent working folder fails as invalid-spec, and names it', async ({ machine, programs }) => {
      await expect((async () => machine.spawner.resolve(specFor(programs.sleeps, { cwd: '/absent' })))()).rejects.toMatchObject({
        code: 'invalid-spec',
        facts: { cwd: '/absent' },
      });
    });

    test('resolve: keeps the arguments and the working folder, and adds the values of the spec', async ({ machine, programs }) => {
      const command = programs.prints('a', 'b c');
      const resolved = await machine.spawner.resolve(specFor(command, { env: { COLOUR: 'blue' } }));
      expect(resolved.argv).toEqual(command.slice(1));
      expect(resolved.cwd).toBe('/');
      expect(resolved.env).toMatchObject({ COLOUR: 'blue' });
    });

    test('spawn: the process leads a session and a group of its own, and is our child', async (subject) => {
      const { inspector } = subject.machine;
      const { identity } = await launch(subject, subject.programs.sleeps);
      const rows = await inspector.survey();
      expect(rows.find((row) => row.pid === identity.pid)).toMatchObject({
        startToken: identity.startToken,
        processGroup: identity.pid,
        session: identity.pid,
        parent: (await inspector.vantage()).pid,
      });
    });

    test('spawn: the identity is in our world, and stays the same through the gate', async (subject) => {
      const { inspector } = subject.machine;
      const launched = await spawnGated(subject, subject.programs.prints('here'));
      const { bootId, pidNamespace, timeNamespace, host } = await inspector.vantage();
      expect(launched.identity).toMatchObject({ bootId, pidNamespace, timeNamespace, host });
      await launched.open();
      await untilPrinted(subject, launched, 'here');
      expect(await isRunning(subject, launched.identity)).toBe(true);
    });

    test('spawn: what the command prints is in the log, and nowhere else', async (subject) => {
      const launched = await launchUntil(subject, subject.programs.prints('one', 'two'), 'two');
      expect(await subject.machine.logs.tail(launched.log, 10)).toEqual(['one', 'two']);
    });

    test(
      'gate: nothing runs before it is opened',
      async (subject) => {
        const launched = await spawnGated(subject, subject.programs.prints('too early'));
        await subject.machine.clock.sleep(100);
        expect(await subject.machine.logs.tail(launched.log, 10)).toEqual([]);
        expect(await isRunning(subject, launched.identity)).toBe(true);
        expect(launched.end()).toBeUndefined();
      },
      'launchGate',
    );

    test(
      'gate: an aborted launch ends without having run its command',
      async (subject) => {
        const launched = await spawnGated(subject, subject.programs.prints('never'));
        await launched.abort();
        await untilEnded(subject, launched.identity);
        expect(await subject.machine.logs.tail(launched.log, 10)).toEqual([]);
      },
      'launchGate',
    );

    test(
      'gate: when the starter is killed, the process ends without having run its command',
      async (subject) => {
        const { machine, host } = subject;
        const starter = await host.mortalActor();
        const log = host.path('orphan.log');
        const identity = await starter.spawnGated(subject.programs.prints('never'), log);
        subject.started.push(identity);
        expect(await isRunning(subject, identity)).toBe(true);
        await starter.kill();
        await untilEnded(subject, identity);
        expect(await machine.logs.tail(log, 10)).toEqual([]);
      },
      'mortalActors',
    );

    test('abort: is harmless where the process has ended', async (subject) => {
      const launched = await launch(subject, subject.programs.exits(0));
      await untilEnded(subject, launched.identity);
      await launched.abort();
    });

    test('end: is unknown while the process runs, then its exit code', async (subject) => {
      const sleeper = await launch(subject, subject.programs.sleeps);
      expect(sleeper.end()).toBeUndefined();
      const ended = await launch(subject, subject.programs.exits(7));
      await eventually(subject.machine, 'the exit code', async () => ended.end() !== undefined);
      expect(ended.end()).toEqual({ exitCode: 7, signal: null });
    });

    test(
      'end: is the signal of a process that was killed',
      async (subject) => {
        const launched = await launch(subject, subject.programs.sleeps);
        await subject.machine.signals.send(launched.identity, 'SIGKILL');
        await eventually(subject.machine, 'the end', async () => launched.end() !== undefined);
        expect(launched.end()).toEqual({ exitCode: null, signal: 'SIGKILL' });
      },
      'endsBySignal',
    );

    test('ended: tells the exit code as soon as there is one, and whoever asks later, after release too', async (subject) => {
      const launched = await launch(subject, subject.programs.exits(7));
      const { signal } = new AbortController();
      const asked = launched.ended(signal);
      launched.release();
      expect(await asked).toEqual({ exitCode: 7, signal: null });
      expect(await launched.ended(signal)).toEqual({ exitCode: 7, signal: null });
    });

    test(
      'ended: tells the signal of a process that was killed',
      async (subject) => {
        const launched = await launch(subject, subject.programs.sleeps);
        launched.release();
        const asked = launched.ended(new AbortController().signal);
        await subject.machine.signals.send(launched.identity, 'SIGKILL');
        expect(await asked).toEqual({ exitCode: null, signal: 'SIGKILL' });
      },
      'endsBySignal',
    );

    test('ended: tells nothing where its signal aborts first, and the process goes on', async (subject) => {
      const launched = await launch(subject, subject.programs.sleeps);
      const controller = new AbortController();
      const asked = launched.ended(controller.signal);
      controller.abort();
      expect(await asked).toBeUndefined();
      expect(await launched.ended(AbortSignal.abort())).toBeUndefined();
      expect(await isRunning(subject, launched.identity)).toBe(true);
    });

    test('release: the process goes on, and may be released twice', async (subject) => {
      const launched = await launchUntil(subject, subject.programs.prints('on'), 'on');
      launched.release();
      launched.release();
      expect(await isRunning(subject, launched.identity)).toBe(true);
    });

    test('spawn: the process carries its marks, and so do its children', async (subject) => {
      const { inspector } = subject.machine;
      const launched = await launchUntil(subject, subject.programs.forks, 'forked');
      const family = (await inspector.survey()).filter((row) => row.processGroup === launched.identity.pid);
      expect(family.length).toBeGreaterThanOrEqual(2);
      // Not while it becomes its command, when it shows none.
      for (const { pid } of family) {
        await eventually(subject.machine, 'its marks', async () => (await inspector.marksOf(pid))?.instanceId === launched.instanceId);
      }
    });

    test(
      'spawn: the command learns its place from its environment',
      async (subject) => {
        const launched = await launch(subject, subject.programs.printsVariable('DAEMONRY_INSTANCE'));
        await untilPrinted(subject, launched, launched.instanceId);
      },
      'shell',
    );

    test(
      'spawn: a value given in the spec reaches the command as it is',
      async (subject) => {
        const value = 'a "b" $c  d\\e';
        const launched = await launch(subject, subject.programs.printsVariable('ODD'), { env: { ODD: value } });
        await untilPrinted(subject, launched, value);
      },
      'shell',
    );

    test(
      'spawn: standard input is empty',
      async (subject) => {
        await launchUntil(subject, subject.programs.readsInput, 'end of input');
      },
      'shell',
    );

    test(
      'spawn: the command runs in the working folder of the spec',
      async (subject) => {
        const cwd = dirname(subject.host.path('file'));
        const launched = await launch(subject, subject.programs.printsFolder, { cwd });
        await untilPrinted(subject, launched, cwd);
      },
      'shell',
    );
  });
}
