import { existsSync, lstatSync, readdirSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DaemonError } from '../../domain/daemon-error.js';
import { checkedFolderName, checkedName, nameKey, sameName } from '../../domain/daemon-name.js';
import type { DaemonSpec } from '../../domain/daemon-spec.js';
import type { Descriptor, DescriptorReading } from '../../domain/descriptor.js';
import type { DaemonPlace, DaemonRef, DescriptorRepo, HeldLock, InstanceFiles } from '../../domain/ports.js';
import { monotonicMs } from '../monotonic-ms.js';
import { type DaemonFiles, filesBeside, filesInHome } from './daemon-files.js';
import { decodeDescriptor, encodeDescriptor } from './descriptor-codec.js';
import { errnoOf, fileFailure, naming } from './file-errors.js';
import { randomId, shortId } from './random-id.js';
import {
  checkedFolder,
  checkedSubfolder,
  largestFileBytes,
  readOwnFile,
  removeIfThere,
  settleFile,
  settleFolder,
  syncInPlace,
  syncMeanwhile,
  writeAtOnce,
} from './safe-files.js';
import { createSocketPath, removeDeadSocket, type SocketWish } from './socket-path.js';

export interface FileSettings {
  /** Absolute. */
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** This program has nothing else to do while it waits for a disk. */
  readonly hasTime?: boolean | undefined;
}

/** What was seen is not seen any more in a turn that takes longer: of a program that waits for a child, or in microtasks only. */
const longestTurnMs = 50;

/** One folder for each daemon in the home; see `DaemonFiles` for what is in it. */
export class FileDescriptorRepo implements DescriptorRepo {
  /** Where the files are of those whose lock is held: they stay there until it is let go of. */
  private readonly held = new WeakMap<DaemonRef, Place>();
  /** Of daemons that have a folder, and in which turn that was seen last. */
  private readonly kept = new WeakMap<DaemonRef, { readonly place: Place; seen: Turn }>();
  private turn: Turn = { startedAt: Number.NEGATIVE_INFINITY };

  constructor(protected readonly settings: FileSettings) {}

  place(ref: DaemonRef): DaemonPlace {
    // With this every look begins.
    if (monotonicMs() - this.turn.startedAt > longestTurnMs) this.lookAnew();
    return this.locate(ref).shown;
  }

  read(ref: DaemonRef): DescriptorReading {
    const { name, files } = this.locate(ref);
    const file = readOwnFile(files.descriptor);
    if (!file) return { kind: 'absent' };
    if ('notAFile' in file) return { kind: 'corrupt', reason: file.notAFile };
    const decoded = decodeDescriptor(file.text);
    if (decoded.kind !== 'present') return decoded;
    if (!ref.descriptor && !sameName(decoded.descriptor.name, name)) return { kind: 'corrupt', reason: 'it is the record of another name' };
    const { descriptor } = decoded;
    const isMarked = () => this.endedBy(files) === descriptor.instanceId;
    return {
      kind: 'present',
      descriptor,
      // Asked for of the dead only.
      get endedCleanly() {
        return isMarked();
      },
    };
  }

  write(held: HeldLock, descriptor: Descriptor): void {
    const text = encodeDescriptor(descriptor);
    // What could not be read again would be taken for a corrupt record, and its daemon for a lost one.
    const decoded = Buffer.byteLength(text) > largestFileBytes ? { kind: 'corrupt', reason: 'it is too large' } : decodeDescriptor(text);
    if (decoded.kind !== 'present')
      throw new DaemonError('invalid-spec', `this daemon can't be recorded: ${'reason' in decoded ? decoded.reason : decoded.kind}`, {
        name: descriptor.name,
      });
    writeAtOnce(this.locate(held.ref).files.descriptor, text);
  }

