import { isDaemonKey } from '../../../domain/project.js';

/** As it stands in a project file, less what is checked when that is read. */
export type ImportedEntry = Record<string, unknown>;

export interface ImportedProject {
  readonly daemons: Record<string, ImportedEntry>;
  /** What could not be taken over, one sentence each. */
  readonly warnings: readonly string[];
}

/** What an importer has to read: the text, where it stands, and what else it may ask. */
export interface ImportSource {
  readonly file: string;
  readonly folder: string;
  readonly text: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const longestKey = 40;

/** Collects daemons under names that a project file takes. */
export class ImportedDaemons implements ImportedProject {
  readonly daemons: Record<string, ImportedEntry> = Object.create(null);
  readonly warnings: string[] = [];

  warn(text: string): void {
    const line = text.replace(/\s+/g, ' ');
    if (!this.warnings.includes(line)) this.warnings.push(line);
  }

  add(name: string, entry: ImportedEntry): void {
    const key = this.freeKey(name);
    if (key !== name) this.warn(`${name} is called ${key}: a name has A-Z a-z 0-9 _ - and is there once`);
    this.daemons[key] = Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
  }

  private freeKey(name: string): string {
    const cleaned = name
      .replace(/[^A-Za-z0-9_-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, longestKey);
    const base = isDaemonKey(cleaned) ? cleaned : 'daemon';
    const taken = new Set(Object.keys(this.daemons).map((key) => key.toLowerCase()));
    let key = base;
    for (let number = 2; taken.has(key.toLowerCase()); number++) key = `${base}-${number}`;
    return key;
  }
}

/** Texts that no daemon can be given: with a zero byte. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0');
}

/** Milliseconds as people write them. */
export function durationText(ms: number): string {
  const whole = Math.min(2_147_483_647, Math.max(0, Math.round(ms)));
  if (whole % 60_000 === 0 && whole > 0) return `${whole / 60_000}m`;
  return whole % 1_000 === 0 ? `${whole / 1_000}s` : `${whole}ms`;
}
