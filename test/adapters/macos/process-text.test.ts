import { describe, expect, it } from 'vitest';
import { hasLeftGate, marksInText, parseCommands } from '../../../src/adapters/macos/process-text.js';
import { gateCommand } from '../../../src/adapters/posix/gate-script.js';
import { commands, commandsWithEnvironment } from './recordings.js';

const alone = parseCommands(commands);
const withEnvironment = parseCommands(commandsWithEnvironment);
const marksOf = (pid: number) => marksInText(withEnvironment.get(pid) ?? '', alone.get(pid) ?? '');

describe('process text: marks in ps -E', () => {
  it('finds them behind the command, with a path that holds spaces', () => {
    expect(marksOf(655)).toEqual({
      instanceId: '0d9c0d3e-8c0a-4f4e-9f6b-1f4f6a0f5b11',
      descriptor: '/Users/ann/Library/Application Support/daemonry/web/daemon.json',
    });
  });

  it('finds none where macOS keeps the environment back', () => {
    expect(marksOf(656)).toBeUndefined();
    expect(marksOf(99999)).toBeUndefined();
  });

  it('finds none in the arguments of a process that looks for one', () => {
    expect(alone.get(657)).toContain('DAEMONRY_INSTANCE=');
    expect(marksOf(657)).toBeUndefined();
  });

  it('finds none where the command changed between the two looks', () => {
    expect(marksInText(withEnvironment.get(655) ?? '', '/bin/sh -c read')).toBeUndefined();
    expect(marksInText('node x DAEMONRY_INSTANCE=a', '')).toBeUndefined();
  });

  it('finds none in a process that has other variables only', () => {
    expect(marksOf(658)).toBeUndefined();
  });
});

describe('process text: whether the gate became its command', () => {
  const tools = { sh: '/bin/sh', isDash: false, env: '/usr/bin/env', nice: '/usr/bin/nice' };
  const gate = gateCommand({ file: '/usr/local/bin/node', argv: ['server.js'], env: { HOME: '/Users/ann' } }, tools);
  const gateText = [gate?.file, ...(gate?.args ?? [])].join(' ');

  it.each([
    ['the gate itself', 'Ss', gateText],
    ['env on its way to the command', 'Rs', '/usr/bin/env -u DAEMONRY_CARRY_0 a.b=c /usr/local/bin/node server.js'],
    ['a shell whose arguments are not to be read yet', 'Ss', '(sh)'],
    ['a zombie', 'Z', '<defunct>'],
    ['a zombie of older systems', 'Z', '(node)'],
    ['nobody', '', ''],
    ['a process without a command', 'S', ''],
  ])('no: %s', (_, stat, text) => {
    expect(hasLeftGate(stat, text)).toBe(false);
  });

  it.each([
    ['a program', '/usr/local/bin/node server.js'],
    ['a shell', '/bin/sh -c exec ./run'],
    ['a program with the word among its arguments', '/usr/bin/grep daemonry-gate /tmp/x'],
    ['a program whose arguments are kept back', '(trustd)'],
  ])('yes: %s', (_, text) => {
    expect(hasLeftGate('Ss', text)).toBe(true);
  });
});
