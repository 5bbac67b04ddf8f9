import { chmodSync, linkSync, lstatSync, mkdirSync, renameSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { DaemonError } from '../../domain/daemon-error.js';
import { errnoOf } from '../files/file-errors.js';
import { fitsSocketPath, isPipeName, longestSocketPathBytes } from '../files/home.js';
import { randomId, shortId } from '../files/random-id.js';
import { connectSocket, leaveGently } from './connect-socket.js';

/** How long whoever listens on a leftover path may take to accept. */
const leftoverTimeoutMs = 1_000;
const maxAttempts = 5;

type OnConnection = (socket: Socket) => void;

/** Which file exactly: another one may come to lie under the same path. */
interface FileIdentity {
  readonly device: bigint;
  readonly inode: bigint;
  readonly isSocket: boolean;
}

/**
 * A listening socket that takes nobody else's place and removes nobody else's file.
 *
 * It is bound under a hidden name beside its path, and linked to the path when it listens: so the path never leads to a
 * socket that refuses, and libuv, which removes the name that it bound when it closes, never removes a successor's.
 */
export class OwnedSocket {
  readonly path: string;
  readonly #server: Server;
  readonly #hidden: string;
  /** `undefined`: a named pipe, which is no file. */
  readonly #identity: FileIdentity | undefined;

  constructor(path: string, server: Server, hidden: string, identity: FileIdentity | undefined) {
    this.path = path;
    this.#server = server;
    this.#hidden = hidden;
    this.#identity = identity;
  }

  /** Whether nothing at all is under the path any more. */
  isLost(): boolean {
    return this.#identity !== undefined && lstatSync(this.path, { throwIfNoEntry: false }) === undefined;
  }

  /** From now on nobody finds it, where the file can be moved. Who has already connected is still accepted. Never throws. */
  withdraw(): void {
    try {
      if (this.#isOurs(this.path)) renameSync(this.path, this.#hidden);
    } catch {
      // It stays where it is, and a peer may then be cut off just after it connected.
    }
  }

  /** Undoes `withdraw`. Throws `socket-unusable` where another has taken the path meanwhile. */
  async publish(): Promise<void> {
    if (this.#isOurs(this.#hidden)) await publish(this.#hidden, this.path);
  }

  /** Removes the file, if it is still ours, and stops listening. */
  close(): void {
    this.remove();
    this.#server.close();
  }

  /** Removes the file, if it is still ours. Never throws. */
  remove(): void {
    for (const path of [this.path, this.#hidden]) {
      try {
        // Nobody replaces a socket on which somebody still listens: nothing comes between look and removal.
        if (this.#isOurs(path)) unlinkSync(path);
      } catch {
        // What can't be removed is a leftover, which the next daemon proves dead.
      }
    }
  }

  #isOurs(path: string): boolean {
    return this.#identity !== undefined && isSame(identify(path), this.#identity);
  }
}

/**
 * Listens at a path, for our user only. A socket that was left there by a dead daemon is replaced.
 *
 * Throws `socket-unusable` with `path` and `reason`: `too-long`, `in-use`, `not-a-socket`, or `failed` with `errno`.
 */
export async function openOwnedSocket(path: string, onConnection: OnConnection): Promise<OwnedSocket> {
  if (!isPipeName(path) && !fitsSocketPath(path, process.platform)) throw unusable(path, 'too-long', `${path} is too long for a socket`);
  try {
    if (isPipeName(path)) return new OwnedSocket(path, await listen(path, onConnection), path, undefined);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return await openSocketFile(path, onConnection);
  } catch (error) {
    if (error instanceof DaemonError) throw error;
    throw unusable(path, 'failed', `can't listen at ${path}: ${errnoOf(error)}`, errnoOf(error), error);
  }
}

async function openSocketFile(path: string, onConnection: OnConnection): Promise<OwnedSocket> {
  const hidden = siblingOf(path);
  const server = await listen(hidden, onConnection);
  try {
    chmodSync(hidden, 0o600);
    const identity = identify(hidden);
    await publish(hidden, path);
    return new OwnedSocket(path, server, hidden, identity);
  } catch (error) {
    server.close();
    throw error;
  }
}

function listen(path: string, onConnection: OnConnection): Promise<Server> {
  // Half open, so that a peer that has said all it wants to say still hears the answer.
  const server = createServer({ allowHalfOpen: true }, onConnection);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      // A connection that can't be accepted is its peer's loss.
      server.removeListener('error', reject).on('error', () => {});
      resolve(server);
    });
    // Node has no mode for a socket that tightens. It binds before it returns, so nothing else runs under this mask.
    const mask = process.umask(0o177);
    try {
      server.listen({ path, exclusive: true });
    } finally {
      process.umask(mask);
    }
  });
}

/** Gives the socket its path. Exclusive: of two that try at once, one wins and the other sees it. */
async function publish(hidden: string, path: string): Promise<void> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    if (moveExclusively(hidden, path)) return;
    await clearLeftover(path);
  }
  throw inUse(path);
}

/** False where something is there already. */
function moveExclusively(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    unlinkSync(from);
    return true;
  } catch {
    // Also where the file system has no hard links. There, looking first is the best that can be had.
    if (lstatSync(to, { throwIfNoEntry: false })) return false;
    renameSync(from, to);
    return true;
  }
}

async function clearLeftover(path: string): Promise<void> {
  const found = identify(path);
  if (found === undefined) return;
  if (!found.isSocket) throw unusable(path, 'not-a-socket', `${path} is there and is not a socket`);
  if (await isAnswered(path)) throw inUse(path);
  if (!isSame(identify(path), found)) return;
  // Moved aside and looked at again before it is removed: even since the look before, another daemon may have put its own
  // there. Nothing waits between these calls, so that its place is empty for microseconds.
  const aside = siblingOf(path);
  if (!moveAside(path, aside)) return;
  if (isSame(identify(aside), found) || !moveExclusively(aside, path)) unlinkSync(aside);
}

/** False where another daemon, clearing the same leftover, was faster. */
function moveAside(path: string, aside: string): boolean {
  try {
    renameSync(path, aside);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Whoever is not proven absent answers. */
async function isAnswered(path: string): Promise<boolean> {
  const reached = await connectSocket({ path }, leftoverTimeoutMs);
  if (reached.kind === 'connected') await leaveGently(reached.socket);
  return reached.kind !== 'nobody';
}

/** A name of our own in the same folder, hidden where the length that a socket's path may have allows it. */
function siblingOf(path: string): string {
  const folder = dirname(path);
  const room = longestSocketPathBytes(process.platform) - Buffer.byteLength(join(folder, 'x')) + 1;
  const random = shortId(randomId());
  return join(folder, (room < 8 ? random : `.${random}`).slice(0, Math.min(room, 12)));
}

function identify(path: string): FileIdentity | undefined {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return found && { device: found.dev, inode: found.ino, isSocket: found.isSocket() };
}

function isSame(a: FileIdentity | undefined, b: FileIdentity | undefined): boolean {
  return a !== undefined && b !== undefined && a.device === b.device && a.inode === b.inode;
}

function inUse(path: string): DaemonError {
  return unusable(path, 'in-use', `somebody already listens at ${path}`);
}

function unusable(path: string, reason: string, message: string, errno: string | null = null, cause?: unknown): DaemonError {
  return new DaemonError('socket-unusable', message, { path, reason, errno }, cause);
}
