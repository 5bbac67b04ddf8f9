import { chmodSync, existsSync, linkSync, mkdirSync, rmSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { snapshot } from '../support/folder-snapshot.js';
import { isAlive, startTokenOf, untilDead } from '../support/processes.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';

/** One of each thing that is wrong, and a healthy one. */
async function makeTrouble(home: TemporaryHome) {
  const healthy = await home.startSleeper('healthy');
  const { pid } = await home.startSleeper('dead');
  process.kill(pid, 'SIGKILL');
  await untilDead(pid);
  home.writeRaw('corrupt', '{"schema": 1');
  const bystander = home.spawn('sleep', ['1000']);
  home.forge('foreign', { host: 'elsewhere', pid: bystander.pid, startToken: startTokenOf(bystander.pid) });
  const unspecific = await home.startSleeper('unspecific');
  rmSync(home.at('unspecific', 'spec.json'));
  return { healthy, bystander, unspecific };
}

const facts = ({ code, name, fixed }: Record<string, unknown>) => [code, name, fixed];

describe.concurrent('doctor', () => {
  test('finds nothing in an empty home, and makes none', async ({ home }) => {
    const end = await home.cli(['doctor', '--json']);
    expect(end.exitCode).toBe(0);
    expect(end.json).toEqual({ schema: 1, findings: [] });
    expect(await home.cli(['doctor'])).toMatchObject({ exitCode: 0, stdout: 'nothing is wrong here\n', stderr: '' });
    expect(existsSync(home.path)).toBe(false);
  });

  test('says what is wrong and what to do, exits 1, and changes nothing', async ({ home }) => {
    const { bystander } = await makeTrouble(home);
    const before = snapshot(home.path);
    const end = await home.cli(['doctor', '--json']);
    expect(end).toMatchObject({ exitCode: 1, stderr: '' });
    expect(end.json.findings.map(facts)).toEqual([
      ['stale-daemon', 'corrupt', false],
      ['stale-daemon', 'dead', false],
      ['unknown-daemon', 'foreign', false],
      ['lost-spec', 'unspecific', false],
    ]);
    for (const finding of end.json.findings) {
      expect(finding).toMatchObject({ message: expect.stringContaining(finding.name), hint: expect.stringMatching(/./) });
    }
    const lines = (await home.cli(['doctor'])).stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(
      /^dead is recorded but does not run \(process-.*\) \(stale-daemon\): daemonry stop dead, or daemonry doctor --fix$/,
    );
    expect(snapshot(home.path)).toEqual(before);
    bystander.kill('SIGKILL');
    await bystander.end();
  });

  test('says that the log of a supervised daemon is not rotated while it runs, and why', async ({ home }) => {
    const { log } = await home.startSleeper('clock');
    expect((await home.cli(['doctor', '--json'])).json.findings).toEqual([]);
    const supervisedBy = { pid: process.pid, startToken: '1', instanceId: 'i' };
    home.writeRaw('clock', JSON.stringify({ ...home.descriptor('clock'), supervisedBy }));
    linkSync(log, `${log}-too`);
    const end = await home.cli(['doctor', '--json']);
    expect([end.exitCode, end.json.findings.map(facts)]).toEqual([1, [['unbounded-log', 'clock', false]]]);
    expect(end.json.findings[0]).toMatchObject({
      message: expect.stringContaining('next start only'),
      hint: expect.stringContaining('restart'),
    });
  });

  test('--fix mends what it can without a signal to what is not proven, and says what is left', async ({ home }) => {
    const { healthy, bystander, unspecific } = await makeTrouble(home);
    const end = await home.cli(['doctor', '--fix', '--json']);
    expect(end.exitCode).toBe(1);
    expect(end.json.findings.map(facts)).toEqual([
      ['stale-daemon', 'corrupt', true],
      ['stale-daemon', 'dead', true],
      ['unknown-daemon', 'foreign', true],
      ['lost-spec', 'unspecific', false],
    ]);
    expect([healthy, bystander, unspecific].map(({ pid }) => isAlive(pid))).toEqual([true, true, true]);
    for (const name of ['corrupt', 'dead', 'foreign']) expect(home.descriptor(name)).toBeUndefined();
    expect((await home.cli(['doctor', '--json'])).json.findings.map(facts)).toEqual([['lost-spec', 'unspecific', false]]);
    bystander.kill('SIGKILL');
    await bystander.end();
  });

  test('--fix exits 0 once everything is mended, and says so', async ({ home }) => {
    home.forge('clock');
    const end = await home.cli(['doctor', '--fix']);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.stdout).toMatch(/^fixed: clock is recorded but does not run \(process-gone\) \(stale-daemon\)\n$/);
    expect(home.descriptor('clock')).toBeUndefined();
  });

  test('names a home that others may write in', async ({ home }) => {
    mkdirSync(home.path);
    chmodSync(home.path, 0o777);
    const end = await home.cli(['doctor', '--json']);
    expect(end.exitCode).toBe(1);
    expect(end.json.findings.map(facts)).toEqual([['unsafe-home', null, false]]);
    expect(end.json.findings[0].hint).toContain(home.path);
  });

  test('finds the tools of the system whatever PATH says', async ({ home }) => {
    const end = await home.cli(['doctor', '--json'], { env: { PATH: '/nowhere' } });
    expect(end.json.findings).toEqual([]);
  });

  test('does not take a daemon for stale that is being started', async ({ home }) => {
    home.forge('clock');
    const holder = home.spawnCli(['start', 'clock', '--ready', 'notify', '--', 'sh', '-c', 'echo up; exec sleep 1000']);
    await home.logSays('clock', 'up');
    expect((await home.cli(['doctor', '--json'])).json.findings).toEqual([]);
    holder.kill('SIGKILL');
    await holder.end();
  });
});
