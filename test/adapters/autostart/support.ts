import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import { findTool } from '../../../src/adapters/posix/find-executable.js';
import type { ServiceEntry } from '../../../src/domain/autostart-installer.js';
import { type DaemonSpec, specDefaults } from '../../../src/domain/daemon-spec.js';
import type { ServiceCommand } from '../../../src/domain/service-command.js';
import { fc } from '../../domain/property.js';

export const python = findTool('python3', process.env.PATH);

/** What a program answers to a JSON text on its stdin. */
export function askPython<T>(program: string, question: unknown): T {
  const answer = execFileSync(python as string, ['-c', program], { input: JSON.stringify(question), maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(answer.toString('utf8')) as T;
}

/** As it stands in the file of this name, which is what a review shows; `vitest -u` writes it anew. */
export async function expectGolden(file: string, text: string): Promise<void> {
  await expect(text).toMatchFileSnapshot(join(import.meta.dirname, 'golden', file));
}

export const entry: ServiceEntry = {
  id: 'daemonry-clock',
  description: 'clock, kept by daemonry',
  command: ['/bin/sh', "/home/ann's/100% $HOME/_autostart/launcher", 'daemonry-clock'],
  startTimeoutMs: 55_000,
  stopTimeoutMs: 40_500,
  restartLimit: 10,
  restartWindowMs: 60_000,
};

export function commandOf(command: readonly string[], over: Partial<DaemonSpec> = {}): ServiceCommand {
  const spec: DaemonSpec = { ...specDefaults, command, cwd: '/srv/my clock', ...over };
  return { id: 'clock', name: 'clock', command, spec, log: '/home/ann/.local/state/daemonry/clock/daemon.log' };
}

/** One with all that there is to say. */
export const rich = commandOf(['/usr/bin/node', 'clock.mjs', '--greeting', 'it\'s "100%" of $HOME\\', 'a\nb', 'ü'], {
  env: { GREETING: 'a "b" %c $d \\', TZ: 'UTC' },
  envFiles: ['/srv/my clock/.env'],
  restart: 'on-failure',
  stopSignal: 'SIGINT',
  graceMs: 2_500,
  successCodes: [0, 3],
  ready: { kind: 'http', url: 'http://127.0.0.1:3000/ready' },
  health: { probe: { kind: 'command', line: 'test "$UP" = 1' }, intervalMs: 10_000, timeoutMs: 2_000, threshold: 3, startGraceMs: 5_000 },
});

/** Any text that a program can be given: well-formed, and without the byte that ends it. */
export const argument = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => !text.includes('\0')),
  fc.string({
    unit: fc.constantFrom('%', '$', '\\', '"', "'", ' ', '\t', '\n', '\r', ';', '{', '}', '#', 'h', 'é', '日', '\u0001', '\u007f'),
  }),
);
export const argv = fc.array(argument, { maxLength: 5 });

/** The same, of what XML has a way to write. */
export const xmlArgv = argv.filter((args) =>
  args.every((text) => !/[\p{Cc}\ufffe\uffff]/u.test(text.replace(/[\t\n\r\u0080-\u009f\u007f]/g, ''))),
);
