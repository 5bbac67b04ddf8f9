import { expect } from 'vitest';
import { waitFor } from '../support/wait-for.js';

export interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Empty where stdout holds none. */
  readonly json: Record<string, unknown>;
}

/** What one Windows has and another, or what takes its place, has not. */
export interface WindowsCapabilities {
  /** CTRL_BREAK reaches the console of another process. */
  readonly consoleBreak: boolean;
  /** cmd.exe reads its line as that of Windows does. */
  readonly windowsQuoting: boolean;
  /** The package is installed, and cmd.exe can run the shims that npm makes. */
  readonly npmShims: boolean;
}

/** Where daemonry runs on Windows. All paths are its own. */
export interface WindowsSystem {
  readonly can: WindowsCapabilities;
  readonly node: string;
  /** The folders of the package and of the fixtures. */
  readonly packageFolder: string;
  readonly fixtures: string;
  /** Runs a program to its end. */
  run(file: string, ...args: readonly string[]): Promise<Answer>;
}

type Define = (title: string, body: () => Promise<void>, needs?: keyof WindowsCapabilities) => void;

/** What a person does with daemonry on Windows, each under a name of its own: they may run at the same time. */
export function describeWindowsScenarios(system: WindowsSystem, it: Define): void {
  const { node, packageFolder } = system;
  const fixture = (file: string) => `${system.fixtures}\\${file}`;
  const bin = `${packageFolder}\\bin\\daemonry.cjs`;
  const serves = (file: string) => [node, fixture(file), `file:///${packageFolder.replaceAll('\\', '/')}/dist/serve.js`];
  const sleeps = ['--', node, '-e', 'setInterval(() => {}, 1e6)'];
  /** Gives its arguments to Node, as shims do, which prints them and its pid. */
  const batch = ['--env', `NODE=${node}`, '--ready', 'log:^\\d+$', '--', fixture('tool')];
  const script = (text: string, ...args: readonly unknown[]) => system.run(node, '-e', text, ...args.map(String));
  const daemonry = (verb: string, ...args: readonly string[]) => system.run(node, '--', bin, verb, '--json', ...args);
  const isAlive = async (pid: unknown) =>
    (await script('try { process.kill(+process.argv[1], 0) } catch { process.exit(1) }', pid)).exitCode === 0;
  const kill = (pid: unknown) => script("process.kill(+process.argv[1], 'SIGKILL')", pid);

  async function started(name: string, ...args: readonly string[]): Promise<Record<string, unknown>> {
    const answer = await daemonry('start', name, ...args);
    expect(answer).toMatchObject({ exitCode: 0, json: { outcome: 'started', status: 'running' } });
    return answer.json;
  }

  async function stopped(name: string, outcome: string): Promise<void> {
    expect(await daemonry('stop', name)).toMatchObject({ exitCode: 0, json: { outcome } });
  }

  async function linesOf(name: string): Promise<unknown> {
    return (await daemonry('logs', name)).json.lines;
  }

  it('start, status, restart, stop: say the same as elsewhere', async () => {
    const { pid } = await started('plain', ...sleeps);
    expect(await daemonry('start', 'plain')).toMatchObject({ exitCode: 0, json: { outcome: 'already-running', pid } });
    expect(await daemonry('status', 'plain')).toMatchObject({ exitCode: 0, json: { status: 'running', phase: 'ready', pid } });
    const restarted = await daemonry('restart', 'plain');
    expect(restarted).toMatchObject({ exitCode: 0, json: { outcome: 'started' } });
    expect(restarted.json.pid).not.toBe(pid);
    expect(await isAlive(pid)).toBe(false);
    await stopped('plain', 'stopped');
    expect(await isAlive(restarted.json.pid)).toBe(false);
    expect(await daemonry('status', 'plain')).toMatchObject({ exitCode: 3, json: { status: 'stopped', pid: null } });
    await stopped('plain', 'already-stopped');
  });

  it('stop: a daemon that listens is asked over its pipe, and may say good-bye (F46)', async () => {
    const { socket } = await started('served', '--ready', 'notify', '--', ...serves('serves.mjs'));
    expect(socket).toMatch(/^\\\\\.\\pipe\\daemonry-/);
    await stopped('served', 'stopped');
    expect(await linesOf('served')).toEqual(['serving', 'asked to stop']);
  });

  it(
    'stop: a daemon that does not listen is sent CTRL_BREAK, and has its grace (F46)',
    async () => {
      const script =
        "process.on('SIGBREAK', () => { console.log('broken off'); process.exit(0); }); setInterval(() => {}, 1e6); console.log('up')";
      await started('broken', '--ready', 'log:^up$', '--', node, '-e', script);
      await stopped('broken', 'stopped');
      expect(await linesOf('broken')).toEqual(['up', 'broken off']);
    },
    'consoleBreak',
  );

  it('stop: a tree that does not end is ended, all of it (F47)', async () => {
    const { pid } = await started('stubborn', '--ready', 'log:^serving$', '--grace', '1s', '--', ...serves('never-ends.mjs'));
    const family = [pid, ...((await linesOf('stubborn')) as string[]).filter((line) => /^\d+$/.test(line))];
    expect(family).toHaveLength(3);
    for (const one of family) expect(await isAlive(one)).toBe(true);
    await stopped('stubborn', 'killed');
    for (const one of family) expect(await isAlive(one)).toBe(false);
  });

  it('status: a daemon that was killed is stale, and the next start heals it', async () => {
    const { pid } = await started('killed', ...sleeps);
    await kill(pid);
    expect(await daemonry('status', 'killed')).toMatchObject({ exitCode: 1, json: { status: 'stale', pid } });
    expect((await started('killed')).pid).not.toBe(pid);
    await stopped('killed', 'stopped');
  });

  it('start: of eight at once one starts it, and the others find it running (F11)', async () => {
    const says = ['--', node, '-e', 'console.log(process.pid); setInterval(() => {}, 1e6)'];
    const answers = await Promise.all(Array.from({ length: 8 }, () => daemonry('start', 'race', '--ready', 'log:.', ...says)));
    expect(answers.map(({ exitCode }) => exitCode)).toEqual(Array(8).fill(0));
    expect(answers.map(({ json }) => json.outcome).sort()).toEqual([...Array(7).fill('already-running'), 'started']);
    // Each that ever ran has written its pid.
    expect(await linesOf('race')).toEqual([String(answers[0]?.json.pid)]);
    expect(new Set(answers.map(({ json }) => json.pid)).size).toBe(1);
    await stopped('race', 'stopped');
  });

  it('status: waits for who has the record open alone, and then reads it (F25)', async () => {
    const { pid, descriptor } = await started('held', ...sleeps);
    // As a virus scanner has it: nobody else can open the file, until that is done.
    const scans = "fs.openSync(process.argv[1], fs.constants.O_RDWR | 0x10000000); console.log('scanning'); setTimeout(() => {}, 700)";
    await started('scanner', '--ready', 'log:^scanning$', '--', node, '-e', scans, String(descriptor));
    expect(await daemonry('status', 'held')).toMatchObject({ exitCode: 0, json: { status: 'running', pid } });
    await stopped('held', 'stopped');
    await daemonry('stop', 'scanner');
  });

  it('start: a corrupt descriptor is set aside (F24)', async () => {
    const { descriptor } = await started('spoilt', ...sleeps);
    await stopped('spoilt', 'stopped');
    await script('fs.writeFileSync(process.argv[1], \'{ "schema": 1,\')', descriptor);
    expect(await daemonry('status', 'spoilt')).toMatchObject({ exitCode: 1, json: { status: 'stale' } });
    await started('spoilt');
    const listed = await script('console.log(fs.readdirSync(path.dirname(process.argv[1])).join())', descriptor);
    expect(listed.stdout).toContain('daemon.json.bad');
    await stopped('spoilt', 'stopped');
  });

  it("stop: a pid that is another's by now is left alone (F1, F2)", async () => {
    const stranger = await started('stranger', ...sleeps);
    const victim = await started('reused', ...sleeps);
    await kill(victim.pid);
    const reuse =
      'const [file, pid] = process.argv.slice(1); fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file)), pid: +pid }))';
    expect((await script(reuse, victim.descriptor, stranger.pid)).exitCode).toBe(0);
    expect(await daemonry('status', 'reused')).toMatchObject({ exitCode: 1, json: { status: 'stale', pid: stranger.pid } });
    await stopped('reused', 'stale-cleaned');
    expect(await isAlive(stranger.pid)).toBe(true);
    await stopped('stranger', 'stopped');
  });

  it('start: a batch file is found by its name alone, is given its arguments, and its children go with it', async () => {
    const args = ['one', 'and two', 'a&b', ''];
    const { pid } = await started('batch', ...batch, ...args);
    const [said, child] = (await linesOf('batch')) as [string, string];
    expect(JSON.parse(said)).toEqual(args);
    expect(await isAlive(child)).toBe(true);
    await stopped('batch', 'stopped');
    for (const one of [pid, child]) expect(await isAlive(one)).toBe(false);
  });

  it(
    'start: a batch file is given what cmd.exe would obey',
    async () => {
      const args = ['say "hi"', '%PATH%', 'a^b', '!x!', 'end\\', '(x)', '"&whoami&"', '%CD:~0,1%'];
      await started('quoted', ...batch, ...args);
      expect(JSON.parse(((await linesOf('quoted')) as string[])[0] ?? '')).toEqual(args);
      await stopped('quoted', 'stopped');
    },
    'windowsQuoting',
  );

  it('start: what is missing is named', async () => {
    expect(await daemonry('start', 'missing', '--', 'daemonry-no-such-command')).toMatchObject({
      exitCode: 5,
      json: { error: { code: 'command-not-found' } },
    });
  });

  it('start: lines may end in two characters, for whoever waits for one and for whoever reads them', async () => {
    await started(
      'lines',
      '--ready',
      'log:^up$',
      '--',
      node,
      '-e',
      "process.stdout.write('first\\r\\nup\\r\\n'); setInterval(() => {}, 1e6)",
    );
    expect(await linesOf('lines')).toEqual(['first', 'up']);
    await stopped('lines', 'stopped');
  });

  it('start: a socket of the own choice is a named pipe', async () => {
    const listens = ['--', node, '-e', 'net.createServer().listen(process.env.DAEMONRY_SOCKET)'];
    expect(await daemonry('start', 'pinned', '--socket', 'C:\\acme.sock', ...listens)).toMatchObject({
      exitCode: 2,
      json: { error: { message: expect.stringContaining('no pipe name'), hint: expect.stringContaining('\\\\.\\pipe\\acme') } },
    });
    const socket = '\\\\.\\pipe\\daemonry-test-pinned';
    expect(await started('pinned', '--ready', 'socket', '--socket', socket, ...listens)).toMatchObject({ socket });
    await stopped('pinned', 'stopped');
  });

  it('start: warns of a job that lets nobody go, and the early end is explained (F44)', async () => {
    const start = [node, '--', bin, 'start', 'confined', '--json', ...sleeps];
    const answer = await system.run(node, fixture('runs-in-a-job.cjs'), 'closing', ...start);
    expect(answer).toMatchObject({ exitCode: 0, json: { outcome: 'started', confined: true } });
    expect(await isAlive(answer.json.pid)).toBe(false);
    expect(await daemonry('status', 'confined')).toMatchObject({
      exitCode: 1,
      json: { status: 'stale', hint: expect.stringContaining('ended with the program that started it') },
    });
    await stopped('confined', 'stale-cleaned');
    expect(await system.run(node, fixture('runs-in-a-job.cjs'), 'closing', node, '--', bin, 'doctor', '--json')).toMatchObject({
      exitCode: 1,
      json: { findings: expect.arrayContaining([expect.objectContaining({ code: 'confining-job' })]) },
    });
  });

  it('start: leaves a job that lets it go, and outlives it (F44)', async () => {
    const start = [node, '--', bin, 'start', 'freed', '--json', ...sleeps];
    const answer = await system.run(node, fixture('runs-in-a-job.cjs'), 'letting-go', ...start);
    expect(answer).toMatchObject({ exitCode: 0, json: { outcome: 'started' }, stderr: '' });
    expect(await daemonry('status', 'freed')).toMatchObject({ exitCode: 0, json: { status: 'running', pid: answer.json.pid } });
    await stopped('freed', 'stopped');
  });

  it('start: the log of a running daemon can be renamed and removed, its working folder can not (F35)', async () => {
    const folder = `${(await script('console.log(fs.mkdtempSync(path.join(os.tmpdir(), "held-")))')).stdout.trim()}`;
    const { log } = await started('holding', '--cwd', folder, ...sleeps);
    expect(
      (await script("fs.renameSync(process.argv[1], process.argv[1] + '.old'); fs.rmSync(process.argv[1] + '.old')", log)).exitCode,
    ).toBe(0);
    expect((await script('fs.rmdirSync(process.argv[1])', folder)).exitCode).toBe(1);
    await stopped('holding', 'stopped');
    expect((await script('fs.rmdirSync(process.argv[1])', folder)).exitCode).toBe(0);
  });

  it('doctor: names what Windows lets no daemon do (F35)', async () => {
    const { json } = await daemonry('doctor');
    expect(json.limits).toEqual(expect.arrayContaining([expect.stringContaining('working folder'), expect.stringContaining('CTRL_BREAK')]));
    expect((json.findings as { code: string }[]).map(({ code }) => code)).not.toContain('no-process-table');
  });

  it('autostart: makes a logon task, whose launcher keeps the daemon until it is stopped', async () => {
    const { pid, descriptor } = await started('kept', ...sleeps);
    const enabled = await daemonry('autostart', 'enable', 'kept', '--no-verify');
    expect(enabled).toMatchObject({ exitCode: 0, json: { results: [{ name: 'kept', outcome: 'enabled', verified: false }] } });
    const [{ service, definition }] = enabled.json.results as [{ service: string; definition: string }];
    expect(definition).toBe(`\\daemonry\\${service}`);
    // What the Task Scheduler would start, less the console that has no window.
    const launch = "require('child_process').spawn('cmd.exe', ['/d', '/c', 'launcher.cmd', process.argv[2]], { cwd: process.argv[1] })";
    const folder = String(descriptor).replace(/[^\\]+\\[^\\]+$/, '_autostart');
    const serving = script(`${launch}.on('exit', (code) => process.exit(code))`, folder, service);
    const isKept = async () => (await daemonry('autostart', 'status', 'kept')).json.daemons as { managed: boolean; pid: unknown }[];
    const kept = await waitFor('the service', async () => (await isKept()).find(({ managed }) => managed), 60_000);
    expect(kept?.pid).not.toBe(pid);
    expect(await isAlive(pid)).toBe(false);
    await stopped('kept', 'stopped');
    expect((await serving).exitCode).toBe(0);
    expect(await daemonry('autostart', 'disable', 'kept')).toMatchObject({ exitCode: 0, json: { results: [{ outcome: 'disabled' }] } });
  });

  it('a program that embeds daemonry: ensures, asks and stops its daemon', async () => {
    const library = `file:///${packageFolder.replaceAll('\\', '/')}/dist/index.js`;
    const answer = await system.run(node, fixture('embeds.mjs'), library);
    expect(answer).toMatchObject({ exitCode: 0, stderr: '' });
    expect(answer.stdout.trim()).toBe('started running stopped');
  });

  it(
    "npm's shim: runs the command line",
    async () => {
      const answer = await system.run(
        'cmd.exe',
        '/d',
        '/c',
        `${packageFolder}\\..\\.bin\\daemonry.cmd`,
        'status',
        'never-started',
        '--json',
      );
      expect(answer).toMatchObject({ exitCode: 3, json: { name: 'never-started', status: 'stopped' } });
    },
    'npmShims',
  );
}
