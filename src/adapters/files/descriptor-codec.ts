import { constants } from 'node:os';
import { specDefaults } from '../../domain/daemon-spec.js';
import { type Descriptor, type DescriptorReading, descriptorSchema } from '../../domain/descriptor.js';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string' && value !== '' && !value.includes('\0');
const isTextOrNull: Check = (value) => value === null || isText(value);
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const isStopPolicy: Check = (value) => isRecord(value) && Object.hasOwn(constants.signals, String(value.signal)) && isCount(value.graceMs);

// By hand, since a schema library costs this hottest of paths more than all the rest of it.
const required: Readonly<Record<string, Check>> = {
  name: isText,
  instanceId: isText,
  // Signalling pid 0, 1 or -1 would reach everybody: no such pid passes.
  pid: (value) => Number.isSafeInteger(value) && (value as number) > 1 && (value as number) <= 0x7fff_ffff,
  startToken: isText,
  bootId: isText,
  pidNamespace: isText,
  timeNamespace: isText,
  host: isText,
  uid: isCount,
  phase: (value) => ['starting', 'ready', 'stopping', 'backoff', 'failed'].includes(value as string),
  socket: isTextOrNull,
  version: isTextOrNull,
  startedAt: isText,
  log: isText,
  command: (value) => Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'string'),
  supervisedBy: (value) => value === null || isRecord(value),
};

/** Parses what was read, strictly: what is not a whole descriptor is corrupt, and says why. */
export function decodeDescriptor(
  text: string,
): Exclude<DescriptorReading, { kind: 'absent' | 'present' }> | { kind: 'present'; descriptor: Descriptor } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'corrupt', reason: text.trim() === '' ? 'it is empty' : 'it is not JSON' };
  }
  if (!isRecord(value)) return { kind: 'corrupt', reason: 'it is not a JSON object' };
  if (Number.isSafeInteger(value.schema) && (value.schema as number) > descriptorSchema)
    return { kind: 'newer', schema: value.schema as number };
  if (value.schema !== descriptorSchema) return { kind: 'corrupt', reason: 'its schema is not 1' };
  for (const [field, check] of Object.entries(required)) {
    if (!check(value[field])) return { kind: 'corrupt', reason: `its ${field} is not valid` };
  }
  // Later additions, which a descriptor of the first release may lack.
  const additions = {
    ready: isText(value.ready) ? value.ready : 'exec',
    logOffset: isCount(value.logOffset) ? value.logOffset : 0,
    notifyFile: isText(value.notifyFile) ? value.notifyFile : null,
    stop: isStopPolicy(value.stop) ? value.stop : { signal: specDefaults.stopSignal, graceMs: specDefaults.graceMs },
  };
  return { kind: 'present', descriptor: { ...value, ...additions } as unknown as Descriptor };
}

/** Unknown fields of a descriptor that was read are kept when it is written again. */
export function encodeDescriptor(descriptor: Descriptor): string {
  return `${JSON.stringify(descriptor, null, 2)}\n`;
}
