import { expect } from 'vitest';
import type { ProcessIdentity } from '../../src/domain/identity.js';
import { type ContractSubject, describeContract, eventually, isRunning, launch, launchUntil, untilEnded } from './contract-machine.js';

export function describeSignalSenderContract(subject: ContractSubject): void {
  describeContract('SignalSender', subject, (test) => {
    test('send: SIGTERM ends a process that does nothing about it', async (subject) => {
      const { identity } = await launch(subject, subject.programs.sleeps);
      expect(await subject.machine.signals.send(identity, 'SIGTERM')).toBe('sent');
      await untilEnded(subject, identity);
    });

    test(
      'send: SIGKILL ends a process that ignores SIGTERM',
      async (subject) => {
        const { signals, clock } = subject.machine;
        const { identity } = await launchUntil(subject, subject.programs.ignoresSigterm, 'ignoring');
        expect(await signals.send(identity, 'SIGTERM')).toBe('sent');
        await clock.sleep(50);
        expect(await isRunning(subject, identity)).toBe(true);
        expect(await signals.send(identity, 'SIGKILL')).toBe('sent');
        await untilEnded(subject, identity);
      },
      'ignorableSignals',
    );

    test('send: a process that has ended is gone', async (subject) => {
      const { identity } = await launch(subject, subject.programs.exits(0));
      await untilEnded(subject, identity);
      expect(await subject.machine.signals.send(identity, 'SIGTERM')).toBe('gone');
    });

    test(
      'send: a zombie is gone',
      async (subject) => {
        const zombie = await findZombie(subject);
        expect(await subject.machine.signals.send(zombie, 'SIGKILL')).toBe('gone');
      },
      'zombies',
    );

    for (const field of ['startToken', 'bootId', 'pidNamespace', 'timeNamespace', 'host'] as const) {
      test(`send: nobody is signalled whose ${field} is another one`, async (subject) => {
        const { signals, clock } = subject.machine;
        const { identity } = await launch(subject, subject.programs.sleeps);
        expect(await signals.send({ ...identity, [field]: '12345678901' }, 'SIGKILL')).toBe('not-ours');
        await clock.sleep(50);
        expect(await isRunning(subject, identity)).toBe(true);
      });
    }

    for (const field of ['startToken', 'bootId', 'host'] as const) {
      test(`sendToGroup: no group is signalled by a witness whose ${field} is another one`, async (subject) => {
        const { signals, clock } = subject.machine;
        const { identity } = await launch(subject, subject.programs.sleeps);
        expect(await signals.sendToGroup({ ...identity, [field]: '12345678901' }, identity.pid, 'SIGKILL')).toBe('not-ours');
        await clock.sleep(50);
        expect(await isRunning(subject, identity)).toBe(true);
      });
    }

    test('sendToGroup: reaches every member', async (subject) => {
      const { identity } = await launchUntil(subject, subject.programs.forks, 'forked');
      const members = await groupOf(subject, identity);
      expect(members).toHaveLength(2);
      expect(await subject.machine.signals.sendToGroup(identity, identity.pid, 'SIGKILL')).toBe('sent');
      for (const member of members) await untilEnded(subject, member);
    });

    test('sendToGroup: reaches the rest of a group when a member bears witness for its dead leader', async (subject) => {
      const { signals } = subject.machine;
      const { identity } = await launchUntil(subject, subject.programs.forks, 'forked');
      const child = (await groupOf(subject, identity)).find((member) => member.pid !== identity.pid) as ProcessIdentity;
      await signals.send(identity, 'SIGKILL');
      await untilEnded(subject, identity);
      expect(await signals.sendToGroup(identity, identity.pid, 'SIGKILL')).not.toBe('sent');
      expect(await signals.sendToGroup(child, identity.pid, 'SIGKILL')).toBe('sent');
      await untilEnded(subject, child);
    });

    test('sendToGroup: no group is signalled of which the witness is no member', async (subject) => {
      const { signals, clock } = subject.machine;
      const one = await launch(subject, subject.programs.sleeps);
      const other = await launch(subject, subject.programs.sleeps);
      expect(await signals.sendToGroup(one.identity, other.identity.pid, 'SIGKILL')).toBe('not-ours');
      await clock.sleep(50);
      expect(await isRunning(subject, other.identity)).toBe(true);
    });

    test(
      "send: another user's process is not permitted",
      async ({ machine, host }) => {
        expect(await machine.signals.send(await host.strangerOfOtherUser(), 'SIGTERM')).toBe('not-permitted');
      },
      'otherUsers',
    );
  });
}

type Subject = Parameters<typeof launchUntil>[0];

async function groupOf({ machine }: Subject, leader: ProcessIdentity): Promise<readonly ProcessIdentity[]> {
  const rows = await machine.inspector.survey();
  return rows
    .filter((row) => row.processGroup === leader.pid && !row.zombie)
    .map(({ pid, startToken }) => ({ ...leader, pid, startToken }));
}

async function findZombie(subject: Subject): Promise<ProcessIdentity> {
  const { inspector } = subject.machine;
  const { identity } = await launchUntil(subject, subject.programs.keepsZombie, 'forked');
  let found: ProcessIdentity | undefined;
  await eventually(subject.machine, 'the zombie', async () => {
    const zombie = (await inspector.survey()).find((row) => row.parent === identity.pid && row.zombie);
    found = zombie && { ...identity, pid: zombie.pid, startToken: zombie.startToken };
    return found !== undefined;
  });
  return found as unknown as ProcessIdentity;
}
