import { expect } from 'vitest';
import type { ReadySubject } from '../../src/domain/ports.js';
import type { ReadyCondition } from '../../src/domain/ready-condition.js';
import { type ContractMachine, type ContractSubject, describeContract, eventually, launch, spawnGated } from './contract-machine.js';

export function describeReadinessProbeContract(subject: ContractSubject): void {
  describeContract('ReadinessProbe', subject, (test) => {
    test(
      'exec: not before the gate is open, then as soon as the command has been executed',
      async (subject) => {
        const launched = await spawnGated(subject, subject.programs.sleeps);
        const about = { ...nothing, pid: launched.identity.pid };
        expect(await check(subject, { kind: 'exec' }, about)).toBe(false);
        await launched.open();
        await eventually(subject.machine, 'the exec', () => check(subject, { kind: 'exec' }, about));
      },
      'launchGate',
    );

    test('socket: as soon as somebody listens there, whatever he speaks', async (subject) => {
      const socket = subject.host.socket('ready.sock');
      const about = { ...nothing, socket };
      expect(await check(subject, { kind: 'socket' }, about)).toBe(false);
      await subject.host.listen(socket);
      expect(await check(subject, { kind: 'socket' }, about)).toBe(true);
      expect(await check(subject, { kind: 'socket' }, nothing)).toBe(false);
    });

    test('port: as soon as somebody listens on it', async (subject) => {
      const port = await subject.host.listenOnPort();
      expect(await check(subject, { kind: 'port', port }, nothing)).toBe(true);
      expect(await check(subject, { kind: 'port', port: port === 65_535 ? 1 : port + 1 }, nothing)).toBe(false);
    });

    test(
      'http: at any 2xx, at nothing else',
      async (subject) => {
        const { host } = subject;
        expect(await check(subject, { kind: 'http', url: await host.serveHttp(204) }, nothing)).toBe(true);
        expect(await check(subject, { kind: 'http', url: await host.serveHttp(503) }, nothing)).toBe(false);
        expect(await check(subject, { kind: 'http', url: await host.serveHttp(302) }, nothing)).toBe(false);
      },
      'http',
    );

    test('notify: at the first byte', async (subject) => {
      const notifyFile = subject.host.path('notify');
      const about = { ...nothing, notifyFile };
      expect(await check(subject, { kind: 'notify' }, about)).toBe(false);
      await subject.host.append(notifyFile, '');
      expect(await check(subject, { kind: 'notify' }, about)).toBe(false);
      await subject.host.append(notifyFile, '\n');
      expect(await check(subject, { kind: 'notify' }, about)).toBe(true);
      expect(await check(subject, { kind: 'notify' }, nothing)).toBe(false);
    });

    test("log: at a line of this instance's own, each matched without its newline", async (subject) => {
      const log = subject.host.path('ready.log');
      const before = 'ready on port 1\n';
      await subject.host.append(log, before);
      const about = { ...nothing, log, logOffset: before.length };
      const condition: ReadyCondition = { kind: 'log', pattern: '^ready on port \\d+$' };
      expect(await check(subject, condition, about)).toBe(false);
      await subject.host.append(log, 'not ready on port 2\nready on port 3 soon\n');
      expect(await check(subject, condition, about)).toBe(false);
      await subject.host.append(log, 'ready on port 4\nand more\n');
      expect(await check(subject, condition, about)).toBe(true);
    });

    test('log: a log that is not there is not ready', async (subject) => {
      expect(await check(subject, { kind: 'log', pattern: '.' }, { ...nothing, log: subject.host.path('absent.log') })).toBe(false);
    });

    test('exec: a process that has ended has executed nothing', async (subject) => {
      const launched = await launch(subject, subject.programs.exits(0));
      await eventually(subject.machine, 'its end', async () => launched.end() !== undefined);
      expect(await check(subject, { kind: 'exec' }, { ...nothing, pid: launched.identity.pid })).toBe(false);
    });
  });
}

const nothing: ReadySubject = { pid: 2_147_483_647, socket: null, log: '/absent', logOffset: 0, notifyFile: null };

async function check({ machine }: ContractMachine, condition: ReadyCondition, about: ReadySubject): Promise<boolean> {
  return machine.readiness.check(condition, about);
}
