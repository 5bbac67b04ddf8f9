import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { readYaml } from '../../../src/adapters/project/located-yaml.js';
import { schemaId } from '../../../src/adapters/project/project-shape.js';
import { parseProject } from '../../../src/adapters/project/read-project.js';
import { projectRoot } from '../../support/suite.js';
import { badFiles, goodFiles, subtleFiles } from './project-files.js';
import { published } from './published.js';

const schema = JSON.parse(readFileSync(join(projectRoot, 'schema', 'daemonry.schema.json'), 'utf8'));
const isValid = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(schema);
const takes = (text: string) => {
  try {
    parseProject(text, text.startsWith('{"') ? '/srv/shop/daemonry.json' : '/srv/shop/daemonry.yaml');
    return true;
  } catch {
    return false;
  }
};

describe('the JSON Schema of a project file', () => {
  test.each(Object.keys(published))('%s is what the shape says (npm run schema)', (path) => {
    expect(readFileSync(join(projectRoot, path), 'utf8')).toBe(published[path]?.());
  });

  test('is of the draft that it says, under the address where it is published', () => {
    expect(schema).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', $id: schemaId });
  });

  test.each(goodFiles)('takes what the parser takes: %j', (text) => {
    expect([isValid(readYaml(text).value), isValid.errors]).toEqual([true, null]);
    expect(takes(text)).toBe(true);
  });

  test.each(badFiles)('refuses what the parser refuses: %j', (text) => {
    expect({ schema: isValid(readYaml(text).value), parser: takes(text) }).toEqual({ schema: false, parser: false });
  });

  test.each(subtleFiles)('leaves to the parser what a shape can not tell: %j', (text) => {
    expect(takes(text)).toBe(false);
  });
});
