import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { serviceFolder } from '../../adapters/autostart/service-folder.js';
import { lackOfWriting } from '../../adapters/files/lack-of-writing.js';
import { hasFallocate } from '../../adapters/linux/fallocate.js';
import { isDaemonError } from '../../domain/daemon-error.js';
import { supervisorName } from '../../domain/daemon-name.js';
import { reviveSupervisor, type SupervisedMachine } from '../../domain/delegate.js';
import type { Descriptor } from '../../domain/descriptor.js';
import { isDead } from '../../domain/identity.js';
import { type DaemonView, look, lookClosely, sight } from '../../domain/look.js';
import type { Machine } from '../../domain/ports.js';
import { startDaemon } from '../../domain/start-daemon.js';
import { stopDaemon } from '../../domain/stop-daemon.js';
import { lockWait, underLock } from '../../domain/under-lock.js';
import type { MachineSettings } from '../composition/settings.js';
import { type Shortcoming, shortcomingsOf, wayToProcesses } from '../composition/shortcomings.js';
import { foregroundVariable } from '../supervise/supervisor-spec.js';

/** One thing that is wrong, and the next step to take. */
export interface Finding {
  readonly code:
    | 'unsafe-home'
    | 'unreadable-home'
    | 'unwritable-home'
    | 'stale-daemon'
    | 'unknown-daemon'
    | 'newer-daemon'
    | 'lost-spec'
    | 'stale-supervisor'
    | 'hanging-supervisor'
    | 'no-launch-gate'
    | 'no-process-table'
    | 'unbounded-log'
    | 'autostart-drift'
    | 'autostart-obstacle'
    | Shortcoming['code'];
  readonly name: string | null;
  readonly message: string;
  readonly hint: string;
  readonly fixed: boolean;
}

/** Looks at everything and changes nothing. */
export async function diagnose(machine: Machine, settings: MachineSettings): Promise<readonly Finding[]> {
  const findings = [...(await diagnoseSystem(machine, settings))];
  let names: readonly string[];
  try {
    names = await machine.descriptors.names();
  } catch (error) {
    return [...findings, homeFinding(error, settings.home)];
  }
  findings.push(...diagnoseHome(settings.home));
  for (const name of names) findings.push(...(await diagnoseDaemon(machine, name, settings)));
  return [...findings, ...(await diagnoseSupervisor(machine)), ...(await diagnoseAutostart(machine, settings))];
}

/** Mends what can be mended without a signal to anything that is not proven to be its own. */
export async function mend(
  machine: SupervisedMachine,
  findings: readonly Finding[],
  settings: MachineSettings,
): Promise<readonly Finding[]> {
  const after: Finding[] = [];
  for (const finding of findings) after.push(await mendOne(machine, finding, settings));
  return after;
}

const supervisorRef = { name: supervisorName };
/** It answers at once, whatever it is about, unless it hangs or is suspended. Whoever is to be replaced is given longer. */
const answersWithinMs = 3_000;
const provenHungAfterMs = 6_000;
/** One that hangs does not end by being asked. */
const hungGraceMs = 1_000;

/** Its daemons run on, but nobody would start them again. */
async function diagnoseSupervisor(machine: Machine): Promise<readonly Finding[]> {
  const view = await look(machine, supervisorRef);
  const { state, reason, phase, descriptor } = view;
  if (state === 'stale') {
    const message = `the supervisor is gone without having said why (${reason}): its daemons are not watched`;
    return [finding(view, 'stale-supervisor', message, 'doctor --fix, or any start, brings it back')];
  }
  if (state !== 'running' || phase !== 'ready' || descriptor === null || (await answers(machine, descriptor, answersWithinMs))) return [];
  const message = `the supervisor (pid ${descriptor.pid}) runs, but has not answered for ${answersWithinMs / 1_000} s: its daemons are not watched`;
  const wake = `kill -CONT ${descriptor.pid} wakes it where somebody has suspended it`;
  const replace = (await isForeground(machine))
    ? 'else end it where it is served: daemonry serve is in the foreground there'
    : 'doctor --fix, or daemonry stop supervisor and any start, replaces it, and its daemons run on meanwhile';
  return [finding(view, 'hanging-supervisor', message, `${wake}; ${replace}`)];
}

async function answers(machine: Machine, { socket, instanceId }: Descriptor, timeoutMs: number): Promise<boolean> {
  if (socket === null) return false;
  const hello = await machine.control.hello(socket, timeoutMs);
  return hello.kind === 'hello' && hello.instanceId === instanceId;
}

async function isForeground(machine: Machine): Promise<boolean> {
  return (await machine.descriptors.readSpec(supervisorRef))?.env[foregroundVariable] !== undefined;
}

/** Only one that nobody serves in a foreground of his own, and that is the very one, and hangs still. */
async function replaceSupervisor(machine: SupervisedMachine): Promise<boolean> {
  const { state, descriptor } = await look(machine, supervisorRef);
  if (state === 'running' && descriptor !== null) {
    if (await isForeground(machine)) return false;
    if (await answers(machine, descriptor, provenHungAfterMs)) return true;
    await stopDaemon(machine, { ref: supervisorRef, instanceId: descriptor.instanceId, graceMs: hungGraceMs });
  }
  await startDaemon(machine, { ref: supervisorRef, spec: machine.supervisorSpec });
  return true;
}

