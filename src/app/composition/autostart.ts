import { ServiceFiles } from '../../adapters/autostart/service-files.js';
import { SystemdInstaller } from '../../adapters/linux/systemd-installer.js';
import { LaunchdInstaller } from '../../adapters/macos/launchd-installer.js';
import { TaskInstaller } from '../../adapters/windows/task-installer.js';
import type { AutostartInstaller } from '../../domain/autostart-installer.js';
import { DaemonError } from '../../domain/daemon-error.js';
import type { Clock } from '../../domain/ports.js';
import type { AutostartContext } from '../autostart/autostart.js';
import type { MachineSettings } from './settings.js';

/** The service manager of each platform. Apart from the other bindings, since hardly a verb needs one. */
export function createInstaller(settings: MachineSettings, files: ServiceFiles, clock: Clock): AutostartInstaller {
  const { platform, env } = settings;
  switch (platform) {
    case 'linux':
      return new SystemdInstaller({ env, clock });
    case 'darwin':
      return new LaunchdInstaller({ env, clock, logFolder: files.folder });
    case 'win32':
      return new TaskInstaller({ env, folder: files.folder });
    default:
      throw new DaemonError('unsupported', `${platform} is not supported yet`, { platform });
  }
}

/** All that the use cases of autostart run on. */
export function autostartContext<M extends AutostartContext['machine']>(machine: M, settings: MachineSettings) {
  const files = new ServiceFiles(settings.home, settings.platform);
  return { machine, files, settings, installer: createInstaller(settings, files, machine.clock) };
}
