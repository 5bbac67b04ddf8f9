import { describe, expect, test } from 'vitest';
import { callerContext, readCallerContext } from '../../src/app/serve/caller-context.js';

describe('where a caller is (F40)', () => {
  test('is its folder, and of its environment what is named and set', () => {
    process.env.CALLER_TOKEN = 'its own';
    try {
      expect(callerContext()).toEqual({ cwd: process.cwd(), env: {} });
      expect(callerContext({ env: ['CALLER_TOKEN', 'CALLER_UNSET', 'toString'] })).toEqual({
        cwd: process.cwd(),
        env: { CALLER_TOKEN: 'its own' },
      });
    } finally {
      delete process.env.CALLER_TOKEN;
    }
  });

  test('is read as it was sent, without what the daemon does not allow', () => {
    const sent = { cwd: '/there', env: { CALLER_TOKEN: 'x', LD_PRELOAD: '/evil.so', __proto__: 'x' }, more: true };
    expect(readCallerContext(sent, { env: ['CALLER_TOKEN', 'UNSET', 'toString'] })).toEqual({ cwd: '/there', env: { CALLER_TOKEN: 'x' } });
    expect(readCallerContext(sent)).toEqual({ cwd: '/there', env: {} });
    const odd = JSON.parse('{"cwd":"/there","env":{"__proto__":"x"}}');
    expect(Object.entries(readCallerContext(odd, { env: ['__proto__'] }).env)).toEqual([['__proto__', 'x']]);
  });

  test('is told by options that are some', () => {
    for (const options of [null, 5, { env: 'PATH' }, { env: [5] }, { env: null }]) {
      const failure = expect.objectContaining({ code: 'invalid-spec' });
      expect(() => callerContext(options as never)).toThrow(failure);
      expect(() => readCallerContext({ cwd: '/there', env: {} }, options as never)).toThrow(failure);
    }
  });

  const wrong: readonly unknown[] = [
    undefined,
    null,
    'x',
    {},
    { cwd: '/there' },
    { cwd: 'relative', env: {} },
    { cwd: '/a\0b', env: {} },
    { cwd: '/there', env: ['CALLER_TOKEN'] },
    { cwd: '/there', env: { CALLER_TOKEN: 1 } },
    { cwd: '/there', env: { CALLER_TOKEN: 'a\0b' } },
  ];
  test.each(wrong.map((value) => ({ value, what: JSON.stringify(value) })))('is not $what', ({ value }) => {
    expect(() => readCallerContext(value, { env: ['CALLER_TOKEN'] })).toThrow(expect.objectContaining({ name: 'RpcError', code: -32_602 }));
  });
});
