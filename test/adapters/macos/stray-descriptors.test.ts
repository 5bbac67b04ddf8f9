import { closeSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { strayDescriptors } from '../../../src/adapters/macos/stray-descriptors.js';

// Linux lists its descriptors in the same folder and form.
describe.skipIf(process.platform === 'win32')('macOS stray descriptors (needs /dev/fd)', () => {
  it('lists what is open above 2, and nothing that the listing itself opened', () => {
    const fd = openSync('/dev/null', 'r');
    try {
      const strays = strayDescriptors();
      expect(strays).toContain(fd);
      expect(strays.every((each) => Number.isSafeInteger(each) && each > 2)).toBe(true);
      expect(strays.length).toBe(new Set(strays).size);
      const probe = openSync('/dev/null', 'r');
      // The lowest free number is what the listing had.
      expect(strays).not.toContain(probe);
      closeSync(probe);
    } finally {
      closeSync(fd);
    }
    expect(strayDescriptors()).not.toContain(fd);
  });
});
