import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StartedTestContainer } from 'testcontainers';
import { test as base, describe } from 'vitest';
import { findEngine } from './engine.js';
import { processesOf, type RowOptions, startRow, whyNot } from './row-container.js';
import { type Row, rowNamed } from './rows.js';

const home = { DAEMONRY_HOME: '/volume/home' };

export interface Answer {
  readonly exitCode: number;
  readonly json: Record<string, unknown>;
}

/** The containers of one test, and a folder that they may share. */
export class Stage {
  private readonly running = new Map<StartedTestContainer, Row>();
  private folder: string | undefined;

  get volume(): string {
    this.folder ??= mkdtempSync(join(tmpdir(), 'daemonry-volume-'));
    return this.folder;
  }

  async start(row: Row, options: RowOptions = {}): Promise<StartedTestContainer> {
    const container = await startRow(row, { environment: home, ...options });
    this.running.set(container, row);
    return container;
  }

  /** With the container go all of its processes. */
  async stop(container: StartedTestContainer): Promise<void> {
    this.running.delete(container);
    await container.stop({ timeout: 0 });
  }

  /** What there is to know about a test that failed. */
  async describe(): Promise<void> {
    for (const [container, row] of this.running) {
      console.error(`${row.name}, processes:\n${await processesOf(container).catch(String)}`);
      const logs = await container.exec(['sh', '-c', 'tail -n 50 /volume/home/*/daemon.log']).catch(String);
      console.error(`${row.name}, logs:\n${typeof logs === 'string' ? logs : logs.output}`);
    }
  }

  async clear(): Promise<void> {
    await Promise.all([...this.running.keys()].map((container) => this.stop(container)));
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true });
  }
}

const test = base.extend<{ stage: Stage }>({
  stage: async ({ task }, use) => {
    const stage = new Stage();
    try {
      await use(stage);
      if (task.result?.state === 'fail') await stage.describe();
    } finally {
      await stage.clear();
    }
  },
});

export async function daemonry(container: StartedTestContainer, verb: string, name: string, ...args: readonly string[]): Promise<Answer> {
  const { exitCode, stdout } = await container.exec(['daemonry', verb, name, '--json', ...args]);
  return { exitCode, json: JSON.parse(stdout) as Record<string, unknown> };
}

export async function engineContainer(container: StartedTestContainer) {
  const engine = await findEngine();
  if (!engine) throw new Error('the engine has gone');
  return engine.getContainer(container.getId());
}

/** The scenarios of one row, each in containers of its own. */
export function scenarios(name: string, define: (it: (title: string, body: (stage: Stage, row: Row) => Promise<void>) => void) => void) {
  const row = rowNamed(name);
  describe.concurrent(name, () => {
    define((title, body) => {
      test(title, async ({ stage, skip }) => {
        const reason = whyNot(row);
        if (reason !== undefined) return skip(reason);
        await body(stage, row);
      });
    });
  });
}
