import { describe, expect, test } from 'vitest';
import { bringDown } from '../../src/domain/bring-down.js';
import { DaemonError } from '../../src/domain/daemon-error.js';
import type { Project } from '../../src/domain/project.js';
import { specOf } from './daemon-fixture.js';
import { anyProject, daemon, FakeProjectDaemons, project } from './project-fixture.js';
import { fc } from './property.js';

function running(of: Project): FakeProjectDaemons {
  const daemons = new FakeProjectDaemons();
  for (const { name, spec } of of.daemons) daemons.running(name, spec);
  return daemons;
}

const namesOf = (of: Project) => of.daemons.map(({ name }) => name);
const shop = project(daemon('db'), daemon('api', { db: 'ready' }), daemon('web', { api: 'ready' }), daemon('cache'));

describe('bringing daemons down', () => {
  test('stops each after what depends on it, and what no file names at once', async () => {
    const daemons = running(shop);
    daemons.running('shop.old', shop.daemons[0]?.spec);
    const results = await bringDown(shop, [...namesOf(shop), 'shop.old'], { daemons });
    expect(daemons.events.filter((event) => /web|api|db/.test(event))).toEqual(['stop shop.web', 'stop shop.api', 'stop shop.db']);
    expect(results.map(({ outcome }) => outcome)).toEqual(Array(5).fill('stopped'));
  });

  test('leaves alone what this file did not start', async () => {
    const daemons = running(shop);
    daemons.running('shop.web', specOf(['sleep']));
    daemons.kept.set('shop.cache', { state: 'stale', spec: specOf(['sleep'], { project: '/other/daemonry.yaml' }) });
    const results = await bringDown(shop, namesOf(shop), { daemons });
    expect(daemons.events).toEqual(['stop shop.api', 'stop shop.db']);
    expect(Object.fromEntries(results.map(({ name, outcome }) => [name, outcome]))).toEqual({
      'shop.web': 'failed',
      'shop.cache': 'already-stopped',
      'shop.api': 'stopped',
      'shop.db': 'stopped',
    });
  });

  test('goes on where one can not be stopped', async () => {
    const daemons = running(shop);
    const stop = daemons.stop.bind(daemons);
    daemons.stop = (name) => (name === 'shop.web' ? Promise.reject(new DaemonError('stop-timeout', 'it hangs')) : stop(name));
    const results = await bringDown(shop, namesOf(shop), { daemons });
    expect(results.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name)).toEqual(['shop.web']);
    expect(daemons.events.filter((event) => event !== 'stop shop.cache')).toEqual(['stop shop.api', 'stop shop.db']);
  });

  test('cancelled: stops nothing more', async () => {
    const daemons = running(shop);
    const results = await bringDown(shop, namesOf(shop), { daemons, signal: AbortSignal.abort() });
    expect(results.map(({ outcome }) => outcome)).toEqual(Array(4).fill('cancelled'));
    expect(daemons.events).toEqual([]);
  });

  test('whatever the project: nothing is stopped before what depends on it', async () => {
    await fc.assert(
      fc.asyncProperty(anyProject, async (of) => {
        const daemons = running(of);
        await bringDown(of, namesOf(of), { daemons });
        for (const { name, dependsOn } of of.daemons) {
          for (const need of Object.keys(dependsOn)) {
            expect(daemons.events.indexOf(`stop shop.${need}`)).toBeGreaterThan(daemons.events.indexOf(`stop ${name}`));
          }
        }
        expect(daemons.events).toHaveLength(of.daemons.length);
      }),
    );
  });
});