  async settle(held: HeldLock): Promise<void> {
    const { descriptor, spec, folder } = this.locate(held.ref).files;
    const sync = this.settings.hasTime ? syncInPlace : syncMeanwhile;
    const settled = await Promise.all([settleFile(descriptor, sync), settleFile(spec, sync)]);
    // That it was removed stands in the folder.
    if (!settled[0] && this.settings.platform !== 'win32') await settleFolder(folder, sync);
  }

  async clear(held: HeldLock): Promise<void> {
    const { files } = this.locate(held.ref);
    const seen = namesSeen(files.folder);
    // One that was only just made holds nothing else. No name is looked for in it: the system may find one by another spelling.
    const isNew = seen?.every((name) => [files.lock, files.claim].some((path) => name === basename(path)));
    if (!isNew) {
      await this.removeRecord(held.ref, files);
      // Last: until the descriptor is gone, the marker says that it ended well.
      naming(files.ended, 'write', () => removeIfThere(files.ended));
    }
    const names = seen ?? naming(files.folder, 'read', () => readdirSync(files.folder));
    removeRemnants(files, names);
    // Beside a descriptor of the user's choice, others may be about to listen.
    if (files.stem === '') await removeHiddenSockets(files.folder, names);
  }

  private async removeRecord(ref: DaemonRef, files: DaemonFiles): Promise<void> {
    const reading = this.read(ref);
    if (reading.kind === 'present') await this.removeInstance(files, reading.descriptor);
    if (reading.kind === 'corrupt' || reading.kind === 'newer') setAside(files.descriptor);
    else naming(files.descriptor, 'write', () => removeIfThere(files.descriptor));
  }

  async clearRun(held: HeldLock, descriptor: Descriptor): Promise<void> {
    const { files } = this.locate(held.ref);
    await this.removeInstance(files, descriptor);
    naming(files.ended, 'write', () => removeIfThere(files.ended));
  }

  createInstance(held: HeldLock, options: { readonly pinnedSocket: string | null; readonly notify: boolean }): InstanceFiles {
    const { name, files } = this.locate(held.ref);
    const instanceId = randomId();
    const { env, platform } = this.settings;
    const socket = options.pinnedSocket ?? this.createSocket({ name, instanceId, folder: files.folder, env, platform });
    const notifyFile = options.notify ? join(files.folder, `${files.stem}notify-${shortId(instanceId)}`) : null;
    return { instanceId, socket, notifyFile };
  }

  async readSpec(ref: DaemonRef): Promise<DaemonSpec | undefined> {
    const file = readOwnFile(this.locate(ref).files.spec);
    if (!file || 'notAFile' in file) return undefined;
    const { decodeSpec } = await import('./spec-codec.js');
    return decodeSpec(file.text);
  }

  writeSpec(held: HeldLock, spec: DaemonSpec): void {
    const { name, files } = this.locate(held.ref);
    const text = `${JSON.stringify({ schema: 1, name, ...spec }, null, 2)}\n`;
    const before = readOwnFile(files.spec);
    if (before && 'text' in before && before.text === text) return;
    writeAtOnce(files.spec, text);
  }

  names(): readonly string[] {
    this.lookAnew();
    const home = this.checkedHome();
    if (home === undefined) return [];
    return this.listing(home)
      .filter((name) => isName(name) && this.holdsRecord(filesInHome(home, name)))
      .sort();
  }

  /** The files of a daemon, in the folder that was first made for its name in any spelling. */
  locate(ref: DaemonRef): Place {
    const kept = this.kept.get(ref);
    return this.held.get(ref) ?? (kept?.seen === this.turn ? kept.place : this.find(ref));
  }

  /** The same daemon by the name as it is spelled on disk, for the one who holds its lock: it is not looked for again. */
  hold(ref: DaemonRef): DaemonRef {
    const place = this.find(ref);
    const held = { ...ref, name: place.name };
    this.held.set(held, place);
    return held;
  }

