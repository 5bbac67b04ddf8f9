import { hostname } from 'node:os';
import { splitCommand } from '../../../domain/split-command.js';
import { findSignalName } from '../../signal-name.js';
import { durationText, ImportedDaemons, type ImportedEntry, type ImportedProject, type ImportSource } from './imported-project.js';
import { type IniSection, readIni } from './ini.js';

const mostProcesses = 100;
/** What daemonry does anyway, and what has no meaning here. */
const silent = new Set(['command', 'process_name', 'numprocs', 'numprocs_start', 'stopasgroup', 'killasgroup', 'redirect_stderr']);

/** Expressions of one process, `%(name)s`. */
type Names = Readonly<Record<string, string | number | undefined>>;

/** The `[program:x]` sections of a `supervisord.conf`, and its groups. */
export function importSupervisord(source: ImportSource): ImportedProject {
  const imported = new ImportedDaemons();
  const sections = readIni(source.text);
  const groups = groupsOf(sections);
  for (const section of sections) {
    const [kind, name = ''] = section.name.split(/:(.*)/s);
    if (kind === 'program') importProgram(imported, section, name.trim(), { source, groups: groups.get(name.trim()) });
    else if (kind === 'include') imported.warn('[include] is left out: import the files that it names one by one');
    else if (kind === 'eventlistener' || kind === 'fcgi-program')
      imported.warn(`[${section.name}] is left out: it has no counterpart here`);
  }
  return imported;
}

