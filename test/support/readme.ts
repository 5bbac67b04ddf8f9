import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './suite.js';

/** The shell lines that an example's README shows, the blocks in their order. */
export function shellLines(example: string, block = 0): string {
  const readme = readFileSync(join(projectRoot, 'examples', example, 'README.md'), 'utf8');
  return [...readme.matchAll(/```sh\n([\s\S]*?)```/g)][block]?.[1] as string;
}
