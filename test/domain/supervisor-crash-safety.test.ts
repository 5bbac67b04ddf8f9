import { describe, expect, test } from 'vitest';
import type { Fault } from '../../src/adapters/simulated/simulated-world.js';
import { look } from '../../src/domain/look.js';
import { failureOf, failuresOf } from '../simulation/failures.js';
import { web } from './daemon-fixture.js';
import { type Supervised, SupervisorFixture } from './supervisor-fixture.js';
import { nameIt } from './verb-scenes.js';

/** The machine is judged after every step, so each of these also says: never two instances, no daemon without a descriptor. */
interface Scene {
  readonly title: string;
  /** Up to where what is crashed begins; what follows is done by `kept`. */
  readonly prepare: (fixture: SupervisorFixture, kept: Supervised) => Promise<void>;
  readonly act: (fixture: SupervisorFixture, kept: Supervised) => Promise<void>;
}

const health = { probe: { kind: 'port', port: 7 }, intervalMs: 5, timeoutMs: 5, threshold: 2, startGraceMs: 20 } as const;

/** Their first run does not stay. */
function define(fixture: SupervisorFixture): void {
  let [ailing, runs] = [0, 0];
  fixture.define('ailing', (self) => {
    if (++ailing > 1) self.listenOnPort(health.probe.port);
  });
  fixture.define('leaving', (self) => {
    if (++runs > 1) return;
    self.fork({ placement: 'own-session' });
    self.after(30, () => self.exit(1));
  });
}

const untilAgain = async (fixture: SupervisorFixture, kept: Supervised, instanceId: string | undefined) => {
  await fixture.until(() => kept.actor.ended || (fixture.descriptor?.instanceId !== instanceId && fixture.descriptor?.phase === 'ready'));
  await fixture.world.pass(20);
};

const scenes: readonly Scene[] = [
  {
    title: 'a restart',
    prepare: async (fixture, kept) => void (await fixture.startBy(kept)),
    act: async (fixture, kept) => {
      const { instanceId } = fixture.descriptor ?? {};
      fixture.kill();
      await untilAgain(fixture, kept, instanceId);
    },
  },
  {
    title: 'a restart of one that left a child behind',
    prepare: async (fixture, kept) => void (await fixture.startBy(kept, ['leaving'])),
    act: async (fixture, kept) => untilAgain(fixture, kept, fixture.descriptor?.instanceId),
  },
  {
    title: 'a restart after a delay',
    prepare: async (fixture, kept) => {
      await fixture.startBy(kept);
      const { instanceId } = fixture.descriptor ?? {};
      fixture.kill();
      await untilAgain(fixture, kept, instanceId);
    },
    act: async (fixture, kept) => {
      const { instanceId } = fixture.descriptor ?? {};
      fixture.kill();
      await untilAgain(fixture, kept, instanceId);
    },
  },
  {
    title: 'the end of an unhealthy run',
    prepare: async (fixture, kept) => void (await fixture.startBy(kept, ['ailing'], { health })),
    act: async (fixture, kept) => untilAgain(fixture, kept, fixture.descriptor?.instanceId),
  },
  {
    title: 'a takeover',
    prepare: async (fixture) => {
      const first = fixture.supervisor();
      await fixture.startBy(first);
      first.actor.crash();
    },
    act: async (_, { actor, supervisor }) => void (await actor.attempt(() => supervisor.takeOver())),
  },
];

describe.each(scenes.flatMap((scene) => [true, false].map((gated) => ({ ...scene, gated }))))(
  'supervisor: $title, gate: $gated',
  (scene) => {
    test('killed at any call, before or after it: the next one keeps it running', async () => {
      for (const when of ['before', 'after'] as const) {
        for (let callAt = 1; ; callAt++) {
          const isOver = await sweep(
            scene,
            (_, number) => (number === callAt ? { when, what: 'crash' } : undefined),
            `killed ${when} call ${callAt}`,
          );
          if (isOver) break;
          expect(callAt).toBeLessThan(500);
        }
      }
    });

    test('any one call fails: it is kept running all the same', async () => {
      for (let failAt = 1; ; failAt++) {
        let able = 0;
        let failed = '';
        const fault = (call: string): Fault | undefined => {
          const errnos = failuresOf[call as keyof typeof failuresOf] as readonly string[] | undefined;
          if (!errnos || ++able !== failAt) return undefined;
          failed = call;
          return { when: 'before', what: failureOf(call, errnos[0] as string) };
        };
        await sweep(scene, fault, `call ${failAt} of those that can fail`);
        if (failed === '') break;
        expect(failAt).toBeLessThan(500);
      }
    });
  },
);

/** True where nothing went wrong, since there was no such call. */
async function sweep(
  scene: Scene & { gated: boolean },
  fault: (call: string, number: number) => Fault | undefined,
  where: string,
): Promise<boolean> {
  const fixture = new SupervisorFixture({ gated: scene.gated });
  define(fixture);
  const kept = fixture.supervisor();
  let hasFailed = false;
  await nameIt(where, async () => {
    await scene.prepare(fixture, kept);
    const before = kept.actor.calls;
    fixture.world.faults = ({ actor, call, number }) => {
      const found = actor === kept.actor ? fault(call, number - before) : undefined;
      hasFailed ||= found !== undefined;
      return found;
    };
    await scene.act(fixture, kept);
    fixture.world.faults = undefined;
    // One that lives has trouble behind it by then; else another comes.
    await fixture.world.pass(1_500);
    await fixture.takeOverBy(fixture.supervisor());
    await fixture.world.pass(200);
    expect(await look(fixture.machine, web)).toMatchObject({ state: 'running', phase: 'ready' });
    const ids = fixture.runs.map(({ instanceId }) => instanceId);
    expect(new Set(ids).size).toBe(ids.length);
    await fixture.stop();
    await fixture.world.pass(300);
    fixture.expectNothingLeft();
  });
  fixture.world.schedule.end();
  return !hasFailed;
}
