import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type Scalar, type YAMLMap } from 'yaml';
import { shown } from '../../domain/shown.js';

export type Path = readonly (string | number)[];

/** Something wrong with a file, and where. */
export interface FileIssue {
  readonly line: number;
  readonly column: number;
  readonly path: Path;
  readonly message: string;
}

/** Plain data, and where each part of it stands in its text. */
export interface LocatedValue {
  readonly value: unknown;
  /** What is wrong with the text as such. Where anything is, `value` may have gaps. */
  readonly issues: readonly FileIssue[];
  issue(path: Path, message: string): FileIssue;
  /** The same where the last key of the path is what is wrong, and not what stands behind it. */
  keyIssue(path: Path, message: string): FileIssue;
  issueAt(offset: number, message: string): FileIssue;
  /** As it is written: a number's digits say more than its value. */
  sourceOf(path: Path): string | undefined;
}

/** Beyond what a file can mean: aliases within aliases double with each line. */
const mostNodes = 100_000;
const mostCharacters = 8 * 1024 * 1024;
const deepest = 50;
const tooDeep = `it is nested deeper than ${deepest} levels`;

interface Spot {
  readonly offset: number;
  readonly keyOffset: number;
  readonly source?: string | undefined;
}

/**
 * Reads YAML 1.2, with merge keys. The library's own way to plain data is not taken: it forgets places and how numbers were
 * written, finds the anchor of an alias by a walk through the whole document, and compares each key with all before it.
 */
export function readYaml(text: string): LocatedValue {
  const lines = new LineCounter();
  const reader = new Reader((offset) => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  });
  reader.readText(text, lines);
  return reader;
}

/** There is no telling what else it says. */
class Unreadable extends Error {
  constructor(
    message: string,
    readonly offset = 0,
  ) {
    super(message);
  }
}

class Reader implements LocatedValue {
  value: unknown;
  readonly issues: FileIssue[] = [];
  private readonly spots = new WeakMap<object, Map<string | number, Spot>>();
  private readonly anchors = new Map<string, Node>();
  private nodes = 0;
  private characters = 0;

  constructor(private readonly placeOf: (offset: number) => { line: number; column: number }) {}

