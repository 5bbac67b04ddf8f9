import { DaemonError } from '../../domain/daemon-error.js';
import type { DaemonSpec } from '../../domain/daemon-spec.js';
import type { Launch, LaunchRequest, ProcessEnd, ProcessSpawner, ResolvedCommand } from '../../domain/ports.js';
import type { SimulatedActor, Waking } from './simulated-actor.js';
import type { SimulatedProcess } from './simulated-process.js';

const slowestExecMs = 2;

export class SimulatedProcessSpawner implements ProcessSpawner {
  readonly gated: boolean;

  constructor(private readonly actor: SimulatedActor) {
    this.gated = actor.world.gated;
  }

  resolve(spec: DaemonSpec): Promise<ResolvedCommand> {
    return this.actor.call('spawner.resolve', () => {
      const [command = '', ...argv] = spec.command;
      if (command === '/not-executable')
        throw new DaemonError('not-executable', `${command} is not executable`, { command, path: command });
      if (spec.cwd === '/absent')
        throw new DaemonError('invalid-spec', `can't use ${spec.cwd} as the working folder: ENOENT`, { cwd: spec.cwd });
      if (!this.actor.world.programs.has(command)) {
        throw new DaemonError('command-not-found', `command not found: ${command}`, { command, cwd: spec.cwd });
      }
      return { file: command, argv, cwd: spec.cwd, env: { ...spec.env }, gated: this.gated };
    });
  }

  spawn(request: LaunchRequest): Promise<Launch> {
    return this.actor.call('spawner.spawn', () => {
      const { world } = this.actor;
      const { instanceId, descriptor } = request.marks;
      if (request.notifyFile) world.disk.append(request.notifyFile, '');
      const process = world.kernel.fork({
        parent: this.actor.process,
        placement: 'own-session',
        marks: { ...request.marks, notifyFile: request.notifyFile },
        origin: { instanceId, descriptor },
        log: request.log,
        gated: request.command.gated,
      });
      if (!request.command.gated) world.execute(process, request.command.file, request.command.argv);
      return new SimulatedLaunch(this.actor, process, request.command);
    });
  }
}

class SimulatedLaunch implements Launch {
  readonly identity: Launch['identity'];

  constructor(
    private readonly actor: SimulatedActor,
    private readonly process: SimulatedProcess,
    private readonly command: ResolvedCommand,
  ) {
    this.identity = actor.world.identityOf(process);
  }

  open(): Promise<void> {
    return this.actor.wait('launch.open', (waking) => {
      const { process } = this;
      if (process.life !== 'gated') return waking.resolve();
      process.isGateOpen = true;
      process.onEnd(() => waking.resolve());
      this.later(slowestExecMs, () => {
        this.actor.world.execute(process, this.command.file, this.command.argv);
        waking.resolve();
      });
    });
  }

  abort(): Promise<void> {
    return this.actor.wait('launch.abort', (waking: Waking<void>) => {
      const { process } = this;
      if (!process.isAlive) return waking.resolve();
      process.onEnd(() => waking.resolve());
      const end = this.process.life === 'gated' ? { exitCode: 125, signal: null } : { exitCode: null, signal: 'SIGKILL' };
      this.later(slowestExecMs, () => this.actor.world.kernel.exit(process, end));
    });
  }

  end(): ReturnType<Launch['end']> {
    // Its parent learns of its end by reaping it.
    return this.process.life === 'reaped' ? this.process.end : undefined;
  }

  ended(signal: AbortSignal): Promise<ProcessEnd | undefined> {
    return this.actor.wait('launch.ended', (waking: Waking<ProcessEnd | undefined>) => {
      const { process } = this;
      if (signal.aborted || process.life === 'reaped') return waking.resolve(this.end());
      process.onReaped(() => waking.resolve(this.end()));
      signal.addEventListener('abort', () => waking.resolve(this.end()));
    });
  }

  release(): void {}

  private later(withinMs: number, work: () => void): void {
    const { schedule } = this.actor.world;
    schedule.after(schedule.random.next() * withinMs, work);
  }
}
