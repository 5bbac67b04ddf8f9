import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { decodeDescriptor, encodeDescriptor } from '../../../src/adapters/files/descriptor-codec.js';
import type { Descriptor } from '../../../src/domain/descriptor.js';
import { longestDurationMs } from '../../../src/domain/quantity.js';
import { fc, isPrototypeClean, runs } from '../support/fuzz.js';
import { anyContent, anyHostileJson, hostileJson, nesting } from '../support/mutations.js';

const valid = {
  schema: 1,
  name: 'clock',
  instanceId: '11111111-2222-4333-8444-555555555555',
  pid: 4_242,
  startToken: '987654',
  bootId: 'b',
  pidNamespace: 'pid:[4026531836]',
  timeNamespace: 'time:[4026531834]',
  host: 'h',
  uid: 0,
  phase: 'ready',
  socket: '/run/s',
  version: '1.0.0',
  startedAt: '2026-01-01T00:00:00.000Z',
  log: '/l',
  command: ['sleep', 'ä€😀'],
  supervisedBy: { pid: 99, startToken: '1', instanceId: 's' },
  ready: 'exec',
  logOffset: 0,
  notifyFile: null,
  stop: { signal: 'SIGTERM', graceMs: 10_000 },
};
const text = JSON.stringify(valid);

/** Fields that a descriptor of the first release lacks: what they can't mean is replaced, not kept. */
const replaceable = ['ready', 'logOffset', 'notifyFile', 'stop'];

function present(content: string): Descriptor | undefined {
  const decoded = decodeDescriptor(content);
  return decoded.kind === 'present' ? decoded.descriptor : undefined;
}

function expectSound(descriptor: Descriptor): void {
  const { pid, uid, logOffset, stop, supervisedBy } = descriptor;
  expect(Number.isSafeInteger(pid) && pid > 1 && pid <= 0x7fff_ffff, `pid ${pid}`).toBe(true);
  expect([uid, logOffset].every((count) => Number.isSafeInteger(count) && count >= 0)).toBe(true);
  const { name, instanceId, startToken, bootId, pidNamespace, timeNamespace, host, startedAt, log, ready } = descriptor;
  for (const part of [name, instanceId, startToken, bootId, pidNamespace, timeNamespace, host, startedAt, log, ready]) {
    expect(typeof part === 'string' && part !== '' && !part.includes('\0'), JSON.stringify(part)).toBe(true);
  }
  expect(typeof stop.signal === 'string' && Object.hasOwn(constants.signals, stop.signal), JSON.stringify(stop)).toBe(true);
  expect(Number.isSafeInteger(stop.graceMs) && stop.graceMs >= 0 && stop.graceMs <= longestDurationMs, JSON.stringify(stop)).toBe(true);
  expect(descriptor.command.every((part) => typeof part === 'string')).toBe(true);
  if (supervisedBy !== null) expect(Number.isSafeInteger(supervisedBy.pid) && supervisedBy.pid > 0, `${supervisedBy.pid}`).toBe(true);
}

describe('the descriptor parser', () => {
  test('whatever it reads: present, corrupt with a reason, or newer; what it takes is sound (F10, F24)', () => {
    fc.assert(
      fc.property(anyContent(valid), (bytes) => {
        const decoded = decodeDescriptor(bytes.toString());
        if (decoded.kind === 'corrupt') expect(decoded.reason).toMatch(/^it|^its/);
        else if (decoded.kind === 'newer') expect(Number.isSafeInteger(decoded.schema) && decoded.schema > 1).toBe(true);
        else expectSound(decoded.descriptor);
        expect(isPrototypeClean()).toBe(true);
      }),
      runs(1_000),
    );
  });

  test('any hostile value of any field: an outcome, and a sound one (F10)', () => {
    for (const field of Object.keys(valid)) {
      for (const value of hostileJson) {
        const decoded = present(JSON.stringify({ ...valid, [field]: 'here' }).replace('"here"', () => value));
        if (decoded) expectSound(decoded);
      }
    }
  });

  test('what it takes can be written again, parses to the same, and keeps every unknown field', () => {
    fc.assert(
      fc.property(anyContent(valid), (bytes) => {
        const descriptor = present(bytes.toString());
        if (!descriptor) return;
        const written = encodeDescriptor(descriptor);
        expect(encodeDescriptor(present(written) as Descriptor)).toBe(written);
        const [before, after] = [JSON.parse(bytes.toString()), JSON.parse(written)];
        for (const field of Object.keys(before).filter((key) => !replaceable.includes(key))) {
          expect(JSON.stringify(after[field]), field).toBe(JSON.stringify(before[field]));
        }
      }),
      runs(1_000),
    );
  });

  test('an unknown field of any name and value is kept, __proto__ included', () => {
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom('__proto__', 'constructor', 'later'), fc.string()), anyHostileJson, (field, value) => {
        fc.pre(!Object.hasOwn(valid, field) && value.length < 5_000);
        const content = `${text.slice(0, -1)},${JSON.stringify(field)}:${value}}`;
        const written = JSON.parse(encodeDescriptor(present(content) as Descriptor));
        expect(Object.hasOwn(written, field)).toBe(true);
        expect(JSON.stringify(written[field])).toBe(JSON.stringify(JSON.parse(value)));
      }),
      runs(300),
    );
  });

  test('a text cut off at any byte is corrupt (F23)', () => {
    const bytes = Buffer.from(text);
    for (let length = 0; length < bytes.length; length++) expect(decodeDescriptor(bytes.toString('utf8', 0, length)).kind).toBe('corrupt');
  });

  test('one byte changed anywhere gives nothing unsound', () => {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at++) {
      for (const value of [0, 0x22, 0x2d, 0x30, 0x5d, 0xff]) {
        const changed = Buffer.from(bytes);
        changed[at] = value;
        const descriptor = present(changed.toString());
        if (descriptor) expectSound(descriptor);
      }
    }
  });

  test('a newer schema is newer, whatever else it says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: Number.MAX_SAFE_INTEGER }), fc.dictionary(fc.string(), fc.jsonValue()), (schema, rest) => {
        expect(decodeDescriptor(JSON.stringify({ ...rest, schema }))).toEqual({ kind: 'newer', schema });
      }),
      runs(100),
    );
  });

  test('brackets without an end, or nested deeper than can be written again, are corrupt', () => {
    expect(decodeDescriptor('['.repeat(nesting)).kind).toBe('corrupt');
    const deep = `${'['.repeat(nesting)}${']'.repeat(nesting)}`;
    for (const field of ['later', 'supervisedBy', 'stop']) {
      const decoded = decodeDescriptor(JSON.stringify({ ...valid, [field]: 'here' }).replace('"here"', deep));
      if (decoded.kind === 'present') encodeDescriptor(decoded.descriptor);
      else expect(decoded.kind).toBe('corrupt');
    }
    const inStop = decodeDescriptor(text.replace('"graceMs":10000', `"graceMs":10000,"later":${deep}`));
    expect(inStop.kind).toBe('corrupt');
  });

  test('what would be too large to be read again once it is written is corrupt', () => {
    // Written with a line for each number, it takes five times as much.
    const many = `[${'0,'.repeat(4 * 1024 * 1024)}0]`;
    expect(decodeDescriptor(`${text.slice(0, -1)},"later":${many}}`).kind).toBe('corrupt');
  });
});
