import type { LogShortener, ShortenAbility } from '../../../../src/adapters/files/log-shortener.js';
import { Fallocate } from '../../../../src/adapters/linux/fallocate.js';

export type AbilityKind = ShortenAbility['kind'];

/** The tools of this machine, on a file system that can do no more than this. */
export function limitedTo(kind: AbilityKind): LogShortener {
  const real = new Fallocate(process.env);
  const ability = async (log: string): Promise<ShortenAbility> => {
    const found = await real.ability(log);
    return kind === 'collapse' ? found : { kind };
  };
  return {
    ability,
    lock: (fd, waitMs) => real.lock(fd, waitMs),
    collapse: (fd, bytes) => (kind === 'collapse' ? real.collapse(fd, bytes) : Promise.resolve()),
    punch: (fd, bytes) => (kind === 'none' ? Promise.resolve() : real.punch(fd, bytes)),
  };
}
