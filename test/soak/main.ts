import { parseArgs } from 'node:util';
import { describeFigures } from './figures.js';
import { soak } from './soak.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    users: { type: 'string', default: '6' },
    // The more, the longer one supervisor lives, and its memory is watched.
    calm: { type: 'string', default: '0.4' },
  },
});
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
console.log(`soaking for ${values.minutes} minutes, seed ${seed}`);
const { figures, violations } = await soak({
  seed,
  seconds: Number(values.minutes) * 60,
  cast: { crashes: 4, forks: 2, scatters: 2, 'leaves-one': 1, spews: 2, hangs: 2, serves: 2, 'ends-well': 1, loops: 1 },
  users: Number(values.users),
  idleMs: 1_500,
  supervisorLifeMs: 4_000,
  calmShare: Number(values.calm),
});
console.log(describeFigures(figures));
for (const violation of violations) console.log(`\nVIOLATION ${violation}`);
console.log(`\n${violations.length} violations`);
process.exit(violations.length === 0 ? 0 : 1);
