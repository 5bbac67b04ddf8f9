import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodeDescriptor, encodeDescriptor } from '../../../src/adapters/files/descriptor-codec.js';
import { decodeSpec } from '../../../src/adapters/files/spec-codec.js';
import { fixture } from '../../support/suite.js';

const recorded = (file: string) => JSON.parse(readFileSync(fixture(`v1/${file}`), 'utf8'));

test('a descriptor that version 0.1.0 wrote is read, and written again as it was', () => {
  const reading = decodeDescriptor(JSON.stringify(recorded('daemon.json')));
  expect(reading).toEqual({ kind: 'present', descriptor: recorded('daemon.json') });
  if (reading.kind === 'present') expect(JSON.parse(encodeDescriptor(reading.descriptor))).toEqual(recorded('daemon.json'));
});

test('a spec that version 0.1.0 remembered is the spec of today', () => {
  const { schema, name, ...spec } = recorded('spec.json');
  expect([schema, name]).toEqual([1, 'acme']);
  expect(decodeSpec(JSON.stringify(recorded('spec.json')))).toEqual(spec);
});
