import { expect } from 'vitest';
import type { HeldLock } from '../../src/domain/ports.js';
import type { RunRecord } from '../../src/domain/run-record.js';
import { anyRef, type ContractMachine, type ContractSubject, describeContract, soon, specFor } from './contract-machine.js';

export function describeRunLogContract(subject: ContractSubject): void {
  describeContract('RunLog', subject, (test) => {
    test('read: of a daemon that was never there there is none, and asking leaves nothing behind', async ({ machine, host }) => {
      expect(await machine.runs.read(anyRef, 10)).toEqual([]);
      const { descriptor } = await machine.descriptors.place(anyRef);
      expect(await host.exists(descriptor.replace(/\/daemon\.json$/, ''))).toBe(false);
    });

    test('append: what is read is what was written, the newest first, and no more than is asked for', async (subject) => {
      const { runs } = subject.machine;
      const held = await hold(subject);
      for (let number = 1; number <= 5; number++) await runs.append(held, recordOf(number));
      expect(await runs.read(anyRef, 10)).toEqual([5, 4, 3, 2, 1].map(recordOf));
      expect(await runs.read(anyRef, 2)).toEqual([5, 4].map(recordOf));
      expect(await runs.read(anyRef, 0)).toEqual([]);
    });

    test('append: keeps the newest runs of ever so many, and not all of them', async (subject) => {
      const { runs } = subject.machine;
      const held = await hold(subject);
      const long = { logTail: Array.from({ length: 10 }, () => 'x'.repeat(500)) };
      const many = 250;
      for (let number = 1; number <= many; number++) await runs.append(held, { ...recordOf(number), ...long });
      const kept = (await runs.read(anyRef, 1_000)).map(({ pid }) => pid - 100);
      expect(kept.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, index) => many - index));
      expect(kept.length).toBeLessThan(many);
      expect(kept).toEqual([...kept].sort((a, b) => b - a));
    });

    test('read: another program reads it too, by any spelling of the name', async (subject) => {
      await subject.machine.runs.append(await hold(subject), recordOf(1));
      const second = await subject.host.secondActor();
      expect(await second.runs.read({ name: anyRef.name.toUpperCase() }, 10)).toEqual([recordOf(1)]);
    });

    test('read: the runs outlive the record of the daemon', async (subject) => {
      const { runs, descriptors } = subject.machine;
      const held = await hold(subject);
      await descriptors.writeSpec(held, specFor(['a']));
      await runs.append(held, recordOf(1));
      await descriptors.clear(held);
      expect(await runs.read(anyRef, 10)).toEqual([recordOf(1)]);
    });
  });
}

async function hold({ machine }: ContractMachine): Promise<HeldLock> {
  return machine.lock.acquire(anyRef, soon);
}

function recordOf(number: number): RunRecord {
  return {
    instanceId: `instance-${number}`,
    pid: 100 + number,
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: '2026-01-01T00:00:01.000Z',
    exitCode: number % 2 ? number : null,
    signal: number % 2 ? null : 'SIGKILL',
    cause: 'crash',
    logTail: ['one', 'two "quoted" \\ \u00e9'],
    decision: `run ${number}`,
  };
}
