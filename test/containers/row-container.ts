import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import { inject } from 'vitest';
import { runLabel } from './engine.js';
import { imageOf, nodeOf } from './prepare.js';
import type { Row } from './rows.js';

const prepared = inject('prepared');

/** Why this row can't be run, or `undefined`. */
export function whyNot(row: Row): string | undefined {
  if (prepared.missing !== undefined) return prepared.missing;
  const needs = [prepared.images[imageOf(row)], prepared.nodes[nodeOf(row)], row.system === 'wine' ? prepared.windows : undefined];
  for (const need of needs) if (need && 'lacks' in need) return need.lacks;
  return undefined;
}

/** What testcontainers has no words for. */
class RowContainer extends GenericContainer {
  settle({ system, reaps, readOnlyRoot, memoryMb }: Row): this {
    // systemd reaps by itself, and only as pid 1.
    if (reaps && system !== 'systemd') this.hostConfig.Init = true;
    if (memoryMb !== undefined) {
      // Without swap, which would put off the end.
      this.hostConfig.Memory = memoryMb * 1024 * 1024;
      this.hostConfig.MemorySwap = this.hostConfig.Memory;
    }
    if (readOnlyRoot) {
      this.hostConfig.ReadonlyRootfs = true;
      this.hostConfig.Tmpfs = { '/volume': 'rw,exec,mode=1777' };
    }
    return this;
  }
}

export interface RowOptions {
  /** A folder of this machine that stands at `/volume`. */
  readonly volume?: string;
  readonly tmpFs?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A container of this row, with the packed daemonry in it. Whoever starts it stops it. */
export async function startRow(row: Row, options: RowOptions = {}): Promise<StartedTestContainer> {
  const container = new RowContainer(held(prepared.images[imageOf(row)]))
    .settle(row)
    .withLabels({ [runLabel]: String(prepared.run) })
    .withEnvironment({ ...row.environment, ...options.environment })
    .withBindMounts([
      ...(row.system === 'wine' ? windowsMounts(row) : linuxMounts(row)),
      ...(options.volume === undefined ? [] : [{ source: options.volume, target: '/volume', mode: 'rw' } as const]),
      ...(row.system === 'systemd' ? [readOnly('/sys/fs/cgroup', '/sys/fs/cgroup')] : []),
    ]);
  if (options.tmpFs) container.withTmpFs({ ...options.tmpFs });
  if (row.system === 'systemd') {
    // It begins as root, and the user's own manager is up some time later.
    container.withAddedCapabilities('SYS_ADMIN').withWaitStrategy(Wait.forSuccessfulCommand('systemctl is-active user@1000.service'));
  } else {
    container.withUser(row.user);
  }
  return container.start();
}

function linuxMounts(row: Row) {
  return [
    readOnly(prepared.application, '/opt/app'),
    readOnly(prepared.libraries, '/opt/app/suite/node_modules'),
    readOnly(held(prepared.nodes[nodeOf(row)]), '/usr/local/bin/node'),
  ];
}

function windowsMounts(row: Row) {
  const drive = '/opt/wine/drive_c';
  return [readOnly(held(prepared.windows), `${drive}/app`), readOnly(held(prepared.nodes[nodeOf(row)]), `${drive}/node/node.exe`)];
}

function readOnly(source: string, target: string) {
  return { source, target, mode: 'ro' } as const;
}

function held(need: { readonly has: string } | { readonly lacks: string } | undefined): string {
  if (need && 'has' in need) return need.has;
  throw new Error('this row was to be skipped');
}

/** Each process of a container in a line: pid, state, parent and words. Zombies have no words. */
export async function processesOf(container: StartedTestContainer): Promise<string> {
  const script = `for stat in /proc/[0-9]*/stat; do
    read -r line <"$stat" || continue
    printf '%.60s | ' "$line"; tr '\\0' ' ' <"\${stat%stat}cmdline"; echo
  done 2>/dev/null`;
  return (await container.exec(['sh', '-c', script])).output;
}