  private find(ref: DaemonRef): Place {
    if (ref.descriptor !== undefined) {
      const files = filesBeside(ref.descriptor);
      const folder = checkedFolder(files.folder, { create: false });
      return new Place(
        checkedFolderName(ref.name),
        files,
        folder !== undefined && [files.lock, files.claim, files.descriptor].some(exists),
        true,
      );
    }
    const kept = this.kept.get(ref);
    const wanted = kept ? kept.place.name : checkedFolderName(ref.name);
    const home = this.checkedHome();
    if (kept && home !== undefined && existsSync(kept.place.files.folder)) {
      kept.seen = this.turn;
      return kept.place;
    }
    if (home === undefined) return new Place(wanted, filesInHome(this.settings.home, wanted), false);
    const name = this.findSpelling(home, wanted);
    // The home is named as the user named it: a path that changes under him would surprise.
    const place = new Place(name ?? wanted, filesInHome(this.settings.home, name ?? wanted), name !== undefined);
    // Where any spelling finds a folder, only the listing tells which is its own.
    if (place.known && this.settings.platform === 'linux') this.kept.set(ref, { place, seen: this.turn });
    return place;
  }

  /** Looked at once in a turn of the event loop, since many daemons may be asked for in one: whoever changes it in between could do so after each look as well. */
  private checkedHome(): string | undefined {
    const { turn } = this;
    if (turn.home !== undefined) return turn.home;
    const home = checkedFolder(this.settings.home, { create: false });
    // One that is not there may be made before the turn is over.
    if (home === undefined) return undefined;
    turn.home = home;
    setImmediate(() => this.lookAnew()).unref();
    return home;
  }

  /** Whatever was seen in this turn: for who holds the home's lock by now. */
  lookAnew(): void {
    this.turn = { startedAt: monotonicMs() };
  }

  createHome(): string {
    return checkedFolder(this.settings.home, { create: true }) as string;
  }

  /** The folder of a daemon, made sure of; `undefined` where there is none yet that another spelling could have, too. */
  openFolder(ref: DaemonRef): DaemonFiles | undefined {
    const { files, known } = this.find(ref);
    if (ref.descriptor !== undefined) checkedFolder(files.folder, { create: true });
    else if (known) checkedSubfolder(files.folder);
    else return undefined;
    return files;
  }

  /** Makes it. The caller holds the home's lock. */
  createFolder(ref: DaemonRef): DaemonFiles {
    if (this.checkedHome() === undefined) checkedFolder(this.settings.home, { create: true });
    const { name, files } = this.locate(ref);
    checkedSubfolder(files.folder);
    this.turn.spellings?.set(nameKey(name), name);
    return files;
  }

  /** How the name of a daemon is spelled on disk. Those of macOS and Windows find a folder by any spelling, and do not say which is its own. */
  private findSpelling(home: string, wanted: string): string | undefined {
    const key = nameKey(wanted);
    const isThere = () => this.turn.spellings?.get(key) === wanted || exists(filesInHome(home, wanted).folder);
    if (this.settings.platform === 'linux' && isThere()) return wanted;
    if (!this.turn.spellings) this.listing(home);
    return this.turn.spellings?.get(key);
  }

  private listing(home: string): readonly string[] {
    const names = namesIn(home);
    this.turn.spellings = new Map(names.map((name) => [nameKey(name), name]));
    return names;
  }

  protected createSocket(wish: SocketWish): string {
    return createSocketPath(wish);
  }

  private holdsRecord(files: DaemonFiles): boolean {
    // The first finds almost all of them, in the shortest time; a link that leads nowhere is a record, too.
    return existsSync(files.descriptor) || exists(files.descriptor) || exists(files.spec);
  }

  private endedBy(files: DaemonFiles): string | undefined {
    // To be told of a missing file by an exception takes as long as all else that is read here.
    if (!exists(files.ended)) return undefined;
    const file = readOwnFile(files.ended);
    return file && 'text' in file ? file.text.trim() : undefined;
  }

