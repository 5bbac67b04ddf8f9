import { describe, expect, test } from 'vitest';
import { findCycles, wavesOf, withDependencies, withDependents } from '../../src/domain/dependency-graph.js';
import type { Project } from '../../src/domain/project.js';
import { insistOnOurs, type PlanStep, planApply, planUp } from '../../src/domain/project-plan.js';
import { graphOf, selectToStart, selectToStop } from '../../src/domain/project-selection.js';
import { specOf } from './daemon-fixture.js';
import { anyProject, daemon, FakeProjectDaemons, file, project } from './project-fixture.js';
import { fc } from './property.js';

const keys = (daemons: readonly { key: string }[]) => daemons.map(({ key }) => key);
const told = (steps: readonly PlanStep[]) => steps.map(({ name, action, why }) => [name, action, why]);
const shop = project(
  daemon('web', { api: 'ready' }, { groups: ['front'] }),
  daemon('api', { db: 'ready', migrate: 'exited' }),
  daemon('db'),
  daemon('migrate', { db: 'ready' }),
  daemon('cache', {}, { groups: ['front', 'side'] }),
);

/** Everything of the project as its file says, or stopped where the file lets it end. */
function allUp(of: Project, ended: readonly string[] = []): FakeProjectDaemons {
  const home = new FakeProjectDaemons();
  for (const { key, name, spec } of of.daemons) home.kept.set(name, { state: ended.includes(key) ? 'stopped' : 'running', spec });
  return home;
}

describe('the order of dependencies', () => {
  test('is in waves, each as early as can be', () => {
    expect(wavesOf(graphOf(shop))).toEqual([['db', 'cache'], ['migrate'], ['api'], ['web']]);
  });

  test('whatever the project: everything once, and nothing before what it depends on', () => {
    fc.assert(
      fc.property(anyProject, (of) => {
        const waves = wavesOf(graphOf(of));
        expect(waves.flat().sort()).toEqual(keys(of.daemons).sort());
        const waveOf = new Map(waves.flatMap((wave, index) => wave.map((key) => [key, index])));
        for (const { key, dependsOn } of of.daemons) {
          const latest = Math.max(-1, ...Object.keys(dependsOn).map((need) => waveOf.get(need) as number));
          expect(waveOf.get(key)).toBe(latest + 1);
        }
        expect(findCycles(graphOf(of))).toEqual([]);
      }),
    );
  });

  test('is none where they go in a circle, which is found', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['b', 'd']],
      ['d', []],
      ['e', ['e']],
    ]);
    expect(findCycles(graph)).toEqual([
      ['b', 'c', 'b'],
      ['e', 'e'],
    ]);
    expect(() => wavesOf(graph)).toThrow(TypeError);
  });

  test('whatever the graph: there are circles exactly where there is no order', () => {
    const anyGraph = fc
      .array(fc.array(fc.nat({ max: 7 }), { maxLength: 3 }), { minLength: 1, maxLength: 8 })
      .map((needs) => new Map(needs.map((list, key) => [`d${key}`, list.filter((need) => need < needs.length).map((need) => `d${need}`)])));
    fc.assert(
      fc.property(anyGraph, (graph) => {
        const cycles = findCycles(graph);
        for (const cycle of cycles) {
          expect(cycle.at(-1)).toBe(cycle[0]);
          for (const [index, key] of cycle.slice(0, -1).entries()) expect(graph.get(key)).toContain(cycle[index + 1]);
        }
        if (cycles.length === 0) expect(wavesOf(graph).flat()).toHaveLength(graph.size);
        else expect(() => wavesOf(graph)).toThrow(TypeError);
      }),
      { numRuns: 500 },
    );
  });
});

