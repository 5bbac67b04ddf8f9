import { describe, expect, it } from 'vitest';
import { runInside } from './inner-suite.js';
import { startRow, whyNot } from './row-container.js';
import { rows } from './rows.js';

declare module 'vitest' {
  interface TaskMeta {
    /** How the tests inside a row's container ended. */
    inner?: { readonly passed: number; readonly failed: number; readonly skipped: number; readonly lacks?: readonly string[] };
  }
}

for (const row of rows) {
  const { part } = row;
  if (part === 'scenarios') continue;
  describe.concurrent(row.name, () => {
    it(`the installed package passes: ${part}`, async ({ task, skip }) => {
      const reason = whyNot(row);
      if (reason !== undefined) return skip(reason);
      const container = await startRow(row);
      try {
        const { failure, ...counts } = await runInside(container, row, part);
        task.meta.inner = counts;
        if (failure !== undefined) expect.unreachable(`daemonry breaks where ${row.risk}:\n${failure}`);
      } finally {
        // With the container go all of its processes.
        await container.stop({ timeout: 0 });
      }
    });
  });
}