  private async removeInstance(files: DaemonFiles, descriptor: Descriptor): Promise<void> {
    const { notifyFile, socket, instanceId } = descriptor;
    // Paths come from a file: only what we could have made ourselves is removed.
    if (notifyFile !== null && dirname(notifyFile) === files.folder && notifyFile.endsWith(`notify-${shortId(instanceId)}`)) {
      naming(notifyFile, 'write', () => removeIfThere(notifyFile));
    }
    if (socket !== null) await removeDeadSocket(socket);
  }
}

/** What was seen in one turn of the event loop. */
interface Turn {
  /** By the monotonic clock. Milliseconds. */
  readonly startedAt: number;
  /** Resolved and checked. */
  home?: string;
  /** Of all names in it, as they are on disk, by their keys. */
  spellings?: Map<string, string>;
}

class Place {
  readonly shown: DaemonPlace;

  /** `isBeside`: beside a descriptor of the user's choice, in a folder that may hold other things. */
  constructor(
    readonly name: string,
    readonly files: DaemonFiles,
    readonly known: boolean,
    isBeside = false,
  ) {
    this.shown = {
      name,
      // Asked for by those only who do not find it running: it may have been removed since it was seen.
      get known() {
        return known && (isBeside || !isGone(files.folder));
      },
      descriptor: files.descriptor,
      log: files.log,
    };
  }
}

function isName(name: string): boolean {
  try {
    return checkedName(name) === name;
  } catch {
    return false;
  }
}

function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // Below a plain file there is nothing; below a folder that is closed to us, nothing of ours.
    if (['ENOTDIR', 'EACCES'].includes(errnoOf(error))) return false;
    throw fileFailure(error, path, 'read');
  }
}

/** What can't be looked at just now is not gone for that. */
function isGone(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    return errnoOf(error) === 'ENOTDIR';
  }
}

/** What can't be parsed is kept for a person to look at, out of everybody's way. */
function setAside(path: string): void {
  naming(path, 'write', () => {
    try {
      renameSync(path, `${path}.bad`);
    } catch (error) {
      if (!['EEXIST', 'ENOTEMPTY', 'EISDIR', 'ENOTDIR'].includes(errnoOf(error))) throw error;
      renameSync(path, `${path}.${shortId(randomId())}.bad`);
    }
  });
}

/** What a daemon left that was killed between listening and giving its socket the name by which it is found. */
async function removeHiddenSockets(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) if (/^\.?[0-9a-f]{6,12}$/.test(name)) await removeDeadSocket(join(folder, name));
}

/** Of a home that was there when it was looked at: none where somebody has removed it since. */
function namesIn(home: string): readonly string[] {
  return naming(home, 'read', () => {
    try {
      return readdirSync(home);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      throw error;
    }
  });
}

/** `undefined` where it can't be looked at just now. */
function namesSeen(folder: string): readonly string[] | undefined {
  try {
    return readdirSync(folder);
  } catch {
    return undefined;
  }
}

/** What writers and starters left that were killed, which no record leads to. We hold the lock, so nobody is at it. */
function removeRemnants(files: DaemonFiles, names: readonly string[]): void {
  const { log } = files;
  const own = [files.descriptor, files.spec, files.ended, files.claim, log, `${log}.base`, `${log}.times`].map((path) => basename(path));
  const claim = basename(files.claim);
  const isOwn = (target: string) => own.includes(target) || target.startsWith(`${claim}.`);
  for (const name of names) {
    const target = /^\.(.+)\.[0-9a-f]{12}\.tmp$/.exec(name)?.[1];
    const path = join(files.folder, name);
    const isNotice = name.startsWith(`${files.stem}notify-`) && /notify-[0-9a-f]{12}$/.test(name);
    if (isNotice || (target !== undefined && isOwn(target))) naming(path, 'write', () => removeIfThere(path));
  }
}
