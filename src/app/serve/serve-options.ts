import { DaemonError } from '../../domain/daemon-error.js';
import { type Check, type Checks, callback, checkOptions, isFunction, isObject, isText, optional } from '../../domain/option-checks.js';
import { type ProtocolRange, parseProtocolRange, protocolRangeRule } from '../../domain/protocol-range.js';
import { durationRule, longestDurationMs, parseDuration } from '../../domain/quantity.js';
import { shown } from '../../domain/shown.js';
import type { ServedConnection } from './served-connection.js';

/**
 * Why a daemon ends. `shutdown`: asked over the control protocol. `disowned`: its descriptor is gone or names another
 * instance. `owner-gone`: nobody is left for whom it was started. `stop`: its own call of `stop()`.
 */
export type StopReason = 'SIGTERM' | 'SIGINT' | 'shutdown' | 'idle' | 'owner-gone' | 'disowned' | 'stop';

/** Answers a request of a peer; what it returns, or resolves to, is the result. An error is answered with its message. */
export type ServedMethod = (params: unknown, connection: ServedConnection) => unknown;

/** What a daemon does on its socket, and when it ends. */
export interface ServeOptions {
  /** The version that `system.hello` tells. */
  readonly version?: string;
  /**
   * Which versions of its own protocol it speaks. A peer that says which it speaks, and knows none of these, is told so, and is
   * answered none of the daemon's own methods.
   */
  readonly protocol?: number | ProtocolRange;
  /** The daemon's own methods, for every connection. Names that begin with `system.` are not its own. */
  readonly methods?: Readonly<Record<string, ServedMethod>>;
  readonly onConnection?: (connection: ServedConnection) => unknown;
  /** SIGHUP or `system.reload`. An error is answered, or logged in one line; it never ends the daemon. */
  readonly onReload?: () => unknown;
  /** Called once, before the daemon ends. Where it throws, the daemon ends all the same, with exit code 1. */
  readonly onStop?: (reason: StopReason) => unknown;
  /** End after this long without an open connection: milliseconds, or a duration such as `30m`. Default: never. */
  readonly idle?: string | number;
  /**
   * Whether it has something to do for nobody who is connected. Asked before it ends for want of connections: true keeps it for as
   * long again. `system.status` tells it as `busy`, and whoever would replace an idle daemon only leaves it alone.
   */
  readonly isBusy?: () => boolean;
  /** How long answers under way may take once the daemon ends. Milliseconds, default 5000. */
  readonly drainMs?: number;
  /** How long `onStop` may take; longer, and it counts as failed. Milliseconds, default 10 minutes. */
  readonly onStopTimeoutMs?: number;
}

/** The options, made whole. */
export interface ServeSettings extends ServeOptions {
  readonly methods: Readonly<Record<string, ServedMethod>>;
  readonly speaks: ProtocolRange | null;
  readonly idleMs: number | null;
  readonly drainMs: number;
  readonly onStopTimeoutMs: number;
}

const defaultDrainMs = 5_000;
const defaultOnStopTimeoutMs = 600_000;

const checks: Checks<ServeOptions> = {
  version: optional(isText, 'it is a string'),
  protocol: optional((value) => parseProtocolRange(value) !== undefined, protocolRangeRule),
  methods: optional((value) => isObject(value) && Object.values(value).every(isFunction), 'it is an object of functions'),
  onConnection: callback,
  onReload: callback,
  onStop: callback,
  idle: duration(1),
  isBusy: callback,
  drainMs: duration(0),
  onStopTimeoutMs: duration(1),
};

/** Throws `invalid-spec` with the `option` and its `value`. */
export function readServeOptions(options: ServeOptions): ServeSettings {
  checkOptions(options, checks);
  const { methods = {}, idle, drainMs = defaultDrainMs, onStopTimeoutMs = defaultOnStopTimeoutMs } = options;
  for (const name of Object.keys(methods)) refuseSystemMethod(name);
  return {
    ...options,
    methods,
    speaks: parseProtocolRange(options.protocol) ?? null,
    idleMs: idle === undefined ? null : milliseconds(idle),
    drainMs: milliseconds(drainMs),
    onStopTimeoutMs: milliseconds(onStopTimeoutMs),
  };
}

/** The administrative methods mean the same in every daemon, for ever. Throws `invalid-spec`. */
export function refuseSystemMethod(method: string): void {
  if (method.startsWith('system.')) {
    throw new DaemonError('invalid-spec', `methods named system.* can't be overridden: ${shown(method)}`, {
      option: 'methods',
      value: method,
    });
  }
}

function milliseconds(duration: string | number): number {
  return typeof duration === 'string' ? (parseDuration(duration) as number) : duration;
}

function duration(leastMs: number): Check {
  return optional((value) => {
    const ms = typeof value === 'string' ? parseDuration(value) : value;
    return typeof ms === 'number' && ms >= leastMs && ms <= longestDurationMs;
  }, durationRule);
}
