import { resolve } from 'node:path';
import { readProject } from '../../adapters/project/read-project.js';
import { checkedName } from '../../domain/daemon-name.js';
import {
  abortSignal,
  type Checks,
  checkOptions,
  flag,
  isAnyList,
  isSomeText,
  optional,
  path,
  required,
} from '../../domain/option-checks.js';
import { type AutostartStatus, autostartStatus } from '../autostart/autostart-status.js';
import { type Disabled, disableAutostart, disableProject } from '../autostart/disable-autostart.js';
import { type Enabled, enableAutostart } from '../autostart/enable-autostart.js';
import { type ExportTarget, exportDaemon, exportTargets } from '../autostart/export-daemon.js';
import { findDaemonTarget } from '../autostart/find-daemon-target.js';
import { projectTarget } from '../autostart/service-target.js';
import { autostartContext } from '../composition/autostart.js';
import { createMachine } from '../composition/container.js';
import { machineSettings } from '../composition/settings.js';
import { withSupervisor } from '../composition/supervising.js';
import type {
  Autostart,
  AutostartDisabled,
  AutostartEnabled,
  AutostartPlace,
  AutostartSubject,
  DaemonAutostart,
  EnableAutostartOptions,
} from './autostart.js';

/** See `autostart`, which reads this at its first use. */
export const autostartFunctions: Autostart = {
  async enable(subject, options = {}) {
    const context = contextOf(options);
    checkSubject(subject);
    const target =
      'file' in subject ? projectTarget(context.settings, projectOf(subject.file)) : await findDaemonTarget(context, subject.name);
    const { verify = true, linger = false, signal } = options;
    return enabled(await enableAutostart(context, target, { verify, linger, signal }));
  },

  async disable(subject, options = {}) {
    const context = contextOf(options);
    checkSubject(subject);
    if (!('file' in subject)) return disabled(await disableAutostart(context, checkedName(subject.name)));
    const { file, daemons } = projectOf(subject.file);
    return disabled(
      await disableProject(
        context,
        file,
        daemons.map(({ name }) => name),
      ),
    );
  },

  async status(names = [], options = {}) {
    checkOptions({ names }, { names: optional(isAnyList, 'it is a list of names') });
    return (await autostartStatus(contextOf(options), names.map(checkedName))).map(described);
  },

  async export(name, to, options = {}) {
    checkOptions({ to }, exportChecks);
    return exportDaemon(contextOf(options), name, to);
  },
};

const checks: Checks<EnableAutostartOptions> = { home: path, verify: flag, linger: flag, signal: abortSignal };
const exportChecks = { to: required((value) => exportTargets.includes(value as ExportTarget), `it is one of ${exportTargets.join(', ')}`) };

/** A name is checked where it is used. */
function checkSubject(subject: AutostartSubject): void {
  checkOptions(subject, {}, 'subject');
  if ('file' in subject) checkOptions(subject, { file: required(isSomeText, 'it is a path') }, 'subject');
}

function contextOf(options: AutostartPlace) {
  checkOptions(options, checks);
  const { home } = options;
  const settings = machineSettings({ home });
  return autostartContext(withSupervisor(createMachine({ home }), settings), settings);
}

function projectOf(file: string) {
  return readProject({ file: resolve(file) });
}

function enabled({ target, outcome, definition, verified, takenOver, obstacles }: Enabled): AutostartEnabled {
  return { outcome, service: target.id, definition, names: target.names, verified, takenOver, obstacles };
}

function disabled({ outcome, names }: Disabled): AutostartDisabled {
  return { outcome, names };
}

function described({ name, enabled, service, isManaged, boot, reasons }: AutostartStatus): DaemonAutostart {
  return { name, enabled, service, managed: isManaged, boot, reasons };
}
