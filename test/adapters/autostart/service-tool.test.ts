import { describe, expect, it } from 'vitest';
import { runServiceTool, sayingOf } from '../../../src/adapters/autostart/service-tool.js';

const env = { PATH: process.env.PATH };

describe('a tool of a service manager', () => {
  it('is run to its end, and heard', async () => {
    const end = await runServiceTool('sh', ['-c', 'echo out; echo err >&2; exit 3'], { env });
    expect(end).toEqual({ status: 3, stdout: 'out\n', stderr: 'err\n' });
    expect(sayingOf(end)).toBe('err');
  });

  it('that is not there, or takes too long, has no exit code', async () => {
    const missing = await runServiceTool('no-such-tool', [], { env });
    expect(missing).toMatchObject({ status: null });
    expect(sayingOf(missing)).toContain('could not be run');
    expect(await runServiceTool('sleep', ['1000'], { env, timeoutMs: 20 })).toMatchObject({ status: null });
  });

  it('that is not there keeps nobody waiting for the time that it would have had', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
    const before = timers();
    await runServiceTool('no-such-tool', [], { env, timeoutMs: 600_000 });
    expect(timers()).toBe(before);
  });
});
