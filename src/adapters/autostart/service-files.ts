import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceManager } from '../../domain/autostart-installer.js';
import type { DaemonRef } from '../../domain/ports.js';
import { errnoOf, naming } from '../files/file-errors.js';
import { checkedFolder, checkedSubfolder, readOwnFile, removeIfThere, writeAtomically } from '../files/safe-files.js';
import { launcherBatch } from './launcher-batch.js';
import { type LauncherTarget, launcherScript } from './launcher-script.js';
import { serviceFolder } from './service-folder.js';

/** A service of this home that has been installed: what it keeps, and what it was installed with. */
export interface ServiceRecord {
  readonly id: string;
  readonly manager: ServiceManager;
  /** Where the home was then. */
  readonly home: string;
  /** The daemons that it keeps. */
  readonly names: readonly string[];
  /** The project file that they come from, as an absolute path. */
  readonly project: string | null;
  /** What the manager was told. */
  readonly definition: string;
  readonly node: string;
  readonly program: string;
  /** Where the programs of its daemons were found that are named without a path: a service manager looks in fewer places. */
  readonly folders: readonly string[];
}

/** How the last start of a service went. */
export interface ServiceReport {
  readonly outcome: 'ready' | 'failed';
  readonly pid: number;
  readonly at: string;
  readonly error?: { readonly code: string; readonly message: string; readonly facts: Readonly<Record<string, unknown>> };
}

/** What is kept of services in the home of their daemons, beside those: `_autostart`. */
export class ServiceFiles {
  readonly folder: string;

  constructor(
    readonly home: string,
    private readonly platform: NodeJS.Platform,
  ) {
    this.folder = join(home, serviceFolder);
  }

  get launcher(): string {
    return join(this.folder, this.platform === 'win32' ? 'launcher.cmd' : 'launcher');
  }

  /** In the order of their names. */
  records(): readonly ServiceRecord[] {
    let files: readonly string[];
    try {
      files = readdirSync(this.folder);
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error))) return [];
      return naming(this.folder, 'read', () => {
        throw error;
      });
    }
    const ids = files.flatMap((file) => (file.endsWith('.json') && !file.endsWith('.report.json') ? file.slice(0, -'.json'.length) : []));
    return ids.sort().flatMap((id) => this.record(id) ?? []);
  }

  record(id: string): ServiceRecord | undefined {
    const value = this.readJson(join(this.folder, `${id}.json`));
    return isRecord(value) && value.id === id ? value : undefined;
  }

  writeRecord(record: ServiceRecord): void {
    this.makeFolder();
    writeAtomically(join(this.folder, `${record.id}.json`), `${JSON.stringify({ schema: 1, ...record }, null, 2)}\n`);
  }

  /** The last one takes the launcher along. */
  remove(id: string): void {
    const lock = join(this.folder, `${id}.service.lock`);
    for (const path of [join(this.folder, `${id}.json`), this.reportPath(id), lock]) naming(path, 'write', () => removeIfThere(path));
    if (this.records().length === 0) naming(this.folder, 'write', () => rmSync(this.folder, { recursive: true, force: true }));
  }

  launcherText(target: Omit<LauncherTarget, 'home'>): string {
    return (this.platform === 'win32' ? launcherBatch : launcherScript)({ home: this.home, ...target });
  }

  readLauncher(): string | undefined {
    const file = readOwnFile(this.launcher);
    return file && 'text' in file ? file.text : undefined;
  }

  writeLauncher(text: string): void {
    this.makeFolder();
    if (this.readLauncher() !== text) writeAtomically(this.launcher, text);
  }

  /** By which one lock for each service is had, beside those of its daemons: whoever has it is no daemon's starter yet. */
  lockOf(id: string): DaemonRef {
    return { name: 'service', descriptor: join(this.folder, `${id}.service.json`) };
  }

  report(id: string): ServiceReport | undefined {
    const value = this.readJson(this.reportPath(id)) as ServiceReport | undefined;
    return value?.outcome === 'ready' || value?.outcome === 'failed' ? value : undefined;
  }

  writeReport(id: string, report: ServiceReport): void {
    writeAtomically(this.reportPath(id), `${JSON.stringify({ schema: 1, ...report }, null, 2)}\n`);
  }

  removeReport(id: string): void {
    const path = this.reportPath(id);
    naming(path, 'write', () => removeIfThere(path));
  }

  private makeFolder(): void {
    checkedFolder(this.home, { create: true });
    checkedSubfolder(this.folder);
  }

  private reportPath(id: string): string {
    return join(this.folder, `${id}.report.json`);
  }

  private readJson(path: string): unknown {
    const file = readOwnFile(path);
    if (!file || 'notAFile' in file) return undefined;
    try {
      return JSON.parse(file.text) ?? undefined;
    } catch {
      return undefined;
    }
  }
}

function isRecord(value: unknown): value is ServiceRecord {
  const { id, manager, home, names, project, definition, node, program, folders } = (value ?? {}) as Partial<
    Record<keyof ServiceRecord, unknown>
  >;
  const isText = (one: unknown): one is string => typeof one === 'string';
  return (
    [id, manager, home, definition, node, program].every(isText) &&
    [names, folders].every((list) => Array.isArray(list) && list.every(isText)) &&
    (project === null || isText(project))
  );
}
