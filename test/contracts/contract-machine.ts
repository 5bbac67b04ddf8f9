import { describe, test } from 'vitest';
import type { DaemonSpec } from '../../src/domain/daemon-spec.js';
import { specDefaults } from '../../src/domain/daemon-spec.js';
import type { ProcessIdentity } from '../../src/domain/identity.js';
import type { DaemonRef, Launch, Machine, SupervisingMachine } from '../../src/domain/ports.js';

/** What a machine can show. A test that needs more than there is is skipped, and says what is missing. */
export interface Capabilities {
  /** A program of its own that can be killed at any moment. */
  readonly mortalActors: boolean;
  /** A launch gate. */
  readonly launchGate: boolean;
  /** Processes of another user, which we may not signal. */
  readonly otherUsers: boolean;
  /** Processes that show themselves without saying who they are. */
  readonly hiddenProcesses: boolean;
  /** Commands that read their standard input and print their environment. */
  readonly shell: boolean;
  /** A web server. */
  readonly http: boolean;
  /** Processes that have ended and still have a slot, until their parent asks how. */
  readonly zombies: boolean;
  /** Signals other than SIGKILL that a process may ignore. */
  readonly ignorableSignals: boolean;
  /** An end that is told apart from an exit code: by which signal. */
  readonly endsBySignal: boolean;
  /** A group of which it is told that nobody is in it. */
  readonly emptyGroups: boolean;
  /** Who handles which signal. */
  readonly seesHandlers: boolean;
  /** The shell of POSIX, for command lines. */
  readonly posixShell: boolean;
  /** Daemons that reload what they are asked to. */
  readonly reloads: boolean;
  /** A file system and tools that make a log shorter while it is written to. */
  readonly logCuts: boolean;
}

export type Capability = keyof Capabilities;
type Command = readonly string[];

/** Commands with a behaviour that is known. */
export interface ContractPrograms {
  readonly sleeps: Command;
  /** Ignores SIGTERM, once it has printed `ignoring`. */
  readonly ignoresSigterm: Command;
  exits(code: number): Command;
  /** Prints, then sleeps. */
  prints(...lines: readonly string[]): Command;
  /** Starts one child in its own group, prints `forked`, then sleeps. */
  readonly forks: Command;
  /** Has a child that has ended and is never waited for; prints `forked`. */
  readonly keepsZombie: Command;
  readonly absent: Command;
  readonly notExecutable: Command;
  /** Prints one variable of its environment. */
  printsVariable(name: string): Command;
  /** Prints its working folder. */
  readonly printsFolder: Command;
  /** Prints `end of input` when its standard input ends. */
  readonly readsInput: Command;
}

/** A program that uses the machine and will be killed. */
export interface MortalActor {
  readonly identity: ProcessIdentity;
  acquire(ref: DaemonRef): Promise<void>;
  /** Spawns a command and never opens its gate. */
  spawnGated(command: Command, log: string): Promise<ProcessIdentity>;
  /** What its monotonic clock shows. */
  monotonicMs(): Promise<number>;
  /** By SIGKILL. */
  kill(): Promise<void>;
}

export interface ControlServer {
  /** How often it was asked to end, and agreed. */
  shutdowns(): number;
  /** How often it was asked to reload, and has. */
  reloads(): number;
}

