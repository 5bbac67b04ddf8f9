import { describe, expect, test } from 'vitest';
import { look } from '../../src/domain/look.js';
import { failureOf } from '../simulation/failures.js';
import { web } from './daemon-fixture.js';
import { SupervisorFixture } from './supervisor-fixture.js';

const tooManyFiles = failureOf('inspector.survey', 'EMFILE');

describe('supervisor: what an earlier run left', () => {
  /** The first run leaves a child behind. */
  const leaving = (fixture: SupervisorFixture) => {
    let runs = 0;
    fixture.define('leaving', (self) => {
      if (++runs > 1) return;
      self.fork({ placement: 'own-session' });
      self.after(30, () => self.exit(1));
    });
  };

  test('is ended after the next run has begun', async () => {
    const fixture = new SupervisorFixture();
    leaving(fixture);
    const kept = fixture.supervisor();
    const { descriptor } = await fixture.startBy(kept, ['leaving']);
    await fixture.untilReplaced(descriptor.instanceId);
    await fixture.until(() => fixture.living.every(({ origin }) => origin?.instanceId !== descriptor.instanceId));
    expect(fixture.leader.isAlive).toBe(true);
  });

  test('is ended by a stop, where the supervisor was killed before it came to that', async () => {
    const fixture = new SupervisorFixture();
    leaving(fixture);
    const kept = fixture.supervisor();
    const { descriptor } = await fixture.startBy(kept, ['leaving']);
    fixture.world.faults = ({ actor, call }) =>
      actor === kept.actor && call === 'runs.append' ? { when: 'before', what: 'crash' } : undefined;
    await fixture.until(() => kept.actor.ended);
    expect(fixture.descriptor?.instanceId).not.toBe(descriptor.instanceId);
    await fixture.stop();
    fixture.expectNothingLeft();
  });

  test('is no reason to end the run that has begun, where it can not be ended', async () => {
    const fixture = new SupervisorFixture();
    leaving(fixture);
    const kept = fixture.supervisor();
    const { descriptor } = await fixture.startBy(kept, ['leaving']);
    let surveys = 0;
    fixture.world.faults = ({ actor, call }) =>
      actor === kept.actor && call === 'inspector.survey' && ++surveys === 1 ? { when: 'before', what: tooManyFiles } : undefined;
    await fixture.untilReplaced(descriptor.instanceId);
    const second = fixture.leader;
    await fixture.until(() => surveys > 0);
    await fixture.world.pass(5);
    expect(second.life).toBe('running');
    expect(await look(fixture.machine, web)).toMatchObject({ state: 'running', phase: 'ready' });
  });
});
