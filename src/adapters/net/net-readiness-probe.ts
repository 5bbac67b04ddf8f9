import { statSync } from 'node:fs';
import { unreachable } from '../../domain/identity.js';
import type { Awaitable, ReadinessProbe, ReadinessWatch, ReadySubject } from '../../domain/ports.js';
import type { ReadyCondition } from '../../domain/ready-condition.js';
import { connects, connectsLocally } from './connects-locally.js';
import { answersWell } from './http-probe.js';
import { LogProbe } from './log-probe.js';

/** How long one attempt may take, whatever it asks. */
const attemptTimeoutMs = 2_000;

/** Looks at the readiness evidence from outside. What can't be looked at isn't ready. */
export class NetReadinessProbe implements ReadinessProbe {
  readonly #hasExecuted: (pid: number) => Awaitable<boolean>;
  readonly #watchFile: ((path: string) => ReadinessWatch | undefined) | undefined;
  readonly #logs = new LogProbe();

  /**
   * `hasExecuted`: whether this pid has executed its command, or is still the launch gate. The platform knows. `watchFile`: hears of a
   * file that appears or changes, where the platform tells at once.
   */
  constructor(hasExecuted: (pid: number) => Awaitable<boolean>, watchFile?: (path: string) => ReadinessWatch | undefined) {
    this.#hasExecuted = hasExecuted;
    this.#watchFile = watchFile;
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

  watch(condition: ReadyCondition, subject: ReadySubject): ReadinessWatch | undefined {
    const file = evidenceFile(condition, subject);
    return file === null ? undefined : this.#watchFile?.(file);
  }
}

/** What appears or changes once. A log changes all the time, mostly by lines that say something else. */
function evidenceFile({ kind }: ReadyCondition, { socket, notifyFile }: ReadySubject): string | null {
  return kind === 'socket' ? socket : kind === 'notify' ? notifyFile : null;
}

function holdsAnything(file: string): boolean {
  try {
    return statSync(file).size > 0;
  } catch {
    return false;
  }
}
