import { describe, expect, test } from 'vitest';
import { type DaemonSpec, specDefaults } from '../../src/domain/daemon-spec.js';
import type { RestartHistory } from '../../src/domain/descriptor.js';
import { decideRestart, freshHistory, luckOf, type RunEnd, restartDelays } from '../../src/domain/restart-policy.js';

const policy = {
  ...specDefaults,
  restart: 'on-failure',
  restartDelayMs: 100,
  restartMaxDelayMs: 1_000,
  restartLimit: 3,
  restartWindowMs: 10_000,
  stableMs: 5_000,
} as const satisfies Partial<DaemonSpec>;

const crash: RunEnd = { kind: 'exited', exitCode: 1 };
const nowMs = 100_000;

function decide(over: Partial<typeof policy | DaemonSpec> = {}, history: Partial<RestartHistory> = {}, end = crash, ranMs = 10, luck = 0) {
  return decideRestart({ ...policy, ...over } as DaemonSpec, { ...freshHistory, ...history }, { end, ranMs }, nowMs, luck);
}

describe('restart policy: which ends are accepted', () => {
  const ends: [string, RunEnd][] = [
    ['exit code 0', { kind: 'exited', exitCode: 0 }],
    ['exit code 1', crash],
    ['exit code 3', { kind: 'exited', exitCode: 3 }],
    ['a signal', { kind: 'killed', signal: 'SIGTERM' }],
    ['an end marker', { kind: 'ended-cleanly' }],
    ['unwell', { kind: 'unhealthy' }],
    ['not started', { kind: 'not-started', why: 'no such command' }],
    ['unknown', { kind: 'unknown' }],
  ];

  test.each(ends)('never: %s is accepted', (_, end) => {
    expect(decide({ restart: 'never' }, {}, end).action).toBe('accept');
  });

  test.each(ends)('always: %s is followed by another run', (_, end) => {
    expect(decide({ restart: 'always' }, {}, end).action).toBe('restart');
  });

  test.each(ends)('on-failure: %s is judged by what it says', (what, end) => {
    const isSuccess = what === 'exit code 0' || what === 'an end marker';
    expect(decide({}, {}, end).action).toBe(isSuccess ? 'accept' : 'restart');
  });

  test('on-failure: further exit codes are no failure, and 0 need not be among them', () => {
    expect(decide({ successCodes: [0, 3] }, {}, { kind: 'exited', exitCode: 3 }).action).toBe('accept');
    expect(decide({ successCodes: [3] }, {}, { kind: 'exited', exitCode: 0 }).action).toBe('restart');
  });
});

describe('restart policy: delays', () => {
  const delays: [number, number][] = [
    [0, 0],
    [1, 100],
    [2, 200],
    [3, 400],
    [4, 800],
    [5, 1_000],
    [2_000, 1_000],
  ];

  test.each(delays)('after %i in a row: %i ms', (streak, delayMs) => {
    expect(decide({}, { streak })).toMatchObject({ action: 'restart', delayMs, history: { streak: streak + 1 } });
  });

  test.each(delays)('after %i in a row: by chance down to half of %i ms, never less', (streak, delayMs) => {
    expect(decide({}, { streak }, crash, 10, 0.999_999)).toMatchObject({ delayMs: Math.round(delayMs / 2) });
    expect(decide({}, { streak }, crash, 10, 0.5)).toMatchObject({ delayMs: delayMs * 0.75 });
  });

  test('a delay of 0 is none, however many there were', () => {
    expect(decide({ restartDelayMs: 0 }, { streak: 7 })).toMatchObject({ delayMs: 0 });
  });

  test('after a stable run the next restart is a first one, and is counted all the same', () => {
    const before = { streak: 4, restarts: 6, recentMs: [nowMs - 1] };
    const stable = decide({}, before, crash, 5_000);
    expect(stable).toMatchObject({ delayMs: 0, history: { streak: 1, restarts: 7, recentMs: [nowMs - 1, nowMs] } });
    expect(decide({}, before, crash, 4_999)).toMatchObject({ delayMs: 800 });
  });

  test('luck is from 0 to below 1, and differs from run to run', () => {
    const draws = Array.from({ length: 1_000 }, (_, index) => luckOf(`instance-${index}`));
    for (const draw of draws) expect(draw >= 0 && draw < 1).toBe(true);
    expect(new Set(draws).size).toBeGreaterThan(990);
    expect(luckOf('a')).toBe(luckOf('a'));
  });
});

describe('restart policy: crash loops', () => {
  const at = (...agoMs: number[]) => ({ recentMs: agoMs.map((ago) => nowMs - ago) });

  test('as many restarts within the window as are the limit: given up', () => {
    expect(decide({}, at(9_999, 50, 0))).toMatchObject({ action: 'give-up', history: at(9_999, 50, 0) });
  });

  test('one less, or one that the window does not count any more: restarted', () => {
    expect(decide({}, at(50, 0)).action).toBe('restart');
    expect(decide({}, at(10_000, 50, 0))).toMatchObject({ action: 'restart', history: at(50, 0, 0) });
  });

  test('a moment that is yet to come is of another clock, and not counted', () => {
    expect(decide({}, at(-1, -2, -3))).toMatchObject({ action: 'restart', history: at(0) });
  });

  test('a limit of 0 is none, and nothing is kept of what it would count', () => {
    expect(decide({ restartLimit: 0 }, at(3, 2, 1))).toMatchObject({ action: 'restart', history: { recentMs: [] } });
  });

  test('an end that is accepted is no crash loop', () => {
    expect(decide({}, at(3, 2, 1), { kind: 'exited', exitCode: 0 }).action).toBe('accept');
  });

  test('a stable run does not make the window forget', () => {
    expect(decide({}, at(9_000, 8_000, 7_000), crash, 6_000).action).toBe('give-up');
  });
});

describe('restartDelays', () => {
  const { restartDelayMs, restartMaxDelayMs } = specDefaults;
  test.each([
    [undefined, undefined, { restartDelayMs, restartMaxDelayMs }],
    [60_000, undefined, { restartDelayMs: 60_000, restartMaxDelayMs: 60_000 }],
    [undefined, 50, { restartDelayMs: 50, restartMaxDelayMs: 50 }],
    [0, undefined, { restartDelayMs: 0, restartMaxDelayMs }],
    [1_000, 1_000, { restartDelayMs: 1_000, restartMaxDelayMs: 1_000 }],
    [1_001, 1_000, undefined],
  ])('of %s and %s', (delayMs, mostMs, delays) => {
    expect(restartDelays(delayMs, mostMs)).toEqual(delays);
  });
});
