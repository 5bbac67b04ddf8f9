import type { ServiceRecord } from '../../adapters/autostart/service-files.js';
import type { ServiceSighting } from '../../domain/autostart-installer.js';
import { isDaemonError } from '../../domain/daemon-error.js';
import type { DaemonSpec } from '../../domain/daemon-spec.js';
import { type DaemonView, look } from '../../domain/look.js';
import { type AutostartContext, entryOf, findService, isKeptBy, isThere } from './autostart.js';
import { targetOf } from './find-target.js';

/** What will become of a daemon when the machine is started next. */
export type NextBoot = 'starts' | 'at-login' | 'does-not-start';

/** Why a daemon will not be there after the next start of the machine, or not as it was meant. */
export interface BootReason {
  readonly code:
    | 'not-enabled'
    | 'not-lingering'
    | 'at-login'
    | 'disabled'
    | 'not-installed'
    | 'moved-home'
    | 'outdated-definition'
    | 'missing-launcher'
    | 'missing-runtime'
    | 'missing-project'
    | 'missing-spec'
    | 'unstartable'
    | 'last-start-failed';
  readonly message: string;
  readonly hint: string;
  /** Whether it keeps the daemon from being started at all. */
  readonly blocks: boolean;
  /** Whether installing the service again mends it. */
  readonly drift: boolean;
}

export interface AutostartStatus {
  readonly name: string;
  readonly enabled: boolean;
  readonly service: string | null;
  readonly manager: string | null;
  readonly definition: string | null;
  readonly project: string | null;
  readonly boot: NextBoot;
  readonly reasons: readonly BootReason[];
  readonly view: DaemonView;
  /** Whether it runs by its service, and not otherwise. */
  readonly isManaged: boolean;
}

/** Of these daemons, or of every one of this home. Changes nothing. */
export async function autostartStatus(context: AutostartContext, names: readonly string[] = []): Promise<readonly AutostartStatus[]> {
  const records = context.files.records();
  const known = [...(await context.machine.descriptors.names()), ...records.flatMap((record) => record.names)];
  const all = names.length > 0 ? names : unique(known);
  const sightings = new Map<string, Promise<ServiceSighting>>();
  const statuses: AutostartStatus[] = [];
  for (const name of all) {
    const view = await look(context.machine, { name });
    const record = findService(records, name);
    if (!record) {
      statuses.push(notEnabled(view));
      continue;
    }
    const sighting = sightings.get(record.id) ?? Promise.resolve(context.installer.sight(record.id));
    sightings.set(record.id, sighting);
    statuses.push(await statusOf(context, view, record, await sighting));
  }
  return statuses;
}

async function statusOf(
  context: AutostartContext,
  view: DaemonView,
  record: ServiceRecord,
  sighting: ServiceSighting,
): Promise<AutostartStatus> {
  const reasons = [
    ...sighting.obstacles.map((obstacle) => ({ ...obstacle, blocks: !obstacle.untilLogin, drift: obstacle.code === 'disabled' })),
    ...(await findDrift(context, record, sighting)),
    ...(await findUnstartable(context, view, record)),
  ];
  const isLate = sighting.obstacles.some(({ untilLogin }) => untilLogin);
  return {
    name: view.place.name,
    enabled: true,
    service: record.id,
    manager: record.manager,
    definition: record.definition,
    project: record.project,
    boot: reasons.some(({ blocks }) => blocks) ? 'does-not-start' : isLate ? 'at-login' : 'starts',
    reasons: reasons.map(({ code, message, hint, blocks, drift }) => ({ code, message, hint, blocks, drift })),
    view,
    isManaged: view.state === 'running' && isKeptBy(view, record.id),
  };
}

function notEnabled(view: DaemonView): AutostartStatus {
  const { name } = view.place;
  const message = `${name} is not enabled`;
  const hint = `daemonry autostart enable ${name}`;
  return {
    name,
    enabled: false,
    service: null,
    manager: null,
    definition: null,
    project: null,
    boot: 'does-not-start',
    reasons: [{ code: 'not-enabled', message, hint, blocks: true, drift: false }],
    view,
    isManaged: false,
  };
}

/** Where what is installed is not what would be installed now. */
export async function findDrift(
  context: AutostartContext,
  record: ServiceRecord,
  { definition }: ServiceSighting,
): Promise<readonly BootReason[]> {
  const { files, installer, settings } = context;
  const heals = { hint: 'daemonry doctor --fix', drift: true };
  if (record.home !== settings.home) {
    return [{ ...heals, code: 'moved-home', message: `the home was ${record.home} when ${record.id} was installed`, blocks: true }];
  }
  if (definition === undefined) {
    return [{ ...heals, code: 'not-installed', message: `${record.definition} is gone`, blocks: true }];
  }
  const reasons: BootReason[] = [];
  const target = await targetOf(context, record).catch(() => undefined);
  if (target && installer.keepsText && definition !== installer.define(entryOf(context, target))) {
    reasons.push({ ...heals, code: 'outdated-definition', message: `${record.definition} is not what it would be now`, blocks: false });
  }
  if (files.readLauncher() === undefined) {
    reasons.push({ ...heals, code: 'missing-launcher', message: `${files.launcher} is gone`, blocks: true });
  }
  for (const path of [record.node, record.program].filter((one) => !isThere(one))) {
    const message = `${path} is gone: the service will look for another`;
    reasons.push({ ...heals, code: 'missing-runtime', message, blocks: false });
  }
  return reasons;
}

async function findUnstartable(context: AutostartContext, { place }: DaemonView, record: ServiceRecord): Promise<readonly BootReason[]> {
  const { machine, files } = context;
  const at = { blocks: true, drift: false };
  let spec: DaemonSpec | undefined;
  try {
    const target = await targetOf(context, record);
    spec = target.specs[target.names.findIndex((name) => name.toLowerCase() === place.name.toLowerCase())];
    if (!spec)
      return [{ ...at, code: 'missing-spec', message: `${record.project} has no ${place.name} any more`, hint: 'enable it again' }];
    await machine.spawner.resolve(spec);
  } catch (error) {
    if (!isDaemonError(error)) throw error;
    const code = spec ? 'unstartable' : record.project === null ? 'missing-spec' : 'missing-project';
    return [{ ...at, code, message: error.message, hint: spec ? 'see its command and folder' : 'enable it again' }];
  }
  const report = files.report(record.id);
  if (report?.outcome !== 'failed') return [];
  const message = `its last start failed: ${report.error?.message ?? 'it did not say why'}`;
  return [{ code: 'last-start-failed', message, hint: `daemonry logs ${place.name} may tell why`, blocks: false, drift: false }];
}

function unique(names: readonly string[]): readonly string[] {
  const seen = new Map(names.map((name) => [name.toLowerCase(), name]));
  return [...seen.values()].sort();
}
