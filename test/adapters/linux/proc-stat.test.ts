import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseProcStat, programName } from '../../../src/adapters/linux/proc-stat.js';

const line = (command: string, state = 'S', threads = 1) =>
  `4242 (${command}) ${state} 17 4240 4200 0 -1 4194560 1043 0 2 0 31 12 0 0 20 0 ${threads} 0 987654321012 1099231232 12034 18446744073709551615 1 1 0\n`;

describe('proc stat: one line of /proc/<pid>/stat', () => {
  it('reads what is asked for', () => {
    expect(parseProcStat(line('node'))).toEqual({
      pid: 4242,
      zombie: false,
      parent: 17,
      processGroup: 4240,
      session: 4200,
      cpuTicks: 43,
      startToken: '987654321012',
    });
  });

  it.each([
    ['spaces', 'tmux: server'],
    ['parentheses', 'a) S 1 1 1 (b'],
    ['a closing one at its end', '(sd-pam))'],
    ['line breaks', 'a\nb)\n'],
    ['nothing', ''],
    ['the look of a whole line', '1 (x) Z 9 9 9 0 -1 0 0 0 0 0 9 9 0 0 20 0 1 0 1 1 1'],
  ])('counts the fields from the end of a command with %s', (_, command) => {
    expect(parseProcStat(line(command))).toMatchObject({ pid: 4242, parent: 17, startToken: '987654321012', zombie: false });
  });

  it.each(['sh', 'a) S 1 1 1 (b', '(sd-pam))', ''])('names the program %j', (name) => {
    expect(programName(line(name))).toBe(name);
  });

  it.each(['Z', 'X', 'x'])('F5: takes state %s for dead', (state) => {
    expect(parseProcStat(line('node', state))?.zombie).toBe(true);
  });

  it('takes a zombie for alive while other threads of it live: only the first one has ended', () => {
    expect(parseProcStat(line('node', 'Z', 2))?.zombie).toBe(false);
  });

  it.each(['R', 'S', 'D', 'T', 't', 'I', 'W', 'P'])('takes state %s for alive', (state) => {
    expect(parseProcStat(line('node', state))?.zombie).toBe(false);
  });

  it('F3: hands the start on as it stands, however many digits it has', () => {
    const huge = '18446744073709551615';
    expect(parseProcStat(line('node').replace('987654321012', huge))?.startToken).toBe(huge);
  });

  it.each([
    ['an empty file, as of a process that just went', ''],
    ['a line cut short', '4242 (node) S 17 4240'],
    ['no command', '4242 S 17'],
  ])('reads nothing out of %s', (_, text) => {
    expect(parseProcStat(text)).toBeUndefined();
  });

  it.skipIf(process.platform !== 'linux')('reads our own (needs Linux)', () => {
    expect(parseProcStat(readFileSync('/proc/self/stat', 'utf8'))).toMatchObject({ pid: process.pid, parent: process.ppid, zombie: false });
  });
});
