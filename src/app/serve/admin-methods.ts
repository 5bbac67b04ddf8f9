import { protocolVersion } from '../../adapters/net/hello.js';
import type { ProtocolRange } from '../../domain/protocol-range.js';

/** What the administrative methods ask of the daemon that answers them. */
export interface Administered {
  readonly name: string;
  readonly instanceId: string;
  readonly version: string | null;
  readonly phase: 'ready' | 'stopping';
  readonly connectionCount: number;
  /** `undefined` where it does not say. */
  readonly speaks: ProtocolRange | undefined;
  readonly isBusy: boolean | undefined;
  /** `undefined` where it belongs to nobody. */
  readonly ownerCount: number | undefined;
  /** False where the daemon has nothing to reload. */
  reload(): Promise<boolean>;
  shutdown(): void;
}

/** The methods that every daemon answers, frozen for ever: a field may be added to an answer, nothing else. */
export function adminMethods(daemon: Administered): Readonly<Record<string, () => unknown>> {
  const { instanceId, name, version } = daemon;
  return {
    'system.hello': () => ({ instanceId, name, version, protocol: protocolVersion, speaks: daemon.speaks }),
    'system.version': () => version,
    'system.ping': () => 'pong',
    'system.status': () => ({
      instanceId,
      name,
      version,
      pid: process.pid,
      uptimeMs: Math.round(process.uptime() * 1_000),
      connections: daemon.connectionCount,
      phase: daemon.phase,
      busy: daemon.isBusy,
      owners: daemon.ownerCount,
    }),
    'system.reload': () => daemon.reload(),
    'system.shutdown': () => {
      // The answer first: it has been written once what is queued now has run.
      setImmediate(() => daemon.shutdown());
      return true;
    },
  };
}
