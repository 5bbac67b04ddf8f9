// The floor under daemonry's promises: what any Node program has to do that never starts a thing twice, is never without a record of
// what runs, keeps its output, and says that it runs when it does. Nothing is checked, healed, cleaned up or explained here.
// As a program: `start FOLDER FILE ARG…`, `stop FOLDER`, `list HOME`, `rotate LOG BYTES`, which ends with its standard input.
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const { promisify } = require('node:util');

const gate = 'read -r word <&3 && [ "$word" = go ] || exit 125; exec 3<&-; exec "$@"';
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const sync = promisify(fs.fsync);

/** `isReady`: asked again and again; unless given, whether the gate has become the command. `lock`: the kernel's, or a claim in writing. */
async function start({ folder, command, env = process.env, lock = 'kernel', isReady }) {
  fs.mkdirSync(folder, { recursive: true });
  const unlock = lock === 'kernel' ? await flock(folder) : claim(folder);
  const log = fs.openSync(`${folder}/daemon.log`, 'a', 0o600);
  const child = spawn('/bin/sh', ['-c', gate, 'gate', ...command], { env, stdio: ['ignore', log, log, 'pipe'], detached: true });
  const { pid } = child;
  fs.closeSync(log);
  const shell = exeOf(pid);
  const [, startToken] = statOf(pid);
  const record = { pid, startToken, command, phase: 'starting', startedAt: new Date() };
  write(`${folder}/daemon.json`, record);
  write(`${folder}/spec.json`, { command, env: {} });
  child.stdio[3].end('go\n');
  for (isReady ??= () => exeOf(pid) !== shell; !(await isReady()); ) await sleep(1);
  write(`${folder}/daemon.json`, { ...record, phase: 'ready' });
  await Promise.all([settle(`${folder}/daemon.json`), settle(`${folder}/spec.json`)]);
  unlock();
  return child;
}

/** Until it is gone, and nothing of it is left: whoever carries its mark is looked for among all processes. */
async function stop(folder) {
  const unlock = await flock(folder);
  const { pid, startToken } = JSON.parse(fs.readFileSync(`${folder}/daemon.json`, 'utf8'));
  if (statOf(pid)?.[1] !== startToken) throw new Error(`pid ${pid} is another process`);
  write(`${folder}/daemon.json`, { pid, startToken, phase: 'stopping' });
  process.kill(pid, 'SIGTERM');
  while (!['Z', undefined].includes(statOf(pid)?.[0])) await sleep(1);
  survey();
  fs.unlinkSync(`${folder}/daemon.json`);
  unlock();
}

/** Each record, and what its process is and takes. */
function list(home) {
  survey();
  for (const name of fs.readdirSync(home)) {
    let pid;
    let startToken;
    try {
      ({ pid, startToken } = JSON.parse(fs.readFileSync(`${home}/${name}/daemon.json`, 'utf8')));
    } catch {
      continue;
    }
    const stat = statOf(pid);
    const pages = stat && fs.readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1];
    console.log(name, stat?.[1] === startToken ? 'running' : 'stale', pid, pages);
  }
}

/** As a log grows, each piece of it gets a file of its own: copied there, on disk, and only then taken out. How far it came is noted nowhere. */
async function rotate(log, maxBytes) {
  let isOver = false;
  process.stdin
    .on('end', () => {
      isOver = true;
    })
    .resume();
  fs.writeSync(1, 'ready');
  let fd;
  while (!isOver) {
    if (fs.existsSync(log)) fd ??= fs.openSync(log, 'r+');
    const piece = fd && maxBytes - (maxBytes % fs.fstatSync(fd).blksize);
    while (fd && fs.fstatSync(fd).size > piece) await cut(log, fd, piece);
    await sleep(50);
  }
}

async function cut(log, fd, bytes) {
  const copy = fs.openSync(`${log}.next`, 'wx', 0o600);
  const chunk = Buffer.alloc(1024 * 1024);
  for (let at = 0; at < bytes; ) {
    const read = fs.readSync(fd, chunk, 0, Math.min(chunk.length, bytes - at), at);
    fs.writeSync(copy, chunk, 0, read);
    at += read;
  }
  await sync(copy);
  fs.closeSync(copy);
  // What is not on disk yet, the kernel would write while it holds up whoever appends.
  await sync(fd);
  const tool = spawn('fallocate', ['-c', '-l', String(bytes), '/proc/self/fd/3'], { stdio: ['ignore', 'ignore', 'inherit', fd] });
  await new Promise((resolve, reject) => {
    tool.once('error', reject);
    tool.once('exit', (code) => (code === 0 ? resolve() : reject(new Error('nothing can be taken out here'))));
  });
  let last = 1;
  while (fs.existsSync(`${log}.${last}`)) last++;
  for (; last > 1; last--) fs.renameSync(`${log}.${last - 1}`, `${log}.${last}`);
  fs.renameSync(`${log}.next`, `${log}.1`);
}

function flock(folder) {
  const fd = fs.openSync(`${folder}/lock`, 'a', 0o600);
  const helper = spawn('flock', ['-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
  return new Promise((resolve, reject) => {
    helper.once('error', reject);
    helper.once('exit', (code) => (code === 0 ? resolve(() => fs.closeSync(fd)) : reject(new Error('somebody else is at it'))));
  });
}

function claim(folder) {
  fs.writeFileSync(`${folder}/lock.claim`, `${process.pid}\n`, { flag: 'wx', mode: 0o600 });
  return () => fs.unlinkSync(`${folder}/lock.claim`);
}

function write(path, value) {
  fs.writeFileSync(`${path}.tmp`, JSON.stringify(value, null, 2), { flag: 'wx', mode: 0o600 });
  fs.renameSync(`${path}.tmp`, path);
}

async function settle(path) {
  const fd = fs.openSync(path, 'r+');
  await sync(fd);
  fs.closeSync(fd);
}

/** State and start of a process. */
function statOf(pid) {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return [fields[0], fields[19]];
  } catch {
    return undefined;
  }
}

function exeOf(pid) {
  return fs.readlinkSync(`/proc/${pid}/exe`);
}

const survey = () => fs.readdirSync('/proc').filter(Number).map(statOf);

module.exports = { start };

if (require.main === module) {
  const [, , verb, folder, ...command] = process.argv;
  if (verb === 'start') {
    start({ folder, command }).then((child) => {
      fs.writeSync(1, String(child.pid));
      process.exit();
    });
  } else if (verb === 'stop') stop(folder).then(() => process.exit());
  else if (verb === 'rotate') rotate(folder, Number(command[0]));
  else list(folder);
}
