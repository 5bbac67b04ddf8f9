import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'quick',
          include: ['test/architecture/**/*.test.ts', 'test/domain/**/*.test.ts', 'test/simulation/**/*.test.ts'],
          testTimeout: 30_000,
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
