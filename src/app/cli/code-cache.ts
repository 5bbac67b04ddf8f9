import { closeSync, constants, fstatSync, fsyncSync, lstatSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Script } from 'node:vm';

declare const DAEMONRY_BUILD: string;

const groupOrOthersMayWrite = 0o022;
/** It is written in milliseconds. */
const abandonedAfterMs = 60_000;

/**
 * Runs one of our own built files with the code that V8 has compiled of it before: a sixth of a `stop` is spent on compiling. What
 * nobody has kept yet is kept when this program exits, if it exports that it is exemplary by then. It is kept beside the file, where nobody can write who could not replace the
 * file itself, and is removed with the package. Node's own such cache wants a folder that is writable for all users, and Node 20 has none.
 */
export function runCompiled(name: string, use: string): void {
  const path = join(__dirname, `${name}.cjs`);
  if (process.platform === 'win32' || process.env.NODE_DISABLE_COMPILE_CACHE) {
    require(path);
    return;
  }
  const cache = join(__dirname, `.${name}.${use}.${DAEMONRY_BUILD}.${process.versions.v8}.${process.arch}.compiled`);
  const cachedData = readCompiled(cache, path);
  const script = compile(path, cachedData);
  const module = { exports: {} as { readonly isExemplary?: boolean }, filename: path, id: path, loaded: true, children: [], paths: [] };
  script.runInThisContext()(module.exports, require, module, path, __dirname);
  // As whatever else is loaded. Node has no such table where --experimental-default-type=module stands in NODE_OPTIONS.
  if (require.cache) require.cache[path] = module as unknown as NodeJS.Module;
  if (!cachedData || script.cachedDataRejected)
    process.once('exit', () => quietly(() => module.exports.isExemplary && keepCompiled(cache, script)));
}

function compile(path: string, cachedData: Buffer | undefined): Script {
  const { Script } = process.getBuiltinModule('node:vm');
  const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(path, 'utf8')}\n})`;
  // Of another V8, or of one with other flags, it is not taken, and the source is compiled.
  return new Script(source, { filename: path, cachedData });
}

/** Only from whoever the file itself is from. */
function readCompiled(cache: string, source: string): Buffer | undefined {
  let fd: number;
  try {
    fd = openSync(cache, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.uid !== lstatSync(source).uid || (stat.mode & groupOrOthersMayWrite) !== 0) return undefined;
    return undamaged(readFileSync(fd));
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/**
 * The bytes stand there twice. V8 looks at their head alone: what is damaged further on ends the process in the middle of it, or does
 * something else than was written. To compare costs a thirtieth of loading whatever makes checksums.
 */
function undamaged(twice: Buffer): Buffer | undefined {
  const half = twice.length / 2;
  const bytes = twice.subarray(0, half);
  return bytes.length > 0 && bytes.equals(twice.subarray(half)) ? bytes : undefined;
}

function keepCompiled(cache: string, script: Script): void {
  const folder = lstatSync(__dirname);
  const uid = process.geteuid?.();
  if (folder.uid !== uid || (folder.mode & groupOrOthersMayWrite) !== 0) return;
  // One name for all, so that one of many who come at once does it.
  const temporary = `${cache}.tmp`;
  clearAbandoned(temporary);
  const fd = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o644);
  try {
    write(fd, script.createCachedData());
    renameSync(temporary, cache);
  } catch (error) {
    // A disk that is full now is not for ever.
    unlinkSync(temporary);
    throw error;
  }
}

/** What somebody was killed at must not keep others from it. Were he only suspended, the halves would not be alike in what he names. */
function clearAbandoned(temporary: string): void {
  const stat = lstatSync(temporary, { throwIfNoEntry: false });
  if (stat && Date.now() - stat.mtimeMs > abandonedAfterMs) unlinkSync(temporary);
}

function write(fd: number, bytes: Buffer): void {
  try {
    const twice = Buffer.concat([bytes, bytes]);
    for (let written = 0; written < twice.length; ) written += writeSync(fd, twice, written);
    // A power cut must not leave less of it than its name promises.
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // It is compiled again, then.
  }
}