describe('what is selected', () => {
  test.each<[string, readonly string[], string | undefined, readonly string[]]>([
    ['nothing', [], undefined, ['web', 'api', 'db', 'migrate', 'cache']],
    ['a key', ['api'], undefined, ['api', 'db', 'migrate']],
    ['a full name, in any case', ['SHOP.Migrate'], undefined, ['db', 'migrate']],
    ['a group', [], 'side', ['cache']],
    ['a group and a key', ['db'], 'side', ['db', 'cache']],
  ])('to start by %s: with what it depends on', (_what, names, group, expected) => {
    expect(keys(selectToStart(shop, { names, group }))).toEqual(expected);
  });

  test('to stop: with what depends on it', () => {
    expect(keys(selectToStop(shop, { names: ['db'] }))).toEqual(['web', 'api', 'db', 'migrate']);
    expect(keys(selectToStop(shop, { names: [], group: 'side' }))).toEqual(['cache']);
  });

  test('by a name or group that the file does not have is not found, and what it has is said', () => {
    expect(() => selectToStart(shop, { names: ['nope'] })).toThrow(expect.objectContaining({ code: 'not-found' }));
    expect(() => selectToStart(shop, { names: [], group: 'nope' })).toThrow(
      expect.objectContaining({ code: 'not-found', facts: expect.objectContaining({ allowed: 'it has front, side' }) }),
    );
  });

  test('whatever the project: both ways are each other backwards', () => {
    fc.assert(
      fc.property(anyProject, fc.nat(), fc.nat(), (of, i, j) => {
        const graph = graphOf(of);
        const all = keys(of.daemons);
        const [a, b] = [all[i % all.length] as string, all[j % all.length] as string];
        expect(withDependencies(graph, [a]).has(b)).toBe(withDependents(graph, [b]).has(a));
      }),
    );
  });
});

