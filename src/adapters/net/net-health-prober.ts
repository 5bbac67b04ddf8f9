import { type ChildProcess, spawn } from 'node:child_process';
import type { HealthProbe } from '../../domain/health-check.js';
import { unreachable } from '../../domain/identity.js';
import type { HealthProber, HealthSubject } from '../../domain/ports.js';
import { connectsLocally } from './connects-locally.js';
import { answersWell } from './http-probe.js';
import { converse } from './json-rpc-control-channel.js';

/** Asks a running daemon whether it is well. Whatever goes wrong means that it is not. */
export class NetHealthProber implements HealthProber {
  async check(probe: HealthProbe, subject: HealthSubject, timeoutMs: number): Promise<boolean> {
    switch (probe.kind) {
      case 'http':
        return answersWell(probe.url, timeoutMs);
      case 'port':
        return connectsLocally(probe.port, timeoutMs);
      case 'command':
        return succeeds(probe.line, subject, timeoutMs);
      case 'ping':
        return subject.socket !== null && answersPing(subject.socket, timeoutMs);
      default:
        return unreachable(probe);
    }
  }
}

async function answersPing(socket: string, timeoutMs: number): Promise<boolean> {
  const outcome = await converse(socket, timeoutMs, async (ask) => {
    await ask('system.ping');
    return { kind: 'answered' } as const;
  });
  return outcome.kind === 'answered';
}

/** In a group of its own, which is killed when its time is over: a probe that hangs must not hang for ever. */
function succeeds(line: string, { cwd, environment }: HealthSubject, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(line, { shell: true, cwd, env: { ...environment }, stdio: 'ignore', detached: true });
    const timer = setTimeout(() => {
      killGroup(child);
      resolve(false);
    }, timeoutMs);
    child.once('error', () => {
      clearTimeout(timer);
      resolve(false);
    });
    child.once('exit', (exitCode) => {
      clearTimeout(timer);
      resolve(exitCode === 0);
    });
  });
}

/** Our own child, not reaped yet, so that its number is still its own. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It ended just now, or the system knows no groups.
    child.kill('SIGKILL');
  }
}
