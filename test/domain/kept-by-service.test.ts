import { expect, test } from 'vitest';
import type { ServiceReference } from '../../src/domain/autostart-installer.js';
import { ensureByPolicy, restartByPolicy, type ServiceChannel, startByPolicy } from '../../src/domain/delegate.js';
import type { StartResult } from '../../src/domain/start-daemon.js';
import { Supervisor } from '../../src/domain/supervisor.js';
import { specOf, web } from './daemon-fixture.js';
import { type Supervised, SupervisorFixture } from './supervisor-fixture.js';

const service: ServiceReference = { manager: 'systemd', id: 'daemonry-web' };

/** The supervisor that a service manager runs, with what it concluded of its daemons. */
function serviceOf(fixture: SupervisorFixture): Supervised & { concluded: string[] } {
  const actor = fixture.world.actor();
  const concluded: string[] = [];
  const { pid, startToken } = actor.identity;
  const supervisor = new Supervisor(
    actor.machine,
    { pid, startToken, instanceId: 'of-the-service', service },
    { say: () => {}, kept: () => {}, concluded: (name, how) => concluded.push(`${name} ${how}`) },
  );
  return { actor, supervisor, concluded };
}

test('a service: says in the record of its daemon whose it is, over a restart too', async () => {
  const fixture = new SupervisorFixture();
  const { descriptor } = await fixture.startBy(serviceOf(fixture));
  expect(descriptor.supervisedBy).toMatchObject({ instanceId: 'of-the-service', service });
  fixture.kill();
  await fixture.untilReplaced(descriptor.instanceId);
  expect(fixture.descriptor?.supervisedBy).toMatchObject({ service });
});

test('a service that was killed: its daemon is left to its manager, and nobody else takes it over', async () => {
  const fixture = new SupervisorFixture();
  const kept = serviceOf(fixture);
  const { descriptor } = await fixture.startBy(kept);
  kept.actor.crash();
  await fixture.takeOverBy(fixture.supervisor());
  expect(fixture.descriptor).toEqual(descriptor);
  fixture.kill();
  await fixture.world.pass(200);
  expect(fixture.descriptor?.instanceId).toBe(descriptor.instanceId);
  // The manager starts it again: it clears up, and starts its daemon.
  const after = await fixture.startBy(serviceOf(fixture));
  expect(after).toMatchObject({ outcome: 'started' });
  await fixture.stop();
  fixture.expectNothingLeft();
});

test.each([
  ['well', { restart: 'never' }, 0, 'exit'],
  ['badly', { restart: 'never' }, 3, 'crash'],
  ['well', { restart: 'on-failure' }, 0, 'exit'],
  ['given-up', { restart: 'on-failure', restartLimit: 1 }, 3, 'crash-loop'],
] as const)('a service: concludes "%s" of a daemon with %j that ends with %i', async (how, over, exitCode, cause) => {
  const fixture = new SupervisorFixture();
  fixture.define('ending', (self) => self.after(20, () => self.exit(exitCode)));
  const kept = serviceOf(fixture);
  await fixture.startBy(kept, ['ending'], over);
  await fixture.until(() => kept.concluded.length > 0);
  expect(kept.concluded).toEqual([`web ${how}`]);
  expect(fixture.runs.map((run) => run.cause)).toContain(cause);
  expect(fixture.runs.some(({ decision }) => decision.includes('left to systemd'))).toBe(how === 'badly');
});

test('a service: concludes nothing of a daemon that somebody has stopped', async () => {
  const fixture = new SupervisorFixture();
  const kept = serviceOf(fixture);
  await fixture.startBy(kept);
  await fixture.stop();
  await fixture.until(() => kept.supervisor.names.length === 0);
  expect(kept.concluded).toEqual([]);
});

/** A machine whose services answer with what is played, and take note of what they are asked. */
function withServices(fixture: SupervisorFixture, answer: StartResult | undefined) {
  const asked: string[] = [];
  const perform = async (verb: string) => {
    asked.push(verb);
    return answer;
  };
  const services: ServiceChannel = {
    start: () => perform('start'),
    restart: () => perform('restart'),
  };
  const supervisor = { perform: () => Promise.reject(new Error('nobody asks for it')) };
  return { asked, machine: { ...fixture.machine, supervisorSpec: specOf(['sleep']), supervisor, services } };
}

test('start, restart and ensure of an enabled daemon: go through its service', async () => {
  const fixture = new SupervisorFixture();
  const started = await fixture.start(['sleep'], { version: '1.0.0' });
  await fixture.stop();
  const { asked, machine } = withServices(fixture, started);
  const spec = specOf(['sleep'], { version: '2.0.0' });
  expect(await fixture.attempt(() => startByPolicy(machine, { ref: web }))).toBe(started);
  expect(await fixture.attempt(() => restartByPolicy(machine, { ref: web }))).toBe(started);
  expect(await fixture.attempt(() => ensureByPolicy(machine, { ref: web, spec }))).toBe(started);
  expect(asked).toEqual(['start', 'restart', 'start']);
  expect(fixture.descriptor).toBeUndefined();
});

test('start and ensure of an enabled daemon that runs: ask nobody, and an older one is replaced by its service', async () => {
  const fixture = new SupervisorFixture();
  const started = await fixture.start(['sleep'], { version: '1.0.0' });
  const { asked, machine } = withServices(fixture, started);
  const ensure = (version: string) => fixture.attempt(() => ensureByPolicy(machine, { ref: web, spec: specOf(['sleep'], { version }) }));
  expect(await fixture.attempt(() => startByPolicy(machine, { ref: web }))).toMatchObject({ outcome: 'already-running' });
  expect(await ensure('1.0.0')).toMatchObject({ outcome: 'already-running' });
  expect(asked).toEqual([]);
  expect(await ensure('2.0.0')).toMatchObject({ outcome: 'replaced' });
  expect(asked).toEqual(['restart']);
});

test('start of a daemon that no service keeps: is what it was', async () => {
  const fixture = new SupervisorFixture();
  const { asked, machine } = withServices(fixture, undefined);
  expect(await fixture.attempt(() => startByPolicy(machine, { ref: web, spec: specOf(['sleep']) }))).toMatchObject({ outcome: 'started' });
  expect(asked).toEqual(['start']);
});