/** What lies behind the ports: what daemons and people do. */
export interface ContractHost {
  /** An absolute path of a file that isn't there. */
  path(file: string): string;
  /** Where nobody listens yet: a path like these, or a named pipe. */
  socket(file: string): string;
  /** Another program on the same machine and home. */
  secondActor(): Promise<Machine>;
  mortalActor(): Promise<MortalActor>;
  append(path: string, text: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** Spoils the descriptor of a daemon, or makes it one of a later release. */
  spoilDescriptor(ref: DaemonRef, how: 'corrupt' | 'newer'): Promise<void>;
  /** Whether a descriptor was kept for a person to look at. */
  hasSetAside(ref: DaemonRef): Promise<boolean>;
  /** What a daemon leaves that ends by itself, cleanly. */
  leaveEndMarker(ref: DaemonRef, instanceId: string): Promise<void>;
  /** Somebody who accepts on a socket, and says nothing. */
  listen(socket: string): Promise<void>;
  listenOnPort(): Promise<number>;
  /** The address of a server that answers everything with this status. */
  serveHttp(status: number): Promise<string>;
  /** A daemon that speaks the control protocol. */
  serveControl(
    socket: string,
    hello: { instanceId: string; name: string; version: string | null; isBusy?: boolean },
  ): Promise<ControlServer>;
  /** A process of another user. */
  strangerOfOtherUser(): Promise<ProcessIdentity>;
  hiddenProcess(): Promise<number>;
}

export interface ContractMachine {
  readonly machine: SupervisingMachine;
  readonly programs: ContractPrograms;
  readonly host: ContractHost;
  /** What a test has started, for `close` to end. */
  readonly started: ProcessIdentity[];
  close(): Promise<void>;
}

/** One kind of machine, and how to get a fresh one. */
export interface ContractSubject {
  readonly name: string;
  readonly can: Capabilities;
  create(): Promise<ContractMachine>;
}

export type ContractTest = (title: string, body: (subject: ContractMachine) => Promise<void>, needs?: Capability) => void;

/** A suite that every adapter of one port passes, each test on a machine of its own. */
export function describeContract(port: string, subject: ContractSubject, suite: (test: ContractTest) => void): void {
  describe(`${port} contract, ${subject.name}`, () => {
    suite((title, body, needs) => {
      if (needs && !subject.can[needs]) return test.skip(`${title} [no ${needs} here]`);
      return test(title, async () => {
        const machine = await subject.create();
        try {
          await body(machine);
        } finally {
          await machine.close();
        }
      });
    });
  });
}

export const anyRef: DaemonRef = { name: 'contract' };
export const soon = { timeoutMs: 30_000 };

export function specFor(command: Command, over: Partial<DaemonSpec> = {}): DaemonSpec {
  return { ...specDefaults, command, cwd: '/', ...over };
}

export interface ContractLaunch extends Launch {
  readonly log: string;
  readonly instanceId: string;
}

let launches = 0;

/** Spawns a command as a daemon, behind its gate. */
export async function spawnGated(subject: ContractMachine, command: Command, over: Partial<DaemonSpec> = {}): Promise<ContractLaunch> {
  const { machine, host } = subject;
  const instanceId = `contract-${++launches}`;
  const log = host.path(`${instanceId}.log`);
  await host.append(log, '');
  const launch = await machine.spawner.spawn({
    command: await machine.spawner.resolve(specFor(command, over)),
    marks: { name: anyRef.name, instanceId, descriptor: host.path('daemon.json'), socket: host.socket(`${launches}.sock`) },
    log,
    notifyFile: null,
  });
  subject.started.push(launch.identity);
  return Object.assign(launch, { log, instanceId });
}

/** The same, and lets it run. */
export async function launch(subject: ContractMachine, command: Command, over: Partial<DaemonSpec> = {}): Promise<ContractLaunch> {
  const launched = await spawnGated(subject, command, over);
  await launched.open();
  return launched;
}

/** Launches, and waits until it has printed a line. */
export async function launchUntil(subject: ContractMachine, command: Command, line: string): Promise<ContractLaunch> {
  const launched = await launch(subject, command);
  await untilPrinted(subject, launched, line);
  return launched;
}

export async function untilPrinted({ machine }: ContractMachine, { log }: ContractLaunch, line: string): Promise<void> {
  await eventually(machine, `${line} in the log`, async () => (await machine.logs.tail(log, 100)).includes(line));
}

/** Until nobody runs under this identity: gone, a zombie, or somebody else by now. */
export async function untilEnded({ machine }: ContractMachine, identity: ProcessIdentity): Promise<void> {
  await eventually(machine, `the end of pid ${identity.pid}`, async () => {
    const seen = await machine.inspector.observe(identity.pid);
    return seen.kind === 'absent' || (seen.kind === 'process' && (seen.zombie || seen.startToken !== identity.startToken));
  });
}

export async function isRunning({ machine }: ContractMachine, identity: ProcessIdentity): Promise<boolean> {
  const seen = await machine.inspector.observe(identity.pid);
  return seen.kind === 'process' && !seen.zombie && seen.startToken === identity.startToken;
}

/** Waits for a condition, with a deadline, in the machine's own time. */
export async function eventually({ clock }: Machine, what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = clock.monotonicMs() + soon.timeoutMs;
  while (!(await condition())) {
    if (clock.monotonicMs() >= deadline) throw new Error(`waited in vain for ${what}`);
    await clock.sleep(5);
  }
}