function groupsOf(sections: readonly IniSection[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const { name, values } of sections) {
    const group = /^group:(.+)$/
      .exec(name)?.[1]
      ?.trim()
      .replace(/[^A-Za-z0-9_-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '');
    if (!group) continue;
    for (const program of (values.get('programs') ?? '').split(',')) {
      groups.set(program.trim(), [...(groups.get(program.trim()) ?? []), group]);
    }
  }
  return groups;
}

interface ProgramContext {
  readonly source: ImportSource;
  readonly groups: readonly string[] | undefined;
}

function importProgram(imported: ImportedDaemons, { values }: IniSection, program: string, { source, groups }: ProgramContext): void {
  const asked = Number(values.get('numprocs') ?? '1');
  const count = Number.isInteger(asked) && asked >= 1 ? Math.min(asked, mostProcesses) : 1;
  if (count !== asked) imported.warn(`${program}: numprocs is ${values.get('numprocs')}, and taken for ${count}`);
  const first = Number(values.get('numprocs_start') ?? '0') || 0;
  for (let number = first; number < first + count; number++) {
    const names: Names = {
      here: source.folder,
      program_name: program,
      process_num: number,
      numprocs: count,
      group_name: groups?.[0] ?? program,
      host_node_name: hostname(),
      ...Object.fromEntries(Object.entries(source.env).map(([name, value]) => [`ENV_${name}`, value])),
    };
    const reader = new ProgramReader(imported, program, values, names);
    const usual = count === 1 ? program : `${program}-${number}`;
    const name = values.has('process_name') ? reader.text('process_name') : usual;
    imported.add(name || usual, { ...reader.entry(), groups });
  }
}

class ProgramReader {
  constructor(
    private readonly imported: ImportedDaemons,
    private readonly program: string,
    private readonly values: ReadonlyMap<string, string>,
    private readonly names: Names,
  ) {}

  entry(): ImportedEntry {
    const entry: Record<string, unknown> = { command: this.command() };
    for (const key of this.values.keys()) {
      if (!silent.has(key)) this.take(entry, key);
    }
    this.policy(entry);
    return entry;
  }

  /** With its expressions filled in. */
  text(key: string): string {
    return (this.values.get(key) ?? '').replaceAll('\0', '').replace(/%(?:%|\((\w+)\)(0?)(\d*)([sd]))/g, (whole, name, zero, width) => {
      if (whole === '%%') return '%';
      const value = this.names[name as string];
      if (value === undefined) {
        this.warn(`${key} uses ${whole}, which is not known here, and is left empty`);
        return '';
      }
      if ((name as string).startsWith('ENV_')) this.warn(`${key} uses ${whole}, whose present value is written down`);
      return String(value).padStart(Math.min(Number(width) || 0, 20), zero === '0' ? '0' : ' ');
    });
  }

  private take(entry: Record<string, unknown>, key: string): void {
    switch (key) {
      case 'directory':
        entry.cwd = this.text(key) || undefined;
        return;
      case 'environment':
        entry.env = this.environment();
        return;
      case 'stopsignal':
      case 'stopwaitsecs':
        entry.stop = this.stop();
        return;
      case 'stdout_logfile':
        entry.log = this.logFile();
        return;
      case 'stdout_logfile_maxbytes':
      case 'stdout_logfile_backups':
        entry.logs = this.logs();
        return;
      case 'autorestart':
      case 'exitcodes':
      case 'startretries':
      case 'startsecs':
        // Told together.
        return;
      default:
        this.warn(`${key} is left out: it has no counterpart here`);
    }
  }

  /** It is split without a shell there, too, and what only a shell would mean is text. */
  private command(): readonly string[] {
    const words = splitCommand(this.text('command'), { literal: true });
    if (typeof words !== 'string') return words;
    this.warn(`its command can't be read: ${words}`);
    return ['false'];
  }

  private environment(): Record<string, string> | undefined {
    const text = this.text('environment');
    const found: [string, string][] = [];
    for (const [, name = '', double, single, plain] of text.matchAll(/([A-Za-z_]\w*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^,\n]*))/g)) {
      if (name !== '__proto__') found.push([name, double?.replace(/\\(.)/g, '$1') ?? single ?? (plain ?? '').trim()]);
    }
    if (found.length === 0 && text.trim() !== '') this.warn("environment can't be read");
    return found.length === 0 ? undefined : Object.fromEntries(found);
  }

  private stop(): Record<string, unknown> {
    const given = this.values.get('stopsignal');
    const signal = given === undefined ? undefined : findSignalName(given);
    if (given !== undefined && signal === undefined) this.warn(`stopsignal ${given} is none here`);
    return present({ signal, grace: this.seconds('stopwaitsecs') });
  }

  private logFile(): string | undefined {
    const path = this.text('stdout_logfile');
    if (/^auto$/i.test(path) || path === '') return undefined;
    if (!/^(none|syslog)$/i.test(path) && !path.startsWith('/dev/')) {
      if (this.values.get('redirect_stderr') !== 'true') this.warn(`what it writes to stderr goes to ${path} too`);
      return path;
    }
    this.warn(`stdout_logfile ${path} is left out: it has a log of its own`);
    return undefined;
  }

  private logs(): Record<string, unknown> | undefined {
    const size = /^(\d{1,12})\s*(kb|mb|gb)?$/i.exec(this.values.get('stdout_logfile_maxbytes') ?? '');
    const maxSize = size && Number(size[1]) > 0 ? `${Number(size[1])}${(size[2] ?? 'B').toUpperCase()}` : undefined;
    const keep = this.number('stdout_logfile_backups');
    const logs = present({ max_size: maxSize, keep: keep === undefined ? undefined : Math.min(keep, 1_000) });
    return Object.keys(logs).length === 0 ? undefined : logs;
  }

  /** Its own default is to restart what ends in an unexpected way. */
  private policy(entry: Record<string, unknown>): void {
    const policy = { true: 'always', false: 'never' }[(this.values.get('autorestart') ?? 'unexpected').toLowerCase()] ?? 'on-failure';
    const codes = (this.values.get('exitcodes') ?? '').split(',').map((code) => code.trim());
    const successCodes = codes.every((code) => /^\d{1,3}$/.test(code) && Number(code) <= 255) ? codes.map(Number) : undefined;
    const retries = this.number('startretries');
    const more = present({
      success_codes: successCodes,
      limit: retries === undefined ? undefined : Math.min(Math.max(retries, 1), 1_000),
      stable_after: this.seconds('startsecs'),
    });
    entry.restart = policy === 'never' || Object.keys(more).length === 0 ? policy : { policy, ...more };
  }

  private seconds(key: string): string | undefined {
    const seconds = this.number(key);
    return seconds === undefined ? undefined : durationText(seconds * 1_000);
  }

  private number(key: string): number | undefined {
    const text = this.values.get(key);
    if (text === undefined) return undefined;
    if (/^\d{1,9}$/.test(text.trim())) return Number(text);
    this.warn(`${key} ${JSON.stringify(text)} is no number`);
    return undefined;
  }

  private warn(text: string): void {
    this.imported.warn(`${this.program}: ${text}`);
  }
}

function present(entry: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
}
