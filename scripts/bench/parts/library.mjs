// The library beside sock-daemon, and beside what the system takes by itself.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import guarded from '../promises.cjs';
import { plainEnvironment, projectRoot } from '../stage.mjs';
import { promises, Table } from '../table.mjs';

const calls = 2_000;
/** Until V8 has compiled what is called all the time. */
const warmUp = 2_000;

const killedRounds = 5;
const bare = {
  cold: 'spawn detached, connect, one answer',
  read: 'one readFile, one /proc/PID/stat',
  socket: 'a round trip on a bare socket',
  program: 'node -e 0',
};

const started = new Set();
const times = new Map();
let rounds;
let folder;
let peerPackage;
let programs;
let ours;
/** The very program that is spawned bare, as a daemon. */
let plain;

/**
 * Two processes that answer each other take three times as long where the scheduler has them on two cores that both fell asleep, and
 * which pair it does that to is a matter of chance. So all of them share a core, where there is `taskset`.
 */
async function onOneCore(work) {
  const own = (...args) => spawnSync('taskset', [...args, String(process.pid)], { encoding: 'utf8' });
  const before = /: (\S+)\s*$/.exec(own('-cp').stdout ?? '')?.[1];
  if (before !== undefined) own('-acp', before.split(/[-,]/)[0]);
  try {
    await work();
  } finally {
    if (before !== undefined) own('-acp', before);
  }
}

const note = (label, ms) => times.set(label, [...(times.get(label) ?? []), ms]);

/** sock-daemon is looked for beside the programs of each of these folders, which is where npm puts it. */
export async function measure({ rounds: wanted, bin, without = [] }) {
  rounds = wanted;
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'dbl-'));
  peerPackage = without.includes('sock-daemon')
    ? undefined
    : bin.map((one) => join(one, '..', 'sock-daemon', 'package.json')).find(existsSync);
  programs = writePrograms();
  const { defineDaemon } = await import(pathToFileURL(join(projectRoot, 'dist', 'index.js')).href);
  const common = { command: process.execPath, cwd: folder, home: join(folder, 'home'), ready: 'socket' };
  ours = defineDaemon({ ...common, name: 'bench', args: [programs.ours] });
  plain = defineDaemon({ ...common, name: 'plain', args: [programs.raw] });
  // What waits for a peer whose socket keeps nothing alive would be the end of the program.
  const alive = setInterval(() => {}, 1_000);
  const cwd = process.cwd();
  try {
    process.stderr.write('library\n');
    await coldRounds();
    await onOneCore(warmCalls);
    await ours.ensure();
    warmPrograms();
    await ours.stop();
    await killed();
  } finally {
    clearInterval(alive);
    await plain.stop();
    await ours.stop();
    for (const pid of started) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    process.chdir(cwd);
    rmSync(folder, { recursive: true, force: true });
  }
  const version = peerPackage && JSON.parse(readFileSync(peerPackage, 'utf8')).version;
  return { tables: tables(), peers: version ? [`sock-daemon ${version}`] : [], missing: version ? [] : ['sock-daemon'] };
}

async function timed(label, work) {
  const began = performance.now();
  const result = await work();
  note(label, performance.now() - began);
  return result;
}

