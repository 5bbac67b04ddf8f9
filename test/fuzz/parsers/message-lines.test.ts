import { describe, expect, test } from 'vitest';
import { parseHello } from '../../../src/adapters/net/hello.js';
import { LineSplitter, maxLineBytes } from '../../../src/adapters/net/message-lines.js';
import { isRpcError } from '../../../src/adapters/net/rpc-error.js';
import { decodeMessage, encodeMessage, resultOf } from '../../../src/adapters/net/rpc-message.js';
import { fc, isPrototypeClean, runs } from '../support/fuzz.js';
import { anyContent, nesting } from '../support/mutations.js';

const overflow = 'overflow';

/** What a stream comes to by the book: its whole lines, or those before the first that is too long. */
function linesOf(stream: Buffer, maxBytes: number): readonly string[] {
  const parts = stream.toString('latin1').split('\n');
  const tooLong = parts.findIndex((part) => part.length > maxBytes);
  return tooLong < 0 ? parts.slice(0, -1) : [...parts.slice(0, tooLong), overflow];
}

function push(splitter: LineSplitter, chunk: Buffer): readonly string[] {
  const lines: string[] = [];
  splitter.push(chunk);
  for (let line = splitter.next(); line !== undefined; line = splitter.next())
    lines.push(line === overflow ? overflow : line.toString('latin1'));
  return lines;
}

/** How many bytes are copied while work is done, by the ways in which buffers are copied. */
function copiedBytes(work: () => void): number {
  let copied = 0;
  const { copy } = Buffer.prototype;
  const { concat } = Buffer;
  Buffer.prototype.copy = function (this: Buffer, ...args: Parameters<Buffer['copy']>) {
    const count = copy.apply(this, args);
    copied += count;
    return count;
  };
  Buffer.concat = (list, length) => {
    const joined = concat(list, length);
    copied += joined.length;
    return joined;
  };
  try {
    work();
  } finally {
    Buffer.prototype.copy = copy;
    Buffer.concat = concat;
  }
  return copied;
}

describe('LineSplitter', () => {
  test('any stream in any chunks gives its lines, up to the first that is too long', () => {
    const byte = fc.oneof(fc.constant(0x0a), fc.integer({ min: 0x61, max: 0x63 }), fc.integer({ min: 0, max: 255 }));
    const stream = fc.array(byte, { maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(
        stream,
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 30 }),
        (bytes, cuts, maxBytes) => {
          const splitter = new LineSplitter(maxBytes);
          const found: string[] = [];
          for (let start = 0, turn = 0; start < bytes.length && found.at(-1) !== overflow; turn++) {
            const length = cuts[turn % cuts.length] as number;
            // The transport may use its buffer again.
            const chunk = Buffer.from(bytes.subarray(start, start + length));
            found.push(...push(splitter, chunk));
            chunk.fill(0x78);
            start += length;
          }
          expect(found).toEqual(linesOf(bytes, maxBytes));
        },
      ),
      runs(500),
    );
  });

  test.each([
    ['byte by byte', 1],
    ['in a few bytes each', 7],
    ['in large chunks', 64 * 1024],
  ])('a line of 1 MiB %s costs a few copies of it, not one for each chunk', (_how, chunkBytes) => {
    const splitter = new LineSplitter();
    const chunk = Buffer.alloc(chunkBytes, 'x');
    let lines = 0;
    const copied = copiedBytes(() => {
      for (let sent = 0; sent + chunkBytes <= maxLineBytes; sent += chunkBytes) lines += push(splitter, chunk).length;
      lines += push(splitter, Buffer.from('\n')).length;
    });
    expect(lines).toBe(1);
    expect(copied).toBeLessThanOrEqual(4 * maxLineBytes);
  });

  test('many tiny lines in one chunk are not copied at all', () => {
    const chunk = Buffer.from('1\n'.repeat(32 * 1024));
    const splitter = new LineSplitter();
    let lines = 0;
    const copied = copiedBytes(() => {
      splitter.push(chunk);
      while (splitter.next() !== undefined) lines++;
    });
    expect([lines, copied]).toEqual([32 * 1024, 0]);
  });
});

const request = { jsonrpc: '2.0', id: 1, method: 'system.ping', params: [] };
const response = { jsonrpc: '2.0', id: 1, result: { instanceId: 'i', name: 'n', version: null, protocol: 1 } };
const failure = { jsonrpc: '2.0', id: 1, error: { code: -32_000, message: 'm', data: 1 } };
const anyMessage = fc.oneof(anyContent(request), anyContent(response), anyContent(failure));

describe('a message', () => {
  test('of any bytes is blank, a request, a response or invalid; what it says can be used', () => {
    fc.assert(
      fc.property(anyMessage, (line) => {
        const message = decodeMessage(line);
        if (message.kind === 'request') expect(typeof message.request.method).toBe('string');
        if (message.kind === 'invalid') expect(() => encodeMessage(message.answer)).not.toThrow(TypeError);
        if (message.kind === 'response') useResponse(() => resultOf(message.response));
        expect(isPrototypeClean()).toBe(true);
      }),
      runs(1_000),
    );
  });

  test('nested a hundred thousand deep is read, and refused where it is to be written', () => {
    const deep = `${'['.repeat(nesting)}${']'.repeat(nesting)}`;
    expect(decodeMessage(Buffer.from('['.repeat(nesting))).kind).toBe('invalid');
    const message = decodeMessage(Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"echo","params":${deep}}`));
    if (message.kind !== 'request') throw new Error(message.kind);
    expect(() => encodeMessage({ result: message.request.params })).toThrow(expect.objectContaining({ name: 'RpcError' }));
  });

  test('an answer to system.hello of any shape is a whole one or none', () => {
    fc.assert(
      fc.property(anyContent(response.result), (bytes) => {
        let value: unknown;
        try {
          value = JSON.parse(bytes.toString());
        } catch {
          value = bytes.toString();
        }
        const hello = parseHello(value);
        if (!hello) return;
        expect(hello.instanceId !== '' && typeof hello.instanceId === 'string' && typeof hello.name === 'string').toBe(true);
        expect(Number.isSafeInteger(hello.protocol)).toBe(true);
      }),
      runs(500),
    );
  });
});

function useResponse(result: () => unknown): void {
  try {
    result();
  } catch (error) {
    if (!isRpcError(error)) throw error;
    expect(Number.isInteger(error.code) && typeof error.message === 'string').toBe(true);
  }
}
