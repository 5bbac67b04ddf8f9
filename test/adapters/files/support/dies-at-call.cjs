// Loaded with --require before a program of ours: counts its file-system calls and its starts of tools, and kills the program
// before one of them, or lets that one fail. DIES_AT=<number> or DIES_AT=<number>:<errno>. Says on stderr what call that was.
// To be killed before a call that changes nothing is to be killed after the one before: only those that do are counted then.
const childProcess = require('node:child_process');
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');
const { constants } = require('node:os');

const [at, errno] = process.env.DIES_AT.split(':');
const { kill } = process;
const { writeSync } = fs;
const program = process.argv[1];
let calls = 0;
let isInside = false;

function count(name) {
  if (++calls !== Number(at)) return undefined;
  writeSync(2, `${name}\n`);
  if (errno === undefined) kill.call(process, process.pid, 'SIGKILL');
  return Object.assign(new Error(`${errno}: injected, ${name}`), { code: errno, errno: -constants.errno[errno], syscall: name });
}

const changes = /^(write|rename|unlink|ftruncate|truncate|fsync|fdatasync|mkdir|link|rm|append)/;
const isChange = (name, [, flags]) =>
  changes.test(name) || (name.startsWith('open') && typeof flags === 'number' && flags & fs.constants.O_CREAT);
const isCounted = (name, args) => isOwn(args) && (errno === 'EIO' || isChange(name, args));
const isOwn = ([first]) => !isInside && (typeof first === 'number' ? first > 2 : !String(first).startsWith('/proc/') && first !== program);

for (const name of Object.keys(fs)) {
  const real = fs[name];
  if (typeof real !== 'function' || /^[A-Z_]|Stream|watch/.test(name)) continue;
  const wrapped = name.endsWith('Sync') ? now(name, real) : later(name, real);
  // `util.promisify` finds there how a function answers.
  for (const symbol of Object.getOwnPropertySymbols(real)) wrapped[symbol] = real[symbol];
  fs[name] = Object.assign(wrapped, real);
}

function now(name, real) {
  return (...args) => {
    const failure = isCounted(name, args) ? count(name) : undefined;
    if (failure) throw failure;
    isInside = true;
    try {
      return real(...args);
    } finally {
      isInside = false;
    }
  };
}

function later(name, real) {
  return (...args) => {
    const failure = isCounted(name, args) ? count(name) : undefined;
    if (!failure) return real(...args);
    process.nextTick(args.at(-1), failure);
  };
}

const { spawn } = childProcess.ChildProcess.prototype;
childProcess.ChildProcess.prototype.spawn = function (options) {
  const failure = count(`spawn ${options.file}`);
  if (failure) this._handle.spawn = () => -constants.errno[errno];
  const result = spawn.call(this, options);
  // Once more: the tool is at work, and outlives its starter.
  if (errno === undefined) count(`spawned ${options.file}`);
  return result;
};

syncBuiltinESMExports();
