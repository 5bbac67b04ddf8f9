// The daemon as every front knows it.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineDaemon } from 'daemonry';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

export function notesDaemon() {
  return defineDaemon({
    name: 'notesd',
    command: process.execPath,
    args: [fileURLToPath(new URL('notesd.js', import.meta.url))],
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    ready: 'socket',
    version,
    // What a front and the daemon say to each other beside MCP itself: of two installed versions that differ here, one is told so.
    protocol: 1,
    // After an upgrade, sessions under way keep the daemon that they have. The new one comes when nobody is connected any more.
    onMismatch: 'replace-if-newer-and-idle',
  });
}
