import { FileDescriptorRepo } from '../../adapters/files/file-descriptor-repo.js';
import { FileLogStore } from '../../adapters/files/file-log-store.js';
import { FileRunLog } from '../../adapters/files/file-run-log.js';
import { noShortener } from '../../adapters/files/log-shortener.js';
import { Fallocate } from '../../adapters/linux/fallocate.js';
import { FileWatch } from '../../adapters/linux/file-watch.js';
import { Flock } from '../../adapters/linux/flock.js';
import { LinuxProcessInspector } from '../../adapters/linux/linux-process-inspector.js';
import { strayDescriptors as linuxStrayDescriptors } from '../../adapters/linux/stray-descriptors.js';
import { Exlock } from '../../adapters/macos/exlock.js';
import { MacosProcessInspector } from '../../adapters/macos/macos-process-inspector.js';
import { strayDescriptors as macosStrayDescriptors } from '../../adapters/macos/stray-descriptors.js';
import { JsonRpcControlChannel } from '../../adapters/net/json-rpc-control-channel.js';
import { NetReadinessProbe } from '../../adapters/net/net-readiness-probe.js';
import { FileLifecycleLock } from '../../adapters/posix/file-lifecycle-lock.js';
import { PosixProcessSpawner } from '../../adapters/posix/posix-process-spawner.js';
import { PosixSignalSender } from '../../adapters/posix/posix-signal-sender.js';
import { SystemClock } from '../../adapters/system-clock.js';
import { DaemonError } from '../../domain/daemon-error.js';
import { type Binding, bind } from './binding.js';
import { tokens } from './tokens.js';
import { windowsBindings } from './windows.js';

/** The same on every system: logs, sockets, time. */
const common: readonly Binding[] = [
  bind(tokens.clock, [], () => new SystemClock()),
  bind(tokens.runs, [tokens.descriptors], (repo) => new FileRunLog(repo)),
  bind(tokens.logs, [tokens.descriptors, tokens.logShortener], (repo, shortener) => new FileLogStore(repo, shortener)),
  bind(tokens.control, [], () => new JsonRpcControlChannel()),
];

/** Elsewhere than on Linux nothing tells soon enough of a file that appears. */
const polledReadiness = bind(
  tokens.readiness,
  [tokens.inspector],
  (inspector) => new NetReadinessProbe((pid) => inspector.hasExecuted(pid)),
);

/** What Linux and macOS share: the launch gate, signals, a lock that the kernel holds on a file. */
const posix: readonly Binding[] = [
  bind(tokens.descriptors, [tokens.settings], (settings) => new FileDescriptorRepo(settings)),
  bind(tokens.signals, [tokens.inspector, tokens.settings], (inspector, { hasTime }) => new PosixSignalSender(inspector, hasTime)),
  bind(
    tokens.spawner,
    [tokens.settings, tokens.inspector, tokens.strayDescriptors],
    ({ env, hasTime, isOursAlone = false }, inspector, strayDescriptors) =>
      new PosixProcessSpawner({ env, inspector, strayDescriptors, hasTime, keepsSpare: isOursAlone }),
  ),
  bind(
    tokens.lock,
    [tokens.settings, tokens.clock, tokens.descriptors, tokens.inspector, tokens.kernelLock],
    ({ claimsFirst }, clock, repo, inspector, kernelLock) => new FileLifecycleLock({ clock, repo, inspector, kernelLock, claimsFirst }),
  ),
];

const linux: readonly Binding[] = [
  bind(tokens.readiness, [tokens.inspector], (inspector) => new NetReadinessProbe((pid) => inspector.hasExecuted(pid), FileWatch.on)),
  bind(tokens.inspector, [tokens.settings], ({ env }) => new LinuxProcessInspector(env)),
  bind(tokens.kernelLock, [tokens.settings], ({ env }) => new Flock(env)),
  bind(tokens.strayDescriptors, [tokens.settings], ({ isOursAlone }) =>
    isOursAlone ? once(linuxStrayDescriptors) : linuxStrayDescriptors,
  ),
  bind(tokens.logShortener, [tokens.settings], ({ env }) => new Fallocate(env)),
];

const macos: readonly Binding[] = [
  bind(tokens.inspector, [tokens.settings], ({ env }) => new MacosProcessInspector(env)),
  bind(tokens.kernelLock, [], () => new Exlock()),
  bind(tokens.strayDescriptors, [tokens.settings], ({ isOursAlone }) =>
    isOursAlone ? once(macosStrayDescriptors) : macosStrayDescriptors,
  ),
  bind(tokens.logShortener, [], () => noShortener),
];

/** The one place where the platform is chosen. */
export function bindingsFor(platform: NodeJS.Platform): readonly Binding[] {
  switch (platform) {
    case 'linux':
      return [...common, ...posix, ...linux];
    case 'darwin':
      return [...common, ...posix, ...macos, polledReadiness];
    case 'win32':
      return [...common, ...windowsBindings(tokens), polledReadiness];
    default:
      throw new DaemonError('unsupported', `${platform} is not supported yet`, { platform });
  }
}

function once<T>(find: () => T): () => T {
  let found: { readonly value: T } | undefined;
  return () => {
    found ??= { value: find() };
    return found.value;
  };
}
