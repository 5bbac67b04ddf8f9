import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { strayDescriptors } from '../../../src/adapters/linux/stray-descriptors.js';
import { findTool } from '../../../src/adapters/posix/find-executable.js';
import { Programs } from './programs.js';

const ls = findTool('ls', process.env.PATH);

describe.skipIf(process.platform !== 'linux')('stray descriptors (needs Linux)', () => {
  const programs = new Programs();

  beforeAll(() => programs.bundle('spawn-program'));
  afterAll(() => programs.remove());

  /** Runs the spawner in a process that was itself started with these descriptors open, and reads what the daemon had. */
  async function daemonOfProcessWith(inherited: readonly number[]) {
    const secret = join(programs.folder, 'secret');
    writeFileSync(secret, '');
    writeFileSync(join(programs.folder, 'daemon.log'), '');
    const fd = openSync(secret, 'r');
    const stdio = Array.from({ length: Math.max(2, ...inherited) + 1 }, (_, slot): number | 'ignore' | 'pipe' => {
      if (slot === 1) return 'pipe';
      return inherited.includes(slot) ? fd : 'ignore';
    });
    const child = spawn(process.execPath, [programs.path('spawn-program'), programs.folder, ls as string], { stdio });
    closeSync(fd);
    let stdout = '';
    child.stdout?.on('data', (bytes) => {
      stdout += bytes;
    });
    await new Promise((resolve) => child.once('close', resolve));
    const listing = readFileSync(join(programs.folder, 'daemon.log'), 'utf8');
    const open = [...listing.matchAll(/ (\d+) -> (.*)$/gm)].map(([, slot, target]) => [Number(slot), target as string] as const);
    return { ...(JSON.parse(stdout) as { strays: number[]; end: unknown }), open: new Map(open), secret };
  }

  /** Whoever runs these tests may have left some open to us; they pass on to our children. */
  const ambient = process.platform === 'linux' ? strayDescriptors() : [];

  it('F38: a foreign descriptor far above ours does not reach the daemon', async () => {
    const { strays, open, secret, end } = await daemonOfProcessWith([243]);
    expect(end).toEqual({ exitCode: 0, signal: null });
    expect(strays).toEqual([...new Set([...ambient, 243])].sort((a, b) => a - b));
    expect([...open.values()]).not.toContain(secret);
    expect(open.get(243)).toBe('/dev/null');
  });

  it('F38: nor does one in the slots that the gate and the readiness file use', async () => {
    // Node itself closes those up to 15 on exec when it starts.
    const { strays, open, secret } = await daemonOfProcessWith([3, 4, 5, 19]);
    expect(strays).toContain(19);
    expect([...open.values()]).not.toContain(secret);
  });

  it('the daemon has its three, covers for the strays, and nothing else', async () => {
    const { strays, open } = await daemonOfProcessWith([]);
    expect(strays).toEqual(ambient);
    const log = join(programs.folder, 'daemon.log');
    const own = [...open].filter(([, target]) => !/^\/proc\/\d+\/fd$/.test(target));
    expect(own).toEqual([[0, '/dev/null'], [1, log], [2, log], ...strays.map((fd) => [fd, '/dev/null'])]);
  });

  it('are none of those that Node opened, and none that are closed', () => {
    const fd = openSync('/dev/null', 'r');
    expect(strayDescriptors()).toEqual(ambient);
    closeSync(fd);
  });
});
