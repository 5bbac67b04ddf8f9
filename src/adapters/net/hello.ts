/** The protocol version that this code speaks. */
export const protocolVersion = 1;

/** What a daemon says of itself. Frozen: fields may be added. */
export interface Hello {
  readonly instanceId: string;
  readonly name: string;
  readonly version: string | null;
  readonly protocol: number;
}

/** Reads the answer to `system.hello`; `undefined` where it isn't one. A daemon without a version may leave it out. */
export function parseHello(value: unknown): Hello | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { instanceId, name, version = null, protocol } = value as Record<string, unknown>;
  if (typeof instanceId !== 'string' || instanceId === '' || typeof name !== 'string') return undefined;
  if (version !== null && typeof version !== 'string') return undefined;
  if (!Number.isSafeInteger(protocol)) return undefined;
  return { instanceId, name, version, protocol: protocol as number };
}
