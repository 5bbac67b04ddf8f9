import { decodeSpec } from '../../adapters/files/spec-codec.js';
import { DaemonError, isDaemonError } from '../../domain/daemon-error.js';
import { checkedName, supervisorName } from '../../domain/daemon-name.js';
import { type DaemonSpec, specDefaults } from '../../domain/daemon-spec.js';
import type { DelegatedVerb } from '../../domain/delegate.js';
import { type OnMismatch, onMismatchValues } from '../../domain/mismatch.js';
import type { DaemonRef, Environment, SupervisingMachine } from '../../domain/ports.js';
import type { StartResult } from '../../domain/start-daemon.js';
import { Supervisor } from '../../domain/supervisor.js';
import type { ServedMethod } from '../serve/serve-options.js';
import type { ServedConnection } from '../serve/served-connection.js';
import { HeapKeeper } from './heap-keeper.js';

/** A supervisor that others ask over its socket. */
export class ResidentSupervisor {
  readonly supervisor: Supervisor;
  private readonly heap = new HeapKeeper();
  private underWay = 0;
  private isEnding = false;

  constructor(
    private readonly machine: SupervisingMachine,
    env: Environment,
  ) {
    const { pid, startToken } = machine.inspector.vantage() as { pid: number; startToken: string };
    const self = { pid, startToken, instanceId: env.DAEMONRY_INSTANCE ?? '' };
    this.supervisor = new Supervisor(machine, self, { say: (name, what) => this.log(`${name} ${what}`), kept: () => this.heap.disturb() });
  }

  get isBusy(): boolean {
    return this.underWay > 0 || this.supervisor.names.length > 0;
  }

  /** However long it takes: it does not leave before. */
  async takeOver(): Promise<void> {
    this.underWay++;
    try {
      await this.supervisor.takeOver();
    } finally {
      this.underWay--;
    }
  }

  /** And starts none any more. */
  async stopAll(): Promise<void> {
    this.isEnding = true;
    await this.supervisor.stopAll();
  }

  /** Those of its daemons, and its own. */
  async boundLogs(): Promise<void> {
    const ref = { name: supervisorName };
    const { log } = await this.machine.descriptors.place(ref);
    const target = { ref, file: null, maxBytes: specDefaults.logMaxBytes, keep: specDefaults.logKeep };
    await this.supervisor.boundLogs([{ path: log, target }]);
  }

  get methods(): Readonly<Record<string, ServedMethod>> {
    return {
      'supervisor.perform': (params, connection) => this.perform(params, connection),
      'supervisor.names': () => this.supervisor.names,
    };
  }

  /** A line of its own log. */
  log(text: string): void {
    process.stdout.write(`${new Date().toISOString()} ${text.split('\n', 1)[0]}\n`);
  }

  private async perform(params: unknown, connection: ServedConnection): Promise<unknown> {
    const hasLeft = new AbortController();
    connection.onClose(() => hasLeft.abort());
    this.underWay++;
    try {
      const { verb, request } = readParams(params);
      if (this.isEnding) throw cancelled(request.ref);
      const { outcome, descriptor, path, differs } = await this.run(verb, { ...request, signal: hasLeft.signal });
      return { done: { outcome, descriptor, path, differs } };
    } catch (error) {
      if (!isDaemonError(error)) throw error;
      return { failed: { code: error.code, message: error.message, facts: error.facts } };
    } finally {
      this.underWay--;
    }
  }

  private run(verb: DelegatedVerb, request: Request & { signal: AbortSignal }): Promise<StartResult> {
    switch (verb) {
      case 'start':
        return this.supervisor.start(request);
      case 'restart':
        return this.supervisor.restart(request);
      case 'ensure':
        return this.supervisor.ensure({ ...request, spec: request.spec as DaemonSpec });
    }
  }
}

function cancelled({ name }: DaemonRef): DaemonError {
  return new DaemonError('cancelled', `the start of ${name} was cancelled: the supervisor is ending all of its daemons`, { name });
}

interface Request {
  readonly ref: DaemonRef;
  readonly spec: DaemonSpec | undefined;
  readonly force: boolean;
  readonly graceMs: number | undefined;
  readonly onMismatch: OnMismatch | undefined;
  readonly environment: Environment;
}

/** From our own user, and from a daemonry that may be older or newer: what it can't mean is refused. */
function readParams(params: unknown): { verb: DelegatedVerb; request: Request } {
  const { verb, request } = (params ?? {}) as { verb?: unknown; request?: unknown };
  const { ref, spec, force, graceMs, onMismatch, environment } = (request ?? {}) as { [name: string]: unknown };
  const decoded = spec === undefined ? undefined : decodeSpec(JSON.stringify({ schema: 1, ...(spec as object) }));
  const isVerb = verb === 'start' || verb === 'restart' || (verb === 'ensure' && decoded !== undefined);
  if (!isVerb || !isRef(ref) || (spec !== undefined && !decoded) || !isEnvironment(environment)) {
    throw new DaemonError('invalid-spec', 'the supervisor does not understand what it is asked: it may be of another version', {
      allowed: 'daemonry restart supervisor',
    });
  }
  checkedName(ref.name);
  return {
    verb,
    request: {
      ref,
      spec: decoded,
      force: force === true,
      graceMs: typeof graceMs === 'number' ? graceMs : undefined,
      onMismatch: onMismatchValues.find((value) => value === onMismatch),
      environment,
    },
  };
}

function isRef(value: unknown): value is DaemonRef {
  const { name, descriptor } = (value ?? {}) as Partial<DaemonRef>;
  return typeof name === 'string' && (descriptor === undefined || typeof descriptor === 'string');
}

function isEnvironment(value: unknown): value is Environment {
  return typeof value === 'object' && value !== null && Object.values(value).every((one) => typeof one === 'string');
}
