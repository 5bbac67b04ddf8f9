import { DaemonError } from '../../domain/daemon-error.js';
import { type Checks, callback, checkOptions, isFunction, required, whole } from '../../domain/option-checks.js';
import type { Daemon } from '../embed/daemon.js';
import type { RunningDaemon } from '../embed/running-daemon.js';
import { PooledPlace } from './pooled-place.js';

/** Which daemons a pool has, how many, and how they become as good as new. */
export interface DaemonPoolOptions {
  /** Describes one daemon of the pool. It must be kept in `home`, which is its own; anything else of its own may stand in `folder`. */
  readonly define: (place: { readonly home: string; readonly folder: string; readonly index: number }) => Daemon;
  /** The most daemons there are at once; whoever asks for more waits for one that is released. Default 2. */
  readonly size?: number | undefined;
  /** How many are to be ready before anybody asks, as far as there may be so many: while one is used, the next is started. Default 1. */
  readonly warm?: number | undefined;
  /**
   * Brings a used daemon back to what it was when it was new, over its own protocol perhaps. Where it throws, or there is none,
   * the daemon is started anew, in a new home, while others are handed out.
   */
  readonly reset?: ((lease: PooledDaemon) => unknown) | undefined;
  /** Asked before one is handed out, besides whether its process is the one that was started and is ready. */
  readonly isHealthy?: ((lease: PooledDaemon) => boolean | Promise<boolean>) | undefined;
  /** How long a daemon may take to end before it is killed. Default 2 000 ms. */
  readonly graceMs?: number | undefined;
}

/** A daemon in somebody's hands, until it is released. */
export interface PooledDaemon {
  readonly daemon: Daemon;
  /** As it was started. */
  readonly running: RunningDaemon;
  readonly home: string;
  readonly folder: string;
  /** It was used in a way that no `reset` undoes: it will be started anew. */
  spoil(): void;
  /** Gives it back. Resolves once it is reset or started anew, which nobody has to wait for. Never rejects. */
  release(): Promise<void>;
}

interface Waiter {
  readonly take: (slot: PooledPlace) => void;
  readonly fail: (error: unknown) => void;
}

const defaults = { size: 2, warm: 1, graceMs: 2_000 };
const checks: Checks<DaemonPoolOptions> = {
  define: required(isFunction, 'it is a function that describes a daemon'),
  size: whole(1),
  warm: whole(0),
  reset: callback,
  isHealthy: callback,
  graceMs: whole(0),
};
/** A daemon that is found unwell is started anew, once. */
const mostRestarts = 1;

/**
 * Daemons that are started before a test asks for one, and used by many tests, each of which finds one as good as new.
 *
 * @example
 * const pool = new DaemonPool({
 *   define: ({ home }) => defineDaemon({ name: 'acme', command: process.execPath, args: ['acmed.js'], ready: 'socket', home }),
 *   reset: async ({ daemon }) => {
 *     const connection = await daemon.connect();
 *     await connection.request('acme.reset');
 *     connection.close();
 *   },
 * });
 * const lease = await pool.acquire();
 * await lease.release();
 * await pool.dispose();
 */
export class DaemonPool {
  private readonly size: number;
  private readonly reserve: number;
  private readonly graceMs: number;
  private readonly places = new Set<PooledPlace>();
  private readonly idle: PooledPlace[] = [];
  private readonly waiters: Waiter[] = [];
  /** What goes on with daemons that nobody has. */
  private readonly chores = new Set<Promise<void>>();
  private made = 0;
  private preparing = 0;
  private disposal: Promise<void> | undefined;
  /** What ends the wait for something of the user's. */
  private readonly patience = new Set<() => void>();

  /** Nothing is started by this alone. Throws `invalid-spec`. */
  constructor(private readonly options: DaemonPoolOptions) {
    checkOptions(options, checks);
    this.size = options.size ?? defaults.size;
    this.graceMs = options.graceMs ?? defaults.graceMs;
    this.reserve = options.warm ?? defaults.warm;
  }

  /** How many daemons there are, used or not. */
  get living(): number {
    return this.places.size;
  }

  /** How many ask for one and have none yet. */
  get waiting(): number {
    return this.waiters.length;
  }

  /** Starts what is to be there before anybody asks. Throws as `Daemon.start` does. */
  async warm(): Promise<void> {
    const starts: Promise<void>[] = [];
    while (this.isShort(this.reserve)) starts.push(this.add());
    await Promise.all(starts);
  }

