import { defineConfig } from 'vitest/config';

// Node reads these at every start, which takes longer than the command line does; no test speaks TLS.
delete process.env.NODE_EXTRA_CA_CERTS;

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
          include: ['test/architecture/**/*.test.ts', 'test/domain/**/*.test.ts', 'test/simulation/**/*.test.ts'],
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'sociable',
          include: ['test/{adapters,contracts,cli,embed,serve,examples}/**/*.test.ts'],
          globalSetup: ['test/support/leak-check.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'containers',
          include: ['test/containers/**/*.test.ts'],
          // No image of testcontainers' own reaper can be counted on; the tests stop what they start.
          env: { TESTCONTAINERS_RYUK_DISABLED: 'true' },
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
