import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeFailure } from '../../src/app/cli/failure.js';
import { hostWording } from '../../src/app/cli/wording.js';
import { DaemonError, type DaemonErrorCode } from '../../src/domain/daemon-error.js';

const source = readFileSync(join(import.meta.dirname, '../../src/domain/daemon-error.ts'), 'utf8');
const codes = [...source.matchAll(/^ {2}\| '([a-z-]+)'/gm)].map(([, code]) => code as DaemonErrorCode);
const acme = hostWording('acme', 'acme daemon');
const facts = { name: 'acmed', log: '/acmed.log', path: '/acmed', uid: 7, reason: 'other-host' };

describe('the hint at a failure of a host program', () => {
  test('is looked for of every code', () => {
    expect(codes.length).toBeGreaterThan(25);
    expect(codes).toContain('ready-timeout');
  });

  test.each(codes)('%s: names no verb or option that its user does not have', (code) => {
    for (const more of [{}, { reason: 'newer-schema' }, { errno: 'ENOSPC' }]) {
      const { hint } = describeFailure(new DaemonError(code, 'it fails', { ...facts, ...more }), acme);
      expect(hint ?? '').not.toMatch(/\bdaemonry\b|--(?!force\b|grace\b|json\b)\w/);
    }
  });
});
