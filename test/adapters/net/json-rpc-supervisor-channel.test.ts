import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JsonRpcSupervisorChannel } from '../../../src/adapters/net/json-rpc-supervisor-channel.js';
import { RpcPeer } from '../../../src/adapters/net/rpc-peer.js';

let folder = '';
let socket = '';
let server: Server;
/** How many starts came by each connection. */
let asked: number[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'daemonry-channel-'));
  socket = join(folder, 's');
  asked = [];
  server = createServer((accepted) => {
    const number = asked.push(0) - 1;
    const peer = new RpcPeer(accepted, { onInvalid: 'answer' });
    peer.handle('system.hello', () => ({}));
    peer.handle('supervisor.perform', () => {
      asked[number] = (asked[number] as number) + 1;
      return { done: { outcome: 'already-running' } };
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
});

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

describe('a supervisor is asked', () => {
  test('by sixteen starts of one turn over one connection, and by those of the next over another', async () => {
    const channel = new JsonRpcSupervisorChannel({});
    const start = () => channel.perform(socket, 'start', { ref: { name: 'web' } });
    await Promise.all(Array.from({ length: 40 }, start));
    expect(asked.toSorted((a, b) => b - a)).toEqual([16, 16, 8]);
    await start();
    expect(asked).toHaveLength(4);
  });

  test('by a start that can be cancelled over a connection of its own', async () => {
    const channel = new JsonRpcSupervisorChannel({});
    const { signal } = new AbortController();
    const start = () => channel.perform(socket, 'start', { ref: { name: 'web' }, signal });
    await Promise.all([start(), start(), start()]);
    expect(asked).toEqual([1, 1, 1]);
  });
});
