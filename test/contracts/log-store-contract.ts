import { expect } from 'vitest';
import type { LogTarget } from '../../src/domain/ports.js';
import { anyRef, type ContractMachine, type ContractSubject, describeContract, soon } from './contract-machine.js';

export function describeLogStoreContract(subject: ContractSubject): void {
  describeContract('LogStore', subject, (test) => {
    test("prepare: a daemon's first log is empty, in its own place", async (subject) => {
      const { path, offset } = await prepare(subject);
      expect(path).toBe((await subject.machine.descriptors.place(anyRef)).log);
      expect(offset).toBe(0);
      expect(await subject.machine.logs.tail(path, 10)).toEqual([]);
    });

    test('prepare: the next output begins behind what is there', async (subject) => {
      const { path } = await prepare(subject);
      await subject.host.append(path, 'first run\n');
      expect(await prepare(subject)).toEqual({ path, offset: 'first run\n'.length });
    });

    test('prepare: a log of the largest size is set aside, and found again by its tail', async (subject) => {
      const { path } = await prepare(subject);
      await subject.host.append(path, 'old 1\nold 2\n');
      expect(await prepare(subject, { maxBytes: 12 })).toEqual({ path, offset: 12 });
      await subject.host.append(path, 'new\n');
      expect(await subject.machine.logs.tail(path, 10, 12)).toEqual(['new']);
      expect(await subject.machine.logs.tail(path, 2)).toEqual(['old 2', 'new']);
      expect(await subject.machine.logs.tail(path, 10)).toEqual(['old 1', 'old 2', 'new']);
    });

    test('prepare: keeps as many old logs as asked, and no more', async (subject) => {
      let path = '';
      for (const run of ['1', '2', '3', '4', '5']) {
        ({ path } = await prepare(subject, { maxBytes: 1, keep: 2 }));
        await subject.host.append(path, `run ${run}\n`);
      }
      expect(await subject.machine.logs.tail(path, 100)).toEqual(['run 3', 'run 4', 'run 5']);
    });

    test('prepare: keeps none where none is wanted', async (subject) => {
      const { path } = await prepare(subject);
      await subject.host.append(path, 'old\n');
      await prepare(subject, { maxBytes: 1, keep: 0 });
      expect(await subject.machine.logs.tail(path, 10)).toEqual([]);
    });

    test("prepare: a file of the user's own is the log", async (subject) => {
      const file = subject.host.path('own.log');
      expect(await prepare(subject, { file })).toEqual({ path: file, offset: 0 });
    });

    test('tail: the last lines, the oldest first', async (subject) => {
      const { path } = await prepare(subject);
      await subject.host.append(path, 'a\nb\n\nc\n');
      expect(await subject.machine.logs.tail(path, 3)).toEqual(['b', '', 'c']);
      expect(await subject.machine.logs.tail(path, 0)).toEqual([]);
    });

    test('tail: a line may end in two characters, as those of Windows do', async (subject) => {
      const { path } = await prepare(subject);
      await subject.host.append(path, 'a\r\nb\r\n\r\nc\n');
      expect(await subject.machine.logs.tail(path, 3)).toEqual(['b', '', 'c']);
    });

    test('tail: an unfinished last line is a line', async (subject) => {
      const { path } = await prepare(subject);
      await subject.host.append(path, 'a\nhalf');
      expect(await subject.machine.logs.tail(path, 5)).toEqual(['a', 'half']);
    });

    test('tail: of one run does not reach into the run before', async (subject) => {
      const { path } = await prepare(subject);
      await subject.host.append(path, 'old\n');
      await subject.host.append(path, 'new\n');
      expect(await subject.machine.logs.tail(path, 5, 'old\n'.length)).toEqual(['new']);
    });

    test('rotate: a log that fits is left as it is, as is one that is not there', async (subject) => {
      expect(await rotate(subject, { maxBytes: 10 })).toBe('fits');
      const { path } = await prepare(subject);
      await subject.host.append(path, 'a\nb\n');
      expect(await rotate(subject, { maxBytes: 10 })).toBe('fits');
      expect(await subject.host.exists(`${path}.1`)).toBe(false);
    });

    test(
      'rotate: a log that is written to becomes shorter; its lines and offsets stay',
      async (subject) => {
        const { path } = await prepare(subject);
        const lines = numbered(0, 2_000);
        await subject.host.append(path, textOf(lines));
        expect(await rotate(subject, { maxBytes: 10_000, keep: 9 })).toBe('rotated');
        await subject.host.append(path, 'after\n');
        expect(await subject.machine.logs.noteTime(path)).toBeLessThan(10_000 + 6);
        expect(await subject.host.exists(`${path}.1`)).toBe(true);
        expect(await subject.machine.logs.tail(path, 5_000)).toEqual([...lines, 'after']);
        expect(await subject.machine.logs.tail(path, 5_000, 1_990 * lineBytes)).toEqual([...lines.slice(1_990), 'after']);
        expect(await subject.machine.logs.tail(path, 5_000, 2_000 * lineBytes)).toEqual(['after']);
        expect(await prepare(subject)).toEqual({ path, offset: 2_000 * lineBytes + 6 });
      },
      'logCuts',
    );

    test(
      'rotate: keeps as many old logs as asked, and the lines of those are the last ones, whole',
      async (subject) => {
        const { path } = await prepare(subject);
        const lines = numbered(0, 3_000);
        for (let first = 0; first < 3_000; first += 1_000) {
          await subject.host.append(path, textOf(lines.slice(first, first + 1_000)));
          expect(await rotate(subject, { maxBytes: 8_192, keep: 2 })).toBe('rotated');
        }
        expect(await subject.host.exists(`${path}.2`)).toBe(true);
        expect(await subject.host.exists(`${path}.3`)).toBe(false);
        const kept = await subject.machine.logs.tail(path, 5_000);
        expect(kept.length).toBeGreaterThan(500);
        expect(kept).toEqual(lines.slice(-kept.length));
      },
      'logCuts',
    );

    test(
      'rotate: keeps none where none is wanted',
      async (subject) => {
        const { path } = await prepare(subject);
        const lines = numbered(0, 2_000);
        await subject.host.append(path, textOf(lines));
        expect(await rotate(subject, { maxBytes: 10_000, keep: 0 })).toBe('rotated');
        await subject.host.append(path, 'after\n');
        expect(await subject.host.exists(`${path}.1`)).toBe(false);
        const kept = await subject.machine.logs.tail(path, 5_000);
        expect(kept).toEqual([...lines, 'after'].slice(-kept.length));
        expect(await prepare(subject)).toEqual({ path, offset: 2_000 * lineBytes + 6 });
      },
      'logCuts',
    );

    test(
      'rotate: a line of the run is found by its readiness condition wherever it stands by now',
      async (subject) => {
        const { path, offset } = await prepare(subject);
        await subject.host.append(path, `ready\n${textOf(numbered(0, 2_000))}`);
        expect(await rotate(subject, { maxBytes: 10_000, keep: 9 })).toBe('rotated');
        const about = { pid: 2_147_483_647, socket: null, log: path, notifyFile: null };
        const isReady = (logOffset: number) =>
          Promise.resolve(subject.machine.readiness.check({ kind: 'log', pattern: '^ready$' }, { ...about, logOffset }));
        expect(await isReady(offset)).toBe(true);
        expect(await isReady(offset + 6)).toBe(false);
      },
      'logCuts',
    );

    test('tail: a log that is not there has no lines', async ({ machine, host }) => {
      expect(await machine.logs.tail(host.path('absent.log'), 5)).toEqual([]);
    });
  });
}

const lineBytes = 10;
const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `line ${String(from + index).padStart(4, '0')}`);
const textOf = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');

async function rotate({ machine }: ContractMachine, over: Partial<LogTarget>): Promise<string> {
  const held = await machine.lock.acquire(anyRef, soon);
  try {
    return await machine.logs.rotate(held, { ref: anyRef, file: null, maxBytes: 1_000_000, keep: 3, ...over });
  } finally {
    await held.release();
  }
}

async function prepare({ machine }: ContractMachine, over: Partial<LogTarget> = {}): Promise<{ path: string; offset: number }> {
  const held = await machine.lock.acquire(anyRef, soon);
  const prepared = await machine.logs.prepare(held, { ref: anyRef, file: null, maxBytes: 1_000_000, keep: 3, ...over });
  await held.release();
  return prepared;
}