  readText(text: string, lineCounter: LineCounter): void {
    try {
      const document = parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false, merge: false, strict: true });
      // The library tells of a depth that it can't follow, and then of each level that is never closed.
      if (document.errors.some(({ message }) => /call stack/.test(message))) throw new Unreadable(tooDeep);
      for (const { pos, message, code } of [...document.errors, ...document.warnings]) this.report(pos[0], [], inWords(code, message));
      if (this.issues.length === 0) this.value = this.plain(document.contents as Node | null, [], 0);
    } catch (error) {
      if (!(error instanceof Unreadable) && !(error instanceof RangeError)) throw error;
      this.report(error instanceof Unreadable ? error.offset : 0, [], error instanceof Unreadable ? error.message : tooDeep);
    }
  }

  issue(path: Path, message: string): FileIssue {
    return this.issueOf(this.spotOf(path).offset, path, message);
  }

  keyIssue(path: Path, message: string): FileIssue {
    return this.issueOf(this.spotOf(path).keyOffset, path, message);
  }

  issueAt(offset: number, message: string): FileIssue {
    return this.issueOf(offset, [], message);
  }

  sourceOf(path: Path): string | undefined {
    return this.spotOf(path).source;
  }

  private issueOf(offset: number, path: Path, message: string): FileIssue {
    return { ...this.placeOf(offset), path, message: printable(message) };
  }

  /** Of the last part of the path that is there. */
  private spotOf(path: Path): Spot {
    let spot: Spot = { offset: 0, keyOffset: 0 };
    let value = this.value;
    for (const step of path) {
      const next = typeof value === 'object' && value !== null ? this.spots.get(value)?.get(step) : undefined;
      if (!next) break;
      spot = next;
      value = Object.getOwnPropertyDescriptor(value, step)?.value;
    }
    return spot;
  }

  private report(offset: number, path: Path, message: string): void {
    this.issues.push(this.issueOf(offset, path, message));
  }

  private plain(node: Node | null | undefined, path: Path, depth: number): unknown {
    this.nodes++;
    if (this.nodes > mostNodes || this.characters > mostCharacters)
      throw new Unreadable('it is larger than anybody could mean, with its aliases');
    if (depth > deepest) throw new Unreadable(tooDeep);
    if (!node) return null;
    if ('anchor' in node && node.anchor) this.anchors.set(node.anchor, node);
    if (isAlias(node)) return this.plain(this.anchored(node.source, node), path, depth + 1);
    if (isMap(node)) return this.plainMap(node, path, depth);
    if (isSeq(node)) return this.plainList(node.items as Node[], path, depth);
    return this.plainScalar(node as Scalar, path);
  }

  private anchored(source: string, node: Node): Node {
    const anchored = this.anchors.get(source);
    if (anchored) return anchored;
    throw new Unreadable(`no anchor &${source} stands before *${source}`, offsetOf(node));
  }

  private plainList(items: readonly Node[], path: Path, depth: number): unknown[] {
    const list: unknown[] = [];
    const spots = new Map<string | number, Spot>();
    for (const [index, item] of items.entries()) {
      spots.set(index, spotOfValue(item, item));
      list.push(this.plain(item, [...path, index], depth + 1));
    }
    this.spots.set(list, spots);
    return list;
  }

  private plainMap(node: YAMLMap, path: Path, depth: number): Record<string, unknown> {
    const entries = new Map<string, unknown>();
    const spots = new Map<string | number, Spot>();
    const merged: Record<string, unknown>[] = [];
    for (const pair of node.items as Pair<Node, Node>[]) {
      if (isMergeKey(pair.key)) {
        merged.push(...this.mergedMaps(pair.value, path, depth));
        continue;
      }
      const key = this.keyOf(pair.key, path);
      if (key === undefined) continue;
      // Every object has it, so that checks by the library for shapes pass over it.
      if (key === '__proto__') {
        this.report(offsetOf(pair.key), path, 'nothing here may be called __proto__');
        continue;
      }
      if (entries.has(key)) this.report(offsetOf(pair.key), [...path, key], `${shown(key)} stands here twice`);
      spots.set(key, spotOfValue(pair.key, pair.value));
      entries.set(key, this.plain(pair.value, [...path, key], depth + 1));
    }
    for (const from of merged) {
      for (const [key, value] of Object.entries(from)) {
        if (entries.has(key)) continue;
        entries.set(key, value);
        spots.set(key, this.spots.get(from)?.get(key) as Spot);
      }
    }
    const map = Object.fromEntries(entries);
    this.spots.set(map, spots);
    return map;
  }

  /** What stands behind `<<`: a mapping, or a list of them of which earlier ones win. */
  private mergedMaps(node: Node | null, path: Path, depth: number): readonly Record<string, unknown>[] {
    const value = this.plain(node, [...path, '<<'], depth + 1);
    const maps = Array.isArray(value) ? value : [value];
    if (maps.every(isPlainMap)) return maps;
    this.report(node ? offsetOf(node) : 0, [...path, '<<'], '<< takes a mapping, or a list of them');
    return [];
  }

  private keyOf(key: Node | null, path: Path): string | undefined {
    const target = isAlias(key) ? this.anchors.get(key.source) : key;
    if (isScalar(target)) {
      if (target.anchor) this.anchors.set(target.anchor, target);
      const { value } = target;
      if (typeof value === 'string') return value;
      if (typeof value === 'number' || typeof value === 'boolean') return target.source ?? String(value);
    }
    this.report(key ? offsetOf(key) : 0, path, 'a key is a word');
    return undefined;
  }

  private plainScalar({ value, source }: Scalar, path: Path): unknown {
    if (typeof value === 'string') this.characters += value.length;
    if (typeof value === 'bigint' || (typeof value === 'object' && value !== null)) {
      this.report(0, path, `${source} can't be read as it is: put it in quotes`);
      return null;
    }
    return value;
  }
}

function isMergeKey(key: Node | null): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN';
}

export function isPlainMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where to look for what is wrong with an entry: its value, or its key where there is none. */
function spotOfValue(key: Node, value: Node | null): Spot {
  const shown = value && (isScalar(value) || isAlias(value)) && hasText(value) ? value : key;
  return { offset: offsetOf(shown), keyOffset: offsetOf(key), source: isScalar(value) ? value.source : undefined };
}

function hasText(node: Node): boolean {
  return !!node.range && node.range[1] > node.range[0];
}

function offsetOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

const longestMessage = 600;

/** One line, whatever of the file stands in it, and nothing that a terminal would obey. */
function printable(message: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be printed.
  const line = message.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
  return line.length <= longestMessage ? line : `${line.slice(0, longestMessage)}…`;
}

function inWords(code: string, message: string): string {
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here, and a project file is one';
  const line = message.split('\n', 1)[0] as string;
  return line.charAt(0).toLowerCase() + line.slice(1).replace(/\.$/, '');
}
