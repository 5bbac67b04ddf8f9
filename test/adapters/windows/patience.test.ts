import { describe, expect, it } from 'vitest';
import { patiently } from '../../../src/adapters/windows/patience.js';
import { DaemonError } from '../../../src/domain/daemon-error.js';

function failing(times: number, error: Error): () => string {
  let left = times;
  return () => {
    if (left-- > 0) throw error;
    return 'done';
  };
}

const refusal = (code: string) => Object.assign(new Error(code), { code });

describe('patiently', () => {
  it.each(['EPERM', 'EBUSY', 'EACCES'])('tries again after %s, which passes (F25)', (code) => {
    expect(patiently(failing(3, refusal(code)))).toBe('done');
  });

  it('knows the same of a failure that names path and errno', () => {
    expect(patiently(failing(1, new DaemonError('not-permitted', 'busy', { errno: 'EBUSY' })))).toBe('done');
  });

  it('does not wait for what does not pass', () => {
    expect(() => patiently(failing(1, refusal('ENOSPC')))).toThrow('ENOSPC');
  });

  it('gives up after two seconds, with the last failure', () => {
    let attempts = 0;
    const work = () => {
      attempts++;
      throw refusal('EPERM');
    };
    expect(() => patiently(work)).toThrow('EPERM');
    // With waits that grow, no more fit into two seconds; on a busy machine it is fewer.
    expect(attempts).toBeGreaterThan(1);
    expect(attempts).toBeLessThan(14);
  });
});
