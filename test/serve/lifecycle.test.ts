import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { waitFor } from '../support/wait-for.js';
import { LineClient } from './support/line-client.js';
import { type Launch, type ServedProcess, useYards, type Yard } from './support/served-process.js';

const newYard = useYards();
const clean = { code: 0, signal: null };

describe('serveDaemon', () => {
  test('outside a daemon: fails with not-a-daemon and names what is missing (F13)', async () => {
    const daemon = await newYard().launch({ env: { DAEMONRY_INSTANCE: '', DAEMONRY_SOCKET: '' } });
    expect(await daemon.event('error')).toBe('error {"code":"not-a-daemon","facts":{"missing":["DAEMONRY_INSTANCE","DAEMONRY_SOCKET"]}}');
    expect(await daemon.end()).toEqual({ code: 3, signal: null });
  });

  test.each([{ idle: 'soon' }, { idle: 0 }, { drainMs: -1 }, { onStopTimeoutMs: 1e12 }])('%j: fails with invalid-spec', async (options) => {
    const daemon = await newYard().launch({ script: { options } });
    expect(await daemon.event('error')).toContain('"code":"invalid-spec"');
  });
});

describe('reload', () => {
  test('SIGHUP and system.reload call onReload', async () => {
    const daemon = await newYard().serve({ script: { onReload: 'succeed' } });
    daemon.kill('SIGHUP');
    await daemon.event('reload');
    const client = await LineClient.open(daemon.socket);
    expect(await client.ask('system.reload')).toMatchObject({ result: true });
    expect(daemon.events().filter((event) => event === 'reload')).toHaveLength(2);
  });

  test('an error is answered, or logged in one line, and the daemon goes on', async () => {
    const daemon = await newYard().serve({ script: { onReload: 'throw' } });
    const client = await LineClient.open(daemon.socket);
    expect(await client.ask('system.reload')).toMatchObject({ error: { code: -32000, message: 'the new settings\nare wrong' } });
    daemon.kill('SIGHUP');
    await waitFor('the line', () => daemon.stderr === 'daemonry: reload failed: the new settings are wrong\n');
    expect(await client.ask('system.ping')).toMatchObject({ result: 'pong' });
  });
});

describe('a descriptor that is not its own any more', () => {
  test.each([
    ['it is gone', (yard: Yard) => unlinkSync(yard.at('daemon.json'))],
    ['it names another instance', (yard: Yard) => yard.describe('a-successor')],
  ])('%s: ends cleanly, without a marker', async (_what, change) => {
    const yard = newYard();
    const daemon = await yard.serve();
    change(yard);
    expect(await daemon.end()).toEqual(clean);
    expect(daemon.events()).toContain('stop disowned');
    expect(existsSync(daemon.socket)).toBe(false);
    expect(existsSync(yard.at('ended'))).toBe(false);
  });

  test.each([
    ['is damaged', (yard: Yard) => writeFileSync(yard.at('daemon.json'), '{"schema":')],
    [
      'can not be read',
      (yard: Yard) => {
        unlinkSync(yard.at('daemon.json'));
        mkdirSync(yard.at('daemon.json'));
      },
    ],
  ])('one that %s ends nothing', async (_what, damage) => {
    const yard = newYard();
    const daemon = await yard.serve();
    damage(yard);
    await uptimePasses(daemon, 2_200);
    expect(daemon.events().filter((event) => event.startsWith('stop'))).toEqual([]);
  });

  test('one that is missing at one look only ends nothing', async () => {
    const daemon = await whileMissedOnce();
    await uptimePasses(daemon, 1_500);
    expect(daemon.events().filter((event) => event.startsWith('stop'))).toEqual([]);
  });

  test('one that is replaced by a newer record of the same instance ends nothing', async () => {
    const yard = newYard();
    const daemon = await yard.serve();
    writeFileSync(yard.at('next'), JSON.stringify({ schema: 1, instanceId: daemon.instanceId, phase: 'ready' }));
    renameSync(yard.at('next'), yard.at('daemon.json'));
    await uptimePasses(daemon, 2_200);
    expect(daemon.events().filter((event) => event.startsWith('stop'))).toEqual([]);
  });
});

