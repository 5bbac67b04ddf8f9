import { describe, expect, test } from 'vitest';
import { specOf } from './daemon-fixture.js';
import { SupervisorFixture } from './supervisor-fixture.js';

const [maxBytes, lineBytes, everyMs] = [100_000, 5_000, 10];

describe('bounded logs', () => {
  /** A daemon that writes five times its bound in a second. */
  function spewing(options = {}): SupervisorFixture {
    const fixture = new SupervisorFixture(options);
    fixture.define('spew', (self) => {
      const spew = () => {
        self.print('x'.repeat(lineBytes - 1));
        self.after(everyMs, spew);
      };
      spew();
    });
    return fixture;
  }

  /** The largest size that its log has, once it has been looked at for the first time. */
  async function largest(fixture: SupervisorFixture): Promise<number> {
    const kept = fixture.supervisor();
    const { descriptor } = await fixture.startBy(kept, ['spew'], { logMaxBytes: maxBytes, logKeep: 2 });
    const bounding = fixture.attempt(() => kept.supervisor.boundLogs(), kept.actor);
    await fixture.until(() => fixture.world.disk.baseOf(descriptor.log) > 0);
    let most = 0;
    for (let round = 0; round < 300; round++) {
      await fixture.world.pass(everyMs);
      most = Math.max(most, fixture.world.disk.sizeOf(descriptor.log));
    }
    kept.supervisor.leave();
    await bounding;
    return most;
  }

  test('a log that grows fast is looked at soon again, also after it was rotated', async () => {
    expect(await largest(spewing())).toBeLessThan(1.5 * maxBytes);
  });

  test('a log that can not be rotated is not looked at more often for that', async () => {
    const fixture = spewing({ cutsLogs: false });
    const kept = fixture.supervisor();
    let rotations = 0;
    fixture.world.onCall = ({ call }) => {
      if (call === 'logs.rotate') rotations++;
    };
    await fixture.startBy(kept, ['spew'], { logMaxBytes: maxBytes });
    const bounding = fixture.attempt(() => kept.supervisor.boundLogs(), kept.actor);
    await fixture.world.pass(10_000);
    kept.supervisor.leave();
    await bounding;
    expect(rotations).toBeGreaterThan(5);
    expect(rotations).toBeLessThan(15);
  });

  test('a quiet log is looked at no more often for one that grows fast', async () => {
    const fixture = spewing();
    const kept = fixture.supervisor();
    const looks = new Map<string, number>();
    await fixture.startBy(kept, ['spew'], { logMaxBytes: maxBytes, logKeep: 2 });
    const quiet = await fixture.attempt(
      () => kept.supervisor.start({ ref: { name: 'quiet' }, spec: specOf(['sleep'], { restart: 'always' }) }),
      kept.actor,
    );
    const { noteTime } = kept.actor.machine.logs;
    kept.actor.machine.logs.noteTime = (path) => {
      looks.set(path, (looks.get(path) ?? 0) + 1);
      return noteTime.call(kept.actor.machine.logs, path);
    };
    const bounding = fixture.attempt(() => kept.supervisor.boundLogs(), kept.actor);
    await fixture.world.pass(10_000);
    kept.supervisor.leave();
    await bounding;
    expect(looks.get(quiet.descriptor.log)).toBeGreaterThan(5);
    expect(looks.get(quiet.descriptor.log)).toBeLessThan(15);
    expect(looks.get(fixture.descriptor?.log as string)).toBeGreaterThan(30);
  });
});
