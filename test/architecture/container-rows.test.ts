import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generatedPart, riskTable } from '../containers/results.js';
import { nodes, type Row, rows, suites } from '../containers/rows.js';

const root = join(import.meta.dirname, '../..');
const rowsIn = (document: string) => generatedPart(readFileSync(join(root, document), 'utf8'), 'rows') ?? '';

const factors: Readonly<Record<string, { readonly values: readonly unknown[]; readonly of: (row: Row) => unknown }>> = {
  suite: { values: suites, of: (row) => row.suite },
  node: { values: Object.keys(nodes).map(Number), of: (row) => row.node },
  reaps: { values: [true, false], of: (row) => row.reaps },
  root: { values: [true, false], of: (row) => row.user === 'root' },
};

describe('the rows of the container matrix', () => {
  it('have names of their own, and each its Dockerfile', () => {
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    const dockerfiles = readdirSync(join(root, 'docker')).filter((file) => file.endsWith('.Dockerfile'));
    expect(new Set(rows.map(({ system }) => `${system}.Dockerfile`))).toEqual(new Set(dockerfiles));
  });

  it('have every pair of suite, Node, pid 1 and user among them', () => {
    const all = Object.entries(factors);
    const absent = all.flatMap(([one, a], index) =>
      all
        .slice(index + 1)
        .flatMap(([two, b]) =>
          a.values.flatMap((x) =>
            b.values.flatMap((y) => (rows.some((row) => a.of(row) === x && b.of(row) === y) ? [] : [`${one} ${x}, ${two} ${y}`])),
          ),
        ),
    );
    expect(absent).toEqual([]);
  });

  it('stand in docker/README.md with their risks', () => {
    expect(rowsIn('docker/README.md')).toBe(riskTable(rows));
  });

  it('stand in the README, each with the result of a run', () => {
    const lines = rowsIn('README.md')
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .slice(2);
    expect(lines.map((line) => line.split('|')[1]?.trim())).toEqual(rows.map(({ name }) => name));
    for (const line of lines) expect(line).toMatch(/^\| [\w-]+ \| \d+\.\d+\.\d+ \| (passed|failed|skipped: [^|]+) \| [^|]* \| \d+ \|$/);
  });
});
