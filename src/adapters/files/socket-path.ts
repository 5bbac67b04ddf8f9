import { lstatSync, type Stats, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DaemonError } from '../../domain/daemon-error.js';
import { connectSocket, leaveGently } from '../net/connect-socket.js';
import { errnoOf, fileFailure, naming } from './file-errors.js';
import { fitsSocketPath, isPipeName, socketFolders } from './home.js';
import { shortId } from './random-id.js';
import { checkedSubfolder } from './safe-files.js';

/** A listener whose queue is full answers late, and is there all the same. */
const connectTimeoutMs = 1_000;

export interface SocketWish {
  readonly name: string;
  readonly instanceId: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
}

/** A socket path of this instance's own, in the first folder that is safe and short enough. */
export function createSocketPath(wish: SocketWish): string {
  const file = socketFile(wish.name, wish.instanceId);
  for (const path of socketFolders(wish.env, wish.folder)) {
    if (fitsSocketPath(join(path, file), wish.platform) && isUsable(path)) return join(path, file);
  }
  throw new DaemonError('socket-unusable', `no folder is short and safe enough for the socket of ${wish.name}`, { name: wish.name });
}

/** Short, since the whole path has little more than a hundred bytes; the name's beginning is for people. */
export function socketFile(name: string, instanceId: string): string {
  return `${name.slice(0, 12)}-${shortId(instanceId)}.sock`;
}

function isUsable(folder: string): boolean {
  try {
    checkedSubfolder(folder);
    return true;
  } catch {
    return false;
  }
}

/** Removes the socket of an instance that is proven dead, unless somebody else listens at that path by now. */
export async function removeDeadSocket(path: string): Promise<void> {
  if (isPipeName(path)) return;
  const before = look(path);
  if (!before?.isSocket() || (await isListening(path))) return;
  const now = look(path);
  if (now && now.ino === before.ino && now.dev === before.dev) naming(path, 'write', () => unlinkSync(path));
}

/** The path comes from a file: one that leads nowhere, through a file or beyond all lengths, must not keep its record from being cleared. */
function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (['ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EACCES', 'ERR_INVALID_ARG_VALUE'].includes(errnoOf(error))) return undefined;
    throw fileFailure(error, path, 'read');
  }
}

/** Only a refusal proves that nobody is there. */
async function isListening(path: string): Promise<boolean> {
  const reached = await connectSocket({ path }, connectTimeoutMs);
  if (reached.kind === 'connected') void leaveGently(reached.socket);
  return reached.kind !== 'nobody';
}
