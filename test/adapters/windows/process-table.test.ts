import { describe, expect, it } from 'vitest';
import { sidText } from '../../../src/adapters/windows/process-handle.js';
import { parentOf, parseProcessTable, type TableEntry } from '../../../src/adapters/windows/process-table.js';
import { fc } from '../../domain/property.js';

interface Row {
  readonly pid: number;
  readonly parent: number;
  readonly created: bigint;
  readonly threads: number;
  readonly name: string;
}

const rows = fc.array(
  fc.record({
    pid: fc.integer({ min: 0, max: 0x7fff_fffc }),
    parent: fc.integer({ min: 0, max: 0x7fff_fffc }),
    created: fc.bigInt({ min: 0n, max: 2n ** 63n }),
    threads: fc.integer({ min: 0, max: 3 }),
    name: fc.constantFrom('', 'node.exe', 'conhost.exe', 'ConHost.EXE', 'conhost.exe.exe'),
  }),
  { minLength: 1, maxLength: 8 },
);

/** As the kernel lays it out: an entry, its threads, its name, then the next one; the last one has no next. */
function tableOf(list: readonly Row[]): { table: Buffer; readText: (address: bigint, length: number) => string } {
  const names = new Map<bigint, string>();
  const parts = list.map(({ pid, parent, created, threads, name }, index) => {
    const part = Buffer.alloc(0x100 + 0x50 * threads + 2 * name.length + 8);
    if (index < list.length - 1) part.writeUInt32LE(part.length, 0x00);
    part.writeBigUInt64LE(created, 0x20);
    part.writeUInt16LE(2 * name.length, 0x38);
    names.set(BigInt(index + 1), name);
    part.writeBigUInt64LE(BigInt(index + 1), 0x40);
    part.writeBigUInt64LE(BigInt(pid), 0x50);
    part.writeBigUInt64LE(BigInt(parent), 0x58);
    return part;
  });
  return { table: Buffer.concat([...parts, Buffer.alloc(512)]), readText: (address) => names.get(address) ?? '' };
}

describe('parseProcessTable', () => {
  it('has each process once, as it was written down', () => {
    fc.assert(
      fc.property(rows, (list) => {
        const { table, readText } = tableOf(list);
        expect(parseProcessTable(table, readText)).toEqual(
          list.map(({ pid, parent, created, name }) => ({
            pid,
            parent,
            created,
            memoryBytes: 0,
            isConsoleHost: name.toLowerCase() === 'conhost.exe',
          })),
        );
      }),
    );
  });

  it('ends at the end of a table that was cut off', () => {
    const table = Buffer.alloc(0x180);
    table.writeUInt32LE(0x100, 0);
    expect(parseProcessTable(table, () => '')).toHaveLength(1);
  });
});

describe('parentOf', () => {
  const entry = (pid: number, parent: number, created: bigint): TableEntry => ({
    pid,
    parent,
    created,
    memoryBytes: 0,
    isConsoleHost: false,
  });
  const tableWith = (...entries: readonly TableEntry[]) => new Map(entries.map((one) => [one.pid, one]));

  it('is who was there when the child was made', () => {
    const [parent, child] = [entry(4, 0, 10n), entry(8, 4, 20n)];
    expect(parentOf(child, tableWith(parent, child))).toBe(parent);
  });

  it.each([
    ['who took its pid since', [entry(4, 0, 30n), entry(8, 4, 20n)]],
    ['nobody', [entry(8, 4, 20n)]],
    ['itself', [entry(8, 8, 20n)]],
  ])('is not %s', (_, entries) => {
    expect(parentOf(entries.at(-1) as TableEntry, tableWith(...entries))).toBeUndefined();
  });
});

it('sidText: is written as Windows writes it', () => {
  const sid = Buffer.from('010500000000000515000000a065cf7e784b9b5fe77c8770e9030000', 'hex');
  expect(sidText(sid)).toBe('S-1-5-21-2127521184-1604012920-1887927527-1001');
});
