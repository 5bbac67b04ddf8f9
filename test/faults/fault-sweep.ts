import { type ProgramEnd, RunningProgram } from '../support/command-line.js';
import { commandLine } from '../support/suite.js';
import { TemporaryHome } from '../support/temporary-home.js';
import { brokenPromises, type Healer, lastingHarm, orphans } from './aftermath.js';
import { faultsOf } from './fault.js';
import type { Call, Injector, Point, Program } from './injector.js';
import type { Scenario } from './scenarios.js';

/** Longer than any wait that a verb of these scenarios may have. */
const verbTimeoutMs = 60_000;
/** A call that depends on how long something took may not come again: then another run may tell. */
const mostTries = 5;

export interface Outcome {
  readonly injector: string;
  readonly scenario: string;
  readonly point: Point;
  readonly wasHit: boolean;
  readonly violations: readonly string[];
}

/** Lets faults come up in one scenario, each in a home of its own. */
export class FaultSweep {
  constructor(
    private readonly injector: Injector,
    private readonly scenario: Scenario,
    private readonly healer: Healer,
  ) {}

  /** Every call of a run in which nothing goes wrong. */
  async record(): Promise<readonly Call[]> {
    const { calls, violations } = await this.runOnce(undefined, false);
    if (violations.length > 0) throw new Error(`${this.scenario.name} goes wrong by itself: ${violations.join('; ')}`);
    return calls.filter(isWorthFailing);
  }

  async try(wanted: Point, json: boolean): Promise<Outcome> {
    const of = { injector: this.injector.name, scenario: this.scenario.name };
    for (let tries = 1, point = wanted; ; tries++) {
      const { calls, violations } = await this.runOnce(point, json);
      const wasHit = calls.some(({ isHit, text }) => isHit && text === point.call.text);
      // Where the fault came up somewhere else, what followed is no matter of this point.
      if (wasHit || tries === mostTries) return { ...of, point, wasHit, violations: wasHit ? violations : [] };
      // How many calls of others come before it may differ from run to run.
      const call = (await this.runOnce(undefined, json)).calls.find(
        ({ text, nth }) => text === wanted.call.text && nth === wanted.call.nth,
      );
      point = { ...wanted, call: call ?? wanted.call };
    }
  }

  private async runOnce(point: Point | undefined, json: boolean): Promise<{ calls: readonly Call[]; violations: readonly string[] }> {
    const home = new TemporaryHome();
    const violations: string[] = [];
    try {
      await this.scenario.prepare?.(home);
      violations.push(...(await this.runVerbs(home, point, json)));
      violations.push(...(await orphans(home)));
      violations.push(...(await lastingHarm(home, this.healer)));
      return { calls: this.injector.calls(home), violations };
    } catch (error) {
      return { calls: this.injector.calls(home), violations: [...violations, String(error)] };
    } finally {
      // What is left over here was named already.
      await home.dispose().catch(() => {});
    }
  }

  private async runVerbs(home: TemporaryHome, point: Point | undefined, json: boolean): Promise<readonly string[]> {
    const { harmed, daemon, verb, afterwards, absent } = this.scenario;
    const observe = (program: Program) => this.injector.around(home, { ...program, ...(absent ? { absent } : {}) }, point);
    const command = harmed === 'daemon' ? observe({ command: daemon, env: {} }) : { command: daemon, env: {} };
    const violations: string[] = [];
    for (const verbOf of afterwards ? [verb, afterwards] : [verb]) {
      const before = home.descriptor('clock')?.instanceId;
      const own = json ? [...verbOf, '--json'] : verbOf;
      const args = verbOf[0] === 'start' ? [...own, '--', ...command.command] : own;
      const plain: Program = { command: [process.execPath, '--', commandLine, ...args], env: command.env };
      const end = await runToEnd(home, harmed === 'verb' ? observe(plain) : plain);
      const wasKilled = harmed === 'verb' && point?.fault === 'SIGKILL';
      // A daemon that is killed as soon as it is ready makes nobody a liar.
      const isExcused = wasKilled || (harmed === 'daemon' && verbOf === verb && end.exitCode === 0);
      if (!isExcused) violations.push(...brokenPromises(home, { args: own, end, before }));
    }
    return violations;
  }
}

async function runToEnd(home: TemporaryHome, { command: [file, ...args], env }: Program): Promise<ProgramEnd> {
  // Few places to look for tools in, so that few calls look for them; and as many calls the first time as later.
  const steady = { PATH: '/usr/bin:/bin', NODE_DISABLE_COMPILE_CACHE: '1' };
  const running = new RunningProgram(file, args, { cwd: home.folder, env: { ...home.env, ...steady, ...env } });
  const impatience = setTimeout(() => void running.discard(), verbTimeoutMs);
  try {
    return await running.end();
  } finally {
    clearTimeout(impatience);
  }
}

/** Of what is asked of `/proc` again and again, for every process there is, the first few speak for the others. */
function isWorthFailing({ text, nth }: Call): boolean {
  if (/\/proc\/other/.test(text)) return nth === 1;
  return !/\/proc|\bkill\(.*, 0\)/.test(text) || nth <= 3;
}

export function pointsOf(calls: readonly Call[]): readonly Point[] {
  return calls.flatMap((call) => faultsOf(call).map((fault) => ({ call, fault })));
}
