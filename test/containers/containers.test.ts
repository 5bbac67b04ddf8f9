import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GenericContainer, StartedTestContainer } from 'testcontainers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LinuxProcessInspector } from '../../src/adapters/linux/linux-process-inspector.js';
import type { Descriptor } from '../../src/domain/descriptor.js';
import { sight } from '../../src/domain/look.js';
import { packageImage, whyNoContainers } from './image.js';

const missing = whyNoContainers();
const shared = '/shared/home';

interface Answer {
  readonly exitCode: number;
  readonly json: Record<string, unknown>;
}

function docker(...args: string[]): void {
  execFileSync('docker', args, { stdio: 'ignore' });
}

describe.skipIf(missing !== undefined)(`containers${missing ? ` (${missing})` : ''}`, () => {
  let image: GenericContainer;
  const running: StartedTestContainer[] = [];
  let volume: string;

  beforeAll(async () => {
    image = await packageImage();
  }, 300_000);

  afterEach(async () => {
    // With the container go all of its processes.
    await Promise.all(running.splice(0).map((container) => container.stop({ timeout: 0 })));
    if (volume) rmSync(volume, { recursive: true, force: true });
  });

  afterAll(() => expect(running).toEqual([]));

  async function start(options: { volume?: boolean; user?: string; env?: Record<string, string> } = {}): Promise<StartedTestContainer> {
    const container = image.withUser(options.user ?? 'root').withEnvironment({ DAEMONRY_HOME: shared, ...options.env });
    if (options.volume) container.withBindMounts([{ source: volume, target: '/shared' }]);
    const started = await container.start();
    running.push(started);
    return started;
  }

  async function daemonry(container: StartedTestContainer, ...args: string[]): Promise<Answer> {
    const { exitCode, stdout } = await container.exec(['daemonry', ...args.slice(0, 2), '--json', ...args.slice(2)]);
    return { exitCode, json: JSON.parse(stdout) as Record<string, unknown> };
  }

  it('stop: is done although pid 1 leaves the daemon a zombie, as any user (F5)', async () => {
    const container = await start({ user: 'ann' });
    expect(await daemonry(container, 'start', 'x', '--', 'sleep', '1000')).toMatchObject({ exitCode: 0, json: { outcome: 'started' } });
    expect(await daemonry(container, 'stop', 'x')).toMatchObject({ exitCode: 0, json: { outcome: 'stopped' } });
    expect(await daemonry(container, 'start', 'x')).toMatchObject({ exitCode: 0, json: { outcome: 'started' } });
  });

  it('status: a record from before the container was restarted is unknown, and healed where the home is its own (F6)', async () => {
    volume = mkdtempSync(join(tmpdir(), 'daemonry-volume-'));
    const container = await start({ volume: true });
    await daemonry(container, 'start', 'x', '--', 'sleep', '1000');
    docker('kill', container.getId());
    // The kernel gives the number of a dead namespace to the next one: let that be another's.
    await start();
    docker('start', container.getId());
    expect(await daemonry(container, 'status', 'x')).toMatchObject({
      exitCode: 4,
      json: { status: 'unknown', reason: 'other-pid-namespace' },
    });
    expect(await daemonry(container, 'start', 'x')).toMatchObject({ exitCode: 1, json: { error: { code: 'unknown-daemon' } } });
    const { exitCode, stdout } = await container.exec(['env', 'DAEMONRY_EXCLUSIVE_HOME=1', 'daemonry', 'start', 'x', '--json']);
    expect({ exitCode, json: JSON.parse(stdout) }).toMatchObject({ exitCode: 0, json: { outcome: 'started' } });
  });

  it('stop: leaves a daemon of another container alone (F7)', async () => {
    volume = mkdtempSync(join(tmpdir(), 'daemonry-volume-'));
    const [mine, others] = [await start({ volume: true }), await start({ volume: true })];
    const { json } = await daemonry(others, 'start', 'x', '--', 'sleep', '1000');
    expect(await daemonry(mine, 'stop', 'x')).toMatchObject({ exitCode: 1, json: { error: { code: 'unknown-daemon' } } });
    expect(await daemonry(mine, 'start', 'x')).toMatchObject({ exitCode: 1, json: { error: { code: 'unknown-daemon' } } });
    expect(await daemonry(others, 'status', 'x')).toMatchObject({ exitCode: 0, json: { status: 'running', pid: json.pid } });
  });

  it('sight: from the host, a container that is gone took its daemons with it, and a living one can not be judged', async () => {
    volume = mkdtempSync(join(tmpdir(), 'daemonry-volume-'));
    const container = await start({ volume: true });
    await daemonry(container, 'start', 'x', '--', 'sleep', '1000');
    const descriptor = JSON.parse(readFileSync(join(volume, 'home', 'x', 'daemon.json'), 'utf8')) as Descriptor;
    const inspector = new LinuxProcessInspector({});
    // The host has a name of its own; that apart, only the namespace is in question.
    const recorded = { ...descriptor, host: inspector.vantage().host };
    expect(await sight(inspector, recorded)).toEqual({ kind: 'cannot-tell', reason: 'other-pid-namespace' });
    await running.pop()?.stop({ timeout: 0 });
    expect(await sight(inspector, recorded)).toEqual({ kind: 'gone' });
  });

  it('lock: excludes across containers, and tells who holds it (F11)', async () => {
    volume = mkdtempSync(join(tmpdir(), 'daemonry-volume-'));
    const [one, two] = [await start({ volume: true }), await start({ volume: true })];
    writeFileSync(join(volume, 'slow.sh'), 'sleep 1000\n');
    const starts = await Promise.all(
      [one, two].flatMap((container) => [1, 2, 3].map(() => daemonry(container, 'start', 'x', '--', 'sh', '/shared/slow.sh'))),
    );
    const outcomes = starts.map(({ json }) => json.outcome ?? (json.error as { code: string }).code);
    expect(outcomes.filter((outcome) => outcome === 'started')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'already-running')).toHaveLength(2);
    expect(outcomes.filter((outcome) => outcome === 'unknown-daemon')).toHaveLength(3);
  });
});
