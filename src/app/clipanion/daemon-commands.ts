import { type BaseContext, Command, type CommandClass, Option } from 'clipanion';
import type { VerbSyntax } from '../cli/verb-table.js';
import type { Daemon } from '../embed/daemon.js';
import { mountedVerbs } from '../mount/mounted-verbs.js';
import { runDaemonVerb } from '../mount/run-daemon-verb.js';

/** How the verbs stand in a host's command line. */
export interface DaemonCommandsOptions {
  /** What stands before the verbs. Default `['daemon']`, as in `acme daemon start`; `[]` for `acme start`. */
  readonly path?: readonly string[] | undefined;
  /** The heading under which the host's help lists them. Default `Daemon`. */
  readonly category?: string | undefined;
  /** The host program, as its users call it. Default: the `binaryName` of its `Cli`, else the daemon's name. */
  readonly program?: string | undefined;
}

/** What a `Cli` is called that was given no `binaryName`. */
const namelessBinary = '...';

/**
 * Commands for a clipanion `Cli` of the host's own: `daemon start`, `stop`, `restart`, `status` and `logs`, with the options,
 * answers and exit codes of `runDaemonVerb`. They speak on the streams of the host's context, and throw nothing.
 *
 * They are made with the clipanion that the host has installed, which is a peer dependency of this entry.
 *
 * @example
 * const cli = new Cli({ binaryName: 'acme' });
 * for (const command of daemonCommands(daemon)) cli.register(command);
 * await cli.runExit(process.argv.slice(2));
 */
export function daemonCommands<Context extends BaseContext = BaseContext>(
  daemon: Daemon,
  options: DaemonCommandsOptions = {},
): CommandClass<Context>[] {
  return mountedVerbs.map((syntax) => commandClass<Context>(daemon, syntax, options));
}

function commandClass<Context extends BaseContext>(
  daemon: Daemon,
  syntax: VerbSyntax,
  { path = ['daemon'], category = 'Daemon', program }: DaemonCommandsOptions,
): CommandClass<Context> {
  class DaemonCommand extends Command<Context> {
    static override paths = [[...path, syntax.verb]];
    static override usage = Command.Usage({ category, description: syntax.summary });

    /** Everything after the verb: what is wrong with it is said as the verb says it, with its exit code, and in JSON where that is asked for. */
    words = Option.Proxy({ name: 'options' });

    constructor() {
      super();
      // For the host's help and completion; the proxy takes them as they stand.
      for (const { flag, short, kind, summary } of syntax.options) {
        const names = short ? `${short},${flag}` : flag;
        const described = { description: summary };
        Object.assign(this, { [flag]: kind === 'flag' ? Option.Boolean(names, described) : Option.String(names, described) });
      }
    }

    async execute(): Promise<number> {
      const { stdout, stderr } = this.context;
      if (this.words.some((word) => word === '--help' || word === '-h')) {
        stdout.write(this.cli.usage(this, { detailed: true }));
        return 0;
      }
      const { binaryName } = this.cli;
      const called = program ?? (binaryName === namelessBinary ? daemon.name : binaryName);
      const argv = [syntax.verb, ...this.wordsBefore(), ...this.words];
      return runDaemonVerb(daemon, argv, { stdout, stderr, program: called, command: [called, ...path].join(' ') });
    }

    /** Options may stand before the path too: these clipanion has read. */
    private wordsBefore(): readonly string[] {
      const read = this as unknown as Readonly<Record<string, unknown>>;
      return syntax.options.flatMap(({ flag }) => {
        const value = read[flag];
        return value === true ? [flag] : typeof value === 'string' ? [`${flag}=${value}`] : [];
      });
    }
  }
  return DaemonCommand;
}
