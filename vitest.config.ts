import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Node reads these at every start, which takes longer than the command line does; no test speaks TLS.
delete process.env.NODE_EXTRA_CA_CERTS;

// Taken out here: the tests clear the developer's own settings from their environment.
const { DAEMONRY_SEED, DAEMONRY_FUZZ_RUNS } = process.env;
const fuzzing = { ...(DAEMONRY_SEED && { DAEMONRY_SEED }), ...(DAEMONRY_FUZZ_RUNS && { DAEMONRY_FUZZ_RUNS }) };
const scale = Number(DAEMONRY_FUZZ_RUNS || 1);

export default defineConfig({
  test: {
    // Most tests wait for processes, not for a core.
    maxWorkers: 4,
    // A fresh worker for each file would take longer than most files do; none leaves anything behind in its modules.
    isolate: false,
    projects: [
      {
        test: {
          name: 'quick',
          include: ['test/{architecture,domain,simulation,fuzz/parsers}/**/*.test.ts'],
          env: fuzzing,
          testTimeout: 120_000 * scale,
        },
      },
      {
        test: {
          name: 'sociable',
          include: [
            'test/{adapters,contracts,cli,supervise,embed,mount,testing,serve,soak,types,examples,fuzz/machine,windows}/**/*.test.ts',
          ],
          globalSetup: ['test/support/leak-check.ts'],
          env: fuzzing,
          // These only tell a hang.
          testTimeout: 120_000 * scale,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          globalSetup: ['test/support/leak-check.ts'],
          testTimeout: 1_800_000,
        },
      },
      {
        test: {
          name: 'containers',
          include: ['test/containers/**/*.test.ts'],
          globalSetup: ['test/containers/prepare.ts'],
          // No image of testcontainers' own reaper can be counted on; the tests stop what they start.
          env: { TESTCONTAINERS_RYUK_DISABLED: 'true' },
          // After the others, and as many containers at once as there are cores: a row is a whole suite by itself.
          sequence: { groupOrder: 1 },
          maxWorkers: 1,
          maxConcurrency: availableParallelism(),
          testTimeout: 600_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
