import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
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

  it('does not take a machine that was busy with others meanwhile for one', () => {
    const log = join(folder, 'daemon.log');
    writeFileSync(log, 'one\ntwo\n');
    const spy = vi.spyOn(RegExp.prototype, 'test');
    // Longer than an expression may take, and none of it spent on it.
    spy.mockImplementationOnce(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700) === 'ok');
    try {
      expect(new LogProbe().check('^two$', { pid: 2, socket: null, log, logOffset: 0, notifyFile: null })).toBe(true);
      expect(spy.mock.calls).toEqual([['one'], ['one'], ['two']]);
    } finally {
      spy.mockRestore();
    }
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
