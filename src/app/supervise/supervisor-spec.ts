import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DaemonError } from '../../domain/daemon-error.js';
import { type DaemonSpec, specDefaults } from '../../domain/daemon-spec.js';

/** Set for a supervisor that ends all of its daemons when it ends: to the pid of whoever has it in the foreground. */
export const foregroundVariable = 'DAEMONRY_FOREGROUND';

/** Longer than any daemon's own: it may have to stop many, one after the other. */
const foregroundGraceMs = 600_000;

/**
 * It allocates little at a time: V8 would let its young generation grow by 14 MB before it looks for what is dead. `HeapKeeper` has it
 * look. And it waits most of the time: what V8 would gain by optimizing its code, of a burst of hundreds of starts, it takes twice for itself.
 */
const smallHeap = ['--max-semi-space-size=1', '--expose-gc', '--compact-on-every-full-gc', '--no-opt', '--no-maglev'];

/** How the supervisor of a home is started: as any daemon is. */
export function supervisorSpec(home: string): DaemonSpec {
  return {
    ...specDefaults,
    command: [process.execPath, ...smallHeap, findProgram('supervisor.cjs'), home],
    cwd: '/',
    ready: { kind: 'socket' },
  };
}

/** The same in the foreground of this process, the first one of a container perhaps. */
export function foregroundSpec(home: string): DaemonSpec {
  return { ...supervisorSpec(home), env: { [foregroundVariable]: String(process.pid) }, graceMs: foregroundGraceMs };
}

/** A program of this package, beside whatever this module is bundled into. */
export function findProgram(file: string): string {
  // The other way round, a program of `node -e` has a `__dirname` of its own, which is no folder of ours.
  const here = import.meta.url ? dirname(fileURLToPath(import.meta.url)) : __dirname;
  for (let folder = here; folder !== dirname(folder); folder = dirname(folder)) {
    const program = join(folder, 'dist', file);
    if (existsSync(program)) return program;
  }
  throw new DaemonError('unsupported', `${file} is not where daemonry was installed`, { path: here });
}
