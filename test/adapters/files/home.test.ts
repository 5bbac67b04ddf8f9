import { describe, expect, it } from 'vitest';
import { fitsSocketPath, isPipeName, isSocketPlace } from '../../../src/adapters/files/home.js';

describe('the place of a socket', () => {
  it('is a named pipe on Windows, in one of the two spellings that Node takes', () => {
    for (const pipe of ['\\\\.\\pipe\\acme', '\\\\?\\pipe\\acme']) {
      expect(isPipeName(pipe)).toBe(true);
      expect(isSocketPlace(pipe, 'win32')).toBe(true);
    }
    for (const path of ['C:\\acme.sock', '\\\\server\\pipe\\acme', '\\\\.\\pip', 'acme']) expect(isSocketPlace(path, 'win32')).toBe(false);
  });

  it('is any path elsewhere, as long as the system has room for it', () => {
    expect(isSocketPlace('/run/acme.sock', 'linux')).toBe(true);
    expect(fitsSocketPath('x'.repeat(107), 'linux')).toBe(true);
    expect(fitsSocketPath('x'.repeat(108), 'linux')).toBe(false);
    expect(fitsSocketPath('x'.repeat(104), 'darwin')).toBe(false);
    expect(fitsSocketPath(`\\\\.\\pipe\\${'x'.repeat(247)}`, 'win32')).toBe(true);
    expect(fitsSocketPath(`\\\\.\\pipe\\${'x'.repeat(248)}`, 'win32')).toBe(false);
  });
});
