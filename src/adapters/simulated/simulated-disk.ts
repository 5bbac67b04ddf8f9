import { checkedFolderName } from '../../domain/daemon-name.js';
import type { DaemonSpec } from '../../domain/daemon-spec.js';
import type { Descriptor } from '../../domain/descriptor.js';
import type { DaemonRef } from '../../domain/ports.js';
import type { RunRecord } from '../../domain/run-record.js';

export type StoredRecord =
  | { readonly kind: 'absent' }
  | { readonly kind: 'corrupt'; readonly reason: string }
  | { readonly kind: 'newer'; readonly schema: number }
  | { readonly kind: 'present'; readonly descriptor: Descriptor };

/** What is kept of one daemon. Survives every crash. */
export interface DaemonFolder {
  readonly name: string;
  readonly descriptor: string;
  readonly log: string;
  record: StoredRecord;
  /** What of it a power cut leaves. */
  settled: StoredRecord;
  /** The instance that ended by itself, cleanly. */
  ended: string | null;
  spec: DaemonSpec | undefined;
  /** The newest first. */
  runs: readonly RunRecord[];
  /** Records that could not be parsed. */
  readonly setAside: StoredRecord[];
}

const home = '/home/simulated';

/** The files. */
export class SimulatedDisk {
  /** Counts what is done to descriptors, so that a judge looks only then. */
  changes = 0;
  /** Logs and notify files: ASCII, so that a length is a size. */
  readonly files = new Map<string, string>();

  /** At which offset a log that was rotated begins. */
  private readonly bases = new Map<string, number>();
  private readonly keys = new Map<string, string>();
  private readonly foldersByKey = new Map<string, DaemonFolder>();

  get folders(): IterableIterator<DaemonFolder> {
    return this.foldersByKey.values();
  }

  /** One key for all spellings of a name. */
  keyOf(ref: DaemonRef): string {
    if (ref.descriptor !== undefined) return ref.descriptor;
    let key = this.keys.get(ref.name);
    if (key === undefined) {
      key = descriptorPath(checkedFolderName(ref.name).toLowerCase());
      this.keys.set(ref.name, key);
    }
    return key;
  }

  find(ref: DaemonRef): DaemonFolder | undefined {
    return this.foldersByKey.get(this.keyOf(ref));
  }

  /** The folder of a daemon that is known; what it would be for one that is not. */
  locate(ref: DaemonRef): DaemonFolder {
    return this.find(ref) ?? this.imagine(ref);
  }

  create(ref: DaemonRef): DaemonFolder {
    const found = this.find(ref);
    if (found) return found;
    const folder = this.imagine(ref);
    this.foldersByKey.set(this.keyOf(ref), folder);
    return folder;
  }

  store(folder: DaemonFolder, record: StoredRecord): void {
    folder.record = record;
    this.changes++;
  }

  settle(folder: DaemonFolder): void {
    folder.settled = folder.record;
  }

  /** What was not settled may be there or not, each record as a whole: as file systems that keep a journal have it. */
  loseUnsettled(isLost: () => boolean): void {
    for (const folder of this.foldersByKey.values()) {
      if (folder.settled !== folder.record && isLost()) this.store(folder, folder.settled);
      this.settle(folder);
    }
  }

  append(path: string, text: string): void {
    this.files.set(path, (this.files.get(path) ?? '') + text);
  }

  sizeOf(path: string): number {
    return this.files.get(path)?.length ?? 0;
  }

  baseOf(path: string): number {
    return this.bases.get(path) ?? 0;
  }

  /** What was written to a log from an offset on, as far as it is kept. */
  outputFrom(path: string, offset: number): string {
    let text = this.files.get(path) ?? '';
    let begin = this.baseOf(path);
    for (let number = 1; this.files.has(`${path}.${number}`); number++) {
      const older = this.files.get(`${path}.${number}`) as string;
      text = older + text;
      begin -= older.length;
    }
    return text.slice(Math.max(0, offset - begin));
  }

  /** In one moment: nobody is killed in the middle of it. */
  rotateLog(path: string, keep: number): void {
    const base = this.baseOf(path) + this.sizeOf(path);
    for (let number = keep; number >= 1; number--) {
      const text = this.files.get(number === 1 ? path : `${path}.${number - 1}`);
      if (text !== undefined) this.files.set(`${path}.${number}`, text);
    }
    for (let number = keep + 1; this.files.delete(`${path}.${number}`); number++);
    this.files.delete(path);
    this.bases.set(path, base);
  }

  private imagine(ref: DaemonRef): DaemonFolder {
    const descriptor = ref.descriptor ?? descriptorPath(ref.name);
    const log = descriptor.replace(/\/daemon\.json$|(?:\.json)?$/, (end) => (end === '/daemon.json' ? '/daemon.log' : '.daemon.log'));
    return {
      name: checkedFolderName(ref.name),
      descriptor,
      log,
      record: { kind: 'absent' },
      settled: { kind: 'absent' },
      ended: null,
      spec: undefined,
      runs: [],
      setAside: [],
    };
  }
}

function descriptorPath(name: string): string {
  return `${home}/${name}/daemon.json`;
}
