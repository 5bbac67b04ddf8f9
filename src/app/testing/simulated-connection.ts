import { type Hello, protocolVersion } from '../../adapters/net/hello.js';
import type { RequestOptions } from '../../adapters/net/request-options.js';
import { RpcError } from '../../adapters/net/rpc-error.js';
import type { SimulatedActor } from '../../adapters/simulated/simulated-actor.js';
import type { Listener } from '../../adapters/simulated/simulated-network.js';
import { DaemonError } from '../../domain/daemon-error.js';
import type { Connection } from '../embed/connection.js';
import type { SimulatedService } from './simulated-service.js';

const methodNotFound = -32_601;
const serverError = -32_000;
/** How long a message is under way, at the most. */
const slowestMessageMs = 1;

/** All of a connection but its private parts. */
type Surface = Pick<Connection, keyof Connection>;

/** A connection to a simulated process. The daemon answers; it asks nothing, and notifies nobody. */
export class SimulatedConnection implements Surface {
  readonly hello: Hello;
  /** Neither side says which versions of its own protocol it speaks. */
  readonly protocol = null;
  private isClosed = false;
  private readonly closings: (() => void)[] = [];

  constructor(
    private readonly actor: SimulatedActor,
    private readonly listener: Listener,
    private readonly service: SimulatedService,
  ) {
    const { instanceId = '', name = '', version = null } = listener.control ?? {};
    this.hello = { instanceId, name, version, protocol: protocolVersion };
    service.connections++;
    listener.process.onEnd(() => this.shut());
    actor.process.onEnd(() => this.shut());
  }

  request(method: string, params?: unknown, { timeoutMs, signal }: RequestOptions = {}): Promise<unknown> {
    return this.actor.wait('connection.request', (waking) => {
      const { schedule } = this.actor.world;
      const fail = (code: 'not-serving' | 'cancelled', message: string) => waking.reject(new DaemonError(code, message, { method }));
      if (this.isClosed) return fail('not-serving', 'the connection is closed');
      if (signal?.aborted) return fail('cancelled', `${method} was cancelled`);
      this.closings.push(() => fail('not-serving', 'the connection was closed before it was answered'));
      signal?.addEventListener('abort', () => fail('cancelled', `${method} was cancelled`));
      if (timeoutMs !== undefined) schedule.after(timeoutMs, () => fail('not-serving', `no answer to ${method} within ${timeoutMs} ms`));
      const sent = asSent(params);
      this.deliver(() => {
        this.answer(method, sent).then(
          (result) => this.deliver(() => waking.resolve(asSent(result) ?? null)),
          (error) => this.deliver(() => waking.reject(error)),
        );
      });
    });
  }

  notify(method: string, params?: unknown): boolean {
    if (this.isClosed) return false;
    const sent = asSent(params);
    this.deliver(() => void this.answer(method, sent).catch(() => {}));
    return true;
  }

  onNotification(): () => void {
    return () => {};
  }

  handle(): void {}

  onClose(listener: () => void): void {
    if (this.isClosed) listener();
    else this.closings.push(listener);
  }

  ref(): void {}

  unref(): void {}

  close(): void {
    this.shut();
  }

  /** It arrives a little later, if both ends are still there then. */
  private deliver(arrive: () => void): void {
    const { schedule } = this.actor.world;
    schedule.after(schedule.random.next() * slowestMessageMs + (this.listener.control?.answersAfterMs ?? 0) / 2, () => {
      if (!this.isClosed) arrive();
    });
  }

  private async answer(method: string, params: unknown): Promise<unknown> {
    if (method === 'system.ping') return 'pong';
    if (method === 'system.hello') return this.hello;
    if (method === 'system.version') return this.hello.version;
    const { methods } = this.service;
    if (!Object.hasOwn(methods, method)) throw new RpcError(methodNotFound, `${method} is unknown`);
    try {
      return await methods[method]?.(params);
    } catch (error) {
      if (error instanceof RpcError) throw error;
      throw new RpcError(serverError, error instanceof Error ? error.message : String(error));
    }
  }

  private shut(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.service.connections--;
    for (const closing of this.closings.splice(0)) closing();
  }
}

/** What is left of a value on a wire. */
function asSent(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value) ?? 'null');
}
