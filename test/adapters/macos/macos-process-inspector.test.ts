import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { MacosProcessInspector } from '../../../src/adapters/macos/macos-process-inspector.js';
import type { RunTool, ToolResult } from '../../../src/adapters/macos/run-tool.js';
import { isDaemonError } from '../../../src/domain/daemon-error.js';
import * as recorded from './recordings.js';

interface Call {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Answers as a Mac on which this very process runs, unless told otherwise. */
function mac(
  answers: Partial<Record<'one' | 'table' | 'environments' | 'command' | 'usage' | 'sysctl' | 'ioreg', ToolResult>> = {},
  env: Record<string, string> = {},
) {
  const calls: Call[] = [];
  const run: RunTool = (file, args, env) => {
    calls.push({ file, args, env });
    const ok = (stdout: string) => ({ stdout, status: 0 });
    if (file === '/usr/sbin/sysctl') return answers.sysctl ?? ok(recorded.bootSession);
    if (file === '/usr/sbin/ioreg') return answers.ioreg ?? ok(recorded.platformExpert);
    if (args.includes('-E')) return answers.environments ?? ok(recorded.commandsWithEnvironment);
    if (args.includes('etime=')) return answers.usage ?? ok('  0:07.50  36884                02:30\n');
    if (args.includes('stat=') && args.includes('command=')) return answers.command ?? ok('Us   /usr/local/bin/node server.js\n');
    if (args.includes('command=')) return ok(recorded.commands);
    if (args.includes('-ax')) return answers.table ?? ok(recorded.processTable);
    const pid = args.at(-1) ?? '';
    return answers.one ?? ok(recorded.onePid.replace('  655', pid.padStart(5)));
  };
  return { calls, inspector: new MacosProcessInspector(env, run) };
}

const nobody: ToolResult = { stdout: '', status: 1 };
/** What a sandbox that forbids setuid programs makes of `ps`. */
const forbidden: ToolResult = { stdout: '', status: null };
const unusedPid = 4_194_305;

describe('macOS inspector: the vantage', () => {
  it('names this process, its boot and its machine', () => {
    expect(mac().inspector.vantage()).toEqual({
      pid: process.pid,
      startToken: String(Date.parse('2025-03-09T04:05:06Z') / 1_000),
      bootId: '5B7C2C5E-2F0B-4A56-8B64-6F0D1C2A9E77',
      pidNamespace: 'none',
      timeNamespace: 'none',
      host: 'F6C92D4C-07EB-5A3A-9C1D-9144BB09C35B',
      uid: process.geteuid?.(),
      exclusiveHome: false,
    });
  });

  it('is found once', () => {
    const { inspector, calls } = mac();
    inspector.vantage();
    const before = calls.length;
    inspector.vantage();
    expect(calls.length).toBe(before);
  });

  it('F4: asks by absolute path, in UTC and in no language', () => {
    const { inspector, calls } = mac();
    inspector.vantage();
    expect(calls.map(({ file }) => file).sort()).toEqual(['/bin/ps', '/usr/sbin/ioreg', '/usr/sbin/sysctl']);
    for (const { env } of calls) expect(env).toEqual({ LC_ALL: 'C', TZ: 'UTC' });
  });

  it('falls back on the host name', () => {
    expect(mac({ ioreg: forbidden }).inspector.vantage().host).toBe(hostname());
  });

  it.each([
    ['the boot session', { sysctl: forbidden }],
    ['ps', { one: forbidden }],
  ])('is unsupported without %s', (_, answers) => {
    const { inspector } = mac(answers);
    expect(() => inspector.vantage()).toThrow(expect.objectContaining({ code: 'unsupported' }));
    try {
      inspector.vantage();
    } catch (error) {
      expect(isDaemonError(error)).toBe(true);
    }
  });

  it('knows a home that is its own', () => {
    expect(mac({}, { DAEMONRY_EXCLUSIVE_HOME: '1' }).inspector.vantage().exclusiveHome).toBe(true);
  });

  it('never says of a pid namespace whether anybody lives in it', () => {
    expect(mac().inspector.isNamespaceInhabited()).toBeUndefined();
  });
});

describe('macOS inspector: one process', () => {
  it('is seen with its start, group and session', () => {
    expect(mac().inspector.observe(process.pid)).toEqual({
      kind: 'process',
      startToken: String(Date.parse('2025-03-09T04:05:06Z') / 1_000),
      zombie: false,
      uid: 501,
      processGroup: 655,
      session: process.pid,
    });
  });

  it('F5: is seen as a zombie', () => {
    const zombie = `${String(process.pid).padStart(5)}   655   655   501 Z    Tue Feb 24 00:00:00 2026    \n`;
    expect(mac({ one: { stdout: zombie, status: 0 } }).inspector.observe(process.pid)).toMatchObject({
      kind: 'process',
      zombie: true,
      session: 0,
    });
  });

  it('is absent where the kernel knows no such pid, whatever ps says', () => {
    const { inspector, calls } = mac();
    expect(inspector.observe(unusedPid)).toEqual({ kind: 'absent' });
    expect(calls).toEqual([]);
  });

  it.each([
    ['ps does not list it', nobody],
    ['ps may not be run', forbidden],
    ['ps can not read the table, which it ends with 0', { stdout: '', status: 0 }],
    ['ps prints what is not understood', { stdout: 'Sandbox: ps deny\n', status: 0 }],
    ['ps lists another one', { stdout: recorded.onePid.replace('  655', '99999'), status: 0 }],
  ])('F8: is hidden, not dead, where it lives and %s', (_, one) => {
    expect(mac({ one }).inspector.observe(process.pid)).toEqual({ kind: 'hidden' });
  });

  it('shows what it uses', () => {
    expect(mac().inspector.usage(655)).toEqual({ uptimeMs: 150_000, cpuPercent: 5, memoryBytes: 36_884 * 1_024 });
    expect(mac({ usage: nobody }).inspector.usage(655)).toBeUndefined();
  });

  it('has executed its command, or still is the gate', () => {
    expect(mac().inspector.hasExecuted(655)).toBe(true);
    const gate =
      'Ss   /bin/sh -c read -r daemonry_word <&3 && [ "$daemonry_word" = go ] || exit 125; exec "$@" daemonry-gate /usr/local/bin/node\n';
    expect(mac({ command: { stdout: gate, status: 0 } }).inspector.hasExecuted(655)).toBe(false);
    expect(mac({ command: nobody }).inspector.hasExecuted(655)).toBe(false);
  });
});

describe('macOS inspector: all processes', () => {
  it('are surveyed with their sessions', () => {
    const rows = mac().inspector.survey();
    expect(rows).toHaveLength(10);
    expect(rows.find((row) => row.pid === 656)).toEqual({
      pid: 656,
      parent: 655,
      processGroup: 655,
      session: 655,
      uid: 501,
      zombie: false,
      startToken: String(Date.parse('2025-03-09T04:05:06Z') / 1_000),
    });
  });

  it('are none where ps may not be run', () => {
    expect(mac({ table: forbidden }).inspector.survey()).toEqual([]);
  });

  it('show their marks, read at once for a whole survey and anew in the next turn', async () => {
    const { inspector, calls } = mac();
    for (const { pid } of inspector.survey()) inspector.marksOf(pid);
    expect(inspector.marksOf(655)?.instanceId).toBe('0d9c0d3e-8c0a-4f4e-9f6b-1f4f6a0f5b11');
    expect(inspector.marksOf(656)).toBeUndefined();
    expect(calls.filter(({ args }) => args.includes('-E'))).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 0));
    await new Promise((resolve) => setImmediate(resolve));
    inspector.marksOf(655);
    expect(calls.filter(({ args }) => args.includes('-E'))).toHaveLength(2);
  });

  it('include the ancestors of this one, which ends at init', () => {
    const parent = `${String(process.ppid).padStart(5)}   655   655   501 S    Tue Feb 24 00:00:00 2026    \n`;
    const { inspector } = mac({ table: { stdout: recorded.processTable + parent, status: 0 } });
    expect(inspector.ownLineage()).toEqual([process.pid, process.ppid, 655]);
    expect(mac({ table: forbidden }).inspector.ownLineage()).toEqual([process.pid, process.ppid]);
  });
});
