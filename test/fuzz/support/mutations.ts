import { fc } from './fuzz.js';

/** JSON that nests this deep is parsed by the engine without a stack, and written with one. */
export const nesting = 100_000;

/** Values, as JSON text, over which parsers have stumbled. */
export const hostileJson: readonly string[] = [
  'null',
  'true',
  '0',
  '1',
  '-1',
  '-0',
  '1.5',
  '2147483647',
  '2147483648',
  '4294967298',
  '9007199254740993',
  '1e400',
  '-1e400',
  '1e-400',
  '""',
  '"0"',
  '"1"',
  '" 7"',
  '"\\u0000"',
  '"a\\u0000b"',
  '"\\ud800"',
  '"\\ud83d\\ude00"',
  '"../../x"',
  '"__proto__"',
  '[]',
  '{}',
  '[[]]',
  '["SIGTERM"]',
  '{"toString":1,"valueOf":1}',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"pid":-1,"startToken":"1","instanceId":"i"}',
  '{"signal":{"toString":1,"valueOf":1},"graceMs":1}',
  '{"signal":["SIGTERM"],"graceMs":1}',
  '{"signal":"SIGTERM","graceMs":9007199254740991}',
  '{"signal":"__proto__","graceMs":1}',
  JSON.stringify('x'.repeat(70_000)),
  `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
];

export const anyHostileJson = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...hostileJson) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 3 }) },
);

const anyPlace = fc.nat({ max: 1_000_000 });
const fewBytes = fc.uint8Array({ maxLength: 12 });

/** What is done to a text: each a function of the bytes before. */
type Mutation = (bytes: Buffer) => Buffer;

/** A valid JSON object, mutated by structure and by byte, a few times over. */
export function mutationsOf(valid: Readonly<Record<string, unknown>>): fc.Arbitrary<Buffer> {
  const anyKey = fc.oneof(fc.constantFrom(...Object.keys(valid), '__proto__', 'constructor', 'toString', ''), fc.string({ maxLength: 4 }));
  const structural = fc
    .array(fc.tuple(fc.constantFrom('drop', 'replace', 'first', 'last'), anyKey, anyHostileJson), { maxLength: 3 })
    .map((changes) => changes.reduce((members, change) => changeMembers(members, change as Change), membersOf(valid)))
    .map((members) => Buffer.from(`{${members.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`));
  const byByte = fc.oneof<fc.Arbitrary<Mutation>[]>(
    anyPlace.map(
      (at): Mutation =>
        (bytes) =>
          bytes.subarray(0, at % (bytes.length + 1)),
    ),
    fc.tuple(anyPlace, fc.integer({ min: 0, max: 7 })).map(
      ([at, bit]) =>
        (bytes: Buffer) =>
          flipBit(bytes, at, bit),
    ),
    fc.tuple(anyPlace, fc.nat({ max: 20 }), fewBytes).map(
      ([at, cut, added]) =>
        (bytes: Buffer) =>
          splice(bytes, at, cut, added),
    ),
  );
  return fc
    .tuple(structural, fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(byByte, { maxLength: 3 }) }))
    .map(([bytes, mutations]) => mutations.reduce<Buffer>((mutated, mutate) => mutate(mutated), bytes));
}

/** Anything at all, and things that are nearly right. */
export function anyContent(valid: Readonly<Record<string, unknown>>): fc.Arbitrary<Buffer> {
  return fc.oneof(
    { weight: 6, arbitrary: mutationsOf(valid) },
    { weight: 1, arbitrary: anyHostileJson.map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  );
}

type Member = readonly [key: string, text: string];
type Change = readonly [kind: 'drop' | 'replace' | 'first' | 'last', key: string, text: string];

function membersOf(valid: Readonly<Record<string, unknown>>): readonly Member[] {
  return Object.entries(valid).map(([key, value]) => [key, JSON.stringify(value)]);
}

/** `first` and `last` write a key twice where it is there: the last one is meant, to JSON. */
function changeMembers(members: readonly Member[], [kind, key, text]: Change): readonly Member[] {
  switch (kind) {
    case 'drop':
      return members.filter(([name]) => name !== key);
    case 'replace':
      return members.map((member) => (member[0] === key ? [key, text] : member));
    case 'first':
      return [[key, text], ...members];
    case 'last':
      return [...members, [key, text]];
  }
}

function flipBit(bytes: Buffer, at: number, bit: number): Buffer {
  if (bytes.length === 0) return bytes;
  const flipped = Buffer.from(bytes);
  flipped[at % bytes.length] = (flipped[at % bytes.length] as number) ^ (1 << bit);
  return flipped;
}

function splice(bytes: Buffer, at: number, cut: number, added: Uint8Array): Buffer {
  const start = at % (bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, start), added, bytes.subarray(start + cut)]);
}
