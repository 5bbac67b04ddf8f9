import { constants } from 'node:os';
import { isAbsolute } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeSpec } from '../../../src/adapters/files/spec-codec.js';
import type { DaemonSpec } from '../../../src/domain/daemon-spec.js';
import { longestDurationMs } from '../../../src/domain/quantity.js';
import { fc, isPrototypeClean, runs } from '../support/fuzz.js';
import { anyContent, hostileJson, nesting } from '../support/mutations.js';

const valid = {
  schema: 1,
  name: 'clock',
  command: ['sleep', '1000'],
  cwd: '/tmp',
  env: { A: '1' },
  envFiles: ['/tmp/env'],
  passEnv: ['B'],
  cleanEnv: true,
  ready: { kind: 'port', port: 80 },
  readyTimeoutMs: 15_000,
  onTimeout: 'keep',
  stopSignal: 'SIGINT',
  graceMs: 10_000,
  socket: '/run/s',
  log: '/l',
  logMaxBytes: 1_024,
  logKeep: 5,
  restart: 'never',
  version: '1.0.0',
};
const text = JSON.stringify(valid);
const encode = (spec: DaemonSpec) => JSON.stringify({ schema: 1, name: 'clock', ...spec });
const withField = (field: string, value: string) => JSON.stringify({ ...valid, [field]: 'here' }).replace('"here"', () => value);

function expectSound(spec: DaemonSpec): void {
  const counts: readonly (readonly [number, number, number])[] = [
    [spec.readyTimeoutMs, 0, longestDurationMs],
    [spec.graceMs, 0, longestDurationMs],
    // One step of a rotation for each.
    [spec.logKeep, 0, 1_000],
    [spec.logMaxBytes, 1, Number.MAX_SAFE_INTEGER],
  ];
  for (const [count, least, most] of counts) expect(Number.isSafeInteger(count) && count >= least && count <= most, `${count}`).toBe(true);
  expect(Object.hasOwn(constants.signals, spec.stopSignal), spec.stopSignal).toBe(true);
  expect(spec.command.length > 0 && spec.command[0] !== '').toBe(true);
  expect(isAbsolute(spec.cwd)).toBe(true);
  const texts = [...spec.command, spec.cwd, ...spec.envFiles, ...spec.passEnv, spec.socket ?? '', spec.log ?? '', spec.version ?? ''];
  for (const part of texts) expect(typeof part === 'string' && !part.includes('\0'), JSON.stringify(part)).toBe(true);
  expect(Object.values(spec.env).every((value) => typeof value === 'string')).toBe(true);
}

describe('the spec parser', () => {
  test('whatever it reads: a sound spec, or none', () => {
    fc.assert(
      fc.property(anyContent(valid), (bytes) => {
        const spec = decodeSpec(bytes.toString());
        if (spec) expectSound(spec);
        expect(isPrototypeClean()).toBe(true);
      }),
      runs(500),
    );
  });

  test('any hostile value of any field: a sound spec, or none', () => {
    for (const field of Object.keys(valid)) {
      for (const value of hostileJson) {
        const spec = decodeSpec(withField(field, value));
        if (spec) expectSound(spec);
      }
    }
  });

  test('what it takes is written and parsed to the same', () => {
    fc.assert(
      fc.property(anyContent(valid), (bytes) => {
        const spec = decodeSpec(bytes.toString());
        if (spec) expect(encode(decodeSpec(encode(spec)) as DaemonSpec)).toBe(encode(spec));
      }),
      runs(500),
    );
  });

  test('a text cut off at any byte is none', () => {
    for (let length = 0; length < text.length; length++) expect(decodeSpec(text.slice(0, length))).toBeUndefined();
  });

  test.each([
    ['a rotation of more files than anybody counts', 'logKeep', '9007199254740991'],
    ['a time-out longer than a timer takes', 'readyTimeoutMs', '9007199254740991'],
    ['a grace longer than a timer takes', 'graceMs', '2147483648'],
    ['a signal that is none', 'stopSignal', '"SIGFOO"'],
    ['a signal that every object has', 'stopSignal', '"toString"'],
    ['no program', 'command', '[""]'],
    ['an argument that no program can be given', 'command', '["sleep","a\\u0000"]'],
    ['a working folder that depends on who asks', 'cwd', '"."'],
    ['a log path that is none', 'log', '"/l\\u0000"'],
    ['a newer schema', 'schema', '2'],
    ['a depth that can not be written again', 'ready', `${'['.repeat(nesting)}${']'.repeat(nesting)}`],
  ])('%s is none', (_what, field, value) => {
    expect(decodeSpec(text)).toBeDefined();
    expect(decodeSpec(withField(field, value))).toBeUndefined();
  });

  test('a variable of any name is kept, __proto__ included', () => {
    const spec = decodeSpec(withField('env', '{"__proto__":"x","constructor":"y"}'));
    expect(Object.entries(spec?.env ?? {})).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });
});