  /**
   * A daemon that is ready and as good as new: one that waits, or a new one, or, where there are as many as may be, the next one
   * that is released; first come, first served. Throws as `Daemon.start` does, and `cancelled` where the signal is aborted or the
   * pool is disposed of.
   */
  async acquire({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<PooledDaemon> {
    const place = await this.next(signal);
    this.replenish(this.reserve);
    try {
      await this.chore(() => this.insistOnHealth(place));
    } catch (error) {
      this.forget(place);
      this.replenish();
      throw error;
    }
    if (this.disposal === undefined && !signal?.aborted) return place.lease(() => this.takeBack(place));
    this.putBack(place);
    throw cancelled();
  }

  /** Gives a daemon back, as its own `release` does. */
  release(lease: PooledDaemon): Promise<void> {
    return lease.release();
  }

  /** Ends every daemon, also those that somebody has, and everything else in their homes; removes the homes. Whoever waits fails with `cancelled`. */
  dispose(): Promise<void> {
    this.disposal ??= this.end();
    return this.disposal;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  private next(signal: AbortSignal | undefined): Promise<PooledPlace> {
    if (this.disposal !== undefined || signal?.aborted) return Promise.reject(cancelled());
    const place = this.idle.shift();
    if (place) return Promise.resolve(place);
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.waiters.splice(this.waiters.indexOf(waiter), 1);
        reject(cancelled());
      };
      const settle = () => signal?.removeEventListener('abort', abort);
      const waiter: Waiter = {
        take: (taken) => {
          settle();
          resolve(taken);
        },
        fail: (error) => {
          settle();
          reject(error);
        },
      };
      signal?.addEventListener('abort', abort);
      this.waiters.push(waiter);
      this.replenish();
    });
  }

  /** As many as are asked for and may be. One that is being made ready is for whoever waits longest. */
  private replenish(reserve = 0): void {
    // What fails is told to whoever waits, and to nobody where nobody does.
    while (this.isShort(reserve)) this.add().catch(() => {});
  }

  private isShort(reserve: number): boolean {
    const coming = this.idle.length + this.preparing;
    return this.disposal === undefined && coming < this.waiters.length + reserve && this.places.size < this.size;
  }

  private async add(): Promise<void> {
    const place = new PooledPlace(this.options.define, this.made++, this.graceMs);
    this.places.add(place);
    await this.prepare(place, () => place.start());
  }

  /** Does something with a daemon that nobody has, after which somebody may have it. */
  private async prepare(place: PooledPlace, work: () => Promise<void>): Promise<void> {
    this.preparing++;
    try {
      await this.chore(work);
    } catch (error) {
      this.preparing--;
      this.forget(place);
      this.disappoint(error);
      throw error;
    }
    this.preparing--;
    this.putBack(place);
  }

  /** What the end of the pool waits for. */
  private chore(work: () => Promise<void>): Promise<void> {
    const chore = work();
    const settled = chore.catch(() => {}).finally(() => this.chores.delete(settled));
    this.chores.add(settled);
    return chore;
  }

  private putBack(place: PooledPlace): void {
    if (this.disposal !== undefined) return;
    const waiter = this.waiters.shift();
    if (waiter) waiter.take(place);
    else this.idle.push(place);
  }

  private async takeBack(place: PooledPlace): Promise<void> {
    if (this.disposal !== undefined) return;
    await this.prepare(place, () => this.renew(place)).catch(() => {});
  }

  private async renew(place: PooledPlace): Promise<void> {
    const { reset } = this.options;
    const isReset = reset !== undefined && !place.isSpoilt && (await succeeds(() => this.unlessDisposed(() => reset(place.current))));
    if (!isReset && this.disposal === undefined) await place.restart();
  }

  /** Something of the user's, which may take for ever, and which nobody wants any more once the pool ends. */
  private async unlessDisposed<T>(work: () => T | Promise<T>): Promise<T> {
    let giveUp = () => {};
    const given = new Promise<never>((_, reject) => {
      giveUp = () => reject(cancelled());
    });
    this.patience.add(giveUp);
    try {
      return await Promise.race([work(), given]);
    } finally {
      this.patience.delete(giveUp);
    }
  }

  private async insistOnHealth(place: PooledPlace): Promise<void> {
    for (let restarts = 0; !(await this.unlessDisposed(() => place.isWell(this.options.isHealthy))); restarts++) {
      if (restarts === mostRestarts) {
        const { name } = place.current.daemon;
        throw new DaemonError('not-serving', `${name} is not well, not even when it was started anew`, { name });
      }
      await place.restart();
    }
  }

  private disappoint(error: unknown): void {
    this.waiters.shift()?.fail(error);
    // There is room for another one, and those behind may have more luck. For nobody it is not tried again.
    this.replenish();
  }

  private forget(place: PooledPlace): void {
    this.places.delete(place);
    this.chore(() => place.end()).catch(() => {});
  }

  private async end(): Promise<void> {
    for (const { fail } of this.waiters.splice(0)) fail(cancelled());
    for (const giveUp of this.patience) giveUp();
    // Before they are ended: what is being started must be on record.
    while (this.chores.size > 0) await Promise.all(this.chores);
    const ends = await Promise.allSettled([...this.places].map((place) => place.end()));
    this.places.clear();
    this.idle.length = 0;
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }
}

async function succeeds(work: () => unknown): Promise<boolean> {
  try {
    await work();
    return true;
  } catch {
    return false;
  }
}

function cancelled(): DaemonError {
  return new DaemonError('cancelled', 'the wait for a daemon of the pool was cancelled');
}
