import { statSync } from 'node:fs';
import { unreachable } from '../../domain/identity.js';
import type { Awaitable, ReadinessProbe, ReadySubject } from '../../domain/ports.js';
import type { ReadyCondition } from '../../domain/ready-condition.js';
import { connects, connectsLocally } from './connects-locally.js';
import { answersWell } from './http-probe.js';
import { LogProbe } from './log-probe.js';

/** How long one attempt may take, whatever it asks. */
const attemptTimeoutMs = 2_000;

/** Looks at the readiness evidence from outside. What can't be looked at isn't ready. */
export class NetReadinessProbe implements ReadinessProbe {
  readonly #hasExecuted: (pid: number) => Awaitable<boolean>;
  readonly #logs = new LogProbe();

  /** `hasExecuted`: whether this pid has executed its command, or is still the launch gate. The platform knows. */
  constructor(hasExecuted: (pid: number) => Awaitable<boolean>) {
    this.#hasExecuted = hasExecuted;
  }

  check(condition: ReadyCondition, subject: ReadySubject): Awaitable<boolean> {
    switch (condition.kind) {
      case 'exec':
        return this.#hasExecuted(subject.pid);
      case 'socket':
        return subject.socket !== null && connects({ path: subject.socket }, attemptTimeoutMs);
      case 'port':
        return connectsLocally(condition.port, attemptTimeoutMs);
      case 'http':
        return answersWell(condition.url, attemptTimeoutMs);
      case 'log':
        return this.#logs.check(condition.pattern, subject);
      case 'notify':
        return subject.notifyFile !== null && holdsAnything(subject.notifyFile);
      default:
        return unreachable(condition);
    }
  }
}

function holdsAnything(file: string): boolean {
  try {
    return statSync(file).size > 0;
  } catch {
    return false;
  }
}
