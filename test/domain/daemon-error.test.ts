import { expect, test } from 'vitest';
import { DaemonError, isDaemonError } from '../../src/domain/daemon-error.js';

test('isDaemonError: knows one that another installed copy has made', () => {
  const foreign = Object.assign(new Error('x'), { [Symbol.for('daemonry.DaemonError')]: true });
  expect(isDaemonError(foreign)).toBe(true);
  expect(isDaemonError(new DaemonError('not-found', 'x'))).toBe(true);
  expect(isDaemonError(Object.assign(new Error('x'), { code: 'not-found' }))).toBe(false);
  for (const value of [undefined, null, 'not-found', 1]) expect(isDaemonError(value)).toBe(false);
});

test('DaemonError: carries code, facts and cause, and its brand does not show in a print', () => {
  const cause = new Error('ENOSPC');
  const error = new DaemonError('unwritable', 'no space', { errno: 'ENOSPC' }, cause);
  expect({ code: error.code, facts: error.facts, cause: error.cause }).toEqual({ code: 'unwritable', facts: { errno: 'ENOSPC' }, cause });
  expect(Object.keys(error).sort()).toEqual(['code', 'facts', 'name']);
  expect('cause' in new DaemonError('not-found', 'x')).toBe(false);
});
