import { expect } from 'vitest';
import { chooseSeed } from '../support/random.js';
import { test } from '../support/temporary-home.js';
import { describeFigures } from './figures.js';
import { soak } from './soak.js';

test('soak: with users, crashes and a supervisor that is killed, nothing is lost, left, doubled or restarted after its stop', async () => {
  const seed = chooseSeed();
  const cast = { crashes: 1, forks: 1, spews: 1, serves: 1 } as const;
  const { figures, violations } = await soak({ seed, seconds: 12, cast, users: 2, idleMs: 800, supervisorLifeMs: 1_500, calmShare: 0.4 });
  expect(violations, describeFigures(figures)).toEqual([]);
  expect(figures.runs, describeFigures(figures)).toBeGreaterThan(4);
  expect(figures.supervisorKills).toBeGreaterThan(0);
});
