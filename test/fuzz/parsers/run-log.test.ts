import { describe, expect, test } from 'vitest';
import { decodeRun } from '../../../src/adapters/files/file-run-log.js';
import type { RunRecord } from '../../../src/domain/run-record.js';
import { fc, isPrototypeClean, runs } from '../support/fuzz.js';
import { anyContent, hostileJson } from '../support/mutations.js';

const valid: RunRecord = {
  instanceId: '11111111-2222-4333-8444-555555555555',
  pid: 4_242,
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:00:01.000Z',
  exitCode: 1,
  signal: null,
  cause: 'crash',
  logTail: ['one', 'two'],
  decision: 'restarted at once',
};

/** Whatever reads it may count on this. */
function expectSound(run: RunRecord): void {
  const { instanceId, pid, startedAt, endedAt, exitCode, signal, cause, logTail, decision } = run;
  for (const text of [instanceId, startedAt, endedAt, decision]) expect(typeof text).toBe('string');
  expect(Number.isSafeInteger(pid)).toBe(true);
  expect(exitCode === null || Number.isSafeInteger(exitCode)).toBe(true);
  expect(signal === null || typeof signal === 'string').toBe(true);
  expect(['stop', 'exit', 'crash', 'oom', 'crash-loop', 'unknown']).toContain(cause);
  expect(Array.isArray(logTail) && logTail.every((line) => typeof line === 'string')).toBe(true);
}

describe('the parser of the flight recorder', () => {
  test('whatever it reads: sound runs, or none', () => {
    fc.assert(
      fc.property(anyContent({ ...valid }), (bytes) => {
        for (const run of bytes.toString().split('\n').flatMap(decodeRun)) expectSound(run);
        expect(isPrototypeClean()).toBe(true);
      }),
      runs(500),
    );
  });

  test('any hostile value of any field: a sound run, or none', () => {
    for (const field of Object.keys(valid)) {
      for (const value of hostileJson) {
        const line = JSON.stringify({ ...valid, [field]: 'here' }).replace('"here"', () => value);
        for (const run of decodeRun(line)) expectSound(run);
      }
    }
  });

  test('what was written is read to the same', () => {
    expect(decodeRun(JSON.stringify(valid))).toEqual([valid]);
    const ended = { ...valid, exitCode: null, signal: 'SIGKILL', cause: 'oom', logTail: [] } as const;
    expect(decodeRun(JSON.stringify(ended))).toEqual([ended]);
  });

  test('what it does not know of is kept, what it can do without is left out', () => {
    expect(decodeRun(JSON.stringify({ ...valid, colour: 'blue' }))).toEqual([{ ...valid, colour: 'blue' }]);
    expect(decodeRun(JSON.stringify({ ...valid, exitCode: 'one', signal: 9, logTail: [1] }))).toEqual([
      { ...valid, exitCode: null, logTail: [] },
    ]);
  });

  test('a line cut off at any byte is no run', () => {
    const line = JSON.stringify(valid);
    for (let length = 0; length < line.length; length++) expect(decodeRun(line.slice(0, length))).toEqual([]);
  });
});
