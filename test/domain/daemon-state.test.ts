import { describe, expect, test } from 'vitest';
import { classify, type DaemonState, type Step, stepFor, type Wish } from '../../src/domain/daemon-state.js';
import type { Descriptor, DescriptorReading } from '../../src/domain/descriptor.js';
import type { Sighting } from '../../src/domain/identity.js';

const descriptor = { name: 'd', pid: 100 } as Descriptor;
const present: DescriptorReading = { kind: 'present', descriptor, endedCleanly: false };
const presentEnded: DescriptorReading = { kind: 'present', descriptor, endedCleanly: true };

describe('classify', () => {
  const cases: [string, DescriptorReading, Sighting, DaemonState, string][] = [
    ['no descriptor', { kind: 'absent' }, { kind: 'gone' }, 'stopped', 'no-descriptor'],
    ['a corrupt descriptor', { kind: 'corrupt', reason: 'x' }, { kind: 'gone' }, 'stale', 'corrupt-descriptor'],
    ['a later schema', { kind: 'newer', schema: 2 }, { kind: 'gone' }, 'unknown', 'newer-schema'],
    ['its process lives', present, { kind: 'alive' }, 'running', 'alive'],
    ['its process lives, and a marker is there', presentEnded, { kind: 'alive' }, 'running', 'alive'],
    ['its process is gone', present, { kind: 'gone' }, 'stale', 'process-gone'],
    ['its process is a zombie', present, { kind: 'zombie' }, 'stale', 'process-is-a-zombie'],
    ["its pid is somebody else's", present, { kind: 'stranger' }, 'stale', 'pid-reused'],
    ['it ended cleanly and is gone', presentEnded, { kind: 'gone' }, 'stopped', 'ended-cleanly'],
    ['it ended cleanly and is a zombie', presentEnded, { kind: 'zombie' }, 'stopped', 'ended-cleanly'],
    ['it ended cleanly and its pid is reused', presentEnded, { kind: 'stranger' }, 'stopped', 'ended-cleanly'],
    ['another host', present, { kind: 'cannot-tell', reason: 'other-host' }, 'unknown', 'other-host'],
    ['a clean end that cannot be told', presentEnded, { kind: 'cannot-tell', reason: 'hidden-process' }, 'unknown', 'hidden-process'],
  ];
  test.each(cases)('%s', (_, reading, sighting, state, reason) => {
    expect(classify(reading, () => sighting)).toEqual({ state, reason });
  });

  const inPhase = (phase: string): DescriptorReading => ({ ...present, descriptor: { ...descriptor, phase } as Descriptor });
  const guarded: [string, string, 'alive' | 'gone' | 'cannot-tell', DaemonState, string][] = [
    ['between two runs', 'backoff', 'alive', 'stopped', 'awaiting-restart'],
    ['between two runs, of a supervisor that can not be seen', 'backoff', 'cannot-tell', 'stopped', 'awaiting-restart'],
    ['between two runs, of a supervisor that is gone', 'backoff', 'gone', 'stopped', 'supervisor-gone'],
    ['given up, whoever lives', 'failed', 'gone', 'stopped', 'crash-loop'],
    ['dead, as its supervisor is about to see', 'ready', 'alive', 'stopped', 'awaiting-restart'],
    ['dead, and its supervisor too', 'ready', 'gone', 'stale', 'process-gone'],
  ];
  test.each(guarded)('%s', (_, phase, guardian, state, reason) => {
    const classified = classify(
      inPhase(phase),
      () => ({ kind: 'gone' }),
      () => guardian,
    );
    expect(classified).toEqual({ state, reason });
  });

  test('nobody is looked at where no descriptor names anybody', () => {
    const never = () => {
      throw new Error('looked');
    };
    for (const reading of [{ kind: 'absent' }, { kind: 'corrupt', reason: 'x' }, { kind: 'newer', schema: 2 }] as const) {
      expect(() => classify(reading, never)).not.toThrow();
    }
  });
});

describe('stepFor', () => {
  const wishes: readonly Wish[] = ['start', 'start-by-force', 'stop', 'restart'];
  const rows: [DaemonState, readonly Step[]][] = [
    ['stopped', ['clean-and-launch', 'clean-and-launch', 'clean', 'clean-and-launch']],
    ['running', ['nothing', 'nothing', 'end', 'end-and-launch']],
    ['stale', ['clean-and-launch', 'clean-and-launch', 'clean', 'clean-and-launch']],
    ['unknown', ['refuse', 'forget-and-launch', 'refuse', 'refuse']],
  ];
  test.each(rows)('%s', (state, steps) => {
    expect(wishes.map((wish) => stepFor(state, wish))).toEqual(steps);
  });
});
