import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base } from 'vitest';
import type { DaemonFixtures, PooledDaemon } from '../../../src/app/testing/index.js';
import { loadLibrary, loadTestingEntry } from '../../support/library.js';
import { waitFor } from '../../support/wait-for.js';
import { bundle } from './bundle.js';
import { LineClient } from './line-client.js';

const { defineDaemon } = loadLibrary();
const { daemonFixtures } = loadTestingEntry();
/** The folder goes with all others of the run. */
const script = await bundle('test/serve/fixtures/scripted-daemon.ts', join(mkdtempSync(join(tmpdir(), 'dy-')), 'scripted-daemon.mjs'));
const version = '2.1.0';

const eventsIn = (folder: string) => join(folder, 'events');

function readEvents(folder: string): readonly string[] {
  return existsSync(eventsIn(folder)) ? readFileSync(eventsIn(folder), 'utf8').split('\n').slice(0, -1) : [];
}

/** The served daemon in one test's hands: what it says and does is told from the beginning of the test on. */
export class ServedDaemon {
  readonly pid: number;
  readonly instanceId: string;
  readonly socket: string;
  readonly #lease: PooledDaemon;
  readonly #logBytes: number;

  constructor(lease: PooledDaemon) {
    const { pid, instanceId, socket, log } = lease.running;
    this.pid = pid;
    this.instanceId = instanceId;
    this.socket = socket as string;
    this.#lease = lease;
    this.#logBytes = statSync(log).size;
  }

  get stderr(): string {
    return readFileSync(this.#lease.running.log).subarray(this.#logBytes).toString();
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  events(): readonly string[] {
    return readEvents(this.#lease.folder);
  }

  /** Waits for an event that begins so, or for the so many-th of them. */
  event(beginning: string, count = 1): Promise<string> {
    return waitFor(
      () => `the event ${beginning}, after ${this.events()}; stderr: ${this.stderr}`,
      () => this.events().filter((event) => event.startsWith(beginning))[count - 1] ?? '',
    );
  }
}

/** The daemon has let go of every connection, and nothing of what happened is remembered. */
async function reset({ folder }: PooledDaemon): Promise<void> {
  const count = (event: string) => readEvents(folder).filter((one) => one === event).length;
  await waitFor('the daemon to let go of everybody', () => count('connection') === count('closed'));
  writeFileSync(eventsIn(folder), '');
}

/**
 * A test that is given a daemon on `serveDaemon` and a client of it. From a pool, since to start one takes far longer than such a
 * test does (`npm run bench:pool`). `DAEMONRY_TEST_POOLED=0` has one started for each test, and no test knows the difference.
 */
export const test = base
  .extend<DaemonFixtures>(
    daemonFixtures({
      define: ({ home, folder }) =>
        defineDaemon({
          name: 'tested',
          command: process.execPath,
          args: [script],
          env: { SCRIPT: JSON.stringify({ options: { version } }), EVENTS: eventsIn(folder) },
          version,
          ready: 'socket',
          cwd: folder,
          home,
        }),
      reset,
      size: 1,
      // One for all files that a worker runs, where it runs several: its start takes as long as twenty of these tests.
      scope: 'worker',
      pooled: process.env.DAEMONRY_TEST_POOLED !== '0',
    }),
  )
  .extend<{ served: ServedDaemon; client: LineClient }>({
    served: async ({ lease }, use) => use(new ServedDaemon(lease)),
    client: async ({ served }, use) => {
      const client = await LineClient.open(served.socket);
      await use(client);
      client.socket.destroy();
    },
  });
