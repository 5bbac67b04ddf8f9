import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceTool, ToolEnd } from '../../../src/adapters/autostart/service-tool.js';

/** A call of a tool, as it was made. */
export interface Call {
  readonly line: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const done = (stdout = ''): ToolEnd => ({ status: 0, stdout, stderr: '' });
const failed = (status: number, stderr: string): ToolEnd => ({ status, stdout: '', stderr });

/** A manager that is played by a table of its tool's words: it keeps what the tool would keep, and runs nothing. */
abstract class PlayedManager {
  readonly folder = mkdtempSync(join(tmpdir(), 'manager-'));
  readonly calls: Call[] = [];
  readonly runs = new Set<string>();

  readonly tool: ServiceTool = async (file, args, { env }) => {
    this.calls.push({ line: [file, ...args].join(' '), env });
    return this.answer(file, args);
  };

  get lines(): readonly string[] {
    return this.calls.map(({ line }) => line);
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  protected abstract answer(file: string, args: readonly string[]): ToolEnd;
}

/** `systemctl --user`, which reads unit files, and `loginctl`. */
export class PlayedSystemd extends PlayedManager {
  readonly home = join(this.folder, 'home');
  mayLinger = true;

  constructor({ isBooted = true } = {}) {
    super();
    if (isBooted) mkdirSync(join(this.folder, 'run/systemd/system'), { recursive: true });
  }

  linger(user = 'ann'): void {
    mkdirSync(join(this.folder, 'var/lib/systemd/linger', user), { recursive: true });
  }

  get wants(): string {
    return join(this.home, '.config/systemd/user/default.target.wants');
  }

  protected answer(file: string, [scope, verb, ...rest]: readonly string[]): ToolEnd {
    if (file === 'loginctl') {
      if (!this.mayLinger) return failed(1, 'Could not enable linger: Interactive authentication required.');
      this.linger();
      return done();
    }
    if (scope !== '--user') return failed(1, `it was asked ${scope}`);
    const unit = rest.at(-1) ?? '';
    const id = unit.replace(/\.service$/, '');
    switch (verb) {
      case 'show':
        return done(
          unit.startsWith('--') ? 'Version=252\n' : `ActiveState=${this.runs.has(id) ? 'active' : 'inactive'}\nLoadState=loaded\n`,
        );
      case 'restart':
        if (!existsSync(join(this.home, '.config/systemd/user', unit)))
          return failed(5, `Failed to restart ${unit}: Unit ${unit} not found.\n`);
        this.runs.add(id);
        return done();
      case 'stop':
        this.runs.delete(id);
        return done();
      default:
        return done();
    }
  }
}

/** `launchctl`, with its flags that outlive the files, and a `bootout` that is over some time after it returned. */
export class PlayedLaunchd extends PlayedManager {
  readonly flags = new Map<string, string>();
  /** How many times a `bootstrap` right after a `bootout` fails. */
  lag = 0;
  hasScreen = true;
  private leaving = 0;

  protected answer(_file: string, [verb, target = '', path = '']: readonly string[]): ToolEnd {
    const domain = target.split('/').slice(0, 2).join('/');
    const id = target.split('/')[2] ?? '';
    if (domain.startsWith('gui/') && !this.hasScreen) return failed(125, 'Domain does not support specified action');
    switch (verb) {
      case 'print':
        if (id === '') return done(`${domain} = {\n}\n`);
        return this.runs.has(id) ? done(`${target} = {\n\tstate = running\n}\n`) : failed(113, `Could not find service "${id}"`);
      case 'print-disabled':
        return done(`disabled services = {\n${[...this.flags].map(([label, flag]) => `\t\t"${label}" => ${flag}\n`).join('')}\t}\n`);
      case 'enable':
        this.flags.set(id, 'enabled');
        return done();
      case 'bootout':
        if (!this.runs.delete(id)) return failed(3, 'Boot-out failed: 3: No such process');
        this.leaving = this.lag;
        return done();
      case 'bootstrap': {
        if (this.leaving-- > 0) return failed(5, 'Bootstrap failed: 5: Input/output error');
        if (!existsSync(path)) return failed(2, `Bootstrap failed: 2: No such file or directory`);
        const label = /<key>Label<\/key>\s*<string>(.*)<\/string>/.exec(readFileSync(path, 'utf8'))?.[1] as string;
        if (['true', 'disabled'].includes(this.flags.get(label) ?? '')) return failed(119, 'Bootstrap failed: 119: Service is disabled');
        this.runs.add(label);
        return done();
      }
      default:
        return failed(64, `unknown ${verb}`);
    }
  }
}

/** `schtasks`, which keeps the XML, and gives it back in its own words. */
export class PlayedTasks extends PlayedManager {
  readonly tasks = new Map<string, string>();

  protected answer(_file: string, args: readonly string[]): ToolEnd {
    const after = (flag: string) => args[args.indexOf(flag) + 1] as string;
    const name = after('/tn');
    const id = name.split('\\').at(-1) as string;
    const missing = failed(1, 'ERROR: The system cannot find the file specified.');
    switch (args[0]) {
      case '/create':
        this.tasks.set(name, readFileSync(after('/xml'), 'utf16le').replace(/^\ufeff/, ''));
        return done('SUCCESS: The scheduled task has been created.');
      case '/delete':
        return this.tasks.delete(name) ? done() : missing;
      case '/query':
        return this.tasks.has(name) ? done(this.tasks.get(name)?.replaceAll('\n', '\r\n')) : missing;
      case '/run':
        if (!this.tasks.has(name)) return missing;
        this.runs.add(id);
        return done();
      case '/end':
        return this.runs.delete(id) ? done() : missing;
      default:
        return failed(1, `ERROR: Invalid argument ${args[0]}`);
    }
  }
}
