import { describe, expect, test } from 'vitest';
import { learnEnd } from '../../src/domain/learn-end.js';

describe('how a child ended that is seen dead', () => {
  test('is learned also by a parent that was kept from its core for long, after its timers', async () => {
    const end = { exitCode: 3, signal: null };
    let turns = 0;
    // Each turn as late as can be: the end is known with the second.
    const clock = { sleep: async () => void turns++ };
    expect(await learnEnd(clock, () => (turns < 2 ? undefined : end))).toEqual(end);
    expect(turns).toBe(2);
  });

  test('is not waited for where it is known, nor for ever where it never is', async () => {
    let turns = 0;
    const clock = { sleep: async () => void turns++ };
    expect(await learnEnd(clock, () => ({ exitCode: null, signal: 'SIGKILL' }))).toEqual({ exitCode: null, signal: 'SIGKILL' });
    expect(turns).toBe(0);
    expect(await learnEnd(clock, () => undefined)).toBeUndefined();
    expect(turns).toBeGreaterThan(100);
  });
});
