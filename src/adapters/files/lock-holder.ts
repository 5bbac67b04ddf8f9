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

export function encodeHolder(holder: LockHolder): string {
  const { pid, startToken, bootId, pidNamespace, timeNamespace, host, by, nonce } = holder;
  return `${JSON.stringify({ pid, startToken, bootId, pidNamespace, timeNamespace, host, by, nonce })}\n`;
}

/** `undefined` for an empty file, which nobody holds, and for what is no holder at all. */
export function decodeHolder(text: string): LockHolder | undefined {
  let value: Partial<LockHolder> | null;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const texts = [value.startToken, value.bootId, value.pidNamespace, value.timeNamespace, value.host, value.nonce];
  const whole = Number.isSafeInteger(value.pid) && (value.pid as number) > 1 && texts.every((part) => typeof part === 'string');
  return whole && (value.by === 'kernel' || value.by === 'claim') ? (value as LockHolder) : undefined;
}

export function readHolder(fd: number): LockHolder | undefined {
  const bytes = Buffer.alloc(longestBytes);
  return decodeHolder(bytes.toString('utf8', 0, readSync(fd, bytes, 0, longestBytes, 0)));
}
