import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { describe, expect } from 'vitest';
import type { DaemonOptions } from '../../src/app/embed/index.js';
import { loadLibrary } from '../support/library.js';
import { fixture, libraryFile } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

const { defineDaemon } = loadLibrary();

/** A daemon that says everything back in capitals. It resets its first RESETS connections once it has heard something. */
function shouter(home: TemporaryHome, resets = 0, options: Partial<DaemonOptions> = {}) {
  const args = [fixture('shouts.mjs'), String(resets), home.file('heard')];
  return defineDaemon({ name: 'acme', command: process.execPath, args, cwd: null, home: home.path, ...options });
}

function heard(home: TemporaryHome): string {
  return readFileSync(home.file('heard'), 'utf8');
}

async function read(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  socket.ref();
  return waitFor('an answer', () => text);
}

describe.concurrent('a raw connection', () => {
  test('is the socket of a daemon that speaks a protocol of its own, which was started for it', async ({ home }) => {
    const socket = await shouter(home).connect({ raw: true });
    socket.write('hello');
    expect(await read(socket)).toBe('HELLO');
    socket.destroy();
  });

  test('that is reset before the first byte is opened once more, and nothing of the answer is lost (F53)', async ({ home }) => {
    const socket = await shouter(home, 1).connect({ raw: true, opening: 'hello' });
    expect(await read(socket)).toBe('HELLO');
    expect(heard(home)).toBe('hellohello');
    socket.destroy();
  });

  test('that is reset twice is not opened a third time', async ({ home }) => {
    await expect(shouter(home, 2).connect({ raw: true, opening: 'hello' })).rejects.toMatchObject({
      code: 'protocol-error',
      facts: { reason: 'reset' },
    });
    expect(heard(home)).toBe('hellohello');
  });

  test('fails where nobody answers in time, and can be cancelled', async ({ home }) => {
    const daemon = shouter(home);
    await daemon.connect({ raw: true }).then((socket) => socket.destroy());
    await expect(daemon.connect({ raw: true, opening: '', timeoutMs: 100 })).rejects.toMatchObject({ code: 'not-serving' });
    const controller = new AbortController();
    const connecting = daemon.connect({ raw: true, opening: '', signal: controller.signal });
    connecting.catch(() => {});
    controller.abort();
    await expect(connecting).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('keeps no program alive by itself', async ({ home }) => {
    const options = { name: 'acme', command: process.execPath, args: [fixture('shouts.mjs'), '0', home.file('heard')], home: home.path };
    const script = `import(${JSON.stringify(libraryFile)}).then(async ({ defineDaemon }) => {
      const socket = await defineDaemon(${JSON.stringify(options)}).connect({ raw: true, opening: 'hello' });
      socket.on('data', () => {});
    })`;
    expect(await home.spawn(process.execPath, ['-e', script]).end()).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });
});