/** A daemon whose descriptor was away when it looked, and is back before it looks again. */
async function whileMissedOnce(): Promise<ServedProcess> {
  for (;;) {
    const yard = newYard();
    const daemon = await yard.serve();
    daemon.kill('SIGSTOP');
    const stopped = performance.now();
    await waitFor('a look to be due', () => performance.now() - stopped >= 1_100);
    renameSync(yard.at('daemon.json'), yard.at('elsewhere'));
    // It looks as soon as it goes on, and not again within a second.
    daemon.kill('SIGCONT');
    const resumed = performance.now();
    await uptimePasses(daemon, 100);
    daemon.kill('SIGSTOP');
    const mayHaveLookedAgain = performance.now() - resumed >= 1_000;
    renameSync(yard.at('elsewhere'), yard.at('daemon.json'));
    daemon.kill('SIGCONT');
    // Then a machine that is too busy has made another case of it: from the start.
    if (!mayHaveLookedAgain) return daemon;
  }
}

async function uptimePasses(daemon: ServedProcess, ms: number): Promise<void> {
  const client = await LineClient.open(daemon.socket);
  const uptime = async () => ((await client.ask('system.status')).result as { uptimeMs: number }).uptimeMs;
  const until = (await uptime()) + ms;
  await waitFor('uptime', async () => (await uptime()) >= until);
  client.socket.destroy();
}

describe('notify readiness', () => {
  async function notified(launch: (file: string, fd: number) => Launch, prepare: 'file' | 'nothing' = 'file') {
    const yard = newYard();
    const file = yard.at('notify');
    const fd = prepare === 'file' ? openSync(file, 'a', 0o600) : -1;
    const daemon = await yard.launch(launch(file, fd));
    if (fd >= 0) closeSync(fd);
    await waitFor('a verdict', () => daemon.events().length > 0);
    return { daemon, file, content: () => readFileSync(file, 'utf8') };
  }

  test('a newline goes to the descriptor number, when it listens', async () => {
    const { content, daemon } = await notified((file, fd) => ({
      descriptors: [fd],
      env: { DAEMONRY_NOTIFY_FD: '3', DAEMONRY_NOTIFY_FILE: file },
    }));
    expect(content()).toBe('\n');
    expect(existsSync(daemon.socket)).toBe(true);
  });

  test('the number alone suffices', async () => {
    const { content } = await notified((_file, fd) => ({ descriptors: [fd], env: { DAEMONRY_NOTIFY_FD: '3' } }));
    expect(content()).toBe('\n');
  });

  test('a number that was closed on the way: the newline goes to the file', async () => {
    const { content } = await notified((file) => ({ env: { DAEMONRY_NOTIFY_FD: '3', DAEMONRY_NOTIFY_FILE: file } }));
    expect(content()).toBe('\n');
  });

  test('a number that belongs to something else by now is left alone', async () => {
    const yard = newYard();
    const other = openSync(yard.at('other'), 'w');
    const daemon = await yard.serve({
      descriptors: [other],
      env: { DAEMONRY_NOTIFY_FD: '3', DAEMONRY_NOTIFY_FILE: yard.at('notify') },
    });
    closeSync(other);
    expect(readFileSync(yard.at('other'), 'utf8')).toBe('');
    expect(readFileSync(yard.at('notify'), 'utf8')).toBe('\n');
    expect(daemon.stderr).toBe('');
  });

  test('the file alone suffices', async () => {
    const { content } = await notified((file) => ({ env: { DAEMONRY_NOTIFY_FILE: file } }), 'nothing');
    expect(content()).toBe('\n');
  });

  test('a file that can not be written fails at once, and leaves no socket', async () => {
    const { daemon } = await notified(() => ({ env: { DAEMONRY_NOTIFY_FILE: '/no/such/folder/notify' } }));
    expect(daemon.events()[0]).toBe('error {"code":"unwritable","facts":{"path":"/no/such/folder/notify","errno":"ENOENT"}}');
    expect(await daemon.end()).toEqual({ code: 3, signal: null });
    expect(existsSync(daemon.socket)).toBe(false);
  });
});

