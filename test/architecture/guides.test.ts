import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../support/suite.js';

const read = (...path: readonly string[]) => readFileSync(join(projectRoot, ...path), 'utf8');

describe.each(['add-a-daemon-to-your-cli', 'test-it'])('docs/guides/%s.md', (guide) => {
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
