import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunningProgram } from '../support/command-line.js';
import { loadLibrary } from '../support/library.js';
import { describeProcess, killSeen, markedProcesses } from '../support/processes.js';
import { seededRandom } from '../support/random.js';
import { commandLine } from '../support/suite.js';
import { waitFor } from '../support/wait-for.js';
import { createPlayer, type Kind, type Player } from './cast.js';
import { type SoakFigures, trendOf } from './figures.js';
import { checkNumberedLines, type LineFigures } from './numbered-lines.js';
import { leadersIn } from './sightings.js';
import { Stage } from './stage.js';
import { User } from './users.js';

export interface SoakOptions {
  readonly seed: number;
  readonly seconds: number;
  /** How many of each kind. */
  readonly cast: Readonly<Partial<Record<Kind, number>>>;
  readonly users: number;
  readonly idleMs: number;
  /** How long a supervisor lives before it is killed, on the average. */
  readonly supervisorLifeMs: number;
  /** The last part of the time, in which nobody kills the supervisor, so that its memory can be watched. */
  readonly calmShare: number;
}

export interface SoakReport {
  readonly figures: SoakFigures;
  /** What must never be, with evidence. */
  readonly violations: readonly string[];
}

const lookEveryMs = 250;
const backMs = 30_000;
const endMs = 60_000;
/** A supervisor is held to be growing only where it was watched for so long. */
const fewestWatchedSeconds = 120;
const mostKbPerMinute = 1_024;
const mostGrowth = 1.5;

/** Lets users, crashes and kills loose on a home of its own, and says what must never be and yet was. Leaves nothing. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'soak-')));
  const home = join(folder, 'home');
  const players = Object.entries(options.cast).flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, index) => createPlayer(kind as Kind, index + 1, folder, home)),
  );
  const stage = new Stage(folder, home, players, options.idleMs);
  const began = performance.now();
  try {
    await goOn(stage, options);
    await insistThatAllAreBack(stage);
    await endAll(stage, 'at the end');
    const lines = checkAllLines(stage);
    await insistOnFreeLocks(stage);
    const memory = trendOf(stage.memory);
    const isGrowing = memory !== undefined && memory.kbPerMinute > mostKbPerMinute && memory.lastKb > memory.firstKb * mostGrowth;
    if (isGrowing && memory.seconds >= fewestWatchedSeconds) stage.violate(`the supervisor grows: ${JSON.stringify(memory)}`);
    const { verbs, failures, slowestVerb, supervisorKills, instances, looks, longestUnrecordedMs } = stage;
    const seconds = Math.round((performance.now() - began) / 1_000);
    const counted = { runs: instances.size, looks, longestUnrecordedMs, supervisorKills, verbs, failures, slowestVerb };
    return { figures: { seed: options.seed, seconds, daemons: players.length, ...counted, memory, lines }, violations: stage.violations };
  } finally {
    await waitFor('the end of all that is left', () => {
      const left = markedProcesses(home);
      for (const seen of left) killSeen(seen);
      return left.length === 0;
    });
    rmSync(folder, { recursive: true, force: true });
  }
}

async function goOn(stage: Stage, { seed, seconds, users, supervisorLifeMs, calmShare }: SoakOptions): Promise<void> {
  const began = performance.now();
  const isOver = () => performance.now() - began >= seconds * 1_000;
  const isCalm = () => performance.now() - began >= seconds * 1_000 * (1 - calmShare);
  const killing = async () => {
    const random = seededRandom(seed);
    while (!isCalm()) {
      // Exponential, so that some live for a blink and some for long; in steps, so that the calm is not missed.
      const until = performance.now() - Math.log(1 - random()) * supervisorLifeMs;
      while (performance.now() < until && !isCalm()) await stage.pause(20);
      if (!isCalm()) stage.killSupervisor();
    }
  };
  const watching = async () => {
    while (!isOver()) {
      stage.look();
      await stage.pause(lookEveryMs);
    }
  };
  const acting = Array.from({ length: users }, (_, index) => new User(stage, seededRandom(seed + 1 + index)).actUntil(isOver));
  await Promise.all([killing(), watching(), ...acting]);
}

/** After the last verb, whatever is to run runs, or comes back. */
async function insistThatAllAreBack(stage: Stage): Promise<void> {
  // Of a supervisor that was killed, the next verb that acts has to bring another, whatever else it does.
  const verb = new RunningProgram(process.execPath, ['--', commandLine, 'stop', 'nobody'], { cwd: '/', env: stage.env });
  await verb.end();
  const missing = new Set(stage.players.filter((player) => player.isLasting && stage.isWanted(player)));
  const deadline = performance.now() + backMs;
  while (missing.size > 0 && performance.now() < deadline) {
    const leaders = leadersIn(stage.home, stage.players);
    for (const player of missing) if (leaders.some(({ name }) => name === player.name)) missing.delete(player);
    await stage.pause(20);
  }
  for (const { name } of missing) stage.violate(`${name} does not come back\n${stage.tell(name)}\n${stage.tell('supervisor')}`);
}

async function endAll(stage: Stage, when: string): Promise<void> {
  const program = new RunningProgram(process.execPath, ['--', commandLine, 'stop', '--all', '--json'], { cwd: '/', env: stage.env });
  const { exitCode, stdout, stderr } = await stage.timed('stop --all', () => program.end());
  if (exitCode !== 0) stage.violate(`${when}, stop --all failed with ${exitCode}: ${stdout}${stderr}`);
  const deadline = performance.now() + endMs;
  let left = markedProcesses(stage.home);
  // The supervisor, too, leaves when there is nothing to supervise.
  while (left.length > 0 && performance.now() < deadline) {
    await stage.pause(20);
    left = markedProcesses(stage.home);
  }
  for (const { pid, instanceId } of left) stage.violate(`${when}, ${describeProcess(pid)} of ${instanceId} is left after stop --all`);
  for (const { name } of stage.players) {
    const isRecorded = existsSync(join(stage.home, name, 'daemon.json'));
    if (isRecorded) stage.violate(`${when}, the record of ${name} is left after stop --all\n${stage.tell(name)}`);
  }
}

/** Each can be started and stopped again, in a time in which nobody waits for a lock that a dead one holds. */
async function insistOnFreeLocks(stage: Stage): Promise<void> {
  const { defineDaemon } = loadLibrary();
  const start = async ({ options }: Player) => {
    // Plainly, so that what is tried is its lock and not its luck.
    await defineDaemon({ name: options.name, home: stage.home, cwd: '/', command: 'sleep', args: ['1000'] }).start();
  };
  const all = stage.timed('start of all, once more', () => Promise.allSettled(stage.players.map(start)));
  for (const result of await all) if (result.status === 'rejected') stage.violate(`it can't be started again: ${result.reason}`);
  await endAll(stage, 'after another start');
}

function checkAllLines(stage: Stage): Record<string, LineFigures> {
  const figures: Record<string, LineFigures> = {};
  for (const { name, truth } of stage.players) {
    if (truth === undefined || !existsSync(join(stage.home, name, 'daemon.log'))) continue;
    const checked = checkNumberedLines(join(stage.home, name), truth);
    figures[name] = checked.figures;
    for (const fault of checked.faults.slice(0, 5)) stage.violate(`the log of ${name}: ${fault}`);
  }
  return figures;
}
