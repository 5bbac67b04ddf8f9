import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogProbe } from '../../../src/adapters/net/log-probe.js';

describe('log probe: an expression that does not come to an end on some lines', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'daemonry-log-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  // Backtracking doubles with each letter: unbounded, this line would take days.
  const endless = `${'a'.repeat(60)}b\n`;

  it('makes nothing ready, and is given up', () => {
    const log = join(folder, 'daemon.log');
    writeFileSync(log, endless);
    expect(new LogProbe().check('^(a+)+$', { pid: 2, socket: null, log, logOffset: 0, notifyFile: null })).toBe(false);
  });

  it('still finds a line that is written later', () => {
    const log = join(folder, 'daemon.log');
    const probe = new LogProbe();
    const subject = { pid: 2, socket: null, log, logOffset: 0, notifyFile: null };
    writeFileSync(log, endless);
    expect(probe.check('^(a+)+$', subject)).toBe(false);
    writeFileSync(log, 'aaa\n', { flag: 'a' });
    expect(probe.check('^(a+)+$', subject)).toBe(true);
  });
});
