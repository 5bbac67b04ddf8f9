import { noShortener } from '../../adapters/files/log-shortener.js';
import { sendConsoleBreak } from '../../adapters/windows/console-break.js';
import { isConfining } from '../../adapters/windows/held-process.js';
import { loadKernel } from '../../adapters/windows/kernel.js';
import { WindowsDescriptorRepo } from '../../adapters/windows/windows-descriptor-repo.js';
import { WindowsLifecycleLock } from '../../adapters/windows/windows-lifecycle-lock.js';
import { WindowsProcessInspector } from '../../adapters/windows/windows-process-inspector.js';
import { WindowsProcessSpawner } from '../../adapters/windows/windows-process-spawner.js';
import { WindowsSignalSender } from '../../adapters/windows/windows-signal-sender.js';
import { type Binding, bind } from './binding.js';
import type { Shortcoming } from './shortcomings.js';
import type { tokens } from './tokens.js';

/** What Windows has of its own. In the build a file apart, which no other system reads; so it is given the tokens that all share. */
export function windowsBindings({
  settings,
  clock,
  descriptors,
  inspector,
  signals,
  spawner,
  lock,
  logShortener,
}: typeof tokens): readonly Binding[] {
  return [
    bind(descriptors, [settings, inspector], (here, who) => new WindowsDescriptorRepo(here, who)),
    bind(inspector, [settings], ({ env }) => new WindowsProcessInspector(env)),
    bind(logShortener, [], () => noShortener),
    bind(signals, [inspector], (who) => new WindowsSignalSender({ inspector: who, sendBreak: sendConsoleBreak })),
    bind(spawner, [settings, inspector], ({ env }, who) => new WindowsProcessSpawner({ env, inspector: who })),
    bind(lock, [clock, descriptors, inspector], (time, repo, who) => new WindowsLifecycleLock({ clock: time, repo, inspector: who })),
  ];
}

export function windowsShortcomings(): readonly Shortcoming[] {
  try {
    return isConfining(loadKernel()) ? [confiningJob] : [];
  } catch {
    // Without koffi nobody knows, and that is found elsewhere.
    return [];
  }
}

const confiningJob: Shortcoming = {
  code: 'confining-job',
  message:
    'this program runs in a job that lets nobody go: what is started from here may end with the terminal, editor, service or agent that made it',
  hint: `start it outside of that job: powershell -Command "Invoke-CimMethod Win32_Process Create -Arguments @{CommandLine='cmd /c daemonry start NAME'}"`,
};
