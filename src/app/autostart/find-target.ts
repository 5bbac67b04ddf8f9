import type { ServiceRecord } from '../../adapters/autostart/service-files.js';
import { readProject } from '../../adapters/project/read-project.js';
import { findDaemonTarget, type TargetPlace } from './find-daemon-target.js';
import { projectTarget, type ServiceTarget } from './service-target.js';

/** What a service keeps, as things are now. Throws what reading its project file throws. */
export async function targetOf(place: TargetPlace, { names, project }: ServiceRecord): Promise<ServiceTarget> {
  return project === null ? findDaemonTarget(place, names[0] ?? '') : projectTarget(place.settings, readProject({ file: project }));
}
