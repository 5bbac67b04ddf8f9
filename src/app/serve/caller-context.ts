import { isAbsolute } from 'node:path';
import { RpcError, rpcCodes } from '../../adapters/net/rpc-error.js';
import { DaemonError } from '../../domain/daemon-error.js';
import { type Checks, checkOptions, isListOf, isText, optional } from '../../domain/option-checks.js';

/** Where a caller is and what it has in its environment: for one request, where a daemon's own are those of whoever came first. */
export interface CallerContext {
  /** Absolute. */
  readonly cwd: string;
  /** Only variables that are allowed by name. */
  readonly env: Readonly<Record<string, string>>;
}

/** Which of a caller's variables are allowed. */
export interface CallerContextOptions {
  /** The names of the variables that go with a request. Default: none. */
  readonly env?: readonly string[] | undefined;
}

const checks: Checks<CallerContextOptions> = { env: optional(isListOf(isText), 'it is a list of names of variables') };

/**
 * What a client sends with each request that depends on where it was called: its working folder, and the named variables of its
 * environment that are set. Throws `DaemonError` `invalid-spec` where its working folder does not exist any more.
 *
 * @example
 * await connection.request('acme.build', { target: 'web', caller: callerContext({ env: ['ACME_TOKEN'] }) });
 */
export function callerContext(options: CallerContextOptions = {}): CallerContext {
  const names = namesIn(options);
  try {
    return { cwd: process.cwd(), env: allowed(process.env, names) };
  } catch (error) {
    throw new DaemonError('invalid-spec', 'the working folder does not exist any more', { option: 'cwd' }, error);
  }
}

/**
 * Reads what `callerContext` has sent, in the daemon. Variables that are not named here are left out, whatever was sent. Whether the
 * folder exists is for whoever works in it to see.
 *
 * Throws `RpcError` with code -32602, which answers the request, where it is no such thing.
 *
 * @example
 * methods: { 'acme.build': ({ target, caller }) => build(target, readCallerContext(caller, { env: ['ACME_TOKEN'] })) }
 */
export function readCallerContext(value: unknown, options: CallerContextOptions = {}): CallerContext {
  const names = namesIn(options);
  const { cwd, env: given } = (value ?? {}) as { cwd?: unknown; env?: unknown };
  if (typeof cwd !== 'string' || !isAbsolute(cwd) || cwd.includes('\0')) throw invalid('cwd is the absolute path of its working folder');
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw invalid('env is an object of variables');
  const variables = allowed(given as Record<string, unknown>, names);
  if (!Object.values(variables).every((one) => typeof one === 'string' && !one.includes('\0')))
    throw invalid('the values of env are strings');
  return { cwd, env: variables as Record<string, string> };
}

function namesIn(options: CallerContextOptions): readonly string[] {
  checkOptions(options, checks);
  return options.env ?? [];
}

/** Not by assignment, which would set what stands behind __proto__ instead of a variable of that name. */
function allowed<T>(from: Readonly<Record<string, T | undefined>>, names: readonly string[]): Record<string, T> {
  const own = names.filter((name) => Object.hasOwn(from, name) && from[name] !== undefined);
  return Object.fromEntries(own.map((name) => [name, from[name] as T]));
}

function invalid(rule: string): RpcError {
  return new RpcError(rpcCodes.invalidParams, `this is not where a caller is: ${rule}`);
}
