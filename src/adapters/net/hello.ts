import { type ProtocolRange, parseProtocolRange } from '../../domain/protocol-range.js';

/** The protocol version that this code speaks. */
export const protocolVersion = 1;

/** What a daemon says of itself. Frozen: fields may be added. */
export interface Hello {
  readonly instanceId: string;
  readonly name: string;
  readonly version: string | null;
  /** Of the control protocol. */
  readonly protocol: number;
  /** Versions of the daemon's own protocol, where it tells. */
  readonly speaks?: ProtocolRange;
}

/** Reads the answer to `system.hello`; `undefined` where it isn't one. A daemon without a version may leave it out. */
export function parseHello(value: unknown): Hello | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { instanceId, name, version = null, protocol } = value as Record<string, unknown>;
  if (typeof instanceId !== 'string' || instanceId === '' || typeof name !== 'string') return undefined;
  if (version !== null && typeof version !== 'string') return undefined;
  if (!Number.isSafeInteger(protocol)) return undefined;
  const speaks = speaksOf(value);
  return { instanceId, name, version, protocol: protocol as number, ...(speaks && { speaks }) };
}

/** What one side says at `system.hello` of the versions that it speaks, in its parameters as in its answer. */
export function speaksOf(value: unknown): ProtocolRange | undefined {
  return parseProtocolRange((value as { speaks?: unknown } | null | undefined)?.speaks);
}