describe('the plan of apply', () => {
  test('starts everything where nothing runs, in order', () => {
    expect(told(planApply(shop, new Map()))).toEqual(
      ['shop.db', 'shop.cache', 'shop.migrate', 'shop.api', 'shop.web'].map((name) => [name, 'start', 'not running']),
    );
  });

  test('keeps what is as in the file, and runs nothing again whose end nobody waits for', () => {
    expect(told(planApply(shop, allUp(shop, ['migrate']).sightings))).toEqual([
      ['shop.db', 'keep', 'as in the file'],
      ['shop.cache', 'keep', 'as in the file'],
      ['shop.migrate', 'keep', 'what waits for its end runs already'],
      ['shop.api', 'keep', 'as in the file'],
      ['shop.web', 'keep', 'as in the file'],
    ]);
  });

  test('replaces what differs, says in what, and runs what it waits for before', () => {
    const home = allUp(shop, ['migrate']);
    home.running('shop.api', specOf(['node', 'x'], { project: file, env: { A: '1' }, graceMs: 1, stopSignal: 'SIGINT', logKeep: 9 }));
    home.running('shop.web', specOf(['sleep'], { project: file, readyTimeoutMs: 1 }));
    expect(told(planApply(shop, home.sightings)).filter(([, action]) => action !== 'keep')).toEqual([
      ['shop.migrate', 'start', 'not running'],
      ['shop.api', 'replace', 'command, env, stop, logs differ'],
      ['shop.web', 'replace', 'ready_timeout differs'],
    ]);
  });

  test('stops what came from this file and is no longer in it, before everything else, and nothing else', () => {
    const home = allUp(shop, ['migrate']);
    home.running('shop.old', specOf(['sleep'], { project: file }));
    home.running('store.old', specOf(['sleep'], { project: file }));
    home.running('shop.by-hand', specOf(['sleep']));
    home.running('shop.other', specOf(['sleep'], { project: '/elsewhere/daemonry.yaml' }));
    home.kept.set('shop.over', { state: 'stopped', spec: specOf(['sleep'], { project: file }) });
    home.running('shop.lost', undefined);
    const steps = told(planApply(shop, home.sightings));
    expect(steps.slice(0, 2)).toEqual([
      ['shop.old', 'stop', 'no longer in the file'],
      ['store.old', 'stop', 'no longer in the file'],
    ]);
    expect(steps.slice(2).map(([, action]) => action)).toEqual(Array(5).fill('keep'));
  });

  test.each([
    ['by hand', specOf(['sleep']), `was not started from ${file}`],
    ['by nobody knows whom', undefined, `was not started from ${file}`],
    ['from another file', specOf(['sleep'], { project: '/b/daemonry.yaml' }), 'runs from /b/daemonry.yaml, which is the project shop too'],
  ])('refuses to touch a daemon of the same name that was started %s', (_who, spec, why) => {
    const home = new FakeProjectDaemons();
    home.running('shop.db', spec);
    expect(() => planApply(shop, home.sightings)).toThrow(
      expect.objectContaining({ code: 'other-project', message: expect.stringContaining(why) }),
    );
  });

  test('takes over the name of a daemon that does not run, whoever started it', () => {
    for (const state of ['stopped', 'stale'] as const) insistOnOurs(shop, { name: 'shop.db', state, phase: null, spec: specOf(['sleep']) });
  });

  test('takes one that a supervisor is about to start again for one that runs', () => {
    const between = { state: 'stopped', phase: 'backoff' } as const;
    const old = { name: 'shop.old', ...between, spec: specOf(['sleep'], { project: file }) };
    expect(told(planApply(project(), new Map([['shop.old', old]])))).toEqual([['shop.old', 'stop', 'no longer in the file']]);
    expect(() => insistOnOurs(shop, { name: 'shop.db', ...between, spec: specOf(['sleep']) })).toThrow();
  });

  test('whatever the project and the home: carried out, there is nothing left to do', () => {
    const world = fc.tuple(
      anyProject,
      fc.array(fc.tuple(fc.nat(), fc.constantFrom('as-is', 'differs', 'stopped', 'leftover')), { maxLength: 8 }),
    );
    fc.assert(
      fc.property(world, ([of, changes]) => {
        const home = new FakeProjectDaemons();
        for (const [at, change] of changes) {
          const { name, spec } = of.daemons[at % of.daemons.length] as (typeof of.daemons)[number];
          if (change === 'leftover') home.running(`shop.gone${at}`, spec);
          else
            home.kept.set(name, {
              state: change === 'stopped' ? 'stopped' : 'running',
              spec: change === 'differs' ? { ...spec, version: 'x' } : spec,
            });
        }
        const tasks = new Set(of.daemons.flatMap(({ dependsOn }) => Object.keys(dependsOn).filter((key) => dependsOn[key] === 'exited')));
        for (const step of planApply(of, home.sightings)) carryOut(home, step, tasks);
        expect(planApply(of, home.sightings).filter(({ action }) => action !== 'keep')).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

function carryOut(home: FakeProjectDaemons, { name, action, daemon: one }: PlanStep, tasks: ReadonlySet<string>): void {
  if (action === 'keep') return;
  const isOver = action === 'stop' || tasks.has(one?.key ?? '');
  home.kept.set(name, { state: isOver ? 'stopped' : 'running', spec: one?.spec ?? home.kept.get(name)?.spec });
}

describe('the plan of up', () => {
  const planned = (names: readonly string[], home: FakeProjectDaemons) =>
    planUp(shop, selectToStart(shop, { names }), new Set(names), home.sightings).map(({ name, action }) => `${action} ${name}`);

  test('starts all that is selected, running or not, and runs nothing to its end for what runs already', () => {
    expect(planned([], new FakeProjectDaemons())).toContain('start shop.migrate');
    expect(planned([], allUp(shop, ['migrate']))).toEqual([
      'start shop.db',
      'start shop.cache',
      'keep shop.migrate',
      'start shop.api',
      'start shop.web',
    ]);
    expect(planned([], allUp(shop, ['migrate', 'api']))).toContain('start shop.migrate');
  });

  test('runs to its end what is asked for by name', () => {
    expect(planned(['migrate'], allUp(shop, ['migrate']))).toEqual(['start shop.db', 'start shop.migrate']);
  });

  test('replaces nothing', () => {
    const home = allUp(shop, ['migrate']);
    home.running('shop.api', specOf(['node', 'x'], { project: file }));
    expect(planned([], home)).toContain('keep shop.migrate');
    expect(planned([], home)).toContain('start shop.api');
  });
});
