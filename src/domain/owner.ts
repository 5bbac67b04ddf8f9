import type { ProcessIdentity } from './identity.js';

/** For whom a daemon is there: a process, or whoever holds it by an open connection. When none of them is left, it leaves. */
export type Owner = 'connection' | ProcessIdentity;

/** As a daemon is told of it, in its environment and over its socket. */
export function formatOwner(owner: Owner): string {
  return owner === 'connection' ? owner : JSON.stringify(owner);
}

/** `undefined` where it is none. */
export function parseOwner(text: string): Owner | undefined {
  if (text === 'connection') return text;
  try {
    return parseIdentity(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function parseIdentity(value: unknown): ProcessIdentity | undefined {
  const { pid, startToken, bootId, pidNamespace, timeNamespace, host } = (value ?? {}) as Partial<Record<keyof ProcessIdentity, unknown>>;
  if (!Number.isSafeInteger(pid) || (pid as number) < 1) return undefined;
  const texts = { startToken, bootId, pidNamespace, timeNamespace, host };
  if (!Object.values(texts).every((text) => typeof text === 'string' && text !== '')) return undefined;
  return { pid: pid as number, ...(texts as Omit<ProcessIdentity, 'pid'>) };
}

/** Only what says who it is: a vantage says more. */
export function identityOnly({ pid, startToken, bootId, pidNamespace, timeNamespace, host }: ProcessIdentity): ProcessIdentity {
  return { pid, startToken, bootId, pidNamespace, timeNamespace, host };
}
