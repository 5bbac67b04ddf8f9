// Loaded with --require before a program of ours: notes each file-system and process call of the program's own, and fails
// one of them, or kills the program before it. FAULT_PLAN says which, and where to note them.
const childProcess = require('node:child_process');
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');
const net = require('node:net');
const { constants } = require('node:os');

const { record, program, folder, pids, absent, point } = JSON.parse(process.env.FAULT_PLAN);
const { openSync, writeSync, closeSync } = fs;
const { kill } = process;

const notes = openSync(record, fs.constants.O_WRONLY | fs.constants.O_APPEND | fs.constants.O_CREAT);
const paths = new Map();
const names = new Map(Object.entries(pids));
const seen = new Map();
const standardStreams = [0, 1, 2, notes];
/** Inside a function that is counted, others are its own matter. */
let isInside = false;

/** Which kind of call each function is, and what of its arguments tells it apart. */
const kinds = {
  accessSync: 'look',
  appendFileSync: 'create',
  chmodSync: 'remove',
  closeSync: 'close',
  copyFileSync: 'create',
  existsSync: 'look',
  fchmodSync: 'remove',
  fdatasyncSync: 'sync',
  fstatSync: 'look-open',
  fsyncSync: 'sync',
  ftruncateSync: 'write',
  linkSync: 'change',
  lstatSync: 'look',
  mkdirSync: 'change',
  openSync: 'open',
  opendirSync: 'open',
  readFileSync: 'open',
  readSync: 'read',
  readdirSync: 'open',
  readlinkSync: 'look',
  realpathSync: 'look',
  renameSync: 'change',
  rmSync: 'remove',
  rmdirSync: 'remove',
  statSync: 'look',
  symlinkSync: 'change',
  truncateSync: 'write',
  unlinkSync: 'remove',
  utimesSync: 'remove',
  writeFileSync: 'create',
  writeSync: 'write',
  writevSync: 'write',
};
const takesTwoPaths = ['renameSync', 'linkSync', 'symlinkSync', 'copyFileSync'];

/** What differs from run to run is taken out: folders, random names, pids. */
function plain(path) {
  return String(path)
    .replaceAll(folder, '~')
    .replace(/\/proc\/(\d+)/, (_, pid) => `/proc/${Number(pid) === process.pid ? 'self' : (names.get(pid) ?? 'other')}`)
    .replace(/fdinfo\/\d+/, 'fdinfo/*')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{12}|(?<=\/\.)[0-9a-f]{7,11}$/g, '*');
}

/** Notes the call. Kills this program, or throws, where it is the one of the plan. */
function count(name, kind, what) {
  const text = `${name}(${what})`;
  const nth = (seen.get(text) ?? 0) + 1;
  seen.set(text, nth);
  const isHit = point !== undefined && point.text === text && point.nth === nth;
  writeSync(notes, `${JSON.stringify({ text, nth, kind, isHit })}\n`);
  if (!isHit) return undefined;
  if (point.fault === 'SIGKILL') kill.call(process, process.pid, 'SIGKILL');
  return point.fault;
}

function failure(errno, syscall, path) {
  const error = new Error(`${errno}: injected, ${syscall} '${path}'`);
  return Object.assign(error, { errno: -constants.errno[errno], code: errno, syscall, path });
}

function describe(name, [first, second]) {
  if (typeof first === 'number') return plain(paths.get(first) ?? 'a descriptor');
  return takesTwoPaths.includes(name) ? `${plain(first)}, ${plain(second)}` : plain(first);
}

function kindOf(name, [first, flags = 'r']) {
  if (name === 'closeSync' && !String(paths.get(first)).startsWith(folder)) return 'let-go';
  const creates = typeof flags === 'number' ? flags & fs.constants.O_CREAT : /[wa]/.test(flags);
  return name === 'openSync' && creates ? 'create' : kinds[name];
}

/** Neither its modules nor its standard streams are work of the program's own. */
function isOwn([first]) {
  if (isInside) return false;
  if (typeof first === 'number') return !standardStreams.includes(first);
  return !String(first).startsWith(program) && !String(first).startsWith('file:');
}

for (const name of Object.keys(kinds)) {
  const real = fs[name];
  fs[name] = counting(name, real);
  if (real.native) fs[name].native = counting(name, real.native);
}

function counting(name, real) {
  return (...args) => {
    if (!isOwn(args)) return real(...args);
    if (absent.includes(args[0])) {
      if (args[1]?.throwIfNoEntry === false) return undefined;
      throw failure('ENOENT', name, args[0]);
    }
    const fault = count(name, kindOf(name, args), describe(name, args));
    // Linux closes what it says it could not close.
    if (fault === undefined || name === 'closeSync') {
      const result = inside(() => real(...args));
      if (name === 'openSync') paths.set(result, args[0]);
      if (fault === undefined) return result;
    }
    if (name === 'existsSync') return false;
    throw failure(fault, name.replace(/Sync$/, ''), args[0]);
  };
}

function inside(work) {
  isInside = true;
  try {
    return work();
  } finally {
    isInside = false;
  }
}

for (const [name, kind] of Object.entries({ readFile: 'open', stat: 'look', lstat: 'look', writeFile: 'create' })) {
  const real = fs.promises[name];
  fs.promises[name] = async (...args) => {
    const fault = isOwn(args) ? count(`promises.${name}`, kind, describe(name, args)) : undefined;
    if (fault !== undefined) throw failure(fault, name, args[0]);
    return real(...args);
  };
}

const { spawn } = childProcess.ChildProcess.prototype;
childProcess.ChildProcess.prototype.spawn = function (options) {
  const fault = count('spawn', 'spawn', plain(options.args.join(' ').slice(0, 60)));
  // As the kernel's own answer, so that Node reports it in its own way.
  if (fault !== undefined) this._handle.spawn = () => -constants.errno[fault];
  const result = spawn.call(this, options);
  if (this.pid !== undefined) names.set(String(this.pid), 'child');
  return result;
};

process.kill = (pid, signal) => {
  const fault = count(
    'kill',
    signal === 0 ? 'look-open' : 'signal',
    `${pid < 0 ? 'group of ' : ''}${names.get(String(Math.abs(pid))) ?? 'other'}, ${signal}`,
  );
  if (fault !== undefined) throw failure(fault, 'kill', pid);
  return kill.call(process, pid, signal);
};

for (const name of ['connect', 'end', 'write']) {
  const real = net.Socket.prototype[name];
  net.Socket.prototype[name] = function (...args) {
    const [first] = args;
    const text = typeof first === 'string' ? first.slice(0, 40).trimEnd() : (first?.path ?? first?.[0]?.path);
    // Only killed here: what the kernel answers comes through the event loop.
    if (text !== undefined) count(`socket.${name}`, name === 'connect' ? 'connect' : 'say', plain(text));
    return real.apply(this, args);
  };
}

const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (...args) {
  const fault = count('listen', 'bind', plain(args[0]?.path));
  if (fault === undefined) return listen.apply(this, args);
  process.nextTick(() => this.emit('error', failure(fault, 'listen', args[0]?.path)));
  return this;
};

syncBuiltinESMExports();
process.on('exit', () => closeSync(notes));
