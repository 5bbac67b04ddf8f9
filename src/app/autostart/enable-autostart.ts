import type { BootObstacle } from '../../domain/autostart-installer.js';
import { DaemonError } from '../../domain/daemon-error.js';
import { type SupervisedMachine, startByPolicy } from '../../domain/delegate.js';
import { type DaemonView, look } from '../../domain/look.js';
import { type AutostartContext, entryOf, findService, installService, isKeptBy, runtimeNow, startService } from './autostart.js';
import { removeService } from './disable-autostart.js';
import type { ServiceTarget } from './service-target.js';

export interface EnableOptions {
  /** Has the manager start it now, and waits until it is ready. */
  readonly verify: boolean;
  /** Has this user's services started without a login, where that is permitted. */
  readonly linger: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface Enabled {
  readonly target: ServiceTarget;
  readonly outcome: 'enabled' | 'already-enabled';
  readonly definition: string;
  /** What the service runs by, in the place where it is now. */
  readonly program: string;
  readonly verified: boolean;
  /** Those that ran before, and that the manager has started anew. */
  readonly takenOver: readonly string[];
  readonly views: readonly DaemonView[];
  /** What stands between the next boot and it. */
  readonly obstacles: readonly BootObstacle[];
  /** Lingering was asked for, and is not permitted: who may does it by this. */
  readonly lingerBy: string | undefined;
}

export interface EnableContext extends AutostartContext {
  readonly machine: SupervisedMachine;
}

/**
 * Installs a service and proves it: the manager starts it, and it is ready. One that could not be proven is not left behind,
 * and what ran before runs again.
 *
 * Throws `no-service-manager`, `autostart-failed`, what the start of a daemon throws, `unwritable`, `not-permitted`.
 */
export async function enableAutostart(context: EnableContext, target: ServiceTarget, options: EnableOptions): Promise<Enabled> {
  const { installer, files, machine } = context;
  insistOnOne(context, target);
  const lingerBy = options.linger ? await installer.linger() : undefined;
  if (options.verify) await installer.insist();
  const isOld = files.record(target.id) !== undefined;
  const isUnchanged = isOld && (await isAsItShouldBe(context, target));
  const before = await viewsOf(context, target);
  const isProven = isUnchanged && before.every((view) => view.phase === 'ready' && isKeptBy(view, target.id));
  const { definition, program } = await installService(context, target);
  if (options.verify && !isProven) {
    try {
      await startService(context, target, options.signal);
    } catch (error) {
      if (!isOld) await goBack(context, target, before);
      throw error;
    }
  }
  return {
    target,
    outcome: isUnchanged ? 'already-enabled' : 'enabled',
    definition,
    program,
    verified: options.verify,
    takenOver: options.verify && !isProven ? namesOf(before.filter((view) => isForeign(view, target))) : [],
    views: await Promise.all(target.names.map((name) => look(machine, { name }))),
    obstacles: (await installer.sight(target.id)).obstacles,
    lingerBy,
  };
}

/** Two services would fight over it. */
function insistOnOne({ files }: AutostartContext, target: ServiceTarget): void {
  const records = files.records().filter(({ id }) => id !== target.id);
  for (const name of target.names) {
    const other = findService(records, name);
    if (!other) continue;
    const allowed = `daemonry autostart disable ${other.project === null ? name : `--file ${other.project}`} first`;
    throw new DaemonError('autostart-failed', `${name} is kept by the service ${other.id} already`, { name, service: other.id, allowed });
  }
}

async function isAsItShouldBe(context: AutostartContext, target: ServiceTarget): Promise<boolean> {
  const { installer, files } = context;
  const { definition, obstacles } = await installer.sight(target.id);
  if (definition === undefined || obstacles.some(({ untilLogin }) => !untilLogin)) return false;
  if (files.readLauncher() !== files.launcherText(runtimeNow())) return false;
  return !installer.keepsText || definition === installer.define(entryOf(context, target));
}

async function goBack(context: EnableContext, target: ServiceTarget, before: readonly DaemonView[]): Promise<void> {
  await removeService(context, target.id, target.names);
  for (const view of before.filter((one) => isForeign(one, target))) {
    // The failure is what the caller must hear of.
    await startByPolicy(context.machine, { ref: { name: view.place.name } }).catch(() => {});
  }
}

function isForeign(view: DaemonView, { id }: ServiceTarget): boolean {
  return view.state === 'running' && !isKeptBy(view, id);
}

function viewsOf({ machine }: AutostartContext, { names }: ServiceTarget): Promise<readonly DaemonView[]> {
  return Promise.all(names.map((name) => look(machine, { name })));
}

function namesOf(views: readonly DaemonView[]): readonly string[] {
  return views.map(({ place }) => place.name);
}
