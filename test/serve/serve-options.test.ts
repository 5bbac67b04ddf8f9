import { describe, expect, test } from 'vitest';
import { readServeOptions, type ServeOptions } from '../../src/app/serve/serve-options.js';

const bare = Object.create(null);
const circular: Record<string, unknown> = {};
circular.self = circular;
const strange = [null, 10n, circular, Symbol('x'), bare, [1], new Date(), -1, Number.NaN, 'x\0'];

/** For each option there is, what of the strange it can be. */
const options: { readonly [Option in keyof Required<ServeOptions>]: readonly unknown[] } = {
  version: [],
  protocol: [],
  methods: [bare, strange[6]],
  onConnection: [],
  onReload: [],
  onStop: [],
  idle: [],
  isBusy: [],
  drainMs: [],
  onStopTimeoutMs: [],
};

describe('serveDaemon', () => {
  test.for(Object.entries(options))('throws invalid-spec in one short line for whatever %s can not be', ([option, fit]) => {
    const message = expect.stringMatching(new RegExp(`^invalid ${option} .{1,250}$`));
    for (const value of strange.filter((one) => !fit.includes(one))) {
      expect(() => readServeOptions({ [option]: value })).toThrow(expect.objectContaining({ code: 'invalid-spec', message }));
    }
  });

  test('throws invalid-spec for options that are none', () => {
    for (const value of [undefined, null, 5, 'x', []]) {
      expect(() => readServeOptions(value as unknown as ServeOptions)).toThrow(expect.objectContaining({ code: 'invalid-spec' }));
    }
  });
});
