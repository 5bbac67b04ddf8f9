import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../support/suite.js';

const read = (...path: readonly string[]) => readFileSync(join(projectRoot, ...path), 'utf8');
const tests = readdirSync(join(projectRoot, 'test', 'examples')).map((file) => read('test', 'examples', file));

const examples = readdirSync(join(projectRoot, 'examples'));
const packages = examples.filter((example) => existsSync(join(projectRoot, 'examples', example, 'package.json')));

describe.each(examples)('examples/%s', (example) => {
  test('has a README whose commands are run in a clean folder, and is named where examples are looked for', () => {
    expect(read('examples', example, 'README.md')).toMatch(/```sh\nnpm install/);
    expect(tests.filter((text) => text.includes(`'${example}'`) && text.includes('runReadme('))).toHaveLength(1);
    expect(read('docs', 'README.md')).toContain(`](../examples/${example})`);
    expect(read('README.md')).toContain(`](examples/${example})`);
  });
});

test.each(packages)('examples/%s asks for this daemonry, and for what it is tried with here', (example) => {
  const { version, devDependencies: ours } = JSON.parse(read('package.json'));
  const { dependencies, devDependencies } = JSON.parse(read('examples', example, 'package.json'));
  for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies })) {
    expect([name, range]).toEqual([name, name === 'daemonry' ? `^${version}` : ours[name]]);
  }
});
