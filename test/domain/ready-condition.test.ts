import { describe, expect, test } from 'vitest';
import { formatReadyCondition, parseReadyCondition, type ReadyCondition } from '../../src/domain/ready-condition.js';
import { fc } from './property.js';

describe('parseReadyCondition', () => {
  const cases: [string, ReadyCondition][] = [
    ['exec', { kind: 'exec' }],
    ['socket', { kind: 'socket' }],
    ['notify', { kind: 'notify' }],
    ['port:1', { kind: 'port', port: 1 }],
    ['port:65535', { kind: 'port', port: 65_535 }],
    ['http:http://127.0.0.1:3000/ready', { kind: 'http', url: 'http://127.0.0.1:3000/ready' }],
    ['http:https://[::1]/', { kind: 'http', url: 'https://[::1]/' }],
    ['log:up', { kind: 'log', pattern: 'up' }],
    ['log:a: b', { kind: 'log', pattern: 'a: b' }],
  ];
  test.each(cases)('%s', (text, condition) => {
    expect(parseReadyCondition(text)).toEqual(condition);
  });

  test.each([
    '',
    'ready',
    'exec:',
    'exec:1',
    'socket:/x',
    'port',
    'port:',
    'port:0',
    'port:65536',
    'port:-1',
    'port:80a',
    'port: 80',
    'http',
    'http:',
    'http:127.0.0.1',
    'http:ftp://x',
    'http://127.0.0.1/',
    'log',
    'log:',
    'log:(',
    'Exec',
    ' exec',
  ])('%j: says what is wrong', (text) => {
    expect(parseReadyCondition(text)).toEqual(expect.stringMatching(/\w/));
  });

  test('the written form of a condition is read as that condition', () => {
    const conditions: fc.Arbitrary<ReadyCondition> = fc.oneof(
      fc.constantFrom<ReadyCondition>({ kind: 'exec' }, { kind: 'socket' }, { kind: 'notify' }),
      fc.record({ kind: fc.constant('port' as const), port: fc.integer({ min: 1, max: 65_535 }) }),
      fc.record({ kind: fc.constant('http' as const), url: fc.webUrl({ withFragments: true, withQueryParameters: true }) }),
      fc.record({
        kind: fc.constant('log' as const),
        pattern: fc.string({ minLength: 1 }).map((text) => text.replace(/[^\w :]/g, '\\$&')),
      }),
    );
    fc.assert(
      fc.property(conditions, (condition) => {
        expect(parseReadyCondition(formatReadyCondition(condition))).toEqual(condition);
      }),
    );
  });
});
