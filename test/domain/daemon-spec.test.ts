import { expect, test } from 'vitest';
import { checkCommand, type DaemonSpec, differingFields, specDefaults } from '../../src/domain/daemon-spec.js';
import { healthDefaults } from '../../src/domain/health-check.js';

const spec: DaemonSpec = { ...specDefaults, command: ['a'], cwd: '/' };

test('differingFields: equal specs differ in nothing', () => {
  expect(differingFields(spec, { ...spec, env: {}, command: ['a'] })).toEqual([]);
});

const others: Partial<DaemonSpec>[] = [
  { command: ['a', 'b'] },
  { cwd: '/tmp' },
  { env: { A: '1' } },
  { envFiles: ['/e'] },
  { passEnv: ['A'] },
  { cleanEnv: true },
  { ready: { kind: 'socket' } },
  { readyTimeoutMs: 1 },
  { onTimeout: 'keep' },
  { stopSignal: 'SIGINT' },
  { graceMs: 1 },
  { socket: '/s' },
  { log: '/l' },
  { logMaxBytes: 1 },
  { logKeep: 1 },
  { restart: 'always' },
  { restartDelayMs: 1 },
  { restartMaxDelayMs: 1 },
  { restartLimit: 1 },
  { restartWindowMs: 1 },
  { stableMs: 1 },
  { successCodes: [3] },
  { health: { probe: { kind: 'ping' }, ...healthDefaults } },
  { version: '1.0.0' },
  { project: '/p/daemonry.yaml' },
];
test.each(others)('differingFields: %j is named', (over) => {
  expect(differingFields(spec, { ...spec, ...over })).toEqual(Object.keys(over));
});

test('differingFields: every field of a spec is compared', () => {
  expect(others.flatMap((over) => Object.keys(over)).sort()).toEqual(Object.keys(spec).sort());
});

test('checkCommand: one that is none is told by where it is wrong, and not by what it says', () => {
  const wrong = (command: readonly string[]) => {
    try {
      checkCommand({ ...spec, command });
    } catch (error) {
      return error;
    }
  };
  expect(wrong(['a', ''])).toBeUndefined();
  for (const command of [[], ['']])
    expect(wrong(command)).toMatchObject({ code: 'invalid-spec', message: 'invalid command: it names no program' });
  expect(wrong(['a', 's3cr3t', 's3cr3t\0'])).toMatchObject({
    message: 'invalid command: there is a zero byte in command[2]',
    facts: { option: 'command', position: 2 },
  });
});
