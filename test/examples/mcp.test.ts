import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect } from 'vitest';
import { installExample, runReadme } from '../support/packed.js';
import { isAlive, untilDead } from '../support/processes.js';
import { shellLines } from '../support/readme.js';
import { type TemporaryHome, test as withHome } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

declare global {
  /** The declarations of the SDK name it, and those of Node 20 do not have it. */
  type HeadersInit = ConstructorParameters<typeof Headers>[0];
}

/** The example as a user has it, and clients of the official SDK that start its front as they would any server. */
class Notes {
  readonly folder: string;
  readonly #clients: Client[] = [];

  constructor(private readonly home: TemporaryHome) {
    this.folder = home.file('mcp');
  }

  get daemon(): { readonly pid: number } {
    return this.home.descriptor('notesd');
  }

  async client(env: Readonly<Record<string, string>> = {}) {
    const args = [join(this.folder, 'server.js')];
    const transport = new StdioClientTransport({ command: process.execPath, args, env: { ...this.home.env, ...env }, stderr: 'inherit' });
    const client = new Client({ name: 'test', version: '1.0.0' });
    this.#clients.push(client);
    await client.connect(transport);
    const call = async (name: string, text?: string) => {
      const { content } = await client.callTool({ name, arguments: { text } });
      return (content as [{ readonly text: string }])[0].text;
    };
    return { client, call, front: transport.pid as number };
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }
}

const test = withHome.extend<{ notes: Notes }>({
  notes: async ({ home }, use) => {
    const notes = new Notes(home);
    await installExample('mcp', notes.folder);
    await use(notes);
    await notes.dispose();
  },
});

describe.concurrent('examples/mcp', () => {
  test('does what its README says, in a clean folder with the packed daemonry', async ({ home, notes }) => {
    expect(shellLines('mcp')).toContain('node client.js list_notes');
    const end = await runReadme(home, 'mcp', notes.folder).end();
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.stdout).toMatch(/^1 kept\n2 kept\nbuy milk\nsell wool\nnotesd is running \(pid (\d+)\)\nnotesd stopped \(pid \1\)\n$/);
    expect(home.processes()).toEqual([]);
  });

  test('two clients share one daemon, which comes back when it is killed, and no front outlives its client (F56)', async ({
    home,
    notes,
  }) => {
    const [ours, theirs] = await Promise.all([notes.client(), notes.client()]);
    const heard: unknown[] = [];
    theirs.client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void heard.push(params.data));
    const awaited = theirs.call('next_note');
    // Messages keep their order: what is answered after it has found it under way.
    expect(await theirs.call('list_notes')).toBe('');
    expect(await ours.call('add_note', 'buy milk')).toBe('1 kept');
    expect(await awaited).toBe('buy milk');
    await waitFor('the news', () => heard.length === 1);
    const { pid } = notes.daemon;
    expect(home.processes().map((seen) => seen.pid)).toEqual([pid]);

    const failures = [ours, theirs].map(({ call }) => call('next_note').catch(String));
    for (const { call } of [ours, theirs]) expect(await call('list_notes')).toBe('buy milk');
    process.kill(pid, 'SIGKILL');
    const failure = expect.stringMatching(/the daemon ended before it answered/);
    expect(await Promise.all(failures)).toEqual([failure, failure]);

    expect(await ours.call('list_notes')).toBe('buy milk');
    expect(await theirs.call('add_note', 'sell wool')).toBe('2 kept');
    expect(notes.daemon.pid).not.toBe(pid);
    // The new daemon knows both of them again.
    await waitFor('more news', () => heard.length === 2);
    expect(heard).toEqual(['noted: buy milk', 'noted: sell wool']);

    await ours.client.close();
    await untilDead(ours.front);
    expect(await theirs.call('list_notes')).toBe('buy milk\nsell wool');
    await theirs.client.close();
    await untilDead(theirs.front);
    expect(isAlive(notes.daemon.pid)).toBe(true);
  });

  test('the front answers what was asked, and leaves when its stdin ends (F56)', async ({ home, notes }) => {
    const { folder } = notes;
    const asks = `echo '{"jsonrpc":"2.0","id":1,"method":"ping"}' | "$0" server.js`;
    const end = await home.spawn('sh', ['-c', asks, process.execPath], { cwd: folder }).end();
    expect(end).toMatchObject({ exitCode: 0, stderr: '', stdout: '{"result":{},"jsonrpc":"2.0","id":1}\n' });
  });

  test('the front leaves when whoever started it is killed, though its stdin stays open (F56)', async ({ home, notes }) => {
    const { folder } = notes;
    const stdin = home.latch('stdin');
    const client = home.spawn('sh', ['-c', `"$0" server.js <"$1" & echo "front $!"; wait`, process.execPath, stdin.path], { cwd: folder });
    const front = Number(await waitFor('the front', () => /^front (\d+)\n/.exec(client.stdout)?.[1]));
    // It listens by now, since it answers.
    stdin.write('{"jsonrpc":"2.0","id":1,"method":"ping"}\n');
    await client.says('"id":1');
    client.kill('SIGKILL');
    await untilDead(front);
    expect(await client.end()).toMatchObject({ exitCode: 137, stderr: '' });
  });

  test('an upgrade leaves sessions under way the daemon that they have, and comes when nobody is connected any more', async ({
    home,
    notes,
  }) => {
    const old = await notes.client();
    expect(await old.call('add_note', 'buy milk')).toBe('1 kept');
    const { pid } = notes.daemon;
    const about = join(notes.folder, 'package.json');
    writeFileSync(about, readFileSync(about, 'utf8').replace('1.0.0', '1.1.0'));

    const early = await notes.client();
    expect(await early.call('list_notes')).toBe('buy milk');
    expect(home.descriptor('notesd')).toMatchObject({ pid, version: '1.0.0' });
    await Promise.all([old.client.close(), early.client.close()]);
    await Promise.all([untilDead(old.front), untilDead(early.front)]);

    const late = await notes.client();
    expect(await late.call('list_notes')).toBe('buy milk');
    expect(home.descriptor('notesd').version).toBe('1.1.0');
    expect(isAlive(pid)).toBe(false);
  });

  test('what is too long is refused with the reason, in both directions, and the session goes on', async ({ notes }) => {
    const { call } = await notes.client();
    await expect(call('add_note', 'x'.repeat(2 * 1024 * 1024))).rejects.toThrow(/the message has \d+ bytes/);
    const half = 'x'.repeat(700 * 1024);
    expect([await call('add_note', half), await call('add_note', half)]).toEqual(['1 kept', '2 kept']);
    await expect(call('list_notes')).rejects.toThrow(/the message has \d+ bytes/);
    expect(await call('add_note', 'short')).toBe('3 kept');
  });

  test('a daemon that can not be started fails the client with the reason', async ({ home, notes }) => {
    await expect(notes.client({ DAEMONRY_HOME: home.file('a-file', '') })).rejects.toThrow(/a-file/);
  });
});
