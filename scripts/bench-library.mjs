// The library beside sock-daemon and beside what the system takes by itself, in one interleaved run on one machine: medians, and ratios
// to the floors, since machines differ. Markdown on stdout.
// Usage: npm run bench:library [-- --rounds N] [--peer FOLDER] [--write FILE]: sock-daemon is looked for in the node_modules of FOLDER.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { cpus, release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '15' }, peer: { type: 'string', default: root }, write: { type: 'string' } },
});
const rounds = Number(values.rounds);
const calls = 300;
const warmUp = 30;

// A certificate bundle that Node 20 reads at every start would hide what is measured.
delete process.env.NODE_EXTRA_CA_CERTS;
const folder = mkdtempSync(join(realpathSync(tmpdir()), 'dbl-'));
const started = new Set();
// What waits for a peer whose socket keeps nothing alive would be the end of the program.
const alive = setInterval(() => {}, 1_000);
const peerPackage = join(values.peer, 'node_modules', 'sock-daemon', 'package.json');
const peerVersion = existsSync(peerPackage) ? JSON.parse(readFileSync(peerPackage, 'utf8')).version : undefined;

const serve = pathToFileURL(join(root, 'dist', 'serve.js')).href;
const { defineDaemon } = await import(pathToFileURL(join(root, 'dist', 'index.js')).href);
const programs = writePrograms();

const times = new Map();
const note = (label, ms) => times.set(label, [...(times.get(label) ?? []), ms]);
const median = (list) => list.toSorted((one, other) => one - other)[Math.floor(list.length / 2)];

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
const [, , path] = process.argv;
createServer((socket) => socket.on('error', () => {}).on('data', (bytes) => socket.write(bytes))).listen(path);`,
  );
  const ours = at(
    'ours.mjs',
    `import { serveDaemon } from ${JSON.stringify(serve)};\nawait serveDaemon({ methods: { echo: (params) => params } });`,
  );
  if (peerVersion === undefined) return { raw, ours };
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
  return { raw, ours, peer: join(folder, 'peer', 'service.mjs') };
}

/** The least that anybody can do: a detached process, and a socket that answers. */
const floor = {
  async cold() {
    const path = join(folder, 'raw.sock');
    rmSync(path, { force: true });
    const child = spawn(process.execPath, [programs.raw, path], { detached: true, stdio: 'ignore' });
    child.unref();
    started.add(child.pid);
    const socket = await until('the bare daemon', () => open(path));
    await roundTrip(socket);
    return { pid: child.pid, socket, path };
  },
};

function open(path) {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket)).once('error', () => resolve(undefined));
  });
}

function roundTrip(socket) {
  return new Promise((resolve) => {
    socket.once('data', resolve);
    socket.write('{"echo":"hello"}\n');
  });
}

const ours = defineDaemon({
  name: 'bench',
  command: process.execPath,
  args: [programs.ours],
  cwd: folder,
  home: join(folder, 'home'),
  ready: 'socket',
});
const echo = { echo: 'hello' };

async function coldRounds() {
  for (let round = 0; round < rounds; round++) {
    const bare = await timed('cold: spawn, connect, answer', () => floor.cold());
    bare.socket.destroy();
    await kill(bare.pid);

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
  const client = programs.peer && (await newPeer());
  await client?.echo('hello');
  for (let call = -warmUp; call < calls; call++) {
    const once = async (label, work) => (call < 0 ? work() : timed(label, work));
    await once('read: readFile and /proc', () => [readFileSync(descriptor), readFileSync(`/proc/${pid}/stat`)]);
    await once('status()', () => ours.status());
    await once('warm: ensure()', () => ours.ensure());
    await once('socket: a round trip', () => roundTrip(bare.socket));
    await once('request()', () => connection.request('echo', echo));
    if (client) await once('sock-daemon request', () => client.echo('hello'));
  }
  connection.close();
  bare.socket.destroy();
  await kill(bare.pid);
  await ours.stop();
  if (client) await endPeer(client);
}

/** A program of its own each time, as a command of a user is. */
function warmPrograms() {
  const ourProgram = `import(${JSON.stringify(pathToFileURL(join(root, 'dist', 'index.js')).href)}).then(async ({ defineDaemon }) => {
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
      const { status, stderr } = spawnSync(process.execPath, ['-e', program], { cwd: folder, encoding: 'utf8' });
      if (status !== 0) throw new Error(`${label} failed: ${stderr}`);
      if (round > 0) note(label, performance.now() - began);
    }
  }
}