describe('idle', () => {
  /** One that is not idle, however long nobody comes, until the test describes it as ready. */
  function serveStarting(yard: Yard, idle: number): Promise<ServedProcess> {
    const instanceId = 'just-being-started';
    yard.describe(instanceId, 'starting');
    return yard.serve({ instanceId, described: false, script: { options: { idle } } });
  }

  test('a daemon whose start is not over is not idle (F53)', async () => {
    const yard = newYard();
    const daemon = await serveStarting(yard, 50);
    const since = performance.now();
    await waitFor('many times its idle time', () => performance.now() - since >= 500);
    expect(daemon.events().filter((event) => event.startsWith('stop'))).toEqual([]);
    yard.describe(daemon.instanceId, 'ready');
    expect(await daemon.end()).toEqual(clean);
    expect(daemon.events().slice(1)).toEqual(['stop idle', 'stopped', 'exit 0']);
  });

  test('ends after that long without a connection', async () => {
    const yard = newYard();
    const daemon = await yard.serve({ script: { options: { idle: '200ms' } } });
    expect(await daemon.end()).toEqual(clean);
    expect(daemon.events().slice(1)).toEqual(['stop idle', 'stopped', 'exit 0']);
    expect(existsSync(yard.at('ended'))).toBe(true);
  });

  test('counts from the end of the last connection on', async () => {
    const yard = newYard();
    const daemon = await serveStarting(yard, 300);
    const client = await LineClient.open(daemon.socket);
    yard.describe(daemon.instanceId, 'ready');
    const uptime = async () => ((await client.ask('system.status')).result as { uptimeMs: number }).uptimeMs;
    const until = (await uptime()) + 700;
    await waitFor('more than the idle time', async () => (await uptime()) >= until);
    expect(daemon.events().filter((event) => event.startsWith('stop'))).toEqual([]);
    client.socket.destroy();
    expect(await daemon.end()).toEqual(clean);
  });

  test('one short connection after the other keeps it', async () => {
    // Many times what comes between two of them on a busy machine.
    const daemon = await newYard().serve({ script: { options: { idle: 3_000 } } });
    const uptime = async () => {
      const client = await LineClient.open(daemon.socket);
      const { result } = await client.ask('system.status');
      client.socket.destroy();
      return (result as { uptimeMs: number }).uptimeMs;
    };
    const until = (await uptime()) + 3_500;
    await waitFor('more than the idle time', async () => (await uptime()) >= until);
    expect(daemon.events().filter((event) => event.startsWith('stop'))).toEqual([]);
  });

  test('whoever came while it was frozen past its idle time is served first (F55)', async () => {
    const idleMs = 500;
    const yard = newYard();
    const daemon = await serveStarting(yard, idleMs);
    daemon.kill('SIGSTOP');
    const since = performance.now();
    yard.describe(daemon.instanceId, 'ready');
    const client = await LineClient.open(daemon.socket);
    client.send({ jsonrpc: '2.0', id: 1, method: 'system.ping' });
    // By then its timer is over, and may be the first thing that it sees when it wakes.
    await waitFor('more than the idle time', () => performance.now() - since > idleMs);
    daemon.kill('SIGCONT');
    expect(await client.next()).toMatchObject({ result: 'pong' });
    // And goes on: it isn't only let finish what it has asked.
    expect(await client.ask('system.status')).toMatchObject({ result: { phase: 'ready', connections: 1 } });
    client.socket.destroy();
    expect(await daemon.end()).toEqual(clean);
  });

  test('nobody finds it any more, once it has decided to end (F53)', async () => {
    const daemon = await newYard().serve({ script: { options: { idle: 50 }, onStop: 'until-released' } });
    await daemon.event('stop idle');
    await expect(LineClient.open(daemon.socket)).rejects.toMatchObject({ code: 'ENOENT' });
    daemon.kill('SIGUSR2');
    expect(await daemon.end()).toEqual(clean);
  });

  test('whoever manages to connect is answered (F53)', async () => {
    let cut = 0;
    for (let round = 0; round < 5; round++) {
      const daemon = await newYard().serve({ script: { options: { idle: 1 } } });
      // One connection follows the other as fast as can be, while the daemon wants to end after each.
      await waitFor('its end', async () => {
        const client = await LineClient.open(daemon.socket).catch(() => undefined);
        if (client === undefined) return daemon.events().includes('exit 0');
        client.socket.end(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'system.ping' })}\n`);
        await client.whenEnded();
        if (client.lines.length === 0) cut++;
        client.socket.destroy();
        return false;
      });
    }
    expect(cut).toBe(0);
  });
});
