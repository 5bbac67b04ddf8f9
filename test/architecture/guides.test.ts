import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../support/suite.js';

const read = (...path: readonly string[]) => readFileSync(join(projectRoot, ...path), 'utf8');

const guides = readdirSync(join(projectRoot, 'docs', 'guides')).map((file) => file.replace(/\.md$/, ''));

test('every page of docs and docs/guides can be found from docs/README.md', () => {
  const index = read('docs', 'README.md');
  const pages = readdirSync(join(projectRoot, 'docs')).filter((file) => file.endsWith('.md') && file !== 'README.md');
  for (const page of [...pages, ...guides.map((guide) => `guides/${guide}.md`)]) expect(index).toContain(`](${page})`);
  for (const [, target = ''] of index.matchAll(/\]\(([^)#]+)\)/g)) expect(existsSync(join(projectRoot, 'docs', target)), target).toBe(true);
});

describe.each(guides)('docs/guides/%s.md', (guide) => {
  const blocks = [...read('docs', 'guides', `${guide}.md`).matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, block]) => block as string);

  test('shows nothing but what an example runs, as it stands there', () => {
    expect(blocks.length).toBeGreaterThan(2);
    for (const block of blocks) {
      const [, file = '', code = ''] = /^\/\/ (examples\/\S+)\n([\s\S]*)$/.exec(block) ?? [];
      expect(file, block).not.toBe('');
      expect(read(file)).toContain(code);
    }
  });
});
