import { expect } from 'vitest';
import type { HealthSubject } from '../../src/domain/ports.js';
import { type ContractMachine, type ContractSubject, describeContract, launch, untilEnded } from './contract-machine.js';

export function describeHealthProberContract(subject: ContractSubject): void {
  describeContract('HealthProber', subject, (test) => {
    test('port: is well while somebody listens there', async (subject) => {
      const { machine, host } = subject;
      const port = await host.listenOnPort();
      expect(await machine.health.check({ kind: 'port', port }, await aliveSubject(subject), 5_000)).toBe(true);
      expect(await machine.health.check({ kind: 'port', port: 1 }, await aliveSubject(subject), 5_000)).toBe(false);
    });

    test('ping: is well while a daemon answers on its socket', async (subject) => {
      const { machine, host } = subject;
      const socket = host.socket('peer.sock');
      await host.serveControl(socket, { instanceId: 'instance-1', name: 'contract', version: null });
      expect(await machine.health.check({ kind: 'ping' }, { ...(await aliveSubject(subject)), socket }, 5_000)).toBe(true);
    });

    test('ping: is not well when the daemon has ended', async (subject) => {
      const { machine, host } = subject;
      const { identity } = await launch(subject, subject.programs.exits(0));
      await untilEnded(subject, identity);
      const dead = { ...(await aliveSubject(subject)), pid: identity.pid, socket: host.socket('absent.sock') };
      expect(await machine.health.check({ kind: 'ping' }, dead, 1_000)).toBe(false);
    });

    test(
      'ping: is not well where nobody answers in time',
      async (subject) => {
        const { machine, host } = subject;
        const socket = host.socket('mute.sock');
        await host.listen(socket);
        expect(await machine.health.check({ kind: 'ping' }, { ...(await aliveSubject(subject)), socket }, 80)).toBe(false);
        expect(await machine.health.check({ kind: 'ping' }, { ...(await aliveSubject(subject)), socket: null }, 80)).toBe(false);
      },
      'reloads',
    );

    for (const [status, isWell] of [
      [200, true],
      [204, true],
      [302, false],
      [503, false],
    ] as const) {
      test(
        `http: an answer of ${status} is ${isWell ? 'well' : 'not'}`,
        async (subject) => {
          const url = await subject.host.serveHttp(status);
          expect(await subject.machine.health.check({ kind: 'http', url }, await aliveSubject(subject), 5_000)).toBe(isWell);
        },
        'http',
      );
    }

    test(
      'command: is well by exit code 0, in the folder and the environment of the daemon, within its time',
      async (subject) => {
        const alive = { ...(await aliveSubject(subject)), cwd: '/tmp', environment: { PATH: '/usr/bin:/bin', COLOUR: 'blue' } };
        const check = (line: string, timeoutMs = 5_000) => subject.machine.health.check({ kind: 'command', line }, alive, timeoutMs);
        expect(await check('test "$COLOUR" = blue && test "$(pwd)" = /tmp')).toBe(true);
        expect(await check('exit 3')).toBe(false);
        expect(await check('kill -9 $$')).toBe(false);
        expect(await check('sleep 1000', 80)).toBe(false);
        expect(await subject.machine.health.check({ kind: 'command', line: 'true' }, { ...alive, cwd: '/absent' }, 5_000)).toBe(false);
      },
      'posixShell',
    );
  });
}

/** Of the program that runs the test. */
async function aliveSubject({ machine }: ContractMachine): Promise<HealthSubject> {
  const { pid } = await machine.inspector.vantage();
  return { pid, socket: null, instanceId: 'instance-1', cwd: '/', environment: {} };
}