/** What the next call of a program gets after a `kill -9` of the daemon, and how long it takes. */
async function killed() {
  const outcomes = [];
  for (let round = 0; round < Math.min(rounds, 5); round++) {
    const { pid } = await ours.ensure();
    await kill(pid);
    await timed('killed: connect() and a request', async () => (await ours.connect()).request('echo', echo));
    await ours.stop();
  }
  outcomes.push(['daemonry', 'the next `connect()` answers, from a new daemon', median(times.get('killed: connect() and a request'))]);
  if (!programs.peer) return outcomes;
  const seen = new Map();
  for (let round = 0; round < Math.min(rounds, 5); round++) {
    const client = await newPeer();
    await client.echo('hello');
    const pid = await peerPid(client);
    client.disconnect();
    await kill(pid);
    const next = await newPeer();
    const began = performance.now();
    const outcome = await Promise.race([
      next.echo('hello').then(
        () => 'the next request is answered, from a new daemon',
        (error) => `the next request fails: ${error.message}`,
      ),
      new Promise((resolve) => setTimeout(resolve, 10_000, 'the next request has no answer within 10 s').unref()),
    ]);
    seen.set(outcome, [...(seen.get(outcome) ?? []), performance.now() - began]);
    await endPeer(next);
  }
  for (const [outcome, list] of seen) outcomes.push([`sock-daemon (${list.length} of ${Math.min(rounds, 5)})`, outcome, median(list)]);
  return outcomes;
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

function table(title, rows) {
  const [, floorLabel] = rows[0];
  const least = median(times.get(floorLabel));
  say(`\n| ${title} | median | of the floor |\n|---|---|---|`);
  for (const [name, label] of rows) {
    const list = times.get(label);
    if (list) say(`| ${name} | ${format(median(list))} | ${(median(list) / least).toFixed(2)} × |`);
  }
}

const said = [];
function say(line) {
  said.push(line);
  console.log(line);
}

const format = (ms) => (ms < 1 ? `${(ms * 1000).toFixed(0)} µs` : `${ms.toFixed(1)} ms`);

try {
  await coldRounds();
  await warmCalls();
  await ours.ensure();
  warmPrograms();
  await ours.stop();
  const outcomes = await killed();
  const peerName =
    peerVersion === undefined ? 'sock-daemon is not installed (`--peer FOLDER`), and was left out' : `sock-daemon ${peerVersion}`;
  say(
    `Node ${process.version}, ${process.platform} ${release()}, ${cpus().length} cores; ${rounds} rounds, ${calls} calls each; ${peerName}.`,
  );
  table('nothing runs yet', [
    ['floor: spawn detached, connect, one answer', 'cold: spawn, connect, answer'],
    ['`ensure()`, ready when it listens', 'cold: ensure()'],
    ['`connect()` and a request', 'cold: connect() and a request'],
    ['sock-daemon, a request', 'cold: sock-daemon, a request'],
  ]);
  table('it runs: look', [
    ['floor: one `readFile`, one `/proc/PID/stat`', 'read: readFile and /proc'],
    ['`status()`', 'status()'],
    ['`ensure()`', 'warm: ensure()'],
  ]);
  table('it runs: ask', [
    ['floor: a round trip on a bare socket', 'socket: a round trip'],
    ['`request()`', 'request()'],
    ['sock-daemon request', 'sock-daemon request'],
  ]);
  table('it runs: a program that asks, and ends', [
    ['floor: `node -e 0`', 'node -e 0'],
    ['daemonry', 'a program that asks'],
    ['sock-daemon', 'a program that asks sock-daemon'],
  ]);
  say('\n| after `kill -9` of the daemon | what happens | median |\n|---|---|---|');
  for (const [name, outcome, ms] of outcomes) say(`| ${name} | ${outcome} | ${format(ms)} |`);
  if (values.write)
    writeFileSync(
      values.write,
      [
        '# What the library costs, in one run',
        '',
        `Written by \`npm run bench:library -- --rounds ${rounds} --write\` on ${new Date().toISOString().slice(0, 10)}.`,
        '',
        ...said,
        '',
      ].join('\n'),
    );
} finally {
  clearInterval(alive);
  await ours.stop();
  for (const pid of started) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  process.chdir('/');
  rmSync(folder, { recursive: true, force: true });
}