async function until(what, condition, timeoutMs = 30_000) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const seen = await condition();
    if (seen) return seen;
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A zombie is dead: the first process of a container may reap late. */
function isAlive(pid) {
  try {
    return !/^\d+ \(.*\) [ZX] /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function kill(pid) {
  process.kill(pid, 'SIGKILL');
  await until(`the end of pid ${pid}`, () => !isAlive(pid));
  started.delete(pid);
}

function writePrograms() {
  const at = (name, text) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const raw = at(
    'raw.mjs',
    `import { createServer } from 'node:net';
const path = process.argv[2] ?? process.env.DAEMONRY_SOCKET;
createServer((socket) => socket.on('error', () => {}).on('data', (bytes) => socket.write(bytes))).listen(path);`,
  );
  const json = at(
    'json.mjs',
    `import { createServer } from 'node:net';
createServer((socket) => socket.on('data', (bytes) => {
  const { id, params } = JSON.parse(bytes);
  socket.write(JSON.stringify({ jsonrpc: '2.0', id, result: params }) + '\\n');
})).listen(process.argv[2]);`,
  );
  const own = at(
    'ours.mjs',
    `import { serveDaemon } from ${JSON.stringify(pathToFileURL(join(projectRoot, 'dist', 'serve.js')).href)};\nawait serveDaemon({ methods: { echo: (params) => params } });`,
  );
  if (peerPackage === undefined) return { raw, json, ours: own };
  mkdirSync(join(folder, 'peer'));
  const peer = JSON.stringify(pathToFileURL(join(dirname(peerPackage), 'dist', 'esm', 'index.js')).href);
  at(
    'peer/service.mjs',
    `import { SockDaemonClient, SockDaemonServer } from ${peer};
export class Server extends SockDaemonServer {
  static get serviceName() { return 'bench'; }
  isRequest(message) { return super.isMessage(message); }
  async handle(message) { return { id: message.id, echo: message.echo }; }
}
export class Client extends SockDaemonClient {
  static get serviceName() { return 'bench'; }
  static get daemonScript() { return new URL('./daemon.mjs', import.meta.url); }
  isResponse(message) { return super.isMessage(message); }
  echo(echo) { return this.request({ echo }); }
}`,
  );
  at('peer/daemon.mjs', `import { Server } from './service.mjs';\nnew Server({ connectionTimeout: 60_000 }).listen();`);
  return { raw, json, ours: own, peer: join(folder, 'peer', 'service.mjs') };
}

/** The least that anybody can do: a detached process, and a socket that answers. */
const floor = {
  async cold(program = programs.raw) {
    const path = join(folder, `${basename(program)}.sock`);
    rmSync(path, { force: true });
    const child = spawn(process.execPath, [program, path], { detached: true, stdio: 'ignore' });
    child.unref();
    started.add(child.pid);
    const socket = await until('the bare daemon', () => open(path));
    await roundTrip(socket);
    return { pid: child.pid, socket, path };
  },
  /** The same daemon, with all that our promises take. */
  async promised() {
    const path = join(folder, 'promised.sock');
    rmSync(path, { force: true });
    let socket;
    const isReady = async () => {
      socket = await open(path);
      return socket !== undefined;
    };
    const command = [process.execPath, programs.raw, path];
    const child = await guarded.start({ folder: join(folder, 'promised'), command, isReady });
    child.unref();
    child.stdio[3].destroy();
    started.add(child.pid);
    await roundTrip(socket);
    socket.destroy();
    return child.pid;
  },
};

function open(path) {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket)).once('error', () => resolve(undefined));
  });
}

const echo = { echo: 'hello' };

function roundTrip(socket, message = '{"id":1,"params":{"echo":"hello"}}\n') {
  return new Promise((resolve) => {
    socket.once('data', resolve);
    socket.write(message);
  });
}

/** What a request in JSON takes at the least. */
async function jsonRoundTrip(socket, id) {
  return JSON.parse(await roundTrip(socket, `${JSON.stringify({ jsonrpc: '2.0', id, method: 'echo', params: echo })}\n`)).result;
}

async function coldRounds() {
  for (let round = 0; round < rounds; round++) {
    const bare = await timed('cold: spawn, connect, answer', () => floor.cold());
    bare.socket.destroy();
    await kill(bare.pid);
    await kill(await timed('cold: the promises', () => floor.promised()));

    started.add((await timed('cold: ensure() of the same', () => plain.ensure())).pid);
    await plain.stop();
    const connection = await timed('cold: connect() and a request', async () => {
      const opened = await ours.connect();
      await opened.request('echo', echo);
      return opened;
    });
    connection.close();
    await ours.stop();
    started.add((await timed('cold: ensure()', () => ours.ensure())).pid);
    await ours.stop();

    if (programs.peer) {
      const client = await newPeer();
      await timed('cold: sock-daemon, a request', () => client.echo('hello'));
      await endPeer(client);
    }
  }
}

async function warmCalls() {
  const { pid, descriptor } = await ours.ensure();
  started.add(pid);
  const connection = await ours.connect();
  const bare = await floor.cold();
  const json = await floor.cold(programs.json);
  const client = programs.peer && (await newPeer());
  await client?.echo('hello');
  for (let call = -warmUp; call < calls; call++) {
    const once = async (label, work) => (call < 0 ? work() : timed(label, work));
    await once('read: readFile and /proc', () => [readFileSync(descriptor), readFileSync(`/proc/${pid}/stat`)]);
    await once('status()', () => ours.status());
    await once('warm: ensure()', () => ours.ensure());
    await once('socket: a round trip', () => roundTrip(bare.socket));
    await once('socket: JSON each way', () => jsonRoundTrip(json.socket, call));
    await once('request()', () => connection.request('echo', echo));
    if (client) await once('sock-daemon request', () => client.echo('hello'));
  }
  connection.close();
  for (const { socket, pid } of [bare, json]) {
    socket.destroy();
    await kill(pid);
  }
  await ours.stop();
  if (client) await endPeer(client);
}

/** A program of its own each time, as a command of a user is. */
function warmPrograms() {
  const ourProgram = `import(${JSON.stringify(pathToFileURL(join(projectRoot, 'dist', 'index.js')).href)}).then(async ({ defineDaemon }) => {
    const daemon = defineDaemon({ name: 'bench', command: process.execPath, args: [${JSON.stringify(programs.ours)}], home: ${JSON.stringify(join(folder, 'home'))}, ready: 'socket' });
    await (await daemon.connect()).request('echo', ${JSON.stringify(echo)});
  })`;
  const peerProgram =
    programs.peer &&
    `import(${JSON.stringify(pathToFileURL(programs.peer).href)}).then(async ({ Client }) => { const client = new Client(); await client.echo('hello'); client.disconnect(); })`;
  for (let round = 0; round < rounds; round++) {
    for (const [label, program] of [
      ['node -e 0', '0'],
      ['a program that asks', ourProgram],
      ['a program that asks sock-daemon', peerProgram],
    ]) {
      if (!program) continue;
      const began = performance.now();
      const { status, stderr } = spawnSync(process.execPath, ['-e', program], { env: plainEnvironment(), cwd: folder, encoding: 'utf8' });
      if (status !== 0) throw new Error(`${label} failed: ${stderr}`);
      if (round > 0) note(label, performance.now() - began);
    }
  }
}

