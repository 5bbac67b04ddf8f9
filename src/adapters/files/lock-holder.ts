import { readSync } from 'node:fs';
import type { ProcessIdentity } from '../../domain/identity.js';

/** What a lock or claim file says of its holder. */
export interface LockHolder extends ProcessIdentity {
  /** `kernel`: freed by the kernel with its holder's end, so that who can take it need not ask. `claim`: by this text alone. */
  readonly by: 'kernel' | 'claim';
  /** Tells the claims of one process apart. */
  readonly nonce: string;
}

const longestBytes = 4_096;
/** It becomes part of a file's name. */
const nonceShape = /^[0-9A-Za-z-]{1,64}$/;

export function encodeHolder(holder: LockHolder): string {
  const { pid, startToken, bootId, pidNamespace, timeNamespace, host, by, nonce } = holder;
  return `${JSON.stringify({ pid, startToken, bootId, pidNamespace, timeNamespace, host, by, nonce })}\n`;
}

/** `undefined` for an empty file, which nobody holds, and for what is no holder at all. */
export function decodeHolder(text: string): LockHolder | undefined {
  let value: Partial<Record<keyof LockHolder, unknown>> | null;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { pid, nonce, by } = value;
  const texts = [value.startToken, value.bootId, value.pidNamespace, value.timeNamespace, value.host];
  if (!texts.every((part) => typeof part === 'string') || typeof nonce !== 'string' || !nonceShape.test(nonce)) return undefined;
  return isPid(pid) && (by === 'kernel' || by === 'claim') ? (value as LockHolder) : undefined;
}

/** The system calls throw for a larger number than a pid can be, which would be taken for a holder that can't be seen. */
function isPid(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 1 && (value as number) <= 0x7fff_ffff;
}

export function readHolder(fd: number): LockHolder | undefined {
  const bytes = Buffer.alloc(longestBytes);
  return decodeHolder(bytes.toString('utf8', 0, readSync(fd, bytes, 0, longestBytes, 0)));
}
