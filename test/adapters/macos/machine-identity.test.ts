import { describe, expect, it } from 'vitest';
import { parseBootSession, parsePlatformUuid } from '../../../src/adapters/macos/machine-identity.js';
import { bootSession, platformExpert } from './recordings.js';

describe('machine identity', () => {
  it('reads the boot session', () => {
    expect(parseBootSession(bootSession)).toBe('5B7C2C5E-2F0B-4A56-8B64-6F0D1C2A9E77');
  });

  it('reads the platform id', () => {
    expect(parsePlatformUuid(platformExpert)).toBe('F6C92D4C-07EB-5A3A-9C1D-9144BB09C35B');
  });

  it.each(['', '\n', "sysctl: unknown oid 'kern.bootsessionuuid'\n", '00000000-0000-0000-0000-000000000000\n'])(
    'takes %j for none',
    (text) => {
      expect(parseBootSession(text)).toBeUndefined();
      expect(parsePlatformUuid(`"IOPlatformUUID" = "${text.trim()}"`)).toBeUndefined();
    },
  );
});
