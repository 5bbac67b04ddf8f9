import { existsSync, rmSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { parse } from 'yaml';
import { test } from '../support/temporary-home.js';

const targets = ['systemd', 'launchd', 'windows-task', 'windows-service', 'compose', 'kubernetes'];

describe.concurrent('export', () => {
  test('prints the definition for each manager, and installs nothing', async ({ home }) => {
    await home.startSleeper('clock', '--env', 'GREETING=hello');
    const files = [...home.filesOf('clock')];
    for (const to of targets) {
      const end = await home.cli(['export', 'clock', '--to', to, '--json']);
      expect(end).toMatchObject({ exitCode: 0, stderr: '' });
      expect(end.json).toEqual({
        schema: 1,
        name: 'clock',
        to,
        text: expect.stringMatching(/sleep[\s\S]*1000/),
        warnings: expect.any(Array),
      });
      if (to !== 'systemd') continue;
      // Without --json the text alone.
      expect(await home.cli(['export', 'clock', '--to', to])).toMatchObject({ exitCode: 0, stdout: end.json.text, stderr: '' });
    }
    expect(home.filesOf('clock')).toEqual(files);
    expect(existsSync(home.file('.config'))).toBe(false);
  });

  test('names the program by its path, and no file that is not there', async ({ home }) => {
    const env = home.file('env', 'TOKEN=hunter2\n');
    await home.start('clock', ['sh', '-c', 'exec sleep 1000'], '--env-file', env);
    const { stdout } = await home.cli(['export', 'clock', '--to', 'systemd']);
    const [, program] = /^ExecStart="([^"]+)" /m.exec(stdout) ?? [];
    expect(existsSync(program as string)).toBe(true);
    expect(stdout).toContain(`EnvironmentFile=${env}\nRestart=no\n`);
    for (const to of targets) expect((await home.cli(['export', 'clock', '--to', to])).stdout).not.toContain('hunter2');
    const compose = parse((await home.cli(['export', 'clock', '--to', 'compose'])).stdout);
    for (const { source } of compose.services.clock.volumes) expect(existsSync(source)).toBe(true);
    rmSync(env);
    const gone = await home.cli(['export', 'clock', '--to', 'systemd', '--json']);
    expect(gone).toMatchObject({ exitCode: 2, stderr: '' });
    expect(gone.json.error).toMatchObject({ code: 'invalid-spec', path: env });
  });

  test('fails for a program that is gone, a name that is not known, and a manager that there is not', async ({ home }) => {
    const program = home.file('daemon', '#!/bin/sh\nexec sleep 1000\n', 0o755);
    await home.start('clock', [program]);
    rmSync(program);
    const exits = async (...args: readonly string[]) => {
      const end = await home.cli(['export', ...args]);
      return [end.exitCode, end.stdout, end.stderr.split('\n').length - 1];
    };
    expect(await exits('clock', '--to', 'systemd')).toEqual([5, '', 1]);
    expect(await exits('nobody', '--to', 'systemd')).toEqual([1, '', 1]);
    expect(await exits('clock', '--to', 'upstart')).toEqual([2, '', 1]);
    expect(await exits('clock')).toEqual([2, '', 1]);
    expect(await exits('../x', '--to', 'systemd')).toEqual([2, '', 1]);
  });
});
