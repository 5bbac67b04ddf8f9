import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectJsonSchema } from '../../../src/adapters/project/project-shape.js';
import { keyTable } from './key-table.js';

/** What is published of the shape of a project file, by path below the project's root. */
export const published: Readonly<Record<string, () => string>> = {
  'schema/daemonry.schema.json': () => `${JSON.stringify(projectJsonSchema(), null, 2)}\n`,
  'docs/project-file.md': () => keyTable(projectJsonSchema()),
};

const [, program, root] = process.argv;
if (root !== undefined && program?.endsWith('schema.mjs')) {
  for (const [path, make] of Object.entries(published)) writeFileSync(join(root, path), make());
}
