// The daemon as everything in acme knows it: the command line, and the tests.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineDaemon } from 'daemonry';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

export function acmeDaemon(options = {}) {
  return defineDaemon({
    name: 'acmed',
    command: process.execPath,
    args: [fileURLToPath(new URL('acmed.js', import.meta.url))],
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    ready: 'socket',
    version,
    ...options,
  });
}
