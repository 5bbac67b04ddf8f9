import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { Fallocate } from '../../../../src/adapters/linux/fallocate.js';
import type { AbilityKind } from './limited-shortener.js';

const isLinux = process.platform === 'linux';
const { kind: found } = isLinux ? await new Fallocate(process.env).ability(join(tmpdir(), 'daemon.log')) : { kind: 'none' as const };

/** Whether the tools here, on the file system of the temporary folder, can do this or more. */
export function canShorten(kind: AbilityKind): boolean {
  return kind === 'none' || found === 'collapse' || found === kind;
}

/** A test of what may not be possible here; its title then says what is missing. */
export function testWhere(kind: AbilityKind): typeof test {
  if (canShorten(kind)) return test;
  const skip = (title: string) => test.skip(`${title} [no ${kind} here]`);
  return Object.assign(skip, { each: () => skip }) as unknown as typeof test;
}
