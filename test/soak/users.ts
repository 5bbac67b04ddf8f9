import { type CliOptions, RunningProgram } from '../support/command-line.js';
import { loadLibrary } from '../support/library.js';
import { commandLine } from '../support/suite.js';
import { waitFor } from '../support/wait-for.js';
import type { Player } from './cast.js';
import type { Stage } from './stage.js';

/** A verb may wait for another one's readiness and grace; beyond this, it hangs. */
const mostVerbMs = 90_000;
/** For what a killed verb had asked of the supervisor to be over: it learns of it by the end of a connection. */
const afterKilledMs = 3_000;
/** As many supervisors may be lost under a verb before it says so. */
const attemptsOfAVerb = 3;

type Acting = 'start' | 'restart' | 'stop';

/** Somebody who does this and that with daemons, by the command line and by the library, as the random numbers have it. */
export class User {
  constructor(
    private readonly stage: Stage,
    private readonly random: () => number,
  ) {}

  async actUntil(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const player = this.pick(this.stage.players);
      const draw = this.random();
      if (draw < 0.32) await this.act('start', player);
      else if (draw < 0.47) await this.act('restart', player);
      else if (draw < 0.72) await this.stopForGood(player);
      else if (draw < 0.79) await this.act('stop', player);
      else if (draw < 0.89) await this.read(player);
      else await this.actAndDie(player);
      // Load: so many verbs a second, not as many as there can be.
      await this.stage.pause(this.random() * this.stage.idleMs);
    }
  }

  private async act(verb: Acting, player: Player): Promise<boolean> {
    if (!this.stage.enter(player)) return false;
    try {
      return await this.perform(verb, player);
    } finally {
      this.stage.leave(player);
    }
  }

  /** Alone with this daemon: after the stop nothing of it may live, and nothing may start it again. */
  private async stopForGood(player: Player): Promise<void> {
    const { stage } = this;
    if (!stage.reserve(player)) return;
    try {
      await waitFor(`the others to be done with ${player.name}`, () => stage.isAlone(player, afterKilledMs), 2 * mostVerbMs);
      if (!(await this.perform('stop', player))) return;
      const until = performance.now() + 200 + this.random() * 2_500;
      stage.insistOnNothing(player, 'is left after a successful stop');
      while (performance.now() < until && stage.insistOnNothing(player, 'was started after a successful stop')) await stage.pause(100);
      await this.perform('start', player);
    } finally {
      stage.release(player);
    }
  }

  private async perform(verb: Acting, player: Player): Promise<boolean> {
    const { stage } = this;
    const how = this.random() < 0.5 ? 'library' : 'command line';
    const killsBefore = stage.supervisorKills;
    stage.wants(player, undefined);
    const outcome = await stage.timed(`${verb} ${player.name} by the ${how}`, () =>
      how === 'library' ? this.byLibrary(verb, player) : this.byCommandLine(verb, player),
    );
    stage.count(verb);
    if (outcome === undefined) {
      stage.wants(player, verb === 'stop' ? 'down' : 'up');
      return true;
    }
    stage.failed(`${verb} ${player.name} by the ${how}`, outcome, stage.supervisorKills - killsBefore >= attemptsOfAVerb);
    return false;
  }

  /** The failure, if it is one. */
  private async byLibrary(verb: Acting, player: Player): Promise<Failure | undefined> {
    const { defineDaemon, isDaemonError } = loadLibrary();
    try {
      await defineDaemon(player.options)[verb]();
      return undefined;
    } catch (error) {
      return isDaemonError(error) ? error : { code: 'not-our-own', message: String((error as Error).stack), facts: {} };
    }
  }

  private async byCommandLine(verb: Acting, player: Player): Promise<Failure | undefined> {
    const words = verb === 'start' ? ['--json', ...player.words] : ['--json', player.name];
    const { exitCode, stdout, stderr } = await this.spawn([verb, ...words]).end();
    if (exitCode === 0) return undefined;
    try {
      const { error } = JSON.parse(stdout);
      // Nobody has started it yet.
      if (verb === 'restart' && error.code === 'not-found') return undefined;
      return { code: error.code, message: error.message, facts: error };
    } catch {
      return { code: 'no-answer', message: `exit code ${exitCode}: ${stdout}${stderr}`, facts: {} };
    }
  }

  /** Kills the verb at some moment, as Ctrl-\ or a machine short of memory would. */
  private async actAndDie(player: Player): Promise<void> {
    const { stage } = this;
    if (!stage.enter(player)) return;
    try {
      stage.wants(player, undefined);
      const verb = this.pick(['start', 'restart', 'stop'] as const);
      const program = this.spawn(verb === 'start' ? [verb, ...player.words] : [verb, player.name]);
      await stage.pause(this.random() * 250);
      program.kill('SIGKILL');
      await program.end();
      stage.count('killed');
    } finally {
      stage.leave(player, true);
    }
  }

  /** Reading verbs answer whatever goes on. */
  private async read(player: Player): Promise<void> {
    const words = this.pick([['status', player.name], ['list'], ['why', player.name], ['logs', player.name, '-n', '3'], ['status']]);
    const what = words.join(' ');
    const { exitCode, stdout, stderr } = await this.stage.timed(what, () => this.spawn([...words, '--json']).end());
    this.stage.count('read');
    const mayFail = stdout.includes('"not-found"');
    const isWell = words[0] === 'status' && words.length > 1 ? [0, 1, 3].includes(exitCode) : exitCode === 0;
    try {
      JSON.parse(stdout);
      if (isWell || mayFail) return;
    } catch {
      // Told below.
    }
    this.stage.violate(`${what} answered ${exitCode}: ${stdout}${stderr}`);
  }

  private spawn(args: readonly string[], options: CliOptions = {}): RunningProgram {
    return new RunningProgram(process.execPath, ['--', commandLine, ...args], { cwd: '/', env: { ...this.stage.env, ...options.env } });
  }

  private pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)] as T;
  }
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export { mostVerbMs };
