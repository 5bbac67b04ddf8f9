import { existsSync, lstatSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type OwnedSocket, openOwnedSocket } from '../../src/adapters/net/owned-socket.js';
import { waitFor } from '../support/wait-for.js';

let folder: string;
let owned: OwnedSocket;
let accepted: Socket[];
const path = () => join(folder, 's');

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dy-'));
  accepted = [];
  owned = await openOwnedSocket(path(), (socket) => accepted.push(socket));
});
afterEach(() => {
  owned.close();
  for (const socket of accepted) socket.destroy();
  rmSync(folder, { recursive: true, force: true });
});

async function reach(): Promise<'connected' | string> {
  const socket = connect(path());
  const outcome = await new Promise<string>((resolve) => {
    socket.once('connect', () => resolve('connected')).once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
  });
  socket.destroy();
  return outcome;
}

describe('OwnedSocket', () => {
  test('withdrawn, nobody finds it, and who has connected before is accepted; published, it is found again', async () => {
    const before = connect(path());
    owned.withdraw();
    expect(existsSync(path())).toBe(false);
    await waitFor('the connection', () => accepted.length === 1);
    before.destroy();
    expect(await reach()).toBe('ENOENT');
    await owned.publish();
    expect(await reach()).toBe('connected');
    expect(readdirSync(folder)).toEqual(['s']);
  });

  test("withdrawn, it leaves its place to another, and takes nobody's place to be published", async () => {
    owned.withdraw();
    const other = await openOwnedSocket(path(), (socket) => accepted.push(socket));
    await expect(owned.publish()).rejects.toMatchObject({ code: 'socket-unusable', facts: { reason: 'in-use' } });
    owned.close();
    expect(await reach()).toBe('connected');
    other.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('closed, its file is gone, whether it was withdrawn or not', () => {
    owned.withdraw();
    owned.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("closed, it leaves a file that is another's (F30)", () => {
    renameSync(path(), join(folder, 'aside'));
    writeFileSync(path(), 'another');
    owned.close();
    expect(lstatSync(path()).isFile()).toBe(true);
  });

  test('is lost where nothing is under its path any more', () => {
    expect(owned.isLost()).toBe(false);
    rmSync(path());
    expect(owned.isLost()).toBe(true);
    writeFileSync(path(), 'another');
    expect(owned.isLost()).toBe(false);
  });
});