/** What the next call of a program gets after a `kill -9` of the daemon, and how long it takes. */
async function killed() {
  for (let round = 0; round < Math.min(rounds, killedRounds); round++) {
    const { pid } = await ours.ensure();
    await kill(pid);
    await timed('killed: connect() and a request', async () => (await ours.connect()).request('echo', echo));
    await ours.stop();
  }
  if (!programs.peer) return;
  for (let round = 0; round < Math.min(rounds, killedRounds); round++) {
    const client = await newPeer();
    await client.echo('hello');
    const pid = await peerPid(client);
    client.disconnect();
    await kill(pid);
    const next = await newPeer();
    const began = performance.now();
    // Neither a failure nor silence is an answer.
    const outcome = await Promise.race([
      next.echo('hello').then(
        () => 'killed: sock-daemon',
        () => 'killed: sock-daemon failed',
      ),
      new Promise((resolve) => setTimeout(resolve, 10_000, 'killed: sock-daemon silent').unref()),
    ]);
    note(outcome, performance.now() - began);
    await endPeer(next);
  }
}

let peerModule;
async function newPeer() {
  process.chdir(folder);
  peerModule ??= await import(pathToFileURL(programs.peer).href);
  return new peerModule.Client();
}

/** As the daemon says itself: the pid file of one that was killed may be gone or another's. */
async function peerPid(client) {
  const { pid } = await client.ping();
  started.add(pid);
  return pid;
}

async function endPeer(client) {
  const pid = await Promise.race([peerPid(client), new Promise((resolve) => setTimeout(resolve, 2_000))]);
  client.disconnect();
  if (pid !== undefined) await kill(pid);
  rmSync(client.path, { recursive: true, force: true });
}

function tables() {
  return [
    tableOf(
      'library-cold',
      'From a program: nothing runs yet',
      'A Node program that listens on a socket, until it answers; then one that serves the control protocol, which takes as long to load as it does.',
      'ms',
      1,
      bare.cold,
      [
        [bare.cold, 'cold: spawn, connect, answer'],
        [promises, 'cold: the promises'],
        ['daemonry ensure() of the same program', 'cold: ensure() of the same', 1.1],
        ['daemonry ensure() of one that serves', 'cold: ensure()'],
        ['daemonry connect() to one that serves, and a request', 'cold: connect() and a request'],
        ['sock-daemon, a request', 'cold: sock-daemon, a request'],
      ],
    ),
    tableOf(
      'library-look',
      'From a program: it runs, and is looked at',
      `${calls} calls each, after as many to warm up, on one core.`,
      'µs',
      1_000,
      bare.read,
      [
        [bare.read, 'read: readFile and /proc'],
        ['daemonry status()', 'status()', 2],
        ['daemonry ensure()', 'warm: ensure()', 3],
      ],
    ),
    tableOf('library-ask', 'From a program: it runs, and is asked', `As above, the daemons too.`, 'µs', 1_000, bare.socket, [
      [bare.socket, 'socket: a round trip'],
      [promises, 'socket: JSON each way'],
      ['daemonry request()', 'request()', 1.3],
      ['sock-daemon request', 'sock-daemon request'],
    ]),
    tableOf('library-program', 'A program that asks, and ends', 'From its spawn to its exit.', 'ms', 1, bare.program, [
      [bare.program, 'node -e 0'],
      ['daemonry', 'a program that asks'],
      ['sock-daemon', 'a program that asks sock-daemon'],
    ]),
    tableOf('library-killed', 'After kill -9 of the daemon', 'Until the next request of a program is answered.', 'ms', 1, undefined, [
      ['daemonry', 'killed: connect() and a request'],
      ['sock-daemon', 'killed: sock-daemon'],
      ['sock-daemon, until the request failed', 'killed: sock-daemon failed'],
      ['sock-daemon, given up without an answer', 'killed: sock-daemon silent'],
    ]),
  ];
}

function tableOf(id, title, about, unit, factor, base, rows) {
  const aims = rows.flatMap(([row, , atMost]) => (atMost ? [{ row, column: 'time', atMost }] : []));
  const table = new Table({ id, title, about, unit, columns: [{ key: 'time', label: 'time', base }], aims });
  for (const [row, label] of rows) if (times.has(label)) table.add(row, 'time', ...times.get(label).map((ms) => ms * factor));
  return table;
}
