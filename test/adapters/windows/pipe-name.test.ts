import { expect, it } from 'vitest';
import { pipeName } from '../../../src/adapters/windows/pipe-name.js';
import { fc } from '../../domain/property.js';

const nameText = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
const of = fc.record({ user: fc.string({ minLength: 1 }), home: fc.string({ minLength: 1 }), name: nameText, instanceId: fc.uuid() });

it('pipeName: has no backslash after its folder, and fits', () => {
  fc.assert(
    fc.property(of, (pipe) => {
      const name = pipeName(pipe);
      expect(name).toMatch(/^\\\\\.\\pipe\\daemonry-[^\\/]+$/);
      expect(name.length).toBeLessThanOrEqual(256);
    }),
  );
});

it('pipeName: differs by user, home, name and instance, and not by their case', () => {
  const pipe = { user: 'ANN', home: 'C:\\home', name: 'web', instanceId: 'a'.repeat(32) };
  const others = [{ user: 'BEN' }, { home: 'C:\\other' }, { name: 'api' }, { instanceId: 'b'.repeat(32) }];
  const names = [pipeName(pipe), ...others.map((other) => pipeName({ ...pipe, ...other }))];
  expect(new Set(names).size).toBe(names.length);
  expect(pipeName({ ...pipe, user: 'ann', home: 'c:/HOME' })).toBe(pipeName(pipe));
});
