import { describe, expect, test } from 'vitest';
import { type BringUpContext, bringUp } from '../../src/domain/bring-up.js';
import { DaemonError } from '../../src/domain/daemon-error.js';
import type { Project, ProjectDaemon } from '../../src/domain/project.js';
import { planUp } from '../../src/domain/project-plan.js';
import type { ProjectResult } from '../../src/domain/project-result.js';
import { specOf } from './daemon-fixture.js';
import { anyProject, daemon, FakeProjectDaemons, file, project, quickClock } from './project-fixture.js';
import { fc } from './property.js';

/** All of a project, up. */
async function up(of: Project, daemons = new FakeProjectDaemons(), over: Partial<BringUpContext> = {}) {
  const steps = planUp(of, of.daemons, new Set(), daemons.sightings).map((step) => ({
    ...step,
    daemon: step.daemon as (typeof of.daemons)[number],
  }));
  const results = await bringUp(of, steps, { daemons, clock: quickClock(), ...over });
  return { daemons, results, outcomes: Object.fromEntries(results.map(({ name, outcome }) => [name.slice('shop.'.length), outcome])) };
}

function resultOf(results: readonly ProjectResult[], key: string): ProjectResult {
  return results.find(({ name }) => name === `shop.${key}`) as ProjectResult;
}

const boom = new DaemonError('ended-before-ready', 'boom', { exitCode: 3 });

