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
  supervisedBy: {
    world: { bootId: 'b2', pidNamespace: 'pid:[1]', timeNamespace: 'time:[1]', host: 'h2' },
    pid: 99,
    startToken: '1',
    instanceId: 's',
  },
  history: { restarts: 3, streak: 2, recentMs: [1_000, 2_000.5] },
  former: { instanceId: 'f', pid: 4_241, startToken: '987653' },
  memory: { source: '/sys/fs/cgroup/memory.events', kills: 0 },
  intent: true,
  confined: true,
  ready: 'exec',
  logOffset: 0,
  notifyFile: null,
  stop: { signal: 'SIGTERM', graceMs: 10_000 },
};
const text = JSON.stringify(valid);

/** Fields that a descriptor of the first release lacks: what they can't mean is replaced, or left out. */
const replaceable = ['ready', 'logOffset', 'notifyFile', 'stop', 'history', 'former', 'memory', 'intent', 'confined'];

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
  expectSoundAdditions(descriptor);
}

const isText = (value: unknown) => typeof value === 'string' && value !== '' && !value.includes('\0');
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

/** Whatever the keeper, a stop and the verbs that read rely on without another look. */
function expectSoundAdditions({ supervisedBy, history, former, memory, intent, confined }: Descriptor): void {
  const { world } = supervisedBy ?? {};
  if (world) expect([world.bootId, world.pidNamespace, world.timeNamespace, world.host].every(isText), JSON.stringify(world)).toBe(true);
  if (history !== undefined) {
    expect([history.restarts, history.streak].every(isCount), JSON.stringify(history)).toBe(true);
    expect(history.recentMs.every((at) => Number.isFinite(at) && at >= 0)).toBe(true);
  }
  if (former !== undefined) {
    expect(isCount(former.pid) && former.pid > 1 && former.pid <= 0x7fff_ffff, JSON.stringify(former)).toBe(true);
    expect([former.instanceId, former.startToken].every(isText), JSON.stringify(former)).toBe(true);
  }
  if (memory !== undefined) expect(isText(memory.source) && isCount(memory.kills), JSON.stringify(memory)).toBe(true);
  for (const flag of [intent, confined]) expect(flag === undefined || flag === true, JSON.stringify(flag)).toBe(true);
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

  test('any hostile value in any field of what it keeps of supervisors and runs: an outcome, and a sound one', () => {
    for (const [field, inner] of Object.entries({
      supervisedBy: valid.supervisedBy,
      history: valid.history,
      former: valid.former,
      memory: valid.memory,
    })) {
      for (const part of Object.keys(inner)) {
        for (const value of hostileJson) {
          const content = JSON.stringify({ ...valid, [field]: { ...inner, [part]: 'here' } }).replace('"here"', () => value);
          const decoded = present(content);
          if (decoded) expectSound(decoded);
          // Of what its own process is, nothing is lost by it.
          if (decoded) expect(decoded).toMatchObject({ pid: valid.pid, startToken: valid.startToken });
        }
      }
    }
  });

  test('a supervisor whose world says nothing is looked for in that of its daemon; a whole record is taken as it is', () => {
    const { world: _, ...bare } = valid.supervisedBy;
    for (const world of [{}, null, 7, { ...valid.supervisedBy.world, host: '' }])
      expect(present(JSON.stringify({ ...valid, supervisedBy: { ...bare, world } }))?.supervisedBy).toEqual(bare);
    expect(present(text)).toEqual(valid);
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
