import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { useYards } from '../../serve/support/served-process.js';
import type { ProgramEnd } from '../../support/command-line.js';
import { type TemporaryHome, test } from '../../support/temporary-home.js';
import { waitFor } from '../../support/wait-for.js';
import { makeFifo, makeSparse, oddPlaces } from '../support/places.js';

const newYard = useYards();
const tellPeak = join(import.meta.dirname, '../support/tell-peak.cjs');
/** Node itself takes fifty. */
const mostMegabytes = 160;
/** The last 16 MB of a log, each byte of them six characters of JSON where they are zeros. */
const mostTailMegabytes = 640;

const files = ['daemon.json', 'spec.json', 'lock', 'lock.claim', 'ended', 'daemon.log'];

/** Runs the command line, and fails where it took more memory than an answer takes. */
async function run(home: TemporaryHome, args: readonly string[], most = mostMegabytes): Promise<ProgramEnd> {
  const peak = home.file(`peak-${args.join('-')}`);
  const end = await home.cli(args, { env: { NODE_OPTIONS: `--require=${tellPeak}`, PEAK_FILE: peak } });
  expect(Number(readFileSync(peak, 'utf8')) / 1_024, args.join(' ')).toBeLessThan(most);
  return end;
}

/** With a daemon for each thing in the place of each file, all of them dead: `daemon.json-0`, `daemon.json-1`, … */
async function furnished(home: TemporaryHome, work: (names: readonly string[]) => Promise<void>): Promise<void> {
  try {
    const names = files.flatMap((file) => Object.values(oddPlaces).map((make, index) => furnish(home, `${file}-${index}`, file, make)));
    await work(names.toSorted());
  } finally {
    // Whoever clears up after the test reads what is a descriptor's, without fear.
    rmSync(home.path, { recursive: true });
  }
}

function furnish(home: TemporaryHome, name: string, file: string, make: (path: string) => void): string {
  home.forge(name);
  writeFileSync(home.at(name, 'spec.json'), JSON.stringify({ schema: 1, command: ['sleep', '1000'], cwd: '/' }), { mode: 0o600 });
  rmSync(home.at(name, file), { force: true });
  make(home.at(name, file));
  return name;
}

describe.concurrent('whatever stands in the place of a file', () => {
  test('status, list and doctor answer at once, and read none of it', ({ home }) =>
    furnished(home, async (names) => {
      for (const verb of ['status', 'list']) {
        const end = await run(home, [verb, '--json']);
        expect([end.exitCode, end.stderr]).toEqual([0, '']);
        const daemons: readonly { name: string; status: string; reason: string }[] = end.json.daemons;
        expect(daemons.map(({ name }) => name)).toEqual(names);
        for (const { name, status, reason } of daemons) {
          expect([name, status, reason]).toEqual([name, 'stale', name.startsWith('daemon.json') ? 'corrupt-descriptor' : 'process-gone']);
        }
      }
      const { exitCode, json } = await run(home, ['doctor', '--json']);
      expect([exitCode, json.findings.length >= names.length]).toEqual([1, true]);
    }));

  test('logs shows what is a log, and refuses the rest with a code', ({ home }) =>
    furnished(home, async (all) => {
      const names = all.filter((name) => /^daemon.log|-[01]$/.test(name));
      const ends = await Promise.all(names.map((name) => run(home, ['logs', name, '-n', '3', '--json'], mostTailMegabytes)));
      for (const [index, end] of ends.entries()) {
        expect([0, 1, 4], names[index]).toContain(end.exitCode);
        expect(end.json.error?.code ?? 'none', names[index]).not.toBe('internal');
      }
    }));

  test('stop ends with an outcome or a code, and holds nobody up', ({ home }) =>
    furnished(home, async (names) => {
      const { results } = (await run(home, ['stop', '--all', '--json'])).json;
      expect(results.map(({ name }: { name: string }) => name)).toEqual(names);
      for (const { name, outcome, error } of results) {
        if (error === undefined) expect(['stale-cleaned', 'already-stopped'], name).toContain(outcome);
        else expect(error.code, name).toMatch(/^(unsafe-home|unwritable|not-permitted)$/);
      }
    }));
});