async function diagnoseAutostart(machine: Machine, settings: MachineSettings): Promise<readonly Finding[]> {
  if (!existsSync(join(settings.home, serviceFolder))) return [];
  const { diagnoseServices } = await import('./service-findings.js');
  return diagnoseServices(machine, settings);
}

async function mendOne(machine: SupervisedMachine, finding: Finding, settings: MachineSettings): Promise<Finding> {
  const { code, name } = finding;
  if (name === null) return finding;
  const ref = { name };
  if (code === 'stale-supervisor') {
    await reviveSupervisor(machine);
    return { ...finding, fixed: true };
  }
  if (code === 'hanging-supervisor') return { ...finding, fixed: await replaceSupervisor(machine) };
  if (code === 'autostart-drift') {
    const { mendService } = await import('./service-findings.js');
    await mendService(machine, settings, name);
    return { ...finding, fixed: true };
  }
  if (code === 'stale-daemon') {
    await stopDaemon(machine, { ref });
    return { ...finding, fixed: true };
  }
  if (code === 'unknown-daemon') {
    await underLock(machine, ref, lockWait(undefined), async (held) => {
      // Looked at again: it may have been cleared, or started, since.
      if ((await look(machine, ref)).state === 'unknown') await machine.descriptors.clear(held);
    });
    return { ...finding, fixed: true };
  }
  return finding;
}

async function diagnoseSystem(machine: Machine, settings: MachineSettings): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const about = { name: null, fixed: false };
  if (!machine.spawner.gated) {
    const message =
      'there is no /bin/sh: a starter that is killed in the middle of a start leaves an intent, not the daemon itself, on record';
    findings.push({ ...about, code: 'no-launch-gate', message, hint: 'install any POSIX shell as /bin/sh' });
  }
  findings.push(...shortcomingsOf(settings).map((lack) => ({ ...about, ...lack })));
  try {
    await machine.inspector.vantage();
  } catch (error) {
    const hint = wayToProcesses(settings.platform);
    findings.push({ ...about, code: 'no-process-table', message: (error as Error).message, hint });
  }
  return findings;
}

async function diagnoseDaemon(machine: Machine, name: string, settings: MachineSettings): Promise<readonly Finding[]> {
  const view = await lookClosely(machine, { name });
  switch (view.state) {
    case 'stale': {
      // Its starter or stopper may be about it right now.
      const holder = await machine.lock.holder({ name });
      if (holder && !isDead(await sight(machine.inspector, holder))) return [];
      return [
        finding(
          view,
          'stale-daemon',
          `${name} is recorded but does not run (${view.reason})`,
          `daemonry stop ${name}, or daemonry doctor --fix`,
        ),
      ];
    }
    case 'unknown':
      return [
        finding(
          view,
          view.reason === 'newer-schema' ? 'newer-daemon' : 'unknown-daemon',
          `whether ${name} runs can't be told from here (${view.reason})`,
          view.reason === 'newer-schema'
            ? 'use the newer daemonry that wrote its record'
            : 'ask where it was started, or clear the record with daemonry doctor --fix',
        ),
      ];
    case 'running': {
      const findings = diagnoseLog(view, settings);
      if (await machine.descriptors.readSpec({ name })) return findings;
      return [
        ...findings,
        finding(
          view,
          'lost-spec',
          `${name} runs, but its spec can't be read: restart is not possible`,
          `daemonry stop ${name}, then start it with its command`,
        ),
      ];
    }
    case 'stopped':
      return [];
  }
}

/** Of a daemon that is watched over, whose log ought to be rotated while it runs. */
function diagnoseLog(view: DaemonView, { platform, env }: MachineSettings): readonly Finding[] {
  const { name } = view.place;
  if (!view.descriptor?.supervisedBy) return [];
  const { log } = view.descriptor;
  const stat = lstatSync(log, { throwIfNoEntry: false });
  const restart = `daemonry restart ${name} now and then`;
  const unbounded = (why: string, hint: string) => [
    finding(view, 'unbounded-log', `the log of ${name} is rotated at its next start only: ${why}`, hint),
  ];
  if (platform !== 'linux') return unbounded('this system has no tool that takes the head out of a file', restart);
  if (!hasFallocate(env.PATH))
    return unbounded('there is no fallocate that takes the head out of a file', `install util-linux, or ${restart}`);
  if (stat?.isFile() && stat.nlink > 1) return unbounded(`${log} has a second name`, `remove that, or ${restart}`);
  return [];
}

function finding(view: DaemonView, code: Finding['code'], message: string, hint: string): Finding {
  return { code, name: view.place.name, message, hint, fixed: false };
}

/** Every start would fail there, and every stop where nothing can be locked. */
function diagnoseHome(home: string): readonly Finding[] {
  const lack = lackOfWriting(home);
  if (!lack) return [];
  const hint = lack === 'ENOSPC' ? `free some space on the disk of ${home}` : `mend ${home}`;
  const message = `nothing can be written in ${home}: ${lack}`;
  return [{ code: 'unwritable-home', name: null, message, hint: `${hint}, or choose another with --home or DAEMONRY_HOME`, fixed: false }];
}

function homeFinding(error: unknown, home: string): Finding {
  const code = isDaemonError(error) && error.code === 'unsafe-home' ? 'unsafe-home' : 'unreadable-home';
  const message = error instanceof Error ? error.message : String(error);
  return {
    code,
    name: null,
    message,
    hint: `mend the owner and mode of ${home}, or choose another with --home or DAEMONRY_HOME`,
    fixed: false,
  };
}
