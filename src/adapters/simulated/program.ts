import type { Placement, SimulatedProcess } from './simulated-process.js';
import type { SimulatedWorld } from './simulated-world.js';

/** A command's behaviour: what it does first, and what it leaves to happen later. */
export type Program = (self: RunningProgram, args: readonly string[]) => void;

export interface ForkedProgram {
  readonly placement?: Placement;
  readonly program?: Program;
  readonly args?: readonly string[];
  /** False for a child that clears its environment. */
  readonly keepsMarks?: boolean;
}

/** What a program can do. Whatever it left to happen later does not, once it has ended. */
export class RunningProgram {
  constructor(
    private readonly world: SimulatedWorld,
    readonly process: SimulatedProcess,
  ) {}

  exit(exitCode: number): void {
    this.world.kernel.exit(this.process, { exitCode, signal: null });
  }

  after(ms: number, work: () => void): void {
    this.world.schedule.after(ms, () => {
      if (this.process.isAlive) work();
    });
  }

  on(signal: string, handler: () => void): void {
    this.process.handlers.set(signal, handler);
  }

  ignore(signal: string): void {
    this.on(signal, () => {});
  }

  fork({ placement = 'same-group', program = sleep, args = [], keepsMarks = true }: ForkedProgram = {}): SimulatedProcess {
    const child = this.world.kernel.fork({ parent: this.process, placement, ...(keepsMarks ? {} : { marks: null }) });
    program(new RunningProgram(this.world, child), args);
    return child;
  }

  print(line: string): void {
    if (this.process.log !== null) this.world.disk.append(this.process.log, `${line}\n`);
  }

  /** A byte of readiness. */
  notify(): void {
    const file = this.process.marks?.notifyFile;
    if (file) this.world.disk.append(file, '\n');
  }

  /** Accepts on the daemon's own socket; with `control` it speaks the control protocol there. */
  listen(control?: {
    readonly version?: string | null;
    readonly answersAfterMs?: number;
    readonly isBusy?: boolean;
    readonly onShutdown?: () => void;
  }): void {
    const { marks } = this.process;
    if (!marks) return;
    const peer = control && {
      instanceId: marks.instanceId,
      name: marks.name,
      version: control.version ?? null,
      answersAfterMs: control.answersAfterMs ?? 0,
      // As it is when it is asked.
      get isBusy() {
        return control.isBusy ?? false;
      },
      shutdown: control.onShutdown ?? (() => this.endCleanly()),
    };
    this.world.network.listen(marks.socket, { process: this.process, control: peer });
  }

  listenOnPort(port: number): void {
    this.world.network.listen(`port:${port}`, { process: this.process, control: undefined });
  }

  /** As `serveDaemon` does: leaves the marker that tells a clean end from a crash. */
  endCleanly(): void {
    const { marks } = this.process;
    const folder = marks && this.world.folderOf(marks.descriptor);
    if (folder) folder.ended = marks.instanceId;
    this.exit(0);
  }
}

const sleep: Program = () => {};

/** The commands that are always there. Tests add their own. */
export const commonPrograms: Readonly<Record<string, Program>> = {
  /** Does nothing, and dies of its first signal. */
  sleep,
  /** exit CODE [AFTER_MS] */
  exit: (self, [code = '0', afterMs = '0']) => self.after(Number(afterMs), () => self.exit(Number(code))),
  /** print LINE… */
  print: (self, lines) => {
    for (const line of lines) self.print(line);
  },
  /** ignore SIGNAL… */
  ignore: (self, signals) => {
    for (const signal of signals) self.ignore(signal);
  },
  /** linger MS: takes its time at SIGTERM */
  linger: (self, [ms = '100']) => self.on('SIGTERM', () => self.after(Number(ms), () => self.exit(0))),
  /** fork PLACEMENT [SIGNAL…]: one child, which ignores these signals */
  fork: (self, [placement = 'same-group', ...ignored]) => {
    self.fork({ placement: placement as Placement, program: commonPrograms.ignore as Program, args: ignored });
  },
  /** notify MS */
  notify: (self, [ms = '0']) => self.after(Number(ms), () => self.notify()),
  /** listen MS: on its socket, but not in our protocol */
  listen: (self, [ms = '0']) => self.after(Number(ms), () => self.listen()),
  /** serve MS: the control protocol on its socket */
  serve: (self, [ms = '0']) => self.after(Number(ms), () => self.listen({})),
  /** port NUMBER [AFTER_MS] */
  port: (self, [port = '1', afterMs = '0']) => self.after(Number(afterMs), () => self.listenOnPort(Number(port))),
  /** A parent that never learns of its child's end: the child stays a zombie. */
  'keep-zombie': (self) => {
    self.process.reaps = false;
    self.fork({ program: (child) => child.exit(0) });
  },
};
