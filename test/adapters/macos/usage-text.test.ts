import { describe, expect, it } from 'vitest';
import { parseUsage } from '../../../src/adapters/macos/usage-text.js';

describe('usage text: ps -o time= -o rss= -o etime=', () => {
  it.each([
    ['minutes', '  0:07.50  36884                02:30\n', { uptimeMs: 150_000, cpuPercent: 5, memoryBytes: 36_884 * 1_024 }],
    ['hours', '  1:00.00    512             10:00:00\n', { uptimeMs: 36_000_000, cpuPercent: 100 / 600, memoryBytes: 512 * 1_024 }],
    ['days', '1440:00.00   1024          02-00:00:00\n', { uptimeMs: 172_800_000, cpuPercent: 50, memoryBytes: 1_024 * 1_024 }],
    [
      'more than a hundred days',
      '  0:00.00   1024         101-00:00:01\n',
      { uptimeMs: 8_726_401_000, cpuPercent: 0, memoryBytes: 1_048_576 },
    ],
    ['a process of this second', '  0:00.01   1024                00:00\n', { uptimeMs: 0, cpuPercent: 0, memoryBytes: 1_048_576 }],
  ])('reads %s', (_, text, usage) => {
    const read = parseUsage(text);
    expect(read?.uptimeMs).toBe(usage.uptimeMs);
    expect(read?.cpuPercent).toBeCloseTo(usage.cpuPercent, 6);
    expect(read?.memoryBytes).toBe(usage.memoryBytes);
  });

  it.each([
    ['an empty answer', ''],
    ['a start in the future', '  0:00.01   1024                00:-5\n'],
    ['a dash', '        -      -                    -\n'],
  ])('reads nothing out of %s', (_, text) => {
    expect(parseUsage(text)).toBeUndefined();
  });
});
