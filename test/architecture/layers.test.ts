import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findBreaches, type Sources } from './layers.js';
import { readSource } from './source-text.js';

const root = join(import.meta.dirname, '..', '..');

function sourcesOf(folder: string): Sources {
  const files = readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name.endsWith('.ts'),
  );
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(root, path).split(sep).join('/'), readFileSync(path, 'utf8')];
    }),
  );
}

describe('the layer rule', () => {
  const sources = sourcesOf('src');

  test('holds', () => {
    expect(findBreaches(sources)).toEqual([]);
  });

  test('is asked of every layer', () => {
    for (const folder of ['src/domain', 'src/adapters/files', 'src/adapters/simulated']) {
      expect([...sources.keys()].filter((path) => path.startsWith(`${folder}/`)).length).toBeGreaterThan(2);
    }
  });

  test('sees as many static imports as there are lines that say so', () => {
    for (const [path, text] of sources) {
      const lines = text.split('\n').filter((line) => /^(?:import|export|\}).* from '[^']+';$/.test(line));
      expect([path, readSource(text).imports.filter(({ isDynamic }) => !isDynamic).length]).toEqual([path, lines.length]);
    }
  });
});

describe('the checker', () => {
  const flagged: [string, string, string][] = [
    ['src/domain/a.ts', "import { readFileSync } from 'node:fs';", 'nothing but itself'],
    ['src/domain/a.ts', "import type { Stats } from 'node:fs';", 'nothing but itself'],
    ['src/domain/a.ts', "import 'node:fs';", 'nothing but itself'],
    ['src/domain/a.ts', "import * as fs from 'fs';", 'nothing but itself'],
    ['src/domain/a.ts', "export { z } from 'zod';", 'nothing but itself'],
    ['src/domain/a.ts', "export * from '../adapters/system-clock.js';", 'nothing but itself'],
    ['src/domain/a.ts', "import {\n  type A,\n  b,\n} from '../app/cli/main.js';", 'nothing but itself'],
    ['src/domain/a.ts', "const { b } = await import('./b.js');", 'nothing dynamically'],
    ['src/domain/a.ts', 'const b = await import(name);', 'nothing dynamically'],
    ['src/domain/a.ts', "let stats: import('node:fs').Stats;", 'nothing dynamically'],
    ['src/domain/a.ts', "const fs = require('node:fs');", 'nothing dynamically'],
    ['src/domain/a.ts', 'const now = Date.now();', 'uses Date'],
    ['src/domain/a.ts', 'const now = new Date();', 'uses Date'],
    ['src/domain/a.ts', 'const dice = Math.random();', 'uses Math.random'],
    ['src/domain/a.ts', 'const { env } = process;', 'uses process'],
    ['src/domain/a.ts', 'if (process.platform === "linux") a();', 'uses process'],
    ['src/domain/a.ts', 'setTimeout(() => {}, 1);', 'uses setTimeout'],
    ['src/domain/a.ts', 'const text = `at \u0024{`\u0024{Date.now()}`}`;', 'uses Date'],
    ['src/domain/a.ts', 'const here = import.meta.url;', 'uses import.meta'],
    ['src/domain/a.ts', "/* nothing */ import { a } /* from here */ from 'node:fs';", 'nothing but itself'],
    ['src/adapters/files/a.ts', "import { main } from '../../app/cli/main.js';", 'adapters never import app'],
    ['src/adapters/files/a.ts', "const { main } = await import('../../app/cli/main.js');", 'adapters never import app'],
    ['src/adapters/files/a.ts', "import { Container } from 'inversify';", 'belongs to src/app'],
    ['src/adapters/linux/a.ts', "import { Exlock } from '../macos/exlock.js';", 'adapters/linux may not'],
    ['src/adapters/macos/a.ts', "import { Flock } from '../linux/flock.js';", 'adapters/macos may not'],
    ['src/adapters/posix/a.ts', "import { Flock } from '../linux/flock.js';", 'adapters/posix may not'],
    ['src/adapters/posix/a.ts', "import type { Exlock } from '../macos/exlock.js';", 'adapters/posix may not'],
    ['src/adapters/windows/a.ts', "import { findTool } from '../posix/find-executable.js';", 'adapters/windows may not'],
    ['src/adapters/files/a.ts', "import { findTool } from '../posix/find-executable.js';", 'adapters/files may not'],
    ['src/adapters/net/a.ts', "import { Schedule } from '../simulated/schedule.js';", 'adapters/net may not'],
    ['src/adapters/simulated/a.ts', "import { safe } from '../files/safe-files.js';", 'adapters/simulated may not'],
    ['src/adapters/simulated/a.ts', "import { readFileSync } from 'node:fs';", 'nothing of the real one'],
    ['src/adapters/solaris/a.ts', "import { safe } from '../files/safe-files.js';", 'no rule'],
    ['src/adapters/files/a.ts', "import { judge } from '../../../test/simulation/invariants.js';", 'no source'],
  ];
  test.each(flagged)('flags %s with %j', (path, text, why) => {
    expect(findBreaches(new Map([[path, text]]))).toEqual([expect.stringContaining(why)]);
  });

  const passed: [string, string][] = [
    ['src/domain/a.ts', "import { b } from './b.js';\nexport type { C } from './c.js';"],
    ['src/domain/a.ts', '// import { a } from "node:fs"; Date.now(); process.exit()\n/* Math.random() */'],
    ['src/domain/a.ts', 'const text = \'import { a } from "node:fs"; Date.now()\';'],
    ['src/domain/a.ts', "const kind = { kind: 'process', process: 1 }; a.process.b; interface A { process: string; Date?: 1 }"],
    ['src/domain/a.ts', 'const pattern = /["\'`]/; const half = 1 / 2; const quote = "//"; const other = /[/]"/.test(a);'],
    ['src/domain/a.ts', 'const text = `new Date() \u0024{a({ b: `\u0024{c}` })} process.exit()`;'],
    ['src/domain/a.ts', 'export function dateOf(processGroup: number, fetchAll: () => void) {}'],
    ['src/adapters/linux/a.ts', "import { findTool } from '../posix/find-executable.js';\nimport { readFileSync } from 'node:fs';"],
    ['src/adapters/macos/a.ts', "import { naming } from '../files/file-errors.js';"],
    ['src/adapters/system-clock.ts', "import type { Clock } from '../domain/ports.js';"],
    ['src/adapters/files/a.ts', "const { z } = await import('zod');"],
    ['src/app/composition/a.ts', "import { Container } from 'inversify';\nimport { Flock } from '../../adapters/linux/flock.js';"],
  ];
  test.each(passed)('passes %s with %j', (path, text) => {
    expect(findBreaches(new Map([[path, text]]))).toEqual([]);
  });

  test('flags a real domain file once it imports node:fs', () => {
    const sources = new Map(sourcesOf('src/domain'));
    const [path, text] = [...sources][0] as [string, string];
    sources.set(path, `${text}\nimport { readFileSync } from 'node:fs';\n`);
    expect(findBreaches(sources)).toEqual([expect.stringContaining(`${path} imports node:fs`)]);
  });
});
