import { expect } from 'vitest';
import { type ContractSubject, describeContract, eventually, launch, launchUntil, untilEnded, untilPrinted } from './contract-machine.js';

export function describeProcessInspectorContract(subject: ContractSubject): void {
  describeContract('ProcessInspector', subject, (test) => {
    test('vantage: names this very process, as it is seen', async ({ machine: { inspector } }) => {
      const here = await inspector.vantage();
      expect(await inspector.observe(here.pid)).toMatchObject({
        kind: 'process',
        startToken: here.startToken,
        zombie: false,
        uid: here.uid,
      });
      for (const field of ['bootId', 'pidNamespace', 'timeNamespace', 'host'] as const) expect(here[field]).not.toBe('');
    });

    test('vantage: two programs of one machine are in one world, and stay who they are', async ({ machine, host }) => {
      const here = await machine.inspector.vantage();
      const there = await (await host.secondActor()).inspector.vantage();
      const world = ({ bootId, pidNamespace, timeNamespace, host }: typeof here) => ({ bootId, pidNamespace, timeNamespace, host });
      expect(world(there)).toEqual(world(here));
      expect(await machine.inspector.vantage()).toEqual(here);
    });

    test('observe: shows the same of a process each time', async (subject) => {
      const { inspector, clock } = subject.machine;
      const { identity } = await launch(subject, subject.programs.sleeps);
      const first = await inspector.observe(identity.pid);
      await clock.sleep(30);
      expect(await inspector.observe(identity.pid)).toEqual(first);
      expect({ ...first, uid: first.kind === 'process' && first.uid }).toEqual({
        kind: 'process',
        startToken: identity.startToken,
        zombie: false,
        uid: (await inspector.vantage()).uid,
        processGroup: identity.pid,
        session: identity.pid,
      });
    });

    test('observe: nobody is in the slot of a process that has ended', async (subject) => {
      const { inspector } = subject.machine;
      const launched = await launch(subject, subject.programs.exits(0));
      await untilEnded(subject, launched.identity);
      await eventually(subject.machine, 'its parent to learn of it', async () => launched.end() !== undefined);
      const seen = await inspector.observe(launched.identity.pid);
      expect(seen.kind === 'process' ? seen.startToken : seen.kind).not.toBe(launched.identity.startToken);
      expect(seen.kind).not.toBe('hidden');
    });

    test(
      'observe: a process that has ended and was not waited for is a zombie',
      async (subject) => {
        const { inspector } = subject.machine;
        const { identity } = await launchUntil(subject, subject.programs.keepsZombie, 'forked');
        const child = async () => (await inspector.survey()).find((row) => row.parent === identity.pid);
        await eventually(subject.machine, 'the zombie', async () => (await child())?.zombie ?? false);
        const zombie = await child();
        expect(await inspector.observe(zombie?.pid ?? 0)).toMatchObject({ kind: 'process', zombie: true, startToken: zombie?.startToken });
      },
      'zombies',
    );

    test(
      'observe: a process that does not say who it is, is hidden',
      async ({ machine, host }) => {
        expect(await machine.inspector.observe(await host.hiddenProcess())).toEqual({ kind: 'hidden' });
      },
      'hiddenProcesses',
    );

    test('survey: lists every process once, ourselves among them', async (subject) => {
      const { inspector } = subject.machine;
      const here = await inspector.vantage();
      const { identity } = await launch(subject, subject.programs.sleeps);
      const rows = await inspector.survey();
      const pids = rows.map((row) => row.pid);
      expect(new Set(pids).size).toBe(pids.length);
      expect(rows.find((row) => row.pid === here.pid)).toMatchObject({ startToken: here.startToken, uid: here.uid, zombie: false });
      expect(rows.find((row) => row.pid === identity.pid)).toMatchObject({
        startToken: identity.startToken,
        parent: here.pid,
        zombie: false,
      });
    });

    test('marksOf: are those that a process was started with', async (subject) => {
      const { inspector } = subject.machine;
      const { identity, instanceId } = await launchUntil(subject, subject.programs.prints('here'), 'here');
      expect(await inspector.marksOf(identity.pid)).toEqual({ instanceId, descriptor: subject.host.path('daemon.json') });
    });

    test('marksOf: who carries none, or has ended, has none', async (subject) => {
      const { inspector } = subject.machine;
      const here = await inspector.vantage();
      expect(await inspector.marksOf(here.pid)).toBeUndefined();
      const { identity } = await launch(subject, subject.programs.exits(0));
      await untilEnded(subject, identity);
      expect(await inspector.marksOf(identity.pid)).toBeUndefined();
    });

    test('usage: of a living process is known, of one that has ended is not', async (subject) => {
      const { inspector } = subject.machine;
      const { identity } = await launchUntil(subject, subject.programs.prints('here'), 'here');
      const usage = await inspector.usage(identity.pid);
      expect(usage?.memoryBytes).toBeGreaterThan(0);
      expect(usage?.uptimeMs).toBeGreaterThanOrEqual(0);
      expect(usage?.uptimeMs).toBeLessThan(60_000);
      expect(usage?.cpuPercent).toBeGreaterThanOrEqual(0);
      await subject.machine.signals.send(identity, 'SIGKILL');
      await untilEnded(subject, identity);
      expect(await inspector.usage(identity.pid)).toBeUndefined();
    });

    test('ownLineage: begins with us, goes from child to parent as far as there is one, and leaves our children out', async (subject) => {
      const { inspector } = subject.machine;
      const { identity } = await launch(subject, subject.programs.sleeps);
      const lineage = await inspector.ownLineage();
      const rows = await inspector.survey();
      expect(lineage[0]).toBe((await inspector.vantage()).pid);
      expect(lineage).not.toContain(identity.pid);
      for (const [index, pid] of lineage.slice(0, -1).entries()) {
        expect(rows.find((row) => row.pid === pid)?.parent).toBe(lineage[index + 1]);
      }
      expect(rows.find((row) => row.pid === lineage.at(-1))?.parent).toBeLessThanOrEqual(1);
    });

    test('isNamespaceInhabited: never denies that we are in our own, nor claims one that never was', async ({ machine: { inspector } }) => {
      const { pidNamespace } = await inspector.vantage();
      expect(await inspector.isNamespaceInhabited(pidNamespace)).not.toBe(false);
      expect(await inspector.isNamespaceInhabited('pid:[1]')).not.toBe(true);
    });

    test('mayHaveMembers: a group may for as long as anybody is in it, also without its leader', async (subject) => {
      const { inspector, signals } = subject.machine;
      const launched = await launchUntil(subject, subject.programs.forks, 'forked');
      const { identity } = launched;
      expect(await inspector.mayHaveMembers(identity.pid)).toBe(true);
      await signals.send(identity, 'SIGKILL');
      await eventually(subject.machine, 'its parent to learn of it', async () => launched.end() !== undefined);
      // What it has started is in its group still.
      expect(await inspector.mayHaveMembers(identity.pid)).toBe(true);
    });

    test(
      'mayHaveMembers: a group whose only member has ended has none, once its parent knows',
      async (subject) => {
        const { inspector, signals } = subject.machine;
        const launched = await launch(subject, subject.programs.sleeps);
        await signals.send(launched.identity, 'SIGKILL');
        await eventually(subject.machine, 'its parent to learn of it', async () => launched.end() !== undefined);
        expect(await inspector.mayHaveMembers(launched.identity.pid)).toBe(false);
      },
      'emptyGroups',
    );

    test(
      'mayHaveMembers: a group of somebody else may',
      async ({ machine: { inspector }, host }) => {
        const { pid } = await host.strangerOfOtherUser();
        const seen = await inspector.observe(pid);
        expect(await inspector.mayHaveMembers(seen.kind === 'process' ? seen.processGroup : pid)).toBe(true);
      },
      'otherUsers',
    );

    test(
      'environmentOf: is what a process was started with, its marks among it',
      async (subject) => {
        const { inspector } = subject.machine;
        const env = { COLOUR: 'a b=c\nd', EMPTY: '' };
        const launched = await launch(subject, subject.programs.prints('here'), { env });
        await untilPrinted(subject, launched, 'here');
        expect(await inspector.environmentOf(launched.identity.pid)).toMatchObject({ ...env, DAEMONRY_INSTANCE: launched.instanceId });
      },
      'shell',
    );

    test('environmentOf: is unknown of one that has ended', async (subject) => {
      const { inspector } = subject.machine;
      const { identity } = await launch(subject, subject.programs.sleeps);
      // Not while it becomes its command.
      await eventually(subject.machine, 'its environment', async () => (await inspector.environmentOf(identity.pid)) !== undefined);
      await subject.machine.signals.send(identity, 'SIGKILL');
      await untilEnded(subject, identity);
      expect(await inspector.environmentOf(identity.pid)).toBeUndefined();
    });

    test(
      'handles: who ignores a signal handles it, who does nothing about it does not',
      async (subject) => {
        const { inspector } = subject.machine;
        const { pid } = (await launchUntil(subject, subject.programs.ignoresSigterm, 'ignoring')).identity;
        expect([await inspector.handles(pid, 'SIGTERM'), await inspector.handles(pid, 'SIGHUP')]).toEqual([true, false]);
      },
      'seesHandlers',
    );

    test('handles: is unknown of one that is not there', async (subject) => {
      const { inspector } = subject.machine;
      const launched = await launch(subject, subject.programs.exits(0));
      await eventually(subject.machine, 'its parent to learn of it', async () => launched.end() !== undefined);
      expect(await inspector.handles(launched.identity.pid, 'SIGHUP')).toBeUndefined();
    });

    test('memoryKills: where a count is kept, it has a source by which it is found again, and never falls', async ({
      machine: { inspector },
    }) => {
      const first = await inspector.memoryKills((await inspector.vantage()).pid);
      expect(first?.kills ?? 0).toBeGreaterThanOrEqual(0);
      const again = first && (await inspector.memoryKills(first.source));
      expect(again?.source).toBe(first?.source);
      expect(again?.kills ?? 0).toBeGreaterThanOrEqual(first?.kills ?? 0);
      expect(await inspector.memoryKills('/nowhere/memory.events')).toBeUndefined();
    });
  });
}