describe('a served daemon whose descriptor became', () => {
  for (const [what, make] of Object.entries(oddPlaces)) {
    test(`${what}: ends when it is asked to, with little memory`, async () => {
      const yard = newYard();
      const daemon = await yard.serve({ env: { NODE_OPTIONS: `--require=${tellPeak}`, PEAK_FILE: yard.at('peak') } });
      rmSync(yard.at('daemon.json'));
      make(yard.at('daemon.json'));
      daemon.kill('SIGTERM');
      expect(await daemon.end()).toEqual({ code: 0, signal: null });
      expect(Number(readFileSync(yard.at('peak'), 'utf8')) / 1_024).toBeLessThan(mostMegabytes);
    });
  }

  test('a pipe or a gigabyte for a while: still sees that it was disowned after that', async () => {
    const forAWhile = async (make: (path: string) => void) => {
      const yard = newYard();
      const daemon = await yard.serve({ env: { NODE_OPTIONS: `--require=${tellPeak}`, PEAK_FILE: yard.at('peak') } });
      const looks = wakeUps(daemon.pid);
      make(yard.at('odd'));
      renameSync(yard.at('odd'), yard.at('daemon.json'));
      await waitFor('a look at it', () => wakeUps(daemon.pid) >= looks + 3);
      rmSync(yard.at('daemon.json'));
      yard.describe('another');
      await daemon.event('stop disowned');
      await daemon.end();
      expect(Number(readFileSync(yard.at('peak'), 'utf8')) / 1_024).toBeLessThan(mostMegabytes);
    };
    await Promise.all([forAWhile(makeFifo), forAWhile(makeSparse)]);
  });
});

describe.concurrent('a recorded socket', () => {
  for (const [what, socket] of Object.entries({
    'below a file': '/etc/passwd/s',
    'in a longer path than any': `/${'x'.repeat(5_000)}`,
    'that is no path': 'x',
  })) {
    test(`${what}: keeps no record from being cleared (F24)`, async ({ home }) => {
      home.forge('clock', { socket });
      expect((await run(home, ['stop', 'clock', '--json'])).json).toMatchObject({ outcome: 'stale-cleaned' });
      expect(home.filesOf('clock')).toEqual(['lock', 'runs.ndjson']);
    });
  }
});

function hasOpen(pid: number, path: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === path);
  } catch {
    // One of them is closed again.
    return false;
  }
}

/** How often a process has gone to sleep: an idle daemon wakes for its look at itself, and for little else. */
function wakeUps(pid: number): number {
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

describe.concurrent('an environment file', () => {
  const start = (home: TemporaryHome, file: string) => run(home, ['start', 'clock', '--env-file', file, '--json', '--', 'sleep', '1000']);

  for (const [what, make] of Object.entries({ ...oddPlaces, 'two megabytes': (path: string) => makeSparse(path, 2 * 1024 ** 2) })) {
    test(`that is ${what}: invalid-spec, and nothing started`, async ({ home }) => {
      make(home.file('env'));
      const { exitCode, json } = await start(home, home.file('env'));
      expect([exitCode, json.error.code, json.error.path]).toEqual([2, 'invalid-spec', home.file('env')]);
      expect(home.processes()).toEqual([]);
    });
  }

  test('that is a pipe is read to its end, however late and in however many pieces', async ({ home }) => {
    makeFifo(home.file('env'));
    // For reading too, so that somebody may write from the start, who is as late as the test likes.
    const writer = openSync(home.file('env'), constants.O_RDWR | constants.O_NONBLOCK);
    const reader = home.spawnCli([
      'start',
      'clock',
      '--env-file',
      home.file('env'),
      '--ready',
      'log:A=1',
      '--',
      'sh',
      '-c',
      'echo A=$A; exec sleep 1000',
    ]);
    await waitFor('it to be read', () => hasOpen(reader.pid, home.file('env')));
    for (const piece of ['A=', '1\n']) {
      const looks = wakeUps(reader.pid);
      await waitFor('some looks in vain', () => wakeUps(reader.pid) > looks + 3);
      writeSync(writer, piece);
    }
    closeSync(writer);
    const end = await reader.end();
    expect([end.exitCode, home.log('clock')]).toEqual([0, 'A=1\n']);
  });

  test('may be a process substitution of the shell', async ({ home }) => {
    const bash = home.spawn('bash', [
      '-c',
      '"$@" --env-file <(sleep 0.1; echo A=1) -- sh -c "echo A=\\$A; exec sleep 1000"',
      'x',
      process.execPath,
      '--',
      join(import.meta.dirname, '../../../bin/daemonry.cjs'),
      'start',
      'clock',
      '--ready',
      'log:A=1',
    ]);
    expect((await bash.end()).exitCode).toBe(0);
  });
});
