import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { composeFile } from '../../../src/adapters/autostart/compose-file.js';
import { kubernetesManifest } from '../../../src/adapters/autostart/kubernetes-manifest.js';
import { fc } from '../../domain/property.js';
import { argv, commandOf, expectGolden, rich } from './support.js';

/** What Compose makes of a text: https://docs.docker.com/reference/compose-file/interpolation/ */
function interpolated(text: string): string {
  return text.replace(/\$(.?)/gsu, (_, next) => {
    if (next === '$') return '$';
    throw new Error(`a variable in ${text}`);
  });
}

/** The same of Kubernetes, where one dollar alone would stay. */
const expanded = interpolated;

describe('a Compose file', () => {
  it('has any arguments and variables in it', () => {
    fc.assert(
      fc.property(argv, (args) => {
        const { text } = composeFile(commandOf(['/usr/bin/node', ...args], { env: { NAME: args.join('') } }));
        const { clock } = parse(text).services;
        expect(clock.command.map(interpolated)).toEqual(['node', ...args]);
        expect(clock.environment.map(interpolated)).toEqual([`NAME=${args.join('')}`]);
        // What Compose reads by is older.
        expect(parse(text, { version: '1.1' })).toEqual(parse(text));
      }),
      { numRuns: 300 },
    );
  });

  it('is the same text for the same daemon, and looks like this', async () => {
    const { text, warnings } = composeFile(rich);
    await expectGolden('compose.yaml', text);
    expect(composeFile(rich)).toEqual({ text, warnings });
  });
});

describe('a manifest of Kubernetes', () => {
  it('has any arguments and variables in it', () => {
    fc.assert(
      fc.property(argv, (args) => {
        const { text } = kubernetesManifest(commandOf(['/usr/bin/node', ...args], { env: { NAME: args.join('') } }));
        const [container] = parse(text).spec.template.spec.containers;
        expect(container.command.map(expanded)).toEqual(['node', ...args]);
        expect(container.env).toEqual([{ name: 'NAME', value: expect.anything() }]);
        expect(expanded(container.env[0].value)).toBe(args.join(''));
        expect(parse(text, { version: '1.1' })).toEqual(parse(text));
      }),
      { numRuns: 300 },
    );
  });

  it('is the same text for the same daemon, and looks like this: no value out of a file of variables is in it', async () => {
    const { text, warnings } = kubernetesManifest(rich);
    await expectGolden('kubernetes.yaml', text);
    expect(kubernetesManifest(rich)).toEqual({ text, warnings });
  });

  it('gives a daemon of any name one that Kubernetes takes', () => {
    const name = `Shop.My_Db-${'x'.repeat(50)}`;
    const { metadata } = parse(kubernetesManifest({ ...commandOf(['/bin/x']), name }).text);
    expect(metadata.name).toMatch(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/);
  });
});
