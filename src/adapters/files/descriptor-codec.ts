import { constants } from 'node:os';
import { specDefaults } from '../../domain/daemon-spec.js';
import { type Descriptor, type DescriptorReading, descriptorSchema, type SupervisorReference } from '../../domain/descriptor.js';
import { longestDurationMs } from '../../domain/quantity.js';
import { largestFileBytes } from './safe-files.js';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string' && value !== '' && !value.includes('\0');
const isTextOrNull: Check = (value) => value === null || isText(value);
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const isPid = (value: unknown, least: number) =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= 0x7fff_ffff;

const isStopPolicy: Check = (value) =>
  isRecord(value) &&
  typeof value.signal === 'string' &&
  Object.hasOwn(constants.signals, value.signal) &&
  isCount(value.graceMs) &&
  (value.graceMs as number) <= longestDurationMs;

// A supervisor that is a container's first process has pid 1. Nobody signals it by this.
const isSupervisor: Check = (value) => isRecord(value) && isPid(value.pid, 1) && isText(value.startToken) && isText(value.instanceId);

/** No window counts more restarts: a longer list is none of ours. */
const mostRecent = 1_000;

const isMoment: Check = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;

const isHistory: Check = (value) =>
  isRecord(value) &&
  isCount(value.restarts) &&
  isCount(value.streak) &&
  Array.isArray(value.recentMs) &&
  value.recentMs.length <= mostRecent &&
  value.recentMs.every(isMoment);

const isFormerRun: Check = (value) => isRecord(value) && isText(value.instanceId) && isPid(value.pid, 2) && isText(value.startToken);

const isMemoryWitness: Check = (value) => isRecord(value) && isText(value.source) && isCount(value.kills);

const isWorld: Check = (value) =>
  isRecord(value) && isText(value.bootId) && isText(value.pidNamespace) && isText(value.timeNamespace) && isText(value.host);

/** Fields that a record need not have: one that can't mean anything is left out, and the rest of the record is good. */
const optional: Readonly<Record<string, Check>> = {
  history: isHistory,
  former: isFormerRun,
  memory: isMemoryWitness,
  waitedMs: isMoment,
  fingerprint: isText,
  supersedes: (value) => Array.isArray(value) && value.every(isText),
};

/** Whatever they say but no: a starter that was taken for its daemon would be ended in its place. */
const flags = ['intent', 'confined'] as const;

// By hand, since a schema library costs this hottest of paths more than all the rest of it.
const required: Readonly<Record<string, Check>> = {
  name: isText,
  instanceId: isText,
  // Signalling pid 0, 1 or -1 would reach everybody: no such pid passes.
  pid: (value) => isPid(value, 2),
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
  supervisedBy: (value) => value === null || isSupervisor(value),
};

const requiredChecks = Object.entries(required);
const optionalChecks = Object.entries(optional);

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
  for (const [field, check] of requiredChecks) {
    if (!check(value[field])) return { kind: 'corrupt', reason: `its ${field} is not valid` };
  }
  if (mayBeDeep(text) && !isShallow(value, deepestLevels)) return { kind: 'corrupt', reason: 'it is nested too deep' };
  // Later additions, which a descriptor of the first release may lack. Nobody else has what was just parsed.
  if (!isText(value.ready)) value.ready = 'exec';
  if (!isCount(value.logOffset)) value.logOffset = 0;
  if (!isText(value.notifyFile)) value.notifyFile = null;
  if (!isStopPolicy(value.stop)) value.stop = { signal: specDefaults.stopSignal, graceMs: specDefaults.graceMs };
  value.supervisedBy = withSoundService(withSoundWorld(value.supervisedBy));
  const descriptor = value;
  for (const [field, check] of optionalChecks) if (Object.hasOwn(value, field) && !check(value[field])) delete descriptor[field];
  for (const flag of flags) if (Object.hasOwn(value, flag) && value[flag] !== true) setFlag(descriptor, flag, Boolean(value[flag]));
  if (text.length > surelyWritableLength && Buffer.byteLength(encodeDescriptor(descriptor as unknown as Descriptor)) > largestFileBytes) {
    return { kind: 'corrupt', reason: 'it is too large' };
  }
  return { kind: 'present', descriptor: descriptor as unknown as Descriptor };
}

function setFlag(descriptor: Record<string, unknown>, flag: string, isSet: boolean): void {
  if (isSet) descriptor[flag] = true;
  else delete descriptor[flag];
}

/** Without a world of its own it is looked for in the daemon's, as that of any record of the first release. */
function withSoundWorld(supervisedBy: unknown): unknown {
  if (!isRecord(supervisedBy) || supervisedBy.world === undefined || isWorld(supervisedBy.world)) return supervisedBy;
  const { world: _, ...rest } = supervisedBy as unknown as SupervisorReference;
  return rest;
}

/** A wrong one would have everybody leave its daemon to a service that there is none of. */
function withSoundService(supervisedBy: unknown): unknown {
  if (!isRecord(supervisedBy) || supervisedBy.service === undefined) return supervisedBy;
  const { service, ...rest } = supervisedBy;
  return isRecord(service) && isText(service.manager) && isText(service.id) ? supervisedBy : rest;
}

/** Fields of a later version may be nested, but not so deep that they can't be written again: that takes a stack, and reading does not. */
const deepestLevels = 64;
/** A shorter text is never too large once it is written with its line breaks, at whatever depth. */
const surelyWritableLength = largestFileBytes / (4 * deepestLevels);

/** Whoever has no more brackets than that, in whatever place, has no more levels. */
function mayBeDeep(text: string): boolean {
  let brackets = 0;
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) if (++brackets > deepestLevels) return true;
  }
  return false;
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((part) => isShallow(part, levels - 1));
}

/** Unknown fields of a descriptor that was read are kept when it is written again. */
export function encodeDescriptor(descriptor: Descriptor): string {
  return `${JSON.stringify(descriptor, null, 2)}\n`;
}
