import { describe, expect, it } from 'vitest';
import { findExecutable, type Look } from '../../../src/adapters/windows/find-executable.js';

const cwd = 'C:\\work';
const env = { Path: 'C:\\one;"C:\\with;semicolon";two', PathExt: '.COM;.EXE;.BAT;.CMD;.JS' };

function having(...files: readonly string[]): Look {
  return (file) => (files.some((one) => one.toLowerCase() === file.toLowerCase()) ? 'file' : 'absent');
}

describe('findExecutable, on Windows', () => {
  it.each([
    ['tool', ['C:\\one\\tool.exe'], 'C:\\one\\tool.exe'],
    ['tool', ['C:\\one\\tool.cmd', 'C:\\one\\tool.exe'], 'C:\\one\\tool.exe'],
    ['tool.cmd', ['C:\\one\\tool.cmd', 'C:\\one\\tool.exe'], 'C:\\one\\tool.cmd'],
    ['tool', ['C:\\with;semicolon\\tool.bat'], 'C:\\with;semicolon\\tool.bat'],
    ['tool', ['C:\\work\\two\\tool.exe'], 'C:\\work\\two\\tool.exe'],
    ['.\\tool', ['C:\\work\\tool.exe'], 'C:\\work\\tool.exe'],
    ['sub/tool.exe', ['C:\\work\\sub\\tool.exe'], 'C:\\work\\sub\\tool.exe'],
    ['D:\\x\\tool', ['D:\\x\\tool.com'], 'D:\\x\\tool.com'],
    ['python3.11', ['C:\\one\\python3.11.exe'], 'C:\\one\\python3.11.exe'],
  ])('%s, of %j, is %s', (command, files, expected) => {
    expect(findExecutable(command, cwd, env, having(...files))).toBe(expected);
  });

  it('does not look in the working folder for a name alone, as cmd.exe and CreateProcess would', () => {
    expect(() => findExecutable('tool', cwd, env, having('C:\\work\\tool.exe'))).toThrow('command not found: tool');
  });

  it.each([['script.js'], ['script']])('%s is a file that nothing runs', (command) => {
    const look = having(`C:\\one\\${command}`);
    expect(() => findExecutable(command, cwd, env, look)).toThrow(expect.objectContaining({ code: 'not-executable' }));
  });
});
