import type { RunningProgram } from '../../adapters/simulated/program.js';
import type { SimulatedServices } from './simulated-service.js';

/** What a simulated daemon answers with. May be a promise; what it throws is the caller's `RpcError`. */
export type SimulatedMethod = (params: unknown) => unknown;

/** What a simulated daemon does on its socket. */
export interface SimulatedServeOptions {
  readonly version?: string | undefined;
  readonly methods?: Readonly<Record<string, SimulatedMethod>> | undefined;
  /** How long it takes over each answer. Milliseconds of simulated time. Default 0. */
  readonly answersAfterMs?: number | undefined;
  /** As `isBusy` of `serveDaemon`. Whoever is connected keeps it busy, too. */
  readonly isBusy?: (() => boolean) | undefined;
}

/** What a simulated command does when it is run. What it leaves to happen later does not happen once it has ended. */
export type SimulatedBehaviour = (self: SimulatedProgram, args: readonly string[]) => void;

/** The inside of a simulated process: all that its command can do. */
export class SimulatedProgram {
  /** @internal */
  constructor(
    private readonly self: RunningProgram,
    private readonly services: SimulatedServices,
  ) {}

  get pid(): number {
    return this.self.process.pid;
  }

  /** Ends it, as a crash would where the code is not 0. */
  exit(code: number): void {
    this.self.exit(code);
  }

  /** Ends it as `serveDaemon` does: it reads as stopped afterwards, not as stale. */
  endCleanly(): void {
    this.self.endCleanly();
  }

  /** Milliseconds of simulated time. */
  after(ms: number, work: () => void): void {
    this.self.after(ms, work);
  }

  /** Instead of the signal's default. SIGKILL has no other. */
  on(signal: string, handler: () => void): void {
    this.self.on(signal, handler);
  }

  ignore(signal: string): void {
    this.self.ignore(signal);
  }

  /** A child, in its own process group unless said otherwise, with the marks of the daemon. */
  fork(behaviour: SimulatedBehaviour = () => {}, placement: 'same-group' | 'own-group' | 'own-session' = 'same-group'): void {
    this.self.fork({ placement, program: (child) => behaviour(new SimulatedProgram(child, this.services), []) });
  }

  /** A line of its log. */
  print(line: string): void {
    this.self.print(line);
  }

  /** Readiness of the kind `notify`. */
  notify(): void {
    this.self.notify();
  }

  /** Accepts on its own socket, and speaks nothing that we know: enough for readiness of the kind `socket`. */
  listen(): void {
    this.self.listen();
  }

  /** Speaks the control protocol on its own socket, as `serveDaemon` does. */
  serve({ version, methods = {}, answersAfterMs = 0, isBusy = () => false }: SimulatedServeOptions = {}): void {
    const service = { methods, connections: 0 };
    this.services.set(this.self.process, service);
    this.self.listen({
      version: version ?? null,
      answersAfterMs,
      get isBusy() {
        return service.connections > 0 || isBusy();
      },
    });
  }
}
