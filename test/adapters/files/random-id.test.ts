import { expect, test } from 'vitest';
import { randomId, shortId } from '../../../src/adapters/files/random-id.js';

test('random ids: are UUIDs of version 4, and none comes twice', () => {
  const ids = Array.from({ length: 1_000 }, randomId);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(ids.map(shortId)).size).toBe(1_000);
});
