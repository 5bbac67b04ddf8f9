import { expect } from 'vitest';
import { type Descriptor, descriptorSchema } from '../../src/domain/descriptor.js';
import type { DaemonRef, HeldLock } from '../../src/domain/ports.js';
import { anyRef, type ContractMachine, type ContractSubject, describeContract, soon, specFor } from './contract-machine.js';

export function describeDescriptorRepoContract(subject: ContractSubject): void {
  describeContract('DescriptorRepo', subject, (test) => {
    test('place: of a daemon that was never there is known by its paths only', async ({ machine: { descriptors } }) => {
      const place = await descriptors.place(anyRef);
      expect(place).toMatchObject({ name: 'contract', known: false });
      expect(place.descriptor).toMatch(/^(\/|[A-Z]:\\).*contract[\\/]daemon\.json$/);
      expect(place.log).toMatch(/^(\/|[A-Z]:\\).*contract[\\/]daemon\.log$/);
      expect(await descriptors.read(anyRef)).toEqual({ kind: 'absent' });
      expect(await descriptors.readSpec(anyRef)).toBeUndefined();
      expect(await descriptors.names()).toEqual([]);
    });

    test('place: asking leaves nothing behind', async ({ machine: { descriptors }, host }) => {
      const { descriptor } = await descriptors.place(anyRef);
      await descriptors.read(anyRef);
      await descriptors.readSpec(anyRef);
      expect(await host.exists(descriptor.replace(/[\\/]daemon\.json$/, ''))).toBe(false);
    });

    for (const name of ['', '.', '..', 'a/b', '-a', 'a b', 'con', 'NUL.txt', 'a.', 'x'.repeat(65)]) {
      test(`place: ${JSON.stringify(name)} is no name`, async ({ machine: { descriptors } }) => {
        await expect((async () => descriptors.place({ name }))()).rejects.toMatchObject({ code: 'invalid-name' });
      });
    }

    test('write: what is read is what was written, fields of later releases too', async (subject) => {
      const { descriptors } = subject.machine;
      const held = await hold(subject);
      const descriptor = { ...(await describedBy(subject)), colour: { of: 'a later release' } } as Descriptor;
      await descriptors.write(held, descriptor);
      expect(await descriptors.read(anyRef)).toEqual({ kind: 'present', descriptor, endedCleanly: false });
      await descriptors.write(held, { ...descriptor, phase: 'ready' });
      expect(await descriptors.read(anyRef)).toMatchObject({ descriptor: { phase: 'ready', colour: { of: 'a later release' } } });
      expect(await descriptors.place(anyRef)).toMatchObject({ known: true });
      expect(await descriptors.names()).toEqual(['contract']);
    });

    test('settle: leaves what was written and what was removed as it is', async (subject) => {
      const { descriptors } = subject.machine;
      const held = await hold(subject);
      await descriptors.settle(held);
      await descriptors.write(held, await describedBy(subject));
      await descriptors.writeSpec(held, specFor(subject.programs.sleeps));
      await descriptors.settle(held);
      expect(await descriptors.read(anyRef)).toMatchObject({ kind: 'present' });
      await descriptors.clear(held);
      await descriptors.settle(held);
      expect(await descriptors.read(anyRef)).toEqual({ kind: 'absent' });
      expect(await descriptors.readSpec(anyRef)).toEqual(specFor(subject.programs.sleeps));
    });

    test('write: another program reads it too', async (subject) => {
      const descriptor = await describedBy(subject);
      await subject.machine.descriptors.write(await hold(subject), descriptor);
      const second = await subject.host.secondActor();
      expect(await second.descriptors.read(anyRef)).toMatchObject({ kind: 'present', descriptor });
    });

    test('names: of one daemon are compared without case, and spelled as at first', async (subject) => {
      const { descriptors } = subject.machine;
      const first = { name: 'MiXed' };
      const held = await hold(subject, first);
      await descriptors.write(held, { ...(await describedBy(subject)), name: 'MiXed' });
      await held.release();
      const other = { name: 'mixed' };
      expect(await descriptors.place(other)).toMatchObject({ name: 'MiXed', known: true });
      expect(await descriptors.read(other)).toMatchObject({ kind: 'present' });
      expect((await descriptors.place(other)).descriptor).toBe((await descriptors.place(first)).descriptor);
      expect(await descriptors.names()).toEqual(['MiXed']);
    });

    test('names: are sorted, and each is there once', async (subject) => {
      const { descriptors } = subject.machine;
      for (const name of ['c', 'k', 'a', 'm', 'f', 'b', 'z', 'q', 'e', 'x']) {
        const held = await hold(subject, { name });
        await descriptors.writeSpec(held, specFor(subject.programs.sleeps));
        await held.release();
      }
      expect(await descriptors.names()).toEqual(['a', 'b', 'c', 'e', 'f', 'k', 'm', 'q', 'x', 'z']);
    });

    test('read: a marker of this instance says that it ended cleanly, one of another does not', async (subject) => {
      const { descriptors } = subject.machine;
      const held = await hold(subject);
      const descriptor = await describedBy(subject);
      await descriptors.write(held, descriptor);
      await subject.host.leaveEndMarker(anyRef, 'another-instance');
      expect(await descriptors.read(anyRef)).toMatchObject({ endedCleanly: false });
      await subject.host.leaveEndMarker(anyRef, descriptor.instanceId);
      expect(await descriptors.read(anyRef)).toMatchObject({ endedCleanly: true });
      await descriptors.clear(held);
      await descriptors.write(held, descriptor);
      expect(await descriptors.read(anyRef)).toMatchObject({ endedCleanly: false });
    });

    test('clear: takes the descriptor away, twice as well as once, and leaves the spec', async (subject) => {
      const { descriptors } = subject.machine;
      const held = await hold(subject);
      const spec = specFor(subject.programs.sleeps);
      await descriptors.write(held, await describedBy(subject));
      await descriptors.writeSpec(held, spec);
      await descriptors.clear(held);
      await descriptors.clear(held);
      expect(await descriptors.read(anyRef)).toEqual({ kind: 'absent' });
      expect(await descriptors.readSpec(anyRef)).toEqual(spec);
      expect(await subject.host.hasSetAside(anyRef)).toBe(false);
    });

    test('clear: takes the files of the run away with it', async (subject) => {
      const { descriptors } = subject.machine;
      const held = await hold(subject);
      const files = await descriptors.createInstance(held, { pinnedSocket: null, notify: true });
      const notifyFile = files.notifyFile ?? '';
      await subject.host.append(notifyFile, '\n');
      await descriptors.write(held, { ...(await describedBy(subject)), ...files });
      expect(await subject.host.exists(notifyFile)).toBe(true);
      await descriptors.clear(held);
      expect(await subject.host.exists(notifyFile)).toBe(false);
    });

    test('clear: sets a corrupt descriptor aside, for a person to look at', async (subject) => {
      const { descriptors } = subject.machine;
      const held = await hold(subject);
      await descriptors.write(held, await describedBy(subject));
      await subject.host.spoilDescriptor(anyRef, 'corrupt');
      expect(await descriptors.read(anyRef)).toMatchObject({ kind: 'corrupt', reason: expect.stringMatching(/./) });
      await descriptors.clear(held);
      expect(await descriptors.read(anyRef)).toEqual({ kind: 'absent' });
      expect(await subject.host.hasSetAside(anyRef)).toBe(true);
    });

    test('read: a descriptor of a later schema is newer, not corrupt', async (subject) => {
      const { descriptors } = subject.machine;
      const held = await hold(subject);
      await descriptors.write(held, await describedBy(subject));
      await subject.host.spoilDescriptor(anyRef, 'newer');
      expect(await descriptors.read(anyRef)).toEqual({ kind: 'newer', schema: descriptorSchema + 1 });
    });

    test('createInstance: every instance has an id and a socket of its own', async (subject) => {
      const { descriptors } = subject.machine;
      const held = await hold(subject);
      const instances = [];
      for (let number = 0; number < 5; number++)
        instances.push(await descriptors.createInstance(held, { pinnedSocket: null, notify: false }));
      expect(new Set(instances.map((one) => one.instanceId)).size).toBe(5);
      expect(new Set(instances.map((one) => one.socket)).size).toBe(5);
      for (const { socket, notifyFile } of instances) {
        expect(socket).toMatch(/^(\/|\\\\\.\\pipe\\)/);
        expect(notifyFile).toBeNull();
      }
    });

    test('createInstance: keeps a pinned socket, and gives a notify file where one is needed', async (subject) => {
      const held = await hold(subject);
      const pinnedSocket = subject.host.socket('pinned.sock');
      const files = await subject.machine.descriptors.createInstance(held, { pinnedSocket, notify: true });
      expect(files.socket).toBe(pinnedSocket);
      expect(files.notifyFile).toMatch(/^(\/|[A-Z]:\\)/);
    });

    test('writeSpec: what is read is what was written last', async (subject) => {
      const { descriptors } = subject.machine;
      const held = await hold(subject);
      const spec = specFor(subject.programs.prints('a'), {
        env: { A: '1' },
        ready: { kind: 'log', pattern: '^up: \\d+$' },
        onTimeout: 'keep',
        graceMs: 250,
        version: '1.2.3',
        restart: 'on-failure',
      });
      await descriptors.writeSpec(held, specFor(subject.programs.sleeps));
      await descriptors.writeSpec(held, spec);
      expect(await descriptors.readSpec(anyRef)).toEqual(spec);
    });

    test("place: an embedding program's own descriptor path holds its own files", async (subject) => {
      const { descriptors } = subject.machine;
      const ref: DaemonRef = { name: 'embedded', descriptor: subject.host.path('elsewhere/embedded.json') };
      expect(await descriptors.place(ref)).toMatchObject({ name: 'embedded', known: false, descriptor: ref.descriptor });
      const held = await hold(subject, ref);
      await descriptors.write(held, { ...(await describedBy(subject)), name: 'embedded' });
      expect(await descriptors.read(ref)).toMatchObject({ kind: 'present', descriptor: { name: 'embedded' } });
      expect(await descriptors.read({ name: 'embedded' })).toEqual({ kind: 'absent' });
      expect(await descriptors.names()).toEqual([]);
    });

    test('clearRun: removes the files of a run that is over, and keeps its record', async (subject) => {
      const { descriptors } = subject.machine;
      const held = await hold(subject);
      const { notifyFile, instanceId } = await descriptors.createInstance(held, { pinnedSocket: null, notify: true });
      const descriptor = { ...(await describedBy(subject)), instanceId, notifyFile };
      await descriptors.write(held, descriptor);
      await subject.host.append(notifyFile as string, '\n');
      await subject.host.leaveEndMarker(anyRef, instanceId);
      expect(await descriptors.read(anyRef)).toMatchObject({ endedCleanly: true });
      await descriptors.clearRun(held, descriptor);
      expect(await subject.host.exists(notifyFile as string)).toBe(false);
      expect(await descriptors.read(anyRef)).toEqual({ kind: 'present', descriptor, endedCleanly: false });
      // Where there is nothing left of it, too.
      await descriptors.clearRun(held, descriptor);
      expect(await descriptors.read(anyRef)).toMatchObject({ kind: 'present' });
    });
  });
}

async function hold({ machine }: ContractMachine, ref: DaemonRef = anyRef): Promise<HeldLock> {
  return machine.lock.acquire(ref, soon);
}

/** A descriptor of the program that runs the test. */
async function describedBy({ machine }: ContractMachine): Promise<Descriptor> {
  const { pid, startToken, bootId, pidNamespace, timeNamespace, host, uid } = await machine.inspector.vantage();
  return {
    schema: descriptorSchema,
    name: anyRef.name,
    instanceId: 'f3c0a8b2-0000-4000-8000-000000000001',
    pid,
    startToken,
    bootId,
    pidNamespace,
    timeNamespace,
    host,
    uid,
    phase: 'starting',
    socket: null,
    version: null,
    startedAt: machine.clock.wallTime(),
    log: (await machine.descriptors.place(anyRef)).log,
    command: ['a', 'b'],
    supervisedBy: null,
    ready: 'exec',
    logOffset: 12,
    notifyFile: null,
    stop: { signal: 'SIGINT', graceMs: 250 },
  };
}