describe('bringing daemons up', () => {
  test('starts what depends on nothing at once, and the rest when what it needs is ready', async () => {
    const { daemons, outcomes } = await up(project(daemon('api', { db: 'ready' }), daemon('db'), daemon('cache')));
    expect(daemons.events.slice(0, 2).sort()).toEqual(['start shop.cache', 'start shop.db']);
    expect(daemons.events.indexOf('start shop.api')).toBeGreaterThan(daemons.events.indexOf('ready shop.db'));
    expect(outcomes).toEqual({ api: 'started', db: 'started', cache: 'started' });
  });

  test('waits for no more than a process where started is asked for', async () => {
    const daemons = new FakeProjectDaemons();
    let release = () => {};
    daemons.held.set(
      'shop.db',
      () =>
        new Promise((resolve) => {
          release = resolve;
        }),
    );
    const over = { onProgress: (name: string, now: unknown) => void (name === 'shop.api' && typeof now === 'object' && release()) };
    const { outcomes } = await up(project(daemon('db'), daemon('api', { db: 'started' })), daemons, over);
    expect(outcomes).toEqual({ db: 'started', api: 'started' });
    expect(daemons.events.indexOf('ready shop.api')).toBeLessThan(daemons.events.indexOf('ready shop.db'));
  });

  test('waits until a probe has succeeded where healthy is asked for', async () => {
    const daemons = new FakeProjectDaemons();
    daemons.unhealthyFor.set('shop.db', 3);
    await up(project(daemon('api', { db: 'healthy' }), daemon('db')), daemons);
    expect(daemons.events).toEqual(['start shop.db', 'ready shop.db', 'healthy shop.db', 'start shop.api', 'ready shop.api']);
  });

  test('gives up on health after the ready time-out, and leaves what runs', async () => {
    const daemons = new FakeProjectDaemons();
    daemons.unhealthyFor.set('shop.db', 1_000);
    const { results, outcomes } = await up(project(daemon('api', { db: 'healthy' }), daemon('db')), daemons);
    expect(outcomes).toEqual({ db: 'failed', api: 'skipped' });
    expect(resultOf(results, 'db')).toMatchObject({
      error: { code: 'wait-timeout', message: expect.stringContaining('was not healthy within 300 ms') },
    });
    expect(daemons.events).toEqual(['start shop.db', 'ready shop.db']);
  });

  test('probes what runs already where something else waits for its health', async () => {
    const daemons = new FakeProjectDaemons();
    const of = project(daemon('api', { db: 'healthy' }), daemon('db'));
    daemons.running('shop.db', of.daemons[1]?.spec);
    expect((await up(of, daemons)).outcomes).toEqual({ db: 'already-running', api: 'started' });
    expect(daemons.events[0]).toBe('healthy shop.db');
  });

  test('waits for a good end where exited is asked for, and clears its record', async () => {
    const { daemons, outcomes, results } = await up(project(daemon('api', { migrate: 'exited' }), daemon('migrate')));
    expect(outcomes).toEqual({ migrate: 'exited', api: 'started' });
    expect(resultOf(results, 'migrate')).toMatchObject({ exitCode: 0 });
    expect(daemons.events).toEqual([
      'start shop.migrate',
      'ready shop.migrate',
      'end shop.migrate',
      'stop shop.migrate',
      'start shop.api',
      'ready shop.api',
    ]);
  });

  test.each([
    ['with another code', { exitCode: 3, signal: null }, 'ended-badly', '(exit code 3)'],
    ['by a signal', { exitCode: null, signal: 'SIGKILL' }, 'ended-badly', '(killed by SIGKILL)'],
    ['in a way that nobody was told of', 'unknown' as const, 'unsupported', "can't be told"],
    ['never', undefined, 'wait-timeout', 'had not ended within 300 ms'],
  ])('skips what waits for the end of one that ends %s', async (_how, end, code, why) => {
    const daemons = new FakeProjectDaemons();
    daemons.ends.set('shop.migrate', end);
    const { results, outcomes } = await up(project(daemon('api', { migrate: 'exited' }), daemon('migrate')), daemons);
    expect(outcomes).toEqual({ migrate: 'failed', api: 'skipped' });
    expect(resultOf(results, 'migrate')).toMatchObject({ error: { code, message: expect.stringContaining(why) } });
    expect(daemons.events.includes('stop shop.migrate')).toBe(end === undefined);
  });

  test('takes a good end before it was ready for what it is, and other codes where the file names them', async () => {
    const early = (exitCode: number) => new DaemonError('ended-before-ready', 'over', { exitCode, signal: null });
    const task = daemon('migrate', {}, { spec: specOf(['x'], { project: file, successCodes: [0, 3] }) });
    const outcomeOf = async (exitCode: number, ...daemons: readonly ProjectDaemon[]) => {
      const home = new FakeProjectDaemons();
      home.failing.set('shop.migrate', early(exitCode));
      return (await up(project(...daemons), home)).outcomes.migrate;
    };
    expect(await outcomeOf(3, task, daemon('api', { migrate: 'exited' }))).toBe('exited');
    expect(await outcomeOf(4, task, daemon('api', { migrate: 'exited' }))).toBe('failed');
    // A daemon that nobody expects to end.
    expect(await outcomeOf(0, task, daemon('api', { migrate: 'ready' }))).toBe('failed');
  });

  test('skips all that depends on a failure, and goes on with the others', async () => {
    const daemons = new FakeProjectDaemons();
    daemons.failing.set('shop.db', boom);
    const of = project(
      daemon('web', { api: 'ready' }),
      daemon('api', { db: 'ready', cache: 'ready' }),
      daemon('db'),
      daemon('cache'),
      daemon('mail', { cache: 'ready' }),
    );
    const { results, outcomes } = await up(of, daemons);
    expect(outcomes).toEqual({ db: 'failed', cache: 'started', api: 'skipped', mail: 'started', web: 'skipped' });
    expect(resultOf(results, 'api')).toMatchObject({ because: 'shop.db failed' });
    expect(resultOf(results, 'web')).toMatchObject({ because: 'shop.api was skipped' });
  });

  test('skips what needs one ready that was kept though it was not, and not what needs it started', async () => {
    const daemons = new FakeProjectDaemons();
    const start = daemons.start.bind(daemons);
    daemons.start = async (name, spec, options) => {
      const result = await start(name, spec, options);
      return name === 'shop.db' ? { ...result, outcome: 'starting' } : result;
    };
    const of = project(daemon('db'), daemon('api', { db: 'ready' }), daemon('web', { db: 'started' }));
    const { results, outcomes } = await up(of, daemons);
    expect(outcomes).toEqual({ db: 'starting', api: 'skipped', web: 'started' });
    expect(resultOf(results, 'api')).toMatchObject({ because: 'shop.db is not ready yet' });
  });

  test('cancelled: ends what is being started, starts nothing more, and leaves what is ready', async () => {
    const daemons = new FakeProjectDaemons();
    const controller = new AbortController();
    daemons.held.set('shop.api', () => controller.abort());
    daemons.failing.set('shop.api', new DaemonError('cancelled', 'cancelled'));
    const { outcomes } = await up(project(daemon('db'), daemon('api', { db: 'ready' }), daemon('web', { api: 'ready' })), daemons, {
      signal: controller.signal,
    });
    expect(outcomes).toEqual({ db: 'started', api: 'cancelled', web: 'cancelled' });
    expect(daemons.events).not.toContain('start shop.web');
  });

  test('whatever the project and the failures: order is kept, and exactly what depends on a failure is skipped', async () => {
    await fc.assert(
      fc.asyncProperty(anyProject, fc.array(fc.nat(), { maxLength: 2 }), async (of, bad) => {
        const daemons = new FakeProjectDaemons();
        for (const at of bad) daemons.failing.set(of.daemons[at % of.daemons.length]?.name ?? '', boom);
        const { outcomes } = await up(of, daemons);
        const failed = (key: string) => outcomes[key] === 'failed';
        const skipped = (key: string) => outcomes[key] === 'skipped';
        for (const { key, name, dependsOn } of of.daemons) {
          for (const [need, condition] of Object.entries(dependsOn)) {
            if (failed(need) && condition !== 'started') expect(skipped(key)).toBe(true);
            const wanted = { started: 'start', ready: 'ready', healthy: 'healthy', exited: 'end' }[condition];
            if (skipped(key)) continue;
            const before = daemons.events.indexOf(`${wanted} shop.${need}`);
            expect(before).toBeGreaterThanOrEqual(0);
            expect(daemons.events.indexOf(`start ${name}`)).toBeGreaterThan(before);
          }
          if (skipped(key)) expect(Object.keys(dependsOn).some((need) => failed(need) || skipped(need))).toBe(true);
          expect(daemons.events.filter((event) => event === `start ${name}`)).toHaveLength(skipped(key) ? 0 : 1);
        }
      }),
      { numRuns: 300 },
    );
  });
});
